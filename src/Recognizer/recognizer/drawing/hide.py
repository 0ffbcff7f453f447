"""Detected objects hidden, instead of a line drawn around them.

Owns how. Nothing is hidden only a little: what is blurred cannot be recognised or computed back, because only a handful
of averages of it remain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recognizer.detections import Detection

# Averages that remain along the longer side of a box: a face of 8 x 8 is nobody's.
_BLUR_CELLS = 8
# Detectors cut close: a chin or a plate's edge sticks out.
_BLUR_MARGIN = 0.1


def blur(image: Image.Image, detections: Sequence[Detection]) -> Image.Image:
    """A copy of the image in which each detected object is blurred beyond recognition."""
    hidden = image.copy()
    for detection in detections:
        box = detection.box.to_pixels(*image.size)
        margin_x, margin_y = (round(_BLUR_MARGIN * side) + 1 for side in (box.xmax - box.xmin, box.ymax - box.ymin))
        left, top = max(0, box.xmin - margin_x), max(0, box.ymin - margin_y)
        right, bottom = min(image.width, box.xmax + margin_x), min(image.height, box.ymax + margin_y)
        # From the source: where boxes overlap, blurring the blurred would only repeat work.
        region = image.crop((left, top, right, bottom))
        scale = _BLUR_CELLS / max(region.size)
        cells = (max(1, round(region.width * scale)), max(1, round(region.height * scale)))
        averages = region.resize(cells, Image.Resampling.BOX)
        hidden.paste(averages.resize(region.size, Image.Resampling.BICUBIC), (left, top))
    return hidden
