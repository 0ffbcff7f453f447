"""Pixels -> the model's input size, exactly as the model's own graph resizes.

Owns one algorithm: TensorFlow's ``ResizeBilinear`` with ``align_corners=False, half_pixel_centers=False``. No other
will do: the half-pixel centres of OpenCV and Pillow give the model another picture and so other detections. Values
stay 0..255: the model normalises them itself.

Source: ``tensorflow/core/kernels/image/resize_bilinear_op.cc``. Input coordinate of output ``i`` is ``i * (in / out)``
in float32; the two neighbours are its floor and the next pixel, both clamped to the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANNELS = 3  # RGB

# Output rows worked on at a time. The arrays of one block stay in the CPU's cache and in memory that the allocator
# keeps; in one block the same arithmetic takes four times as long, most of it in page faults.
_BLOCK_ROWS = 32


def bilinear(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float32]:
    """A picture resized to ``height`` x ``width``, values 0..255, unrounded.

    Only the rows of the four neighbours of each output pixel are read, so memory depends on the size asked for and not
    on the picture's, and time hardly does.

    Args:
        pixels: shape (H, W, 3), H and W at least 1. C-contiguous, or NumPy makes a whole copy that is.
        height: rows of the result, at least 1.
        width: columns of the result, at least 1.

    Returns:
        Array of shape (height, width, 3).

    Raises:
        ValueError: the pixels are not uint8 of that shape, or a size is below 1.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != CHANNELS or pixels.shape[2] != CHANNELS or not pixels.size:
        raise ValueError(f"pixels must be uint8 of shape (H, W, 3), not {pixels.dtype} of shape {pixels.shape}")
    if height < 1 or width < 1:
        raise ValueError(f"size must be at least 1 x 1, not {height} x {width}")
    rows, row_weights = _neighbours(pixels.shape[0], height)
    columns, column_weights = _neighbours(pixels.shape[1], width)
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


def _neighbours(length: int, resized: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Where each of ``resized`` outputs reads along an axis of ``length`` pixels.

    Returns:
        Lower and upper neighbours, shape (2, resized), and the weights of the upper ones, shape (resized,).
    """
    position = np.arange(resized, dtype=np.float32) * (np.float32(length) / np.float32(resized))
    lower = np.floor(position)
    weights = position - lower
    first = np.minimum(lower.astype(np.intp), length - 1)
    return np.stack([first, np.minimum(first + 1, length - 1)]), weights


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
