"""A JPEG that carries far too much before its picture is refused before Pillow opens it; ordinary ones never are."""

from __future__ import annotations

import pytest
from recognizer.errors import BrokenPicture
from recognizer.pictures import read
from recognizer.pictures.jpeg_segments import MAX_HEADER_BYTES, MAX_SEGMENTS, excess

from tests.functional import hostile
from tests.unit.pictures.files import PLENTY, file_of, quarters

JPEG = file_of(quarters(), "JPEG")
SEGMENTS = 9  # of that file: its header, tables and frame


def with_segments(count, kind=b"\xe5", data=b""):
    return JPEG[:2] + (b"\xff" + kind + (len(data) + 2).to_bytes(2) + data) * count + JPEG[2:]


@pytest.mark.parametrize(
    "make", [hostile.jpeg_of_exif_segments, hostile.jpeg_of_empty_segments], ids=["Exif", "empty segments"]
)
def test_segments_by_the_thousand_are_refused(make):
    with pytest.raises(BrokenPicture, match=f"more than {MAX_SEGMENTS} pieces of metadata"):
        read(make(), PLENTY)


@pytest.mark.parametrize("make", [hostile.jpeg_behind_junk, lambda: with_segments(200, data=bytes(60_000))])
def test_megabytes_before_the_picture_are_refused(make):
    with pytest.raises(BrokenPicture, match="more than 8 MiB of metadata"):
        read(make(), PLENTY)


def test_a_file_that_never_comes_to_its_picture_is_refused_without_a_search():
    with pytest.raises(BrokenPicture, match="more than 8 MiB of metadata"):
        read(b"\xff\xd8\xff" + bytes(MAX_HEADER_BYTES), PLENTY)


def test_the_limit_counts_exactly():
    ordinary = next(count for count in range(100) if excess(with_segments(MAX_SEGMENTS - count)) is None)

    assert excess(with_segments(MAX_SEGMENTS - ordinary + 1)) is not None
    assert ordinary < 20


@pytest.mark.parametrize("hidden_behind", [b"\xff\xd9", b"\xff\xff\xff", b"\xff\0", b"junk", b"\xff\xd0", b"\xff\xf0"])
def test_what_pillow_passes_by_hides_nothing(hidden_behind):
    content = with_segments(MAX_SEGMENTS + 1)  # the first stays in its place

    assert excess(content[:6] + hidden_behind + content[6:]) is not None


def test_what_looks_like_segments_in_metadata_or_behind_the_beginning_of_the_picture_does_not_count():
    markers = b"\xff\xe5\0\2" * 10_000

    assert excess(JPEG + markers) is None
    assert excess(with_segments(1, data=markers)) is None


def test_a_depth_map_of_megabytes_in_its_metadata_is_ordinary():
    content = with_segments(100, kind=b"\xe1", data=b"http://ns.adobe.com/xmp/extension/\0" + bytes(60_000))

    assert read(content, PLENTY).image.size == (96, 64)
