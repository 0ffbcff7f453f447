"""Picture files of every kind become a Picture or a named error."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from recognizer.errors import BrokenPicture, RequestError, TooLarge, UnsupportedMediaType
from recognizer.pictures import MEDIA_TYPES, READABLE, read

from tests.conftest import ROOT
from tests.functional.hostile import jpeg_of_exif_tags
from tests.unit.pictures.files import (
    BLUE,
    GREEN,
    PLENTY,
    RED,
    WHITE,
    colours,
    file_of,
    near,
    noise,
    png,
    profile,
    progressive,
    quarters,
)


def peak_memory_bytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


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


def test_progressive_jpegs_are_read():
    assert near(colours(read(progressive(0), PLENTY).image), [RED, GREEN, BLUE, WHITE])


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


def test_bytes_after_the_end_of_a_jpeg_are_ignored():
    content = file_of(quarters(), "JPEG") + b"a short film of the same moment" * 40

    assert near(colours(read(content, PLENTY).image), [RED, GREEN, BLUE, WHITE])


def test_an_empty_file_is_no_picture():
    with pytest.raises(UnsupportedMediaType, match="empty"):
        read(b"", PLENTY)


@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
        b"P6 2 2 255\n" + bytes(12),
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"8BPS\0\1" + bytes(40),
        b"\0",
        bytes(1000),
    ],
    ids=["svg", "pdf", "ppm", "eps", "psd", "one byte", "zeros"],
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


def test_damaged_metadata_write_nothing_into_the_log():
    """In a process of its own, as pytest has its own mind about warnings."""
    program = "import sys; from recognizer.pictures import read; print(read(sys.stdin.buffer.read(), 1000).format)"

    done = subprocess.run(
        [sys.executable, "-c", program],
        input=jpeg_of_exif_tags(50),
        env={"PYTHONPATH": str(ROOT / "src" / "Recognizer")},
        capture_output=True,
        check=True,
    )

    assert (done.stdout, done.stderr) == (b"JPEG\n", b"")


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


def test_a_png_with_palette_colours_and_no_palette_is_broken():
    content = file_of(quarters().convert("P"), "PNG")

    with pytest.raises(BrokenPicture):
        read(b"\x89PNG\r\n\x1a\n" + b"".join(chunk for chunk in chunks(content) if chunk[4:8] != b"PLTE"), PLENTY)


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
MUTABLE["two pictures"] = file_of(quarters(), "MPO", save_all=True, append_images=[noise(96, 64)])
MUTABLE["LZW"] = file_of(quarters(), "TIFF", compression="tiff_lzw")
MUTABLE["JPEG in TIFF"] = file_of(quarters(), "TIFF", compression="jpeg")
MUTABLE["animated PNG"] = file_of(quarters(), "PNG", save_all=True, append_images=[noise(96, 64)])


def chunks(png_file):
    """The chunks of a PNG, each with its length, kind and checksum; what follows damage is the last."""
    found, place = [], 8
    while place < len(png_file):
        end = place + 12 + int.from_bytes(png_file[place : place + 4])
        found.append(png_file[place:end])
        place = end
    return found


def damaged(content, rng):
    """A file with some bytes overwritten, left out, inserted or repeated; of a PNG with right checksums again."""
    made = bytearray(content)
    within = 200 if rng.random() < 0.6 else len(content)  # headers are where parsers stumble
    for _ in range(rng.randint(1, 10)):
        place, kind = rng.randrange(min(within, len(made))), rng.random()
        if kind < 0.6:
            made[place] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
        elif kind < 0.75:
            del made[place + 1 : place + rng.randint(2, 30)]
        elif kind < 0.9:
            made[place:place] = rng.randbytes(rng.randint(1, 8))
        else:
            made[place:place] = made[place : place + rng.randint(1, 60)]
    if not content.startswith(b"\x89PNG"):
        return bytes(made)
    parts = chunks(content if rng.random() < 0.1 else made)
    if rng.random() < 0.3:
        parts.pop(rng.randrange(len(parts)))
    return content[:8] + b"".join(part[:-4] + zlib.crc32(part[4:-4]).to_bytes(4) for part in parts)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", MUTABLE)
def test_a_thousand_damaged_files_are_read_or_refused(kind):
    rng = random.Random(kind)  # noqa: S311 - the same files each time
    for _ in range(1000):
        content = damaged(MUTABLE[kind], rng)
        try:
            assert read(content, 1_000_000).image.mode == "RGB"
        except RequestError:
            continue


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


@pytest.mark.parametrize(
    "page",
    [
        b"<!doctype html><title>A cat</title>",
        b"\xef\xbb\xbf\r\n<!DOCTYPE HTML PUBLIC>",
        b"  <html lang=en>",
        b"<!-- saved from url --><html>",
        b"<HEAD>",
    ],
)
def test_a_web_page_is_called_one(page):
    """The commonest mistake: the address of the page that shows the picture."""
    with pytest.raises(UnsupportedMediaType, match="own address"):
        read(page, PLENTY)


@pytest.mark.parametrize(
    "content", [b"<svg xmlns='http://www.w3.org/2000/svg'>", b"<?xml version='1.0'?>", b"text", b"<htmlx"]
)
def test_other_text_is_no_web_page(content):
    with pytest.raises(UnsupportedMediaType, match="format that is read"):
        read(content, PLENTY)
