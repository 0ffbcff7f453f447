"""The font is read once, and text fits into its label."""

from __future__ import annotations

import struct

import pytest
from PIL import Image
from recognizer.detections import Box, Detection, Label
from recognizer.drawing.annotate import Annotator
from recognizer.drawing.lettering import OPEN_SANS, Typeface
from recognizer.errors import FontNotUsable, StartupError

DOG = Label("/m/0bt9lr", "Dog")
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
ANNOTATOR = Annotator()


def found(label, score, *edges):
    return Detection(label, score, Box(*edges))


def test_open_sans_lies_beside_the_package_with_its_licence():
    assert OPEN_SANS.is_file()
    licence = (OPEN_SANS.parent / "LICENSE.txt").read_text()
    assert "Digitized data copyright (c) 2010-2011, Google Corporation" in licence
    assert "Apache License" in licence


def test_missing_font_stops_the_start_and_is_named(tmp_path):
    missing = tmp_path / "Missing.ttf"
    with pytest.raises(FontNotUsable, match=r"Missing\.ttf") as caught:
        Annotator(missing)
    assert isinstance(caught.value, StartupError)


@pytest.mark.parametrize("content", [b"", b"no font"])
def test_file_that_is_no_font_stops_the_start_and_is_named(tmp_path, content):
    broken = tmp_path / "Broken.ttf"
    broken.write_bytes(content)
    with pytest.raises(FontNotUsable, match=r"Broken\.ttf"):
        Annotator(broken)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.41, 0.45, 0.7, 0.999])
def test_font_that_is_cut_short_stops_the_start_and_is_named(tmp_path, share):
    content = OPEN_SANS.read_bytes()
    (tmp_path / "Cut.ttf").write_bytes(content[: int(share * len(content))])
    with pytest.raises(FontNotUsable, match=r"Cut\.ttf"):
        Annotator(tmp_path / "Cut.ttf")


def test_font_whose_glyphs_are_blank_stops_the_start_and_is_named(tmp_path):
    content = bytearray(OPEN_SANS.read_bytes())
    line = content.index(b"glyf")
    offset, length = struct.unpack_from(">II", content, line + 8)
    content[offset : offset + length] = bytes(length)
    (tmp_path / "Blank.ttf").write_bytes(content)
    with pytest.raises(FontNotUsable, match=r"Blank\.ttf"):
        Annotator(tmp_path / "Blank.ttf")


def test_font_is_read_once(tmp_path):
    font = tmp_path / "Font.ttf"
    font.write_bytes(OPEN_SANS.read_bytes())
    annotator = Annotator(font)
    font.unlink()
    picture = Image.new("RGB", (700, 500), WHITE)
    detections = [found(DOG, 0.9, 0.2, 0.2, 0.8, 0.8)]
    assert annotator.annotate(picture, detections).tobytes() == ANNOTATOR.annotate(picture, detections).tobytes()


@pytest.mark.parametrize(("size_px", "is_kept"), [(13, True), (32, True), (33, False), (256, False)])
def test_only_small_letters_are_kept(size_px, is_kept):
    lettering = Typeface(OPEN_SANS).at(size_px)
    one, other = lettering.written("Dog 90%"), lettering.written("Dog 90%")
    assert (one is other) == is_kept
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("size_px", [11, 13, 19, 48, 113, 256])
def test_label_is_high_enough_for_accents_and_descenders(size_px):
    lettering = Typeface(OPEN_SANS).at(size_px)
    _, top, _, bottom = lettering.font.getbbox("Ågjq%", anchor="ls")
    assert lettering.baseline_px + top >= 0
    assert lettering.baseline_px + bottom <= lettering.height_px
