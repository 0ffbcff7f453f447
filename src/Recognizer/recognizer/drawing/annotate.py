"""Boxes and names, drawn on a copy of the image.

Owns what lies over what, what a label says, and when letters get smaller or labels are left out. What is drawn is not
chosen here: the detections are taken as they come.

Colours come from ``palette``, places of labels from ``placement``, the font from ``lettering``, how thick and large all
is from ``sizes``, shapes from ``marks``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import ImageDraw

from recognizer.drawing.forms import percent
from recognizer.drawing.lettering import OPEN_SANS, Typeface
from recognizer.drawing.marks import draw_frame, draw_label, draw_leader
from recognizer.drawing.palette import inks_for
from recognizer.drawing.placement import Named, frame_around, place_labels
from recognizer.drawing.sizes import LOW_SCORE, Sizes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL import Image

    from recognizer.detections import Detection


class Annotator:
    """Draws detections; made once, used for every image, by several threads at a time if need be.

    Args:
        font_path: a TrueType or OpenType font; None for the Open Sans that comes with the service.

    Raises:
        FontNotUsable: the font is missing or is no font.
    """

    def __init__(self, font_path: Path | None = None) -> None:
        self._typeface = Typeface(OPEN_SANS if font_path is None else font_path)

    def annotate(self, image: Image.Image, detections: Sequence[Detection], *, labels: bool = True) -> Image.Image:
        """A copy of the image with a box and a label (``Dog 93%``) for each detection.

        Every line lies under every label, and of two lines the more confident lies on top. Labels never overlap. One
        that can't be read is left out, though its box is drawn: in an image too small for letters, or where more
        confident ones have taken the room.

        Args:
            image: mode RGB or RGBA; not changed.
            detections: in any order.
            labels: whether boxes get their labels.

        Raises:
            ValueError: the image's mode is another one.
        """
        if image.mode not in {"RGB", "RGBA"}:
            raise ValueError(f"image must have mode RGB or RGBA, not {image.mode}")
        sizes = Sizes.for_image(*image.size)
        ranked = sorted(detections, key=lambda detection: -detection.score)
        boxes = [found.box.to_pixels(*image.size) for found in ranked]
        inks = inks_for([found.label.id for found in ranked], boxes)
        frames = [frame_around(box, image.size, sizes) for box in boxes]
        annotated = image.copy()
        draw = ImageDraw.Draw(annotated)
        for found, frame, ink in reversed(list(zip(ranked, frames, inks, strict=True))):
            draw_frame(draw, frame, ink, sizes, is_dashed=found.score < LOW_SCORE)
        if labels:
            objects = [
                Named(box, found.label.name, percent(found.score)) for found, box in zip(ranked, boxes, strict=True)
            ]
            placed = place_labels(image.size, objects, sizes, self._typeface.length_px)
            for label in placed:
                draw_leader(draw, label, inks[label.object_index], sizes)
            for label in placed:
                named = label.object_index
                draw_label(draw, label, frames[named], inks[named], sizes, self._typeface.at(label.font_px))
        return annotated
