"""Pixels -> the model's input size, exactly as the model's own graph resizes.

Owns one algorithm: TensorFlow's ``ResizeBilinear`` with ``align_corners=False``. Which of its two ways to place pixels
is right is the model's: half-pixel centres, which OpenCV and Pillow have too, give a model that was trained without
them another picture and so other detections. Values stay 0..255.

Source: ``tensorflow/core/kernels/image/resize_bilinear_op.cc``. Input coordinate of output ``i`` is ``i * (in / out)``
in float32, or ``(i + 0.5) * (in / out) - 0.5`` with half-pixel centres; the two neighbours are its floor and the next
pixel, both clamped to the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recognizer.detections import PixelBox

CHANNELS = 3  # RGB

# Output rows worked on at a time. The arrays of one block stay in the CPU's cache and in memory that the allocator
# keeps; in one block the same arithmetic takes four times as long, most of it in page faults.
_BLOCK_ROWS = 32


def bilinear(
    pixels: NDArray[np.uint8], height: int, width: int, part: PixelBox | None = None, *, half_pixel: bool = False
) -> NDArray[np.float32]:
    """A picture, or a part of it, resized to ``height`` x ``width``, values 0..255, unrounded.

    Only the rows of the four neighbours of each output pixel are read, so memory depends on the size asked for and not
    on the picture's, and time hardly does.

    Args:
        pixels: shape (H, W, 3), H and W at least 1. C-contiguous, or NumPy makes a whole copy that is.
        height: rows of the result, at least 1.
        width: columns of the result, at least 1.
        part: what of the picture is wanted, at least 1 x 1; None for all of it.
        half_pixel: whether pixels have their centres in their middle.

    Returns:
        Array of shape (height, width, 3).

    Raises:
        ValueError: the pixels are not uint8 of that shape, or a size is below 1.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != CHANNELS or pixels.shape[2] != CHANNELS or not pixels.size:
        raise ValueError(f"pixels must be uint8 of shape (H, W, 3), not {pixels.dtype} of shape {pixels.shape}")
    if height < 1 or width < 1:
        raise ValueError(f"size must be at least 1 x 1, not {height} x {width}")
    ymin, ymax = (part.ymin, part.ymax) if part else (0, pixels.shape[0])
    xmin, xmax = (part.xmin, part.xmax) if part else (0, pixels.shape[1])
    rows, row_weights = _neighbours(ymax - ymin, height, half_pixel=half_pixel)
    columns, column_weights = _neighbours(xmax - xmin, width, half_pixel=half_pixel)
    rows += ymin
    columns += xmin
    # Rows are flattened: one long inner loop is faster, and NumPy takes single bytes faster than three at a time.
    lines = pixels.reshape(pixels.shape[0], -1)
    places = (columns[..., np.newaxis] * CHANNELS + np.arange(CHANNELS)).reshape(-1)
    channel_weights = np.repeat(column_weights, CHANNELS)
    resized = np.empty((height, width * CHANNELS), np.float32)
    for start in range(0, height, _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        # mode="clip" (every index is in range) spares NumPy a buffered copy.
        corners = np.take(lines[rows[:, block].reshape(-1)], places, axis=1, mode="clip")
        corners = corners.reshape(2, -1, 2, width * CHANNELS)
        across = _blend(corners[:, :, 0], corners[:, :, 1], channel_weights)
        resized[block] = _blend(across[0], across[1], row_weights[block, np.newaxis])
    return resized.reshape(height, width, CHANNELS)


def _neighbours(length: int, resized: int, *, half_pixel: bool) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Where each of ``resized`` outputs reads along an axis of ``length`` pixels.

    Returns:
        Lower and upper neighbours, shape (2, resized), and the weights of the upper ones, shape (resized,).
    """
    scale = np.float32(length) / np.float32(resized)
    position = np.arange(resized, dtype=np.float32)
    position = (position + np.float32(0.5)) * scale - np.float32(0.5) if half_pixel else position * scale
    lower = np.floor(position)
    weights = position - lower
    first = lower.astype(np.intp)
    return np.clip(np.stack([first, first + 1]), 0, length - 1), weights


def _blend(
    low: NDArray[np.uint8] | NDArray[np.float32],
    high: NDArray[np.uint8] | NDArray[np.float32],
    weights: NDArray[np.float32],
) -> NDArray[np.float32]:
    """``low + (high - low) * weights`` in float32, in that order of operations, as the graph's kernel has it."""
    base = low.astype(np.float32, copy=False)
    blended = high.astype(np.float32)
    blended -= base
    blended *= weights
    blended += base
    return blended
