"""Boxes and detections are right by construction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.detections import Box, Detection, Label, PixelBox

DOG = Label("/m/0bt9lr", "Dog")
WHOLE = Box(0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize("edge", [-0.01, 1.01, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", range(4))
def test_a_box_has_edges_within_the_picture(edge, place):
    edges = [0.2, 0.2, 0.8, 0.8]
    edges[place] = edge

    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        Box(*edges)


@pytest.mark.parametrize("edges", [(0.8, 0.2, 0.2, 0.8), (0.2, 0.8, 0.8, 0.2)])
def test_a_box_has_its_minimum_before_its_maximum(edges):
    with pytest.raises(ValueError, match="ymin <= ymax"):
        Box(*edges)


def test_a_box_may_be_a_point():
    assert Box(0.5, 0.5, 0.5, 0.5).to_pixels(100, 100) == PixelBox(50, 50, 50, 50)


def test_raw_edges_are_clipped_to_the_picture():
    assert Box.clipped(-0.01, 0.25, 1.2, 0.75) == Box(0.0, 0.25, 1.0, 0.75)


def test_swapped_raw_edges_are_put_right():
    assert Box.clipped(0.8, 0.75, 0.2, 0.25) == Box(0.2, 0.25, 0.8, 0.75)


def test_a_clipped_box_has_plain_floats():
    box = Box.clipped(*np.array([0.1, 0.2, 0.3, 0.4], np.float32))

    assert type(box.ymin) is float


@given(*[st.floats(allow_nan=False)] * 4)
def test_any_numbers_make_a_clipped_box(ymin, xmin, ymax, xmax):
    box = Box.clipped(ymin, xmin, ymax, xmax)

    assert 0 <= box.ymin <= box.ymax <= 1
    assert 0 <= box.xmin <= box.xmax <= 1


def test_pixels_are_in_the_order_of_width_and_height():
    box = Box(ymin=0.1, xmin=0.2, ymax=0.5, xmax=0.75)

    assert box.to_pixels(width_px=1000, height_px=10) == PixelBox(xmin=200, ymin=1, xmax=750, ymax=5)


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 20_000), st.integers(1, 20_000))
def test_pixels_never_leave_the_picture(one, other, width, height):
    box = Box.clipped(one, one, other, other).to_pixels(width, height)

    assert 0 <= box.xmin <= box.xmax <= width
    assert 0 <= box.ymin <= box.ymax <= height


@pytest.mark.parametrize("score", [-0.1, 1.1, math.nan])
def test_a_detection_has_a_score_from_0_to_1(score):
    with pytest.raises(ValueError, match="score"):
        Detection(DOG, score, WHOLE)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_the_limits_of_a_score_count(score):
    assert Detection(DOG, score, WHOLE).score == score
