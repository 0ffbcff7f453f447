"""What is drawn for one detection: a line around its box, a label, and a leader where the label stands off.

Owns the shapes. Their colours, places and texts come with each Mark, how thick they are with the Sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from recognizer.detections import PixelBox

if TYPE_CHECKING:
    from recognizer.drawing.lettering import Lettering
    from recognizer.drawing.palette import RGB, Ink
    from recognizer.drawing.sizes import Sizes


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


def frame_around(box: PixelBox, image_px: tuple[int, int], sizes: Sizes) -> PixelBox:
    """The outer edge of the line around a box: around the object, not over it, as far as the image has room."""
    width, height = image_px
    margin = sizes.line_px + sizes.halo_px
    return PixelBox(
        xmin=max(0, box.xmin - margin),
        ymin=max(0, box.ymin - margin),
        xmax=min(width, box.xmax + margin),
        ymax=min(height, box.ymax + margin),
    )


def draw_frame(draw: ImageDraw.ImageDraw, mark: Mark, sizes: Sizes) -> None:
    """The line around the box, between its two halos."""
    _draw_outline(draw, mark.frame, sizes.line_px + 2 * sizes.halo_px, mark.ink.halo)
    _draw_outline(draw, _inset(mark.frame, sizes.halo_px), sizes.line_px, mark.ink.line)


def _draw_outline(draw: ImageDraw.ImageDraw, edge: PixelBox, width_px: int, colour: RGB) -> None:
    """A line along the inside of ``edge``, no wider than it has room for: Pillow would draw on beyond it."""
    room_px = (min(edge.xmax - edge.xmin, edge.ymax - edge.ymin) + 1) // 2
    if room_px > 0:
        draw.rectangle((edge.xmin, edge.ymin, edge.xmax - 1, edge.ymax - 1), None, colour, min(width_px, room_px))


def _inset(edge: PixelBox, by_px: int) -> PixelBox:
    return PixelBox(edge.xmin + by_px, edge.ymin + by_px, edge.xmax - by_px, edge.ymax - by_px)


def draw_leader(draw: ImageDraw.ImageDraw, mark: Mark, sizes: Sizes) -> None:
    """A line from a label that found no place at its box to the box."""
    frame, place = mark.frame, mark.place
    if place is None:
        return
    start_x, end_x = _nearest_points(place.xmin, place.xmax, frame.xmin, frame.xmax)
    start_y, end_y = _nearest_points(place.ymin, place.ymax, frame.ymin, frame.ymax)
    if (start_x, start_y) != (end_x, end_y):
        way = (start_x, start_y, end_x, end_y)
        draw.line(way, mark.ink.halo, sizes.line_px + 2 * sizes.halo_px)
        draw.line(way, mark.ink.line, sizes.line_px)


def _nearest_points(low: int, high: int, other_low: int, other_high: int) -> tuple[int, int]:
    """Two points, one in each of two spans, as near to each other as can be."""
    if high < other_low:
        return high, other_low
    if other_high < low:
        return low, other_high
    middle = (max(low, other_low) + min(high, other_high)) // 2
    return middle, middle


def draw_label(draw: ImageDraw.ImageDraw, mark: Mark, sizes: Sizes, lettering: Lettering) -> None:
    """Halo, ground and text; the ground flows into the box's line where it touches it."""
    place, frame, halo = mark.place, mark.frame, sizes.halo_px
    if place is None:
        return
    ground = _inset(place, halo)
    rounded = _free_corners(place, frame, sizes)
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


def _free_corners(place: PixelBox, frame: PixelBox, sizes: Sizes) -> tuple[bool, bool, bool, bool]:
    """Which corners of a label lie off its box's line (those on it stay square, so that they join)."""
    hole = _inset(frame, sizes.line_px + 2 * sizes.halo_px)
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
    left, top, right, bottom = area.xmin, area.ymin, area.xmax, area.ymax
    inner_left, inner_right = left + radius_px, right - radius_px
    inner_top, inner_bottom = top + radius_px, bottom - radius_px
    draw.rectangle((inner_left, top, inner_right - 1, bottom - 1), colour)
    draw.rectangle((left, inner_top, inner_left - 1, inner_bottom - 1), colour)
    draw.rectangle((inner_right, inner_top, right - 1, inner_bottom - 1), colour)
    spots = ((left, top), (inner_right, top), (left, inner_bottom), (inner_right, inner_bottom))
    for corner, (x, y), is_round in zip(_round_corners(radius_px), spots, rounded, strict=True):
        if is_round:
            draw.bitmap((x, y), corner, colour)
        else:
            draw.rectangle((x, y, x + radius_px - 1, y + radius_px - 1), colour)


@lru_cache(maxsize=32)
def _round_corners(radius_px: int) -> tuple[Image.Image, ...]:
    """How much of each pixel lies in a round corner: top left, top right, bottom left, bottom right; mode L."""
    samples = 8  # per pixel and direction
    disc = Image.new("L", (2 * radius_px * samples, 2 * radius_px * samples), 0)
    ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), fill=255)
    disc = disc.reduce(samples)
    halves = ((0, radius_px), (radius_px, 2 * radius_px))
    return tuple(disc.crop((left, top, right, bottom)) for top, bottom in halves for left, right in halves)
