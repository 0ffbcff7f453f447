"""What a detector sees of a picture whose pixels are here.

Owns the two ways to look: the resize of slim models, and the thinning out that spares the published graph from 600 MB.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from recognizer.vision.resize import bilinear

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PixelView:
    """See ``job.View``.

    Args:
        pixels: upright RGB picture, shape (height, width, 3).
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        height, width, _ = pixels.shape
        self.size_px = (width, height)
        self._pixels = pixels

    def resized(self, height: int, width: int) -> NDArray[np.float32]:
        """See ``job.View``."""
        return bilinear(self._pixels, height, width)

    def thinned(self, max_px: int) -> NDArray[np.uint8]:
        """See ``job.View``."""
        width, height = self.size_px
        step = max(1, math.ceil(math.sqrt(width * height / max_px)))
        return np.ascontiguousarray(self._pixels[:: min(step, height), :: min(step, width)])
