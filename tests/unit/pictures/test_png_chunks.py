"""A PNG of far too many chunks is refused before Pillow opens it; ordinary ones never are."""

from __future__ import annotations

import zlib

import pytest
from PIL import PngImagePlugin
from recognizer.errors import BrokenPicture
from recognizer.pictures import read
from recognizer.pictures.png_chunks import MAX_CHUNKS, MAX_COMPRESSED_CHUNKS, excess

from tests.functional import hostile
from tests.unit.pictures.files import PLENTY, file_of, quarters


@pytest.mark.parametrize("make", [hostile.png_of_profiles, hostile.png_of_texts], ids=["profiles", "texts"])
def test_profiles_and_texts_that_inflate_are_refused(make):
    with pytest.raises(BrokenPicture, match="more than 64 colour profiles and texts"):
        read(make(), PLENTY)


@pytest.mark.parametrize("before_pixels", [True, False], ids=["before the pixels", "behind them"])
def test_chunks_by_the_hundred_thousand_are_refused(before_pixels):
    with pytest.raises(BrokenPicture, match="more than 20,000 chunks"):
        read(hostile.png_of_chunks(b"teSt", b"", 100_000, before_pixels=before_pixels), PLENTY)


def test_texts_behind_the_pixels_count_too():
    assert excess(hostile.png_of_chunks(b"zTXt", b"t\0\0", MAX_COMPRESSED_CHUNKS + 1, before_pixels=False)) is not None


def test_the_limits_count_exactly():
    text = b"t\0\0" + zlib.compress(b"text")

    assert excess(hostile.png_of_chunks(b"zTXt", text, MAX_COMPRESSED_CHUNKS)) is None
    assert excess(hostile.png_of_chunks(b"zTXt", text, MAX_COMPRESSED_CHUNKS + 1)) is not None
    assert excess(hostile.png_of_chunks(b"teSt", b"", MAX_CHUNKS - 3)) is None
    assert excess(hostile.png_of_chunks(b"teSt", b"", MAX_CHUNKS)) is not None


def test_a_picture_with_dozens_of_texts_is_ordinary():
    texts = PngImagePlugin.PngInfo()
    for number in range(60):
        texts.add_text(f"key {number}", "a description", zip=True)

    assert read(file_of(quarters(), "PNG", pnginfo=texts), PLENTY).image.size == (96, 64)


def test_a_large_picture_of_many_small_chunks_is_ordinary():
    assert excess(hostile.png_of_chunks(b"IDAT", bytes(8192), 2560)) is None  # 20 MiB as libpng writes them


@pytest.mark.parametrize("end", [b"", b"\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\xffIDAT", b"\0\0\0\0IEND"])
def test_a_file_that_ends_anywhere_is_left_to_its_reader(end):
    assert excess(b"\x89PNG\r\n\x1a\n" + end) is None
