"""What a detector sees of a picture whose pixels are here.

Owns the two ways to look: the resize for networks of a fixed size, and the thinning out that spares others from 600 MB.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from recognizer.vision.resize import bilinear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recognizer.detections import PixelBox


class PixelView:
    """See ``job.View``.

    Args:
        pixels: upright RGB picture, shape (height, width, 3).
    """

    ends_at_s = math.inf

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        height, width, _ = pixels.shape
        self.size_px = (width, height)
        self._pixels = pixels

    def resized(
        self, height: int, width: int, part: PixelBox | None = None, *, half_pixel: bool = False
    ) -> NDArray[np.float32]:
        """See ``job.View``."""
        return bilinear(self._pixels, height, width, part, half_pixel=half_pixel)

    def thinned(self, max_px: int, part: PixelBox | None = None) -> NDArray[np.uint8]:
        """See ``job.View``."""
        pixels = self._pixels[part.ymin : part.ymax, part.xmin : part.xmax] if part else self._pixels
        height, width, _ = pixels.shape
        step = max(1, math.ceil(math.sqrt(width * height / max_px)))
        return np.ascontiguousarray(pixels[:: min(step, height), :: min(step, width)])
