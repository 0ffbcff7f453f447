"""A TIFF whose directory promises far too much is refused before Pillow opens it; ordinary ones never are."""

from __future__ import annotations

import itertools

import pytest
from PIL import Image
from recognizer.errors import BrokenPicture
from recognizer.pictures import read
from recognizer.pictures.tiff_tags import MAX_TAGS, MAX_VALUES, excess

from tests.functional.hostile import tiff_of, tiff_of_strips
from tests.unit.pictures.files import PLENTY, file_of, noise, quarters

LAYOUTS = [{"big": big, "order": order} for big, order in itertools.product([False, True], "<>")]
# Pillow takes a big-endian BigTIFF for an ordinary TIFF with a damaged directory, and so does the look.
UNDERSTOOD = [layout for layout in LAYOUTS if layout != {"big": True, "order": ">"}]


@pytest.mark.parametrize("layout", UNDERSTOOD, ids=str)
def test_strips_that_repeat_the_picture_are_refused(layout):
    with pytest.raises(BrokenPicture, match="more strips or tiles than its picture needs"):
        read(tiff_of_strips(5000, rows=999, **layout), PLENTY)


@pytest.mark.parametrize("layout", UNDERSTOOD, ids=str)
def test_a_strip_for_each_byte_is_refused(layout):
    with pytest.raises(BrokenPicture, match="more than 200,000 values in a tag"):
        read(tiff_of_strips(MAX_VALUES + 1, width=1, height=20_000_000, rows=1, **layout), PLENTY)


@pytest.mark.parametrize("layout", UNDERSTOOD, ids=str)
def test_the_strips_that_a_picture_needs_are_read(layout):
    assert read(tiff_of_strips(10, height=1000, rows=100, **layout), PLENTY).image.size == (1000, 1000)
    assert read(tiff_of_strips(4, height=1000, rows=300, **layout), PLENTY).image.size == (1000, 1000)


def test_tags_by_the_hundred_thousand_are_refused():
    tags = [(1000 + number % 60_000, 3, 1, 0) for number in range(100_000)]

    with pytest.raises(BrokenPicture, match="more than 1000 tags"):
        read(tiff_of(tags, big=True), PLENTY)


@pytest.mark.parametrize(("kind", "is_refused"), [(5, True), (12, True), (1, False), (2, False), (7, False)])
def test_numbers_by_the_hundred_thousand_are_refused_but_bytes_are_not(kind, is_refused):
    content = tiff_of([(256, 4, 1, 8), (257, 4, 1, 8), (282, kind, MAX_VALUES + 1, 8)])

    assert (excess(content) is not None) is is_refused


def test_the_limit_of_tags_counts_exactly():
    tags = [(1000 + number, 3, 1, 0) for number in range(MAX_TAGS)]

    assert excess(tiff_of(tags)) is None
    assert excess(tiff_of([*tags, (999, 3, 1, 0)])) is not None


@pytest.mark.parametrize("planes", [1, 2])
def test_planes_of_their_own_have_strips_of_their_own(planes):
    tags = [(256, 4, 1, 100), (257, 4, 1, 90), (277, 3, 1, 3), (278, 4, 1, 30), (284, 3, 1, planes), (273, 4, 9, 8)]

    assert (excess(tiff_of(tags)) is None) is (planes == 2)


@pytest.mark.parametrize(("tiles", "is_refused"), [(12, False), (13, True)])
def test_tiles_are_counted_across_and_down(tiles, is_refused):
    tags = [(256, 4, 1, 1000), (257, 4, 1, 600), (322, 3, 1, 256), (323, 3, 1, 256), (324, 4, tiles, 8)]

    assert (excess(tiff_of(tags)) is not None) is is_refused


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "tiff_lzw"},
        {"compression": "tiff_adobe_deflate", "strip_size": 100},
        {"compression": "jpeg"},
        {"compression": "packbits"},
        {"save_all": True, "append_images": [Image.new("RGB", (96, 64))] * 3},
        {"big_tiff": True},
    ],
    ids=str,
)
def test_ordinary_files_are_read(options):
    assert read(file_of(noise(96, 640), "TIFF", **options), PLENTY).image.size == (96, 640)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_a_directory_that_is_cut_off_is_left_to_its_reader(layout):
    content = tiff_of_strips(1, width=8, height=8, **layout)

    for length in range(len(content)):
        excess(content[:length])
    with pytest.raises(BrokenPicture):
        read(content[:30], PLENTY)


def test_what_is_no_tiff_is_no_concern():
    assert excess(file_of(quarters(), "PNG")) is None


@pytest.mark.parametrize("place", [2**63 - 1, 2**63, 2**64 - 1])
def test_a_directory_beyond_all_files_is_nothing_to_count(place):
    content = tiff_of([(256, 4, 1, 1)], big=True)

    assert excess(content[:8] + place.to_bytes(8, "little") + content[16:]) is None
