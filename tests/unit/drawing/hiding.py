"""How much of each object lies under labels: the measure of what the placement promises."""

from __future__ import annotations

import numpy as np


def hidden_shares(image_px, boxes, places):
    """The share of each box, 0..1, that is under any label, counted pixel by pixel; 0 for a box without a pixel.

    Args:
        image_px: width and height of the image.
        boxes: n boxes of objects, ``PixelBox``.
        places: of labels, likewise.
    """
    width, height = image_px
    under = np.zeros((height, width), bool)
    for place in places:
        under[place.ymin : place.ymax, place.xmin : place.xmax] = True
    parts = [under[box.ymin : box.ymax, box.xmin : box.xmax] for box in boxes]
    return [float(part.mean()) if part.size else 0.0 for part in parts]
