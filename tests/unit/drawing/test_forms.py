"""What a label says: as much as fits."""

from __future__ import annotations

from functools import partial

import pytest
from recognizer.drawing.forms import FORMS, MIN_FONT_PX, one_line, percent, small_font_px
from recognizer.drawing.lettering import OPEN_SANS, Typeface

LENGTH_PX = partial(Typeface(OPEN_SANS).length_px, size_px=16)


def test_long_name_stays_whole_where_the_picture_has_room():
    assert one_line("Personal flotation device", "93%", 400, LENGTH_PX) == "Personal flotation device 93%"


@pytest.mark.parametrize("score", ["93%", ""])
@pytest.mark.parametrize("room_px", range(80, 180, 10))
def test_long_name_is_cut_to_fill_a_narrow_picture(room_px, score):
    text = one_line("Personal flotation device", score, room_px, LENGTH_PX)
    start, end = text.split("\N{HORIZONTAL ELLIPSIS}")
    assert "Personal flotation device".startswith(start)
    assert end.strip() == score
    assert room_px - 30 < LENGTH_PX(text) <= room_px


def test_name_cut_to_less_than_three_letters_is_left_out():
    assert one_line("Personal flotation device", "93%", 50, LENGTH_PX) == ""
    assert one_line("Dog", "93%", 50, LENGTH_PX) == ""


def test_name_is_written_in_one_line():
    assert one_line(" Hot\n dog ", "7%", 400, LENGTH_PX) == "Hot dog 7%"


def test_nameless_label_shows_its_percent():
    assert one_line("", "7%", 400, LENGTH_PX) == "7%"


@pytest.mark.parametrize(
    ("score", "written"), [(0, "0%"), (0.9349, "93%"), (0.125, "13%"), (0.995, "100%"), (1, "100%")]
)
def test_score_is_written_in_whole_percent(score, written):
    assert percent(score) == written


@pytest.mark.parametrize("font_px", [11, 13, 19, 80, 256])
def test_small_letters_are_smaller_and_can_still_be_read(font_px):
    assert MIN_FONT_PX <= small_font_px(font_px) <= max(MIN_FONT_PX, font_px - 2)


def test_forms_say_less_and_less():
    said = ["name and score", "name", "number"]
    assert [said.index(form.says) for form in FORMS] == sorted(said.index(form.says) for form in FORMS)
    assert not FORMS[0].is_small
    assert not FORMS[0].has_leader
