"""Boxes and names, drawn on a copy of the image.

Owns what lies over what, what a label says, and when letters get smaller or labels are left out. What is drawn is not
chosen here: the detections are taken as they come.

Colours come from ``palette``, places of labels from ``placement``, the font from ``lettering``, how thick and large all
is from ``sizes``, shapes from ``marks``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import ImageDraw

from recognizer.drawing.lettering import MIN_FONT_PX, OPEN_SANS, Typeface
from recognizer.drawing.marks import Mark, draw_frame, draw_label, draw_leader, frame_around
from recognizer.drawing.palette import ink_for
from recognizer.drawing.placement import place_labels
from recognizer.drawing.sizes import Sizes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL import Image

    from recognizer.detections import Detection
    from recognizer.drawing.lettering import Lettering

_MAX_LABEL_HEIGHT = 1 / 3  # of the image's: a higher label hides what it names
_CROWDED = 0.3  # share of the image under labels from which letters get smaller
_MIN_CROWDED_FONT = 0.6  # of the size that the image would have otherwise


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
            image: mode RGB; not changed.
            detections: in any order.
            labels: whether boxes get their labels.

        Raises:
            ValueError: the image's mode is not RGB.
        """
        if image.mode != "RGB":
            raise ValueError(f"image must have mode RGB, not {image.mode}")
        sizes = Sizes.for_image(*image.size)
        ranked = sorted(detections, key=lambda detection: -detection.score)
        lettering, texts = self._write(ranked, image.size, sizes)
        if not labels:
            texts = [""] * len(ranked)
        marks = _lay_out(ranked, texts, image.size, sizes, lettering)
        marks.reverse()

        annotated = image.copy()
        draw = ImageDraw.Draw(annotated)
        for mark in marks:
            draw_frame(draw, mark, sizes)
        for mark in marks:
            draw_leader(draw, mark, sizes)
        for mark in marks:
            draw_label(draw, mark, sizes, lettering)
        return annotated

    def _write(
        self, ranked: Sequence[Detection], image_px: tuple[int, int], sizes: Sizes
    ) -> tuple[Lettering, list[str]]:
        """The lettering for the image and the labels' texts in it; smaller letters where labels would crowd it."""
        width, height = image_px
        lettering = self._typeface.at(sizes.font_px)
        texts = _texts(ranked, image_px, sizes, lettering)
        covered = sum(lettering.width_px(text) * lettering.height_px for text in texts if text)
        if covered <= _CROWDED * width * height:
            return lettering, texts
        shrink = max(math.sqrt(_CROWDED * width * height / covered), _MIN_CROWDED_FONT)
        lettering = self._typeface.at(max(MIN_FONT_PX, int(shrink * sizes.font_px)))
        return lettering, _texts(ranked, image_px, sizes, lettering)


def _texts(ranked: Sequence[Detection], image_px: tuple[int, int], sizes: Sizes, lettering: Lettering) -> list[str]:
    """Name and whole percent of each, as far as the image has room for them; empty where it has none."""
    width, height = image_px
    if lettering.height_px > _MAX_LABEL_HEIGHT * height:
        return [""] * len(ranked)
    room_px = width - 2 * sizes.halo_px
    return [lettering.fit(found.label.name, f"{found.score:.0%}", room_px) or "" for found in ranked]


def _lay_out(
    ranked: Sequence[Detection],
    texts: Sequence[str],
    image_px: tuple[int, int],
    sizes: Sizes,
    lettering: Lettering,
) -> list[Mark]:
    """Marks in the order of ``ranked``."""
    halo = sizes.halo_px
    frames = [frame_around(found.box.to_pixels(*image_px), image_px, sizes) for found in ranked]
    height_px = lettering.height_px + 2 * halo
    label_sizes = [(lettering.width_px(text) + 2 * halo, height_px) if text else None for text in texts]
    places = place_labels(image_px, frames, label_sizes, join_px=halo)
    return [
        Mark(frame, ink_for(found.label.id), text, place)
        for found, frame, text, place in zip(ranked, frames, texts, places, strict=True)
    ]
