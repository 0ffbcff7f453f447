"""How thick lines and how large letters are: in proportion to the image.

Owns these proportions and their limits.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from recognizer.drawing.forms import MIN_FONT_PX

LOW_SCORE = 0.3
"""Below it the line around a box is dashed: that it is there is less sure."""

_MAX_FONT_PX = 256
_MIN_HALO_SIDE_PX = 32  # a smaller image needs its pixels


class Sizes(NamedTuple):
    """Sizes that follow the image's.

    Attributes:
        line_px: width of a box's coloured line.
        halo_px: width of the dark seam along both sides of it, and around a label; 0 in tiny images.
        font_px: font size (em).
    """

    line_px: int
    halo_px: int
    font_px: int

    @classmethod
    def for_image(cls, width_px: int, height_px: int) -> Sizes:
        """The sizes for an image: in proportion to its side, but never too thin or too small to be seen.

        The side is that of the square of the same area; in a strip or a panorama it is twice the short side, because
        that is what the labels have to fit into.
        """
        side_px = min(math.sqrt(width_px * height_px), 2 * min(width_px, height_px))
        line_px = max(1, round(0.0035 * side_px))
        return cls(
            line_px=line_px,
            halo_px=max(1, round(line_px / 3)) if side_px >= _MIN_HALO_SIDE_PX else 0,
            font_px=min(max(MIN_FONT_PX, round(0.023 * side_px)), _MAX_FONT_PX),
        )
