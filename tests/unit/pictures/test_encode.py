"""Files are of the format asked for, fit, and tell nothing that the source told."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import ExifTags, Image, PngImagePlugin
from recognizer.pictures import MEDIA_TYPES, READABLE, encode, read

from tests.unit.pictures.files import (
    BLUE,
    GREEN,
    PLENTY,
    RED,
    WHITE,
    WITH_EXIF,
    colours,
    file_of,
    near,
    noise,
    quarters,
    srgb,
)

SECRET = b"52.5200 N 13.4050 E"


@pytest.mark.parametrize("image_format", WITH_EXIF)
def test_the_profile_is_written(image_format):
    encoded = encode(quarters(), image_format, srgb(), PLENTY)

    assert Image.open(BytesIO(encoded.content)).info["icc_profile"] == srgb()


def private_file(image_format):
    """A picture that tells where it was taken, in every way its format has."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = SECRET.decode()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
    options = {
        "JPEG": {"exif": exif, "xmp": xmp, "comment": SECRET},
        "PNG": {"exif": exif, "pnginfo": text},
        "WEBP": {"exif": exif, "xmp": xmp},
        "TIFF": {"exif": exif, "tiffinfo": {700: xmp}},
        "GIF": {"comment": SECRET},
        "AVIF": {"exif": exif, "xmp": xmp},
    }
    return file_of(quarters(), image_format, **options[image_format])


@pytest.mark.parametrize("written", READABLE)
@pytest.mark.parametrize("image_format", [*WITH_EXIF, "GIF"])
def test_metadata_is_not_written(image_format, written):
    content = private_file(image_format)
    assert SECRET in content

    picture = read(content, PLENTY)

    assert SECRET not in encode(picture.image, written, picture.icc_profile, PLENTY).content


@pytest.mark.parametrize("image_format", READABLE)
def test_what_is_written_is_of_the_format_asked_for(image_format):
    encoded = encode(quarters(), image_format, None, PLENTY)

    assert encoded.media_type == MEDIA_TYPES[image_format]
    assert read(encoded.content, PLENTY).format == image_format


@pytest.mark.parametrize("image_format", READABLE)
def test_a_picture_that_fits_is_not_reduced(image_format):
    encoded = encode(quarters(), image_format, None, PLENTY)

    assert encoded.reduced == ""
    assert near(colours(read(encoded.content, PLENTY).image), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("max_bytes", [10_000, 40_000])
@pytest.mark.parametrize("image_format", READABLE)
def test_a_written_picture_fits(image_format, max_bytes):
    encoded = encode(noise(400, 300), image_format, None, max_bytes)

    assert len(encoded.content) <= max_bytes
    width, height = read(encoded.content, PLENTY).image.size
    assert width / height == pytest.approx(4 / 3, rel=0.05)


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP"])
def test_quality_gives_way_first(image_format):
    image = noise(400, 300)
    best = len(encode(image, image_format, None, PLENTY).content)

    encoded = encode(image, image_format, None, best - 1)

    assert encoded.reduced.startswith("quality=")
    assert "width" not in encoded.reduced
    assert read(encoded.content, PLENTY).image.size == (400, 300)


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP"])
def test_size_gives_way_when_quality_does_not_suffice(image_format):
    encoded = encode(noise(400, 300), image_format, None, 10_000)

    size = read(encoded.content, PLENTY).image.size
    assert encoded.reduced.endswith(f"width={size[0]}, height={size[1]}")
    assert "quality=" in encoded.reduced


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "BMP", "TIFF"])
def test_formats_without_a_quality_shrink(image_format):
    encoded = encode(noise(400, 300), image_format, None, 40_000)

    size = read(encoded.content, PLENTY).image.size
    assert encoded.reduced == f"width={size[0]}, height={size[1]}"
    assert size < (400, 300)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "BMP"])
def test_a_large_picture_fits_without_shrinking_to_a_stamp(image_format):
    encoded = encode(noise(2600, 2000), image_format, None, 1_000_000)

    assert 400_000 < len(encoded.content) <= 1_000_000


def test_a_picture_of_one_pixel_is_written():
    assert encode(Image.new("RGB", (1, 1)), "JPEG", None, 10_000).reduced == ""


@pytest.mark.parametrize(
    ("image_format", "size", "limit_px"),
    [
        ("WEBP", (16_400, 4), 16_383),
        ("WEBP", (4, 16_400), 16_383),
        ("JPEG", (65_600, 4), 65_500),
        ("GIF", (65_600, 4), 65_535),
    ],
)
def test_a_picture_longer_than_its_format_allows_shrinks(image_format, size, limit_px):
    encoded = encode(Image.new("RGB", size), image_format, None, PLENTY)

    assert max(read(encoded.content, PLENTY).image.size) == limit_px
    assert f"={limit_px}" in encoded.reduced


def test_writing_does_not_change_the_picture():
    image = quarters()
    before = image.tobytes()

    encode(image, "JPEG", None, 10_000)

    assert image.tobytes() == before
