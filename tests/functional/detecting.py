"""A detector that takes pixels, as the tests make them."""

from __future__ import annotations

from recognizer.vision import detector
from recognizer.vision.view import PixelView


def loaded(model, threads):
    """``detector.load``, but what it gives takes an array of shape (height, width, 3)."""
    detect = detector.load(model, threads)
    return lambda pixels, criteria: detect(PixelView(pixels), criteria)
