"""What is drawn for one detection: a line around its box, a label, and a leader where the label stands off.

Owns the shapes and how thick they are. Refuses to choose colours, places or text: a Mark comes with all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from recognizer.detections import PixelBox
from recognizer.drawing.lettering import MIN_FONT_PX

if TYPE_CHECKING:
    from recognizer.drawing.lettering import Lettering
    from recognizer.drawing.palette import RGB, Ink

_MAX_FONT_PX = 256
_MIN_HALO_SIDE_PX = 32  # a smaller picture needs its pixels


@dataclass(frozen=True, slots=True)
class Strokes:
    """Sizes that follow the picture's.

    Attributes:
        line_px: width of a box's coloured line.
        halo_px: width of the dark seam along both sides of it, and around a label; 0 in tiny pictures.
        font_px: font size (em).
    """

    line_px: int
    halo_px: int
    font_px: int

    @classmethod
    def for_picture(cls, width_px: int, height_px: int) -> Strokes:
        """The sizes for a picture: in proportion to its side, but never too thin or too small to be seen.

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


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn for one detection.

    Attributes:
        frame: outer edge of the line around the box, halo included.
        ink: its colours.
        text: of the label; empty for a label that is left out.
        place: of the label, halo included; None for one that is left out.
    """

    frame: PixelBox
    ink: Ink
    text: str
    place: PixelBox | None


def frame_around(box: PixelBox, picture_px: tuple[int, int], strokes: Strokes) -> PixelBox:
    """The outer edge of the line around a box: around the object, not over it, as far as the picture has room."""
    width, height = picture_px
    margin = strokes.line_px + strokes.halo_px
    return PixelBox(
        xmin=max(0, box.xmin - margin),
        ymin=max(0, box.ymin - margin),
        xmax=min(width, box.xmax + margin),
        ymax=min(height, box.ymax + margin),
    )


def draw_frame(draw: ImageDraw.ImageDraw, mark: Mark, strokes: Strokes) -> None:
    """The line around the box, between its two halos."""
    _draw_outline(draw, mark.frame, strokes.line_px + 2 * strokes.halo_px, mark.ink.halo)
    _draw_outline(draw, _inset(mark.frame, strokes.halo_px), strokes.line_px, mark.ink.line)


def _draw_outline(draw: ImageDraw.ImageDraw, edge: PixelBox, width_px: int, colour: RGB) -> None:
    """A line along the inside of ``edge``, no wider than it has room for: Pillow would draw on beyond it."""
    room_px = (min(edge.xmax - edge.xmin, edge.ymax - edge.ymin) + 1) // 2
    if room_px > 0:
        draw.rectangle((edge.xmin, edge.ymin, edge.xmax - 1, edge.ymax - 1), None, colour, min(width_px, room_px))


def _inset(edge: PixelBox, by_px: int) -> PixelBox:
    return PixelBox(edge.xmin + by_px, edge.ymin + by_px, edge.xmax - by_px, edge.ymax - by_px)


def draw_leader(draw: ImageDraw.ImageDraw, mark: Mark, strokes: Strokes) -> None:
    """A line from a label that found no place at its box to the box."""
    frame, place = mark.frame, mark.place
    if place is None:
        return
    start_x, end_x = _nearest_points(place.xmin, place.xmax, frame.xmin, frame.xmax)
    start_y, end_y = _nearest_points(place.ymin, place.ymax, frame.ymin, frame.ymax)
    if (start_x, start_y) != (end_x, end_y):
        way = (start_x, start_y, end_x, end_y)
        draw.line(way, mark.ink.halo, strokes.line_px + 2 * strokes.halo_px)
        draw.line(way, mark.ink.line, strokes.line_px)


def _nearest_points(low: int, high: int, other_low: int, other_high: int) -> tuple[int, int]:
    """Two points, one in each of two spans, as near to each other as can be."""
    if high < other_low:
        return high, other_low
    if other_high < low:
        return low, other_high
    middle = (max(low, other_low) + min(high, other_high)) // 2
    return middle, middle


def draw_label(draw: ImageDraw.ImageDraw, mark: Mark, strokes: Strokes, lettering: Lettering) -> None:
    """Halo, ground and text; the ground flows into the box's line where it touches it."""
    place, frame, halo = mark.place, mark.frame, strokes.halo_px
    if place is None:
        return
    ground = _inset(place, halo)
    rounded = _free_corners(place, frame, strokes)
    _fill_rounded(draw, place, lettering.radius_px + halo, rounded, mark.ink.halo)
    _fill_rounded(draw, ground, lettering.radius_px, rounded, mark.ink.line)
    # The halos of label and box overlap there (join_px); the ground's colour goes over them.
    left, right = max(ground.xmin, frame.xmin + halo), min(ground.xmax, frame.xmax - halo)
    if left < right and place.ymax == frame.ymin + halo:
        draw.rectangle((left, ground.ymax, right - 1, place.ymax - 1), mark.ink.line)
    if left < right and place.ymin == frame.ymax - halo:
        draw.rectangle((left, place.ymin, right - 1, ground.ymin - 1), mark.ink.line)
    start = (ground.xmin + lettering.padding_px, ground.ymin + lettering.baseline_px)
    draw.text(start, mark.text, mark.ink.text, lettering.font, anchor="ls")


def _free_corners(place: PixelBox, frame: PixelBox, strokes: Strokes) -> tuple[bool, bool, bool, bool]:
    """Which corners of a label lie off its box's line (those on it stay square, so that they join)."""
    hole = _inset(frame, strokes.line_px + 2 * strokes.halo_px)
    right, bottom = place.xmax - 1, place.ymax - 1

    def free(x: int, y: int) -> bool:
        return not _holds(frame, x, y) or _holds(hole, x, y)

    return free(place.xmin, place.ymin), free(right, place.ymin), free(place.xmin, bottom), free(right, bottom)


def _holds(area: PixelBox, x: int, y: int) -> bool:
    return area.xmin <= x < area.xmax and area.ymin <= y < area.ymax


def _fill_rounded(
    draw: ImageDraw.ImageDraw, area: PixelBox, radius_px: int, rounded: tuple[bool, bool, bool, bool], colour: RGB
) -> None:
    """Fill ``area``; corners in the order top left, top right, bottom left, bottom right, smooth where round."""
    width, height = area.xmax - area.xmin, area.ymax - area.ymin
    mask = Image.new("L", (width, height), 255)
    far_x, far_y = width - radius_px, height - radius_px
    for corner, spot, is_round in zip(
        _round_corners(radius_px), ((0, 0), (far_x, 0), (0, far_y), (far_x, far_y)), rounded, strict=True
    ):
        if is_round:
            mask.paste(corner, spot)
    draw.bitmap((area.xmin, area.ymin), mask, colour)


@lru_cache(maxsize=32)
def _round_corners(radius_px: int) -> tuple[Image.Image, ...]:
    """How much of each pixel lies in a round corner: top left, top right, bottom left, bottom right; mode L."""
    samples = 8  # per pixel and direction
    disc = Image.new("L", (2 * radius_px * samples, 2 * radius_px * samples), 0)
    ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), fill=255)
    disc = disc.reduce(samples)
    halves = ((0, radius_px), (radius_px, 2 * radius_px))
    return tuple(disc.crop((left, top, right, bottom)) for top, bottom in halves for left, right in halves)
