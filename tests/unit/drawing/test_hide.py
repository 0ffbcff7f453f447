"""What happens inside a box: blurred beyond recognition, or cut out."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from recognizer.detections import Box, Detection, Label
from recognizer.drawing.crop import cut_out
from recognizer.drawing.hide import blur


def found(ymin, xmin, ymax, xmax):
    return Detection(Label("/m/0dzct", "Human face"), 0.9, Box(ymin, xmin, ymax, xmax))


@pytest.fixture
def noise():
    """A picture in which every pixel is a detail."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8))


def test_blur_leaves_no_detail_in_the_box(noise):
    hidden = np.asarray(blur(noise, [found(0.25, 0.25, 0.75, 0.75)]), np.int16)

    inside = hidden[50:150, 75:225]
    assert np.abs(np.diff(inside, axis=0)).max() < 12
    assert np.abs(np.diff(inside, axis=1)).max() < 12


def test_blur_leaves_the_rest_alone(noise):
    hidden = np.asarray(blur(noise, [found(0.25, 0.25, 0.75, 0.75)]))

    assert np.array_equal(hidden[:30], np.asarray(noise)[:30])
    assert np.array_equal(hidden[:, :50], np.asarray(noise)[:, :50])


def test_blur_covers_a_margin_round_the_box(noise):
    hidden = np.asarray(blur(noise, [found(0.25, 0.25, 0.75, 0.75)]))

    assert not np.array_equal(hidden[42:50, 75:225], np.asarray(noise)[42:50, 75:225])


@pytest.mark.parametrize("is_first", [True, False])
def test_blur_of_a_part_never_sharpens_the_whole(noise, is_first):
    whole, part = found(0.1, 0.1, 0.9, 0.9), found(0.4, 0.4, 0.6, 0.6)

    hidden = blur(noise, [part, whole] if is_first else [whole, part])

    assert hidden.tobytes() == blur(noise, [whole]).tobytes()


@pytest.mark.parametrize("is_first", [True, False])
def test_where_hidden_objects_overlap_the_coarsest_wins(noise, is_first):
    coarse, fine = found(0, 0, 0.7, 0.7), found(0.5, 0.5, 0.95, 0.95)

    hidden = np.asarray(blur(noise, [fine, coarse] if is_first else [coarse, fine]))

    shared, rest = (slice(120, 140), slice(180, 210)), (slice(180, 190), slice(260, 280))
    assert np.array_equal(hidden[shared], np.asarray(blur(noise, [coarse]))[shared])
    assert np.array_equal(hidden[rest], np.asarray(blur(noise, [fine]))[rest])


def test_blur_does_not_change_its_source(noise):
    before = noise.tobytes()
    blur(noise, [found(0, 0, 1, 1)])

    assert noise.tobytes() == before


@pytest.mark.parametrize("size", [(1, 1), (10_000, 20), (3, 500)])
@pytest.mark.parametrize("box", [(0, 0, 1, 1), (0.5, 0.5, 0.5, 0.5), (1, 1, 1, 1), (0, 0, 0, 0)])
def test_every_box_of_every_picture_can_be_blurred_and_cut_out(size, box):
    picture = Image.new("RGB", size, "red")

    assert blur(picture, [found(*box)]).size == size
    assert min(cut_out(picture, found(*box)).size) >= 1


def test_cut_out_is_the_box(noise):
    cut = cut_out(noise, found(0.1, 0.2, 0.5, 0.6))

    assert np.array_equal(np.asarray(cut), np.asarray(noise)[20:100, 60:180])
