"""No look at a file refuses an ordinary one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from recognizer.errors import RequestError
from recognizer.pictures import READABLE, avif_items, decode, gif_frame, jpeg_segments, png_chunks, read, tiff_tags
from recognizer.pictures.jpeg_scans import has_too_many_scans

from tests.conftest import SHARED, needs_shared
from tests.unit.pictures.files import PLENTY, WITH_EXIF, file_of, noise, srgb

LOOKS = (jpeg_segments.excess, png_chunks.excess, gif_frame.excess, tiff_tags.excess, avif_items.excess)
# Sound pictures that are too large, no picture at all, or broken on purpose, of all that is shared.
OF_PURPOSE = ("bomb_", "corrupt_", "empty", "header_only", "heic_", "lying_", "text_", "truncated", "vector")


def test_every_look_is_taken():
    assert decode._LOOKS == LOOKS


@settings(max_examples=60)
@given(
    st.sampled_from(READABLE),
    st.integers(1, 80),
    st.integers(1, 80),
    st.sampled_from(["RGB", "L", "CMYK", "P", "1", "RGBA"]),
    st.booleans(),
    st.booleans(),
)
def test_whatever_is_saved_ordinarily_is_read(image_format, width, height, mode, has_metadata, has_frames):
    image = noise(width, height).convert(mode)
    options = {}
    if has_metadata and image_format in WITH_EXIF:
        exif = Image.Exif()
        exif[0x010E] = "a description " * 1000
        options = {"exif": exif, "icc_profile": srgb()}
    if has_frames and image_format in {"GIF", "WEBP", "PNG", "TIFF"}:
        options |= {"save_all": True, "append_images": [image] * 3}
    try:
        content = file_of(image, image_format, **options)
    except (OSError, ValueError):
        return  # no such mode in this format

    assert read(content, PLENTY).image.size == (width, height)


@pytest.mark.parametrize("options", [{"progressive": True}, {"optimize": True}, {"restart_marker_rows": 1}], ids=str)
def test_every_kind_of_jpeg_is_read(options):
    assert read(file_of(noise(640, 480), "JPEG", comment=b"c" * 60_000, **options), PLENTY).image.size == (640, 480)


@needs_shared
def test_every_shared_photo_is_ordinary():
    seen = 0
    for path in sorted([*(SHARED / "photos" / "dev").iterdir(), *(SHARED / "photos" / "formats").iterdir()]):
        if path.suffix == ".json" or path.name.startswith(OF_PURPOSE):
            continue
        content = path.read_bytes()
        seen += 1
        assert [look(content) for look in LOOKS] == [None] * len(LOOKS), path.name
        with Image.open(path) as image:
            assert not has_too_many_scans(content, image.size), path.name
        if path.stat().st_size < 1_000_000:
            try:
                read(content, PLENTY)
            except RequestError as error:
                raise AssertionError(path.name) from error
    assert seen > 40
