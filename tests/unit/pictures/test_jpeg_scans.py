"""The scans of a JPEG are counted without decoding it, and never fewer than libjpeg decodes.

How many it decodes shows in the picture: in these files each scan brings one frequency of its own.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from recognizer.errors import BrokenPicture
from recognizer.pictures import read
from recognizer.pictures.jpeg_scans import MAX_JPEG_SCANS, MAX_SCANNED_PX, has_too_many_scans, scans

from tests.conftest import SHARED, needs_shared
from tests.functional.hostile import jpeg_of_many_scans, tiff_around
from tests.unit.pictures.files import PLENTY, progressive

STEP = 40  # of the quantization: what one scan adds to its frequency
FREQUENCIES = range(1, 13)
BLOCKS = 3  # side by side, each behind a restart marker
SIZE_PX = (8 * BLOCKS, 8)
UNKNOWN_MARKER = b"\xff\x02\xff\xff"  # one that has no length, though it looks as if it had a very large one
START_OF_SCAN, END = b"\xff\xda", b"\xff\xd9"


def segment(marker, data):
    return b"\xff" + bytes([marker]) + (len(data) + 2).to_bytes(2) + data


HEADER = b"\xff\xd8" + b"".join(
    [
        segment(0xDB, bytes([0] + [STEP] * 64)),  # quantization
        segment(0xC2, bytes([8, 0, 8, 0, 8 * BLOCKS, 1, 1, 0x11, 0])),  # progressive, grey
        segment(0xC4, bytes([0x00, 1] + [0] * 15 + [0])),  # Huffman codes: a constant term of 0 is the bit 0,
        segment(0xC4, bytes([0x10, 1] + [0] * 15 + [1])),  # a coefficient of 1 or -1 the bit 0 and its sign
        segment(0xDD, bytes([0, 1])),  # restart after each block
    ]
)


def scan(frequency):
    """A scan in pieces between which a decoder may meet anything: its header, and each block behind its restart."""
    header = segment(0xDA, bytes([1, 1, 0, frequency, frequency, 0]))
    return [header, b"\x7f", *(piece for i in range(BLOCKS - 1) for piece in (bytes([0xFF, 0xD0 + i]), b"\x7f"))]


PIECES = [HEADER, *(piece for frequency in (0, *FREQUENCIES) for piece in scan(frequency)), END]


def frequencies_decoded(content):
    """How many of ``FREQUENCIES`` are in the picture that libjpeg makes of a file."""
    with Image.open(BytesIO(content), formats=["JPEG"]) as image:
        levels = np.asarray(image, float)
    x = np.arange(8)
    cosines = np.cos((2 * x + 1) * x[:, np.newaxis] * np.pi / 16) / 2  # the DCT of ITU-T T.81, A.3.3
    cosines[0] /= np.sqrt(2)
    blocks = levels.reshape(8, BLOCKS, 8).swapaxes(0, 1) - 128
    found = np.abs(cosines @ blocks @ cosines.T).max(axis=0) > STEP / 2
    return int(found.sum()) - int(found[0, 0])


def test_every_scan_of_a_sound_file_is_counted():
    content = b"".join(PIECES)

    assert frequencies_decoded(content) == len(FREQUENCIES)
    assert len(list(scans(content))) == len(FREQUENCIES) + 1


def test_scans_behind_a_marker_without_length_are_counted():
    hidden = b"".join([*PIECES[:2], UNKNOWN_MARKER, *PIECES[3:]])

    assert frequencies_decoded(hidden) == len(FREQUENCIES)
    assert len(list(scans(hidden))) >= len(FREQUENCIES)


JUNK = [b"\xff", b"\0", b"\1", b"\2", b"\4", b"\x7f", b"\xbf", *(bytes([code]) for code in range(0xC0, 0x100))]
MARKERS = [b"\xff\x02", b"\xff\x01", b"\xff\xc8", b"\xff\xd0", b"\xff\xd5", b"\xff\xd8", b"\xff\xdc", b"\xff\xe1"]
MARKERS += [b"\xff\xfe", b"\xff\xff", b"\xff\0", b"\xff\xf0", b"\xff\xda", b"\xff\xdc\0\4", b"\xff\xfe\0\x09"]
INSERTIONS = st.lists(
    st.tuples(
        st.integers(1, len(PIECES) - 1),
        st.lists(st.sampled_from(JUNK) | st.sampled_from(MARKERS), min_size=1, max_size=8).map(b"".join),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=400, deadline=None)
@given(INSERTIONS, st.sets(st.integers(1, len(PIECES) - 2), max_size=4))
@example([(2, UNKNOWN_MARKER)], {2})
@example([(2, b"\xff\x01\xff\xff"), (3, b"\xff\xfe\0\x02")], set())
def test_no_insertion_hides_a_scan_that_is_decoded(insertions, left_out):
    pieces = [b"" if place in left_out else piece for place, piece in enumerate(PIECES)]
    for place, junk in insertions:
        pieces[place] = junk + pieces[place]
    content = b"".join(pieces)
    try:
        decoded = frequencies_decoded(content)
    except (OSError, SyntaxError, ValueError):
        return
    assert decoded <= len(list(scans(content)))


def test_a_jpeg_of_a_few_more_scans_is_read():
    assert read(progressive(50), PLENTY).image.size == (96, 64)


def test_a_jpeg_of_thousands_of_scans_is_refused():
    with pytest.raises(BrokenPicture, match="too many scans"):
        read(progressive(5000), PLENTY)


def test_a_jpeg_of_thousands_of_hidden_scans_is_refused():
    hidden = b"".join([*PIECES[:2], UNKNOWN_MARKER, *scan(1) * 5000, END])

    with pytest.raises(BrokenPicture, match="too many scans"):
        read(hidden, PLENTY)


def test_the_limit_counts_exactly():
    at_the_limit = b"".join([HEADER, *scan(0), *scan(1) * (MAX_JPEG_SCANS - 1), END])
    one_more = b"".join([HEADER, *scan(0), *scan(1) * MAX_JPEG_SCANS, END])

    assert not has_too_many_scans(at_the_limit, SIZE_PX)
    assert has_too_many_scans(one_more, SIZE_PX)


def test_scans_within_a_tiff_count_too():
    with pytest.raises(BrokenPicture, match="too many scans"):
        read(tiff_around(jpeg_of_many_scans(96, MAX_JPEG_SCANS + 1), 96, 96), PLENTY)
    assert read(tiff_around(jpeg_of_many_scans(96, 90), 96, 96), PLENTY).image.size == (96, 96)


def test_a_tiff_of_many_jpegs_with_a_scan_each_is_read():
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (2048, 64), np.uint8))
    file = BytesIO()
    noise.save(file, "TIFF", compression="jpeg", tiffinfo={278: 8})
    content = file.getvalue()

    assert content.count(START_OF_SCAN) > MAX_JPEG_SCANS
    assert read(content, PLENTY).image.size == (64, 2048)


@pytest.mark.parametrize("scanned", [12, 15])
def test_the_largest_picture_may_have_the_scans_of_an_ordinary_progressive_one(scanned):
    content = b"".join([HEADER, *scan(0) * scanned, END])

    assert not has_too_many_scans(content, (10_000, 5_000))


def test_a_large_picture_has_a_budget_of_scanned_pixels():
    size_px = (10_000, MAX_SCANNED_PX // 10_000 // 20)  # twenty scans of it

    assert not has_too_many_scans(b"".join([HEADER, *scan(0) * 20, END]), size_px)
    assert has_too_many_scans(b"".join([HEADER, *scan(0) * 21, END]), size_px)


def test_a_large_jpeg_of_a_few_scans_too_many_is_refused_before_it_is_decoded():
    cut = jpeg_of_many_scans(side_px=6000, scans=40)[:-100]

    with pytest.raises(BrokenPicture, match="too many scans"):
        read(cut, PLENTY)


def test_what_looks_like_scans_in_metadata_or_behind_the_end_does_not_count():
    """A thumbnail within the metadata, and the film behind a phone's motion photo."""
    photo = progressive(0)
    thumbnail = segment(0xE1, b"Exif\0\0" + START_OF_SCAN * 1000)

    content = photo[:2] + thumbnail + photo[2:] + START_OF_SCAN * 1000

    assert read(content, PLENTY).image.size == (96, 64)


@needs_shared
def test_the_file_that_decoded_for_a_minute_is_refused():
    with pytest.raises(BrokenPicture, match="too many scans"):
        read((SHARED / "photos" / "hostile" / "jpeg_hidden_scans.jpg").read_bytes(), PLENTY)
