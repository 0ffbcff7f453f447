"""What a network is given of a picture, and where in that the picture lies."""

from __future__ import annotations

import numpy as np
import pytest
from recognizer.detections import PixelBox
from recognizer.vision.network import Frame, Input
from recognizer.vision.view import PixelView

FIELDS = {"name": "images", "scale": [1.0], "offset": [0.0]}


def view(height, width, colour=(200, 100, 50)):
    return PixelView(np.full((height, width, 3), colour, np.uint8))


def test_pixels_are_given_as_they_are_unless_told_otherwise():
    tensor, frame = Input.from_json({**FIELDS, "height": 4, "width": 6}).of(view(40, 30))

    assert (tensor.dtype, tensor.shape) == (np.float32, (1, 4, 6, 3))
    assert tensor[0, 0, 0].tolist() == [200, 100, 50]
    assert frame == Frame()


@pytest.mark.parametrize(
    ("dtype", "scale", "offset", "expected"),
    [
        ("float32", [1 / 255], [0.0], [200 / 255, 100 / 255, 50 / 255]),
        ("float32", [1 / 127.5], [-1.0], [200 / 127.5 - 1, 100 / 127.5 - 1, 50 / 127.5 - 1]),
        ("float32", [1.0, 2.0, 3.0], [0.0, 1.0, 2.0], [200, 201, 152]),
        ("uint8", [1.0], [0.0], [200, 100, 50]),
        ("int8", [1.0], [-128.0], [72, -28, -78]),
        ("uint8", [2.0], [0.0], [255, 200, 100]),
    ],
)
def test_each_value_is_scaled_shifted_and_kept_in_its_range(dtype, scale, offset, expected):
    fields = {"name": "i", "height": 2, "width": 2, "dtype": dtype, "scale": scale, "offset": offset}
    tensor, _ = Input.from_json(fields).of(view(8, 8))

    assert tensor.dtype == dtype
    assert tensor[0, 1, 1].tolist() == pytest.approx(expected, abs=1e-4)


def test_a_network_of_any_size_gets_the_picture_as_it_is():
    tensor, _ = Input.from_json({**FIELDS, "dtype": "uint8"}).of(view(40, 30))

    assert (tensor.dtype, tensor.shape) == (np.uint8, (1, 40, 30, 3))


@pytest.mark.parametrize(
    ("height", "width", "frame"),
    [(50, 100, Frame(0.25, 0.0, 0.5, 1.0)), (100, 50, Frame(0.0, 0.25, 1.0, 0.5)), (70, 70, Frame())],
)
def test_a_letterbox_keeps_the_aspect_ratio_in_the_middle_of_black(height, width, frame):
    tensor, where = Input.from_json({**FIELDS, "height": 64, "width": 64, "letterbox": True}).of(view(height, width))

    assert where == frame
    inside = tensor[0, :, :, 0] > 0
    assert inside.mean() == pytest.approx(frame.height * frame.width)
    assert inside[32, 32]


def test_boxes_come_back_from_a_letterbox_as_fractions_of_the_picture():
    boxes = np.array([[0.25, 0.0, 0.75, 1.0], [0.5, 0.5, 0.625, 0.75]], np.float32)

    found = Frame(0.25, 0.0, 0.5, 1.0).to_picture(boxes)
    assert found.tolist() == [[0, 0, 1, 1], [0.5, 0.5, 0.75, 0.75]]


def test_a_part_of_a_picture_is_all_that_is_seen_of_it():
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[20:40, 60:90] = 255
    tensor, _ = Input.from_json({**FIELDS, "height": 10, "width": 10}).of(PixelView(pixels), PixelBox(60, 20, 90, 40))

    assert tensor.min() == 255


@pytest.mark.parametrize(
    "wrong",
    [{"dtype": "int32"}, {"height": 3}, {"height": 3, "width": -1}, {"flavour": "sweet"}],
)
def test_an_input_that_is_none_is_refused(wrong):
    with pytest.raises((TypeError, ValueError)):
        Input.from_json(FIELDS | wrong)
