"""Pictures of every kind become upright RGB pixels or a named error, and files that fit."""

from __future__ import annotations

import functools
import resource
import struct
import sys
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, PngImagePlugin
from recognizer import pictures
from recognizer.errors import BrokenPicture, RequestError, TooLarge, UnsupportedMediaType
from recognizer.pictures import MAX_JPEG_SCANS, MEDIA_TYPES, READABLE, encode, read

PLENTY = 50_000_000
LOSSLESS = {"PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}, "BMP": {}}
LOSSY = {"JPEG": {"quality": 95}, "GIF": {}, **({"AVIF": {"quality": 95}} if "AVIF" in READABLE else {})}
SAVE_OPTIONS = {**LOSSLESS, **LOSSY}
WITH_EXIF = [name for name in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF") if name in READABLE]
RED, GREEN, BLUE, WHITE, MAGENTA = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (255, 0, 255)
SECRET = b"52.5200 N 13.4050 E"

# EXIF orientation -> what the stored picture's first row and first column are in the upright one (EXIF 2.32, 4.6.4).
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def quarters(width=96, height=64):
    """A picture whose quarters tell which way up it is: red, green / blue, white."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = RED
    pixels[: height // 2, width // 2 :] = GREEN
    pixels[height // 2 :, : width // 2] = BLUE
    pixels[height // 2 :, width // 2 :] = WHITE
    return Image.fromarray(pixels)


def noise(width, height):
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8))


def file_of(image, image_format, **options):
    file = BytesIO()
    image.save(file, image_format, **{**SAVE_OPTIONS.get(image_format, {}), **options})
    return file.getvalue()


def png(width, height, bit_depth, colour_type, rows):
    """A PNG of raw rows: Pillow writes no 16-bit colours, and no header that lies."""
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    body = (struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def stored(upright, orientation):
    """The picture as a camera stores it that gives this orientation."""
    first_row, first_column = SIDES[orientation]
    pixels = np.asarray(upright)
    if first_row in {"left", "right"}:
        pixels = pixels.swapaxes(0, 1)
    if first_row in {"bottom", "right"}:
        pixels = pixels[::-1]
    if first_column in {"bottom", "right"}:
        pixels = pixels[:, ::-1]
    return Image.fromarray(np.ascontiguousarray(pixels))


def colours(image):
    """The colours of the four quarters, in reading order."""
    width, height = image.size
    places = [(width // 4, height // 4), (3 * width // 4, height // 4)]
    places += [(x, 3 * height // 4) for x, _ in places]
    return [image.getpixel(place) for place in places]


def near(found, expected, tolerance=12):
    return bool(np.abs(np.asarray(found, int) - np.asarray(expected, int)).max() <= tolerance)


def profile(space):
    """The smallest thing that passes for a colour profile of a colour space."""
    return bytes(16) + space + bytes(108)


def progressive(scans_added):
    """A progressive JPEG whose last scan is there that many more times."""
    content = file_of(quarters(), "JPEG", progressive=True)
    last_scan = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last_scan * scans_added + b"\xff\xd9"


def peak_memory_bytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


# Reading


@pytest.mark.parametrize("image_format", READABLE)
def test_every_format_is_read_as_rgb(image_format):
    picture = read(file_of(quarters(), image_format), PLENTY)

    assert picture.image.mode == "RGB"
    assert near(colours(picture.image), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("image_format", READABLE)
def test_a_picture_knows_its_format(image_format):
    assert read(file_of(quarters(), image_format), PLENTY).format == image_format


def test_every_readable_format_has_a_media_type():
    assert set(READABLE) <= set(MEDIA_TYPES)


@pytest.mark.parametrize("image_format", LOSSLESS)
def test_lossless_formats_keep_every_pixel(image_format):
    original = noise(31, 17)

    assert read(file_of(original, image_format), PLENTY).image.tobytes() == original.tobytes()


def test_progressive_jpegs_are_read():
    assert near(colours(read(progressive(0), PLENTY).image), [RED, GREEN, BLUE, WHITE])


def test_cmyk_comes_out_in_its_own_colours_not_inverted():
    content = file_of(quarters().convert("CMYK"), "JPEG")

    assert near(colours(read(content, PLENTY).image), [RED, GREEN, BLUE, WHITE], tolerance=20)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "BMP"])
def test_grey_pictures_get_three_channels(image_format):
    picture = read(file_of(Image.new("L", (8, 8), 100), image_format), PLENTY)

    assert near(picture.image.getpixel((4, 4)), (100, 100, 100), tolerance=2)


def test_one_bit_pictures_are_black_and_white():
    picture = read(file_of(Image.new("1", (8, 8), 1), "PNG"), PLENTY)

    assert picture.image.getpixel((0, 0)) == WHITE


def test_palette_pictures_get_their_colours():
    picture = read(file_of(quarters().convert("P", palette=Image.Palette.ADAPTIVE), "PNG"), PLENTY)

    assert near(colours(picture.image), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("image_format", ["PNG", "GIF"])
def test_a_transparent_palette_entry_is_white_not_its_colour(image_format):
    image = Image.new("P", (8, 8), 0)
    image.putpalette([*MAGENTA, *BLUE])
    image.paste(1, (4, 0, 8, 8))

    picture = read(file_of(image, image_format, transparency=0), PLENTY)

    assert [picture.image.getpixel((x, 4)) for x in (1, 6)] == [WHITE, BLUE]


@pytest.mark.parametrize("image_format", [name for name in ("PNG", "WEBP", "TIFF", "AVIF") if name in READABLE])
def test_transparency_lies_over_white(image_format):
    image = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    image.paste((0, 0, 255, 255), (8, 0, 16, 16))

    picture = read(file_of(image, image_format), PLENTY)

    assert near([picture.image.getpixel((x, 8)) for x in (2, 13)], [WHITE, BLUE])


def test_half_transparent_is_half_white():
    picture = read(file_of(Image.new("LA", (4, 4), (0, 128)), "PNG"), PLENTY)

    assert picture.image.getpixel((0, 0)) == (127, 127, 127)


def test_a_transparent_colour_of_an_rgb_png_is_white():
    picture = read(file_of(Image.new("RGB", (4, 4), MAGENTA), "PNG", transparency=MAGENTA), PLENTY)

    assert picture.image.getpixel((0, 0)) == WHITE


def test_16_bit_grey_is_scaled_not_clipped():
    row = struct.pack(">4H", 0, 0x4000, 0x8000, 0xFFFF)

    picture = read(png(4, 1, 16, 0, [row]), PLENTY)

    assert [picture.image.getpixel((x, 0))[0] for x in range(4)] == [0, 63, 127, 255]


def test_16_bit_colours_are_scaled_not_clipped():
    row = struct.pack(">6H", 0xFFFF, 0x4000, 0, 0x8000, 0, 0xC000)

    picture = read(png(2, 1, 16, 2, [row]), PLENTY)

    assert near([picture.image.getpixel((x, 0)) for x in range(2)], [(255, 64, 0), (128, 0, 192)], tolerance=1)


@pytest.mark.parametrize(("levels", "expected"), [((0.0, 0.5, 1.0), 127), ((0.0, 127.6, 255.0), 127)])
def test_floating_point_grey_is_scaled_by_its_range(levels, expected):
    content = file_of(Image.fromarray(np.array([levels], np.float32)), "TIFF")

    assert [read(content, PLENTY).image.getpixel((x, 0))[0] for x in range(3)] == [0, expected, 255]


def test_floating_point_grey_that_is_no_number_is_black():
    content = file_of(Image.fromarray(np.array([[np.nan, np.inf, 1.0]], np.float32)), "TIFF")

    assert [read(content, PLENTY).image.getpixel((x, 0))[0] for x in range(3)] == [0, 0, 255]


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_several_is_read_and_said(image_format):
    content = file_of(quarters(), image_format, save_all=True, append_images=[Image.new("RGB", (96, 64), "black")] * 2)

    picture = read(content, PLENTY)

    assert picture.animated
    assert near(colours(picture.image), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("image_format", READABLE)
def test_one_frame_is_no_animation(image_format):
    assert not read(file_of(quarters(), image_format), PLENTY).animated


def test_a_jpeg_with_a_second_picture_is_a_jpeg():
    content = file_of(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (96, 64))])

    picture = read(content, PLENTY)

    assert (picture.format, picture.animated) == ("JPEG", False)
    assert near(colours(picture.image), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("image_format", WITH_EXIF)
def test_the_orientation_is_applied_to_the_pixels(image_format, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    picture = read(file_of(stored(quarters(), orientation), image_format, exif=exif), PLENTY)

    assert picture.image.size == (96, 64)
    assert near(colours(picture.image), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("orientation", [0, 9, 6000])
def test_an_orientation_that_does_not_exist_is_ignored(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    assert read(file_of(quarters(), "JPEG", exif=exif), PLENTY).image.size == (96, 64)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_a_picture_with_damaged_metadata_is_still_a_picture(exif):
    assert near(colours(read(file_of(quarters(), "JPEG", exif=exif), PLENTY).image), [RED, GREEN, BLUE, WHITE])


def test_bytes_after_the_end_of_a_jpeg_are_ignored():
    content = file_of(quarters(), "JPEG") + b"a short film of the same moment" * 40

    assert near(colours(read(content, PLENTY).image), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_the_thinnest_pictures_are_read(size):
    assert read(file_of(Image.new("RGB", size), "PNG"), PLENTY).image.size == size


def test_pixels_are_rows_of_columns_of_rgb():
    pixels = pictures.pixels_of(quarters())

    assert (pixels.shape, pixels.dtype, tuple(pixels[0, -1])) == ((64, 96, 3), np.uint8, GREEN)


# Refusing


def test_an_empty_file_is_no_picture():
    with pytest.raises(UnsupportedMediaType, match="empty"):
        read(b"", PLENTY)


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><title>404</title>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
        b"P6 2 2 255\n" + bytes(12),
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"8BPS\0\1" + bytes(40),
        b"\0",
        bytes(1000),
    ],
    ids=["html", "svg", "pdf", "ppm", "eps", "psd", "one byte", "zeros"],
)
def test_what_is_no_picture_that_is_read_is_unsupported(content):
    with pytest.raises(UnsupportedMediaType, match="JPEG, PNG"):
        read(content, PLENTY)


def test_heic_is_refused_by_name():
    with pytest.raises(UnsupportedMediaType, match="HEIC"):
        read(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", PLENTY)


def test_only_the_named_decoders_may_open_a_file():
    picture_of_another_format = file_of(quarters(), "PPM")

    with pytest.raises(UnsupportedMediaType):
        read(picture_of_another_format, PLENTY)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("image_format", READABLE)
def test_half_a_picture_is_broken(image_format):
    content = file_of(noise(64, 64), image_format)

    with pytest.raises(BrokenPicture):
        read(content[: len(content) // 2], PLENTY)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("image_format", READABLE)
def test_the_beginning_of_a_header_is_a_broken_picture(image_format):
    with pytest.raises(BrokenPicture):
        read(file_of(quarters(), image_format)[:20], PLENTY)


def test_a_png_with_a_wrong_checksum_is_broken():
    content = bytearray(file_of(noise(64, 64), "PNG"))
    content[len(content) // 2] ^= 0xFF

    with pytest.raises(BrokenPicture):
        read(bytes(content), PLENTY)


def test_a_picture_of_the_limit_is_read():
    assert read(file_of(Image.new("RGB", (20, 50)), "PNG"), 1000).image.size == (20, 50)


@pytest.mark.parametrize("image_format", READABLE)
def test_a_picture_beyond_the_limit_is_too_large(image_format):
    with pytest.raises(TooLarge, match="77 x 13"):
        read(file_of(Image.new("RGB", (77, 13)), image_format), 1000)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
def test_the_limit_is_checked_before_decoding(image_format):
    """What could not be decoded is too large all the same: nothing was decoded to learn that."""
    content = file_of(noise(64, 64), image_format, **({"tiffinfo": {}} if image_format == "TIFF" else {}))
    cut = content if image_format == "TIFF" else content[: len(content) // 2]  # a TIFF's directory is at its end

    with pytest.raises(TooLarge):
        read(cut, 64 * 64 - 1)


def test_a_header_that_lies_is_refused_without_allocating():
    lying = png(60_000, 60_000, 8, 6, [bytes(10)])
    before_bytes = peak_memory_bytes()

    with pytest.raises(TooLarge, match="60000 x 60000"):
        read(lying, PLENTY)

    assert peak_memory_bytes() - before_bytes < 100_000_000


def test_a_jpeg_of_a_few_more_scans_is_read():
    assert read(progressive(50), PLENTY).image.size == (96, 64)


def test_a_jpeg_of_thousands_of_scans_is_refused():
    with pytest.raises(BrokenPicture, match=f"at most {MAX_JPEG_SCANS}"):
        read(progressive(5000), PLENTY)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("image_format", READABLE)
def test_a_picture_cut_anywhere_is_read_or_refused(image_format):
    content = file_of(noise(24, 16), image_format)
    outcomes = set()
    for length in range(0, len(content), max(1, len(content) // 150)):
        try:
            outcomes.add(type(read(content[:length], PLENTY)))
        except RequestError as error:
            outcomes.add(type(error))

    assert BrokenPicture in outcomes


MUTABLE = {image_format: file_of(noise(24, 16), image_format) for image_format in READABLE}
MUTABLE["PNG with a palette"] = file_of(quarters().convert("P"), "PNG", transparency=0)
MUTABLE["JPEG with metadata"] = file_of(
    quarters(), "JPEG", exif=Image.Exif(), icc_profile=profile(b"RGB "), progressive=True
)
MUTABLE["CMYK"] = file_of(quarters().convert("CMYK"), "JPEG")
MUTABLE["16 bits"] = png(4, 1, 16, 0, [bytes(8)])
MUTABLE["two frames"] = file_of(quarters(), "GIF", save_all=True, append_images=[noise(96, 64)])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", MUTABLE)
@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=20), st.booleans()
)
def test_a_damaged_picture_is_read_or_refused(kind, damage, in_the_header):
    content = bytearray(MUTABLE[kind])
    length = min(len(content), 200) if in_the_header else len(content)
    for place, value in damage:
        content[int(place * length)] = value
    try:
        picture = read(bytes(content), 1_000_000)
    except RequestError:
        return
    assert picture.image.mode == "RGB"


@pytest.mark.filterwarnings("ignore")
@given(
    st.sampled_from(
        [
            b"",
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"GIF89a",
            b"BM",
            b"II*\0",
            b"RIFF\0\0\0\0WEBP",
            b"\0\0\0 ftypavif",
        ]
    ),
    st.binary(max_size=300),
)
def test_any_bytes_are_read_or_refused(magic, rest):
    try:
        picture = read(magic + rest, 1_000_000)
    except RequestError:
        return
    assert picture.image.mode == "RGB"


# Profiles and metadata


@functools.cache  # a profile carries the second it was made in
def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("image_format", WITH_EXIF)
def test_the_colour_profile_of_an_rgb_picture_is_kept(image_format):
    content = file_of(quarters(), image_format, icc_profile=srgb())

    assert read(content, PLENTY).icc_profile == srgb()


@pytest.mark.parametrize(("mode", "space"), [("CMYK", b"CMYK"), ("L", b"GRAY"), ("RGB", b"Lab ")])
def test_a_profile_of_another_colour_space_is_dropped(mode, space):
    content = file_of(quarters().convert(mode), "JPEG", icc_profile=profile(space))

    assert read(content, PLENTY).icc_profile is None


@pytest.mark.parametrize("icc", [b"", b"x", b"RGB " * 4])
def test_a_profile_too_short_to_be_one_is_dropped(icc):
    assert read(file_of(quarters(), "JPEG", icc_profile=icc), PLENTY).icc_profile is None


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


# Writing


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
