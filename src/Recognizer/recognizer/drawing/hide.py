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
    """A copy of the image in which each detected object is blurred beyond recognition.

    Where hidden objects overlap, the coarsest blur is what remains: a finer one on top of it would bring details back.

    Args:
        image: mode RGB or RGBA; not changed.
        detections: in any order.
    """
    hidden = image.copy()
    regions = sorted(
        {_region(detection, image.size) for detection in detections}, key=lambda region: (_longer_side(region), region)
    )
    for at, region in enumerate(regions):
        if any(_holds(coarser, region) for coarser in regions[at + 1 :]):
            continue
        left, top, right, bottom = region
        width, height = right - left, bottom - top
        scale = _BLUR_CELLS / _longer_side(region)
        cells = (max(1, round(width * scale)), max(1, round(height * scale)))
        # From the source: what is blurred already would be averaged with what lies beside it.
        averages = image.resize(cells, Image.Resampling.BOX, box=region)
        hidden.paste(averages.resize((width, height), Image.Resampling.BICUBIC), (left, top))
    return hidden


def _region(detection: Detection, image_px: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is hidden: the box with its margin, as far as the image goes."""
    box = detection.box.to_pixels(*image_px)
    margin_x, margin_y = (round(_BLUR_MARGIN * side) + 1 for side in (box.xmax - box.xmin, box.ymax - box.ymin))
    return (
        *(max(0, box.xmin - margin_x), max(0, box.ymin - margin_y)),
        *(min(image_px[0], box.xmax + margin_x), min(image_px[1], box.ymax + margin_y)),
    )


def _longer_side(region: tuple[int, int, int, int]) -> int:
    """The longer a region is, the coarser its blur."""
    left, top, right, bottom = region
    return max(right - left, bottom - top)


def _holds(outer: tuple[int, int, int, int], inner: tuple[int, int, int, int]) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and inner[2] <= outer[2] and inner[3] <= outer[3]
