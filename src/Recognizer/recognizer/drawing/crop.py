"""An object alone, cut out of its image."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

    from recognizer.detections import Detection


def cut_out(image: Image.Image, detection: Detection) -> Image.Image:
    """The object alone; at least one pixel of it."""
    box = detection.box.to_pixels(*image.size)
    left, top = min(box.xmin, image.width - 1), min(box.ymin, image.height - 1)
    return image.crop((left, top, max(box.xmax, left + 1), max(box.ymax, top + 1)))
