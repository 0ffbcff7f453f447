"""The size of a GIF's first frame, and what stands before it, are told before Pillow makes room for it."""

from __future__ import annotations

import resource
import sys

import pytest
from PIL import Image
from recognizer.errors import BrokenPicture, TooLarge
from recognizer.pictures import read
from recognizer.pictures.gif_frame import MAX_BLOCKS, excess, size_px

from tests.functional.hostile import gif_of_comments, gif_of_size
from tests.unit.pictures.files import PLENTY, file_of, noise, quarters

TWO = {"save_all": True, "append_images": [noise(96, 64)]}


@pytest.mark.parametrize(
    "options",
    [{}, {"comment": b"x" * 3000}, {"interlace": False}, {"transparency": 0, "disposal": 2}, TWO, {**TWO, "loop": 3}],
)
def test_the_size_of_an_ordinary_one_is_known(options):
    content = file_of(quarters().quantize(16), "GIF", **options)

    assert size_px(content) == (96, 64)
    assert excess(content) is None
    assert read(content, PLENTY).image.size == (96, 64)


@pytest.mark.parametrize(
    ("made", "size"),
    [
        (gif_of_size(30, 20), (30, 20)),
        (gif_of_size(30, 20, left=5, top=7), (35, 27)),
        (gif_of_size(0, 0), (1, 1)),
        (gif_of_size(65_535, 65_535, left=65_535, top=65_535), (131_070, 131_070)),
        (b"GIF89a\1\0\1\0\0\0\0junk" + gif_of_size(3, 4)[19:], (3, 4)),
    ],
)
def test_a_frame_beyond_the_screen_makes_the_picture_larger(made, size):
    assert size_px(made) == size


@pytest.mark.parametrize("disposal", range(8))
def test_a_frame_that_is_too_large_is_refused_before_there_is_room_for_it(disposal):
    content = gif_of_size(20_000, 20_000, disposal=disposal)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(TooLarge, match="20000 x 20000"):
        read(content, PLENTY)

    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB, or bytes on macOS
    assert taken < 100 * 1024 * (1024 if sys.platform == "darwin" else 1)


@pytest.mark.parametrize("length", range(len(gif_of_size(3, 4, disposal=2))))
def test_one_that_is_cut_is_known_or_not(length):
    assert size_px(gif_of_size(3, 4, disposal=2)[:length]) in {None, (3, 4)}


def test_blocks_without_end_are_told():
    assert excess(gif_of_comments(MAX_BLOCKS // 4)) is None
    assert excess(gif_of_comments(MAX_BLOCKS)) is not None
    with pytest.raises(BrokenPicture, match="blocks"):
        read(gif_of_comments(MAX_BLOCKS), PLENTY)


@pytest.mark.parametrize("step", [b"\1", b"!\xfe\0"])
def test_steps_without_a_block_have_an_end_too(step):
    start, picture = gif_of_comments(0)[:19], gif_of_comments(0)[22:]

    assert excess(start + step * 1000 + picture) is None
    assert size_px(start + step * 1000 + picture) == (1, 1)
    assert excess(start + step * (MAX_BLOCKS + 1) + picture) is not None


def test_what_is_no_gif_has_no_frame():
    assert size_px(file_of(Image.new("RGB", (3, 4)), "PNG")) is None
    assert size_px(b"GIF89a") is None
