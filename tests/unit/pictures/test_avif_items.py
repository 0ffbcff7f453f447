"""An AVIF that lists items by the thousand is refused before libavif reads it; ordinary ones never are."""

from __future__ import annotations

import struct

import pytest
from PIL import Image
from recognizer.errors import BrokenPicture
from recognizer.pictures import READABLE, read
from recognizer.pictures.avif_items import MAX_LIST_BYTES, excess

from tests.functional.hostile import avif_of_items
from tests.unit.pictures.files import PLENTY, WITH_EXIF, file_of, noise, quarters, srgb

pytestmark = pytest.mark.skipif("AVIF" not in READABLE, reason="this Pillow has no AVIF")


def box(kind, content):
    return struct.pack(">I", 8 + len(content)) + kind + content


def avif(*lists):
    return box(b"ftyp", b"avif") + box(b"meta", bytes(4) + b"".join(lists))


def test_properties_of_items_by_the_thousand_are_refused():
    with pytest.raises(BrokenPicture, match="more than 64 KiB of items"):
        read(avif_of_items(), PLENTY)


@pytest.mark.parametrize("kind", [b"iinf", b"iloc", b"iref", b"grpl"])
def test_every_list_of_items_counts(kind):
    assert excess(avif(box(kind, bytes(MAX_LIST_BYTES)))) is None
    assert excess(avif(box(kind, bytes(MAX_LIST_BYTES + 1)))) is not None


def test_all_lists_count_together():
    half = bytes(MAX_LIST_BYTES // 2)

    assert excess(avif(box(b"iinf", half), box(b"iprp", box(b"ipma", half)))) is None
    assert excess(avif(box(b"iinf", half), box(b"iprp", box(b"ipco", half) + box(b"ipma", half + b"1")))) is not None


@pytest.mark.parametrize("size", ["of 64 bits", "up to the end"])
def test_a_box_may_say_its_size_otherwise(size):
    inner = bytes(4) + box(b"iloc", bytes(MAX_LIST_BYTES + 1))
    header = struct.pack(">I4sQ", 1, b"meta", 16 + len(inner)) if size == "of 64 bits" else bytes(4) + b"meta"

    assert excess(box(b"ftyp", b"avif") + header + inner) is not None


def test_what_is_no_list_of_items_does_not_count():
    large = bytes(1_000_000)

    assert excess(avif(box(b"idat", large), box(b"iprp", box(b"ipco", large))) + box(b"mdat", large)) is None


@pytest.mark.skipif("AVIF" not in WITH_EXIF, reason="this Pillow has no AVIF")
def test_a_picture_with_all_that_an_avif_has_is_ordinary():
    image = noise(640, 480).convert("RGBA")
    frames = {"save_all": True, "append_images": [Image.new("RGBA", (640, 480))] * 5}
    content = file_of(image, "AVIF", exif=Image.Exif(), xmp=bytes(20_000), icc_profile=srgb(), **frames)

    assert read(content, PLENTY).image.size == (640, 480)


def test_a_file_that_is_cut_off_is_left_to_its_reader():
    content = file_of(quarters(), "AVIF")

    assert [length for length in range(500) if excess(content[:length]) is not None] == []
    assert excess(b"\0\0\0\0ftyp" + bytes(100)) is None
    assert excess(b"\0\0\0\x04ftyp" + bytes(100)) is None
