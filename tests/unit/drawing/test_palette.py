"""A label has one colour everywhere; colours and the text on them can be told apart by everyone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.detections import Label, PixelBox
from recognizer.drawing.palette import OKABE_ITO, PALETTE, SHADES, choices, contrast, ink, ink_for, inks_for

PERSON = Label("/m/01g317", "Person")
CAR = Label("/m/0k4j", "Car")
DOG = Label("/m/0bt9lr", "Dog")
CAT = Label("/m/01yrx", "Cat")
TREE = Label("/m/07j7r", "Tree")
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def test_a_label_has_the_same_colour_in_every_process():
    """Pinned: whoever changes these changes the colours in every picture drawn so far."""
    lines = [ink_for(label.id).line for label in (PERSON, CAR, DOG, CAT, TREE)]
    assert lines == [(213, 94, 0), (0, 158, 115), (240, 228, 66), (204, 121, 167), (86, 180, 233)]


def test_every_colour_of_the_palette_is_used():
    assert len({ink_for(f"/m/{i}").line for i in range(100)}) == len(OKABE_ITO)


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(["/m/01g317", "/m/0k4j", "/m/0199g", "/m/01bjv"], id="street"),
        pytest.param(["/m/01g317", "/m/0bt9lr", "/m/01yrx", "/m/015p6", "/m/03k3r"], id="animals"),
        pytest.param(["/m/01g317", "/m/04yx4", "/m/03bt1vf", "/m/09j2d", "/m/0dzct", "/m/09j5n"], id="people"),
    ],
)
def test_labels_often_seen_together_differ(ids):
    assert len({ink_for(label_id).line for label_id in ids}) == len(ids)


INKS = [ink(colour, shade) for colour in range(len(PALETTE)) for shade in range(SHADES)]


@pytest.mark.parametrize("of", INKS)
def test_text_is_readable_on_its_ground(of):
    assert of.text in {WHITE, BLACK}
    assert contrast(of.text, of.line) >= 4.5  # WCAG 2.2 AA for text


@pytest.mark.parametrize("of", INKS)
@pytest.mark.parametrize("ground", [WHITE, BLACK])
def test_line_or_halo_stands_out_from_light_and_dark(of, ground):
    assert max(contrast(of.line, ground), contrast(of.halo, ground)) >= 3  # WCAG 2.2 AA for graphics


def test_no_two_inks_are_of_one_colour():
    assert len({of.line for of in INKS}) == len(INKS)


def test_shades_of_a_colour_can_be_told_apart():
    for colour in range(len(OKABE_ITO)):
        shades = [cielab(linear(np.array(ink(colour, shade).line) / 255)) for shade in range(SHADES)]
        assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(shades, 2)) > 15


APART = st.lists(st.integers(0, 600).map(lambda number: f"/m/{number}"), max_size=100)


@given(APART)
def test_labels_of_one_picture_never_share_a_colour(ids):
    inks = inks_for(ids, [PixelBox(0, 0, 10, 10)] * len(ids))
    colour_of = {}
    for label_id, of in zip(ids, inks, strict=True):
        assert colour_of.setdefault(of.line, label_id) == label_id


@given(APART)
def test_a_label_keeps_its_own_colour_unless_another_has_it(ids):
    for label_id, (colour, _) in zip(ids, choices(ids, [PixelBox(0, 0, 0, 0)] * len(ids)), strict=True):
        before = ids[: ids.index(label_id)]
        if ink_for(label_id).line not in {
            PALETTE[of] for of, _ in choices(before, [PixelBox(0, 0, 0, 0)] * len(before))
        }:
            assert PALETTE[colour] == ink_for(label_id).line


def test_overlapping_objects_of_one_label_differ_in_shade():
    boxes = [PixelBox(30 * i, 0, 30 * i + 80, 50) for i in range(9)]  # each overlaps two on either side
    shades = [shade for _, shade in choices(["/m/01g317"] * 9, boxes)]
    assert all(len(set(shades[i : i + 3])) == 3 for i in range(7))


def test_objects_of_one_label_that_stand_apart_look_alike():
    boxes = [PixelBox(30 * i, 0, 30 * i + 30, 50) for i in range(9)]
    assert {shade for _, shade in choices(["/m/01g317"] * 9, boxes)} == {0}


def test_less_certain_objects_never_change_the_colours_of_the_others():
    ids = [f"/m/{i % 23}" for i in range(60)]
    boxes = [PixelBox(7 * i, 0, 7 * i + 40, 50) for i in range(60)]
    whole = choices(ids, boxes)
    assert all(choices(ids[:kept], boxes[:kept]) == whole[:kept] for kept in range(60))


def test_contrast_is_wcags():
    assert contrast(WHITE, BLACK) == pytest.approx(21)
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast((119, 119, 119), WHITE) == pytest.approx(4.48, abs=0.01)  # the standard's well-known grey


# Machado, Oliveira and Fernandes 2009, severity 1.0, for linear RGB.
COLOUR_VISION = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def linear(srgb):
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def cielab(linear_rgb):
    xyz_of_rgb = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.119192, 0.9503041],
    ]
    xyz = np.array(xyz_of_rgb) @ linear_rgb / np.sum(xyz_of_rgb, axis=1)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", COLOUR_VISION)
def test_colours_differ_for_colour_blind_eyes(kind):
    colours = linear(np.array(OKABE_ITO) / 255)
    seen = [cielab(np.clip(np.array(COLOUR_VISION[kind]) @ colour, 0, 1)) for colour in colours]
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > 15
