"""The resize against TensorFlow's own operation."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from recognizer.detections import PixelBox
from recognizer.vision.resize import bilinear


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "size",
    [
        *[(1, 1), (1, 2), (2, 1), (2, 2), (7, 300), (299, 301), (300, 300), (301, 299), (600, 600), (636, 1024)],
        *[(99, 64), (20, 10000), (10000, 20), (1999, 1501)],
    ],
)
@pytest.mark.parametrize("target", [(300, 300), (64, 96), (1, 1), (33, 1)])
def test_equals_the_graphs_resize(size, target):
    import tensorflow as tf

    pixels = noise(*size)
    expected = tf.compat.v1.image.resize_bilinear(
        pixels[np.newaxis].astype(np.float32), target, align_corners=False, half_pixel_centers=False
    )
    resized = bilinear(pixels, *target)
    assert (resized.dtype, resized.shape) == (np.float32, (*target, 3))
    np.testing.assert_allclose(resized, expected.numpy()[0], rtol=1e-6, atol=1e-4)


def test_a_picture_of_the_size_asked_for_stays_as_it_is():
    pixels = noise(300, 300)
    np.testing.assert_array_equal(bilinear(pixels, 300, 300), pixels)


def test_memory_does_not_grow_with_the_picture():
    pixels = np.zeros((5000, 10000, 3), np.uint8)  # 50 megapixels, 150 MB
    tracemalloc.start()
    bilinear(pixels, 300, 300)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 8e6


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
    ids=["float", "RGBA", "grey", "empty"],
)
def test_refuses_what_is_no_rgb_picture(pixels):
    with pytest.raises(ValueError, match="pixels must be uint8"):
        bilinear(pixels, 300, 300)


@pytest.mark.parametrize("target", [(0, 300), (300, 0), (-1, 5)])
def test_refuses_a_size_below_one_pixel(target):
    with pytest.raises(ValueError, match="size must be at least 1 x 1"):
        bilinear(noise(4, 4), *target)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (299, 301), (636, 1024), (20, 10000)])
@pytest.mark.parametrize("target", [(300, 300), (64, 96), (1, 1)])
def test_equals_the_graphs_resize_with_half_pixel_centres(size, target):
    import tensorflow as tf

    pixels = noise(*size)
    expected = tf.raw_ops.ResizeBilinear(
        images=pixels[np.newaxis].astype(np.float32), size=target, half_pixel_centers=True
    )
    resized = bilinear(pixels, *target, half_pixel=True)
    np.testing.assert_allclose(resized, expected.numpy()[0], rtol=1e-6, atol=2e-3)


@pytest.mark.parametrize("half_pixel", [True, False])
def test_a_part_is_resized_as_if_it_were_the_picture(half_pixel):
    pixels = noise(90, 120)
    part = PixelBox(xmin=30, ymin=10, xmax=101, ymax=60)

    alone = bilinear(np.ascontiguousarray(pixels[10:60, 30:101]), 33, 44, half_pixel=half_pixel)
    np.testing.assert_array_equal(bilinear(pixels, 33, 44, part, half_pixel=half_pixel), alone)
