"""What counts as a small, plain JPEG, and that such a file is what it was taken for."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from recognizer.errors import BrokenPicture
from recognizer.pictures import is_plain, read

from tests.conftest import ROOT
from tests.functional import hostile

MEGAPIXEL = 1_000_000
SAMPLES = sorted((ROOT / "src" / "Recognizer" / "web" / "samples").glob("*.jpg"))


def jpeg(size=(40, 30), mode="RGB", **options):
    file = BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def with_segment(marker, data, content=None, behind=2):
    content = content or jpeg()
    return content[:behind] + bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data + content[behind:]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_samples_are_plain(path):
    assert is_plain(path.read_bytes(), MEGAPIXEL)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "L"},
        {"progressive": True},
        {"subsampling": 0},
        {"subsampling": 2},
        {"restart_marker_rows": 1},
        {"exif": Image.Exif()},
        {"exif": b"Exif\0\0" + bytes(16_000)},
        {"comment": b"a comment"},
        {"icc_profile": bytes(100_000)},
        {"size": (1000, 1000), "quality": 95},
    ],
    ids=str,
)
def test_ordinary_files_are_plain(options):
    assert is_plain(jpeg(**options), MEGAPIXEL)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        jpeg(mode="CMYK"),
        jpeg((1001, 1000)),
        with_segment(0xE5, b"")[:200],
        with_segment(0xE2, b"MPF\0" + bytes(40)),
        with_segment(0xCC, bytes(2)),
        with_segment(0xC9, bytes(15)),
        with_segment(0xC0, bytes(15)),
        with_segment(0xDC, bytes(2)),
        jpeg()[:2] + b"\0" + jpeg()[2:],
        jpeg()[:2] + b"\xff" + jpeg()[2:],
        jpeg()[:2] + b"\xff\xe5\0\1" + jpeg()[2:],
        jpeg()[:2] + b"\xff\xe5\0\2" * 40 + jpeg()[2:],
        jpeg(icc_profile=bytes(300_000)),
        hostile.jpeg_of_many_scans(200, 17),
        hostile.jpeg_of_exif_segments(50),
        hostile.jpeg_of_exif_segments(2),
        hostile.jpeg_of_exif_tags(5000),
        with_segment(0xE1, b"Exif\0\0" + bytes(16 * 1024)),
        hostile.jpeg_of_empty_segments(50),
        hostile.jpeg_behind_junk(300_000),
        jpeg()[:-2] + bytes(5_000_000),
        jpeg()[:-2] + b"\xff\xfe\0\2" * 400 + jpeg()[-2:],
    ],
    ids=lambda content: f"{len(content)} bytes",
)
def test_other_files_are_not_plain(content):
    assert not is_plain(content, MEGAPIXEL)


@pytest.mark.parametrize("image_format", ["PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
def test_other_formats_are_not_plain(image_format):
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, image_format)

    assert not is_plain(file.getvalue(), MEGAPIXEL)


def test_none_is_plain_where_none_is_to_be():
    assert not is_plain(jpeg(), 0)


@given(st.binary(max_size=64), st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_a_file_that_counts_as_plain_has_no_more_pixels_than_that_for_the_decoder(spliced, seed, changes):
    random = np.random.default_rng(seed)
    content = bytearray(jpeg((64, 48), progressive=bool(seed % 2)))
    for place in random.integers(2, len(content), changes):
        content[place] = random.integers(256)
    place = int(random.integers(2, len(content)))
    content[place:place] = spliced
    most = 64 * 48
    if is_plain(bytes(content), most):
        try:
            picture = read(bytes(content), most)
        except BrokenPicture:
            return
        assert picture.format == "JPEG"
        assert not picture.animated
