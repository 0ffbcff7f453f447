"""What is drawn for one detection: a line around its box, a label, and a leader where the label stands off.

Owns the shapes. Their colours, places and texts come with each Mark, how thick they are with the Sizes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from recognizer.detections import PixelBox

if TYPE_CHECKING:
    from recognizer.drawing.lettering import Lettering
    from recognizer.drawing.palette import RGB, Ink
    from recognizer.drawing.placement import Placed
    from recognizer.drawing.sizes import Sizes


def draw_frame(draw: ImageDraw.ImageDraw, frame: PixelBox, ink: Ink, sizes: Sizes, *, is_dashed: bool) -> None:
    """The line around a box, between its two halos."""
    _draw_outline(draw, frame, sizes.line_px + 2 * sizes.halo_px, ink.halo)
    inner = _inset(frame, sizes.halo_px)
    if is_dashed:
        _draw_dashes(draw, inner, sizes.line_px, ink.line)
    else:
        _draw_outline(draw, inner, sizes.line_px, ink.line)


def _draw_outline(draw: ImageDraw.ImageDraw, edge: PixelBox, width_px: int, colour: RGB) -> None:
    """A line along the inside of ``edge``, no wider than it has room for: Pillow would draw on beyond it."""
    room_px = (min(edge.xmax - edge.xmin, edge.ymax - edge.ymin) + 1) // 2
    if room_px > 0:
        draw.rectangle((edge.xmin, edge.ymin, edge.xmax - 1, edge.ymax - 1), None, colour, min(width_px, room_px))


def _draw_dashes(draw: ImageDraw.ImageDraw, edge: PixelBox, width_px: int, colour: RGB) -> None:
    """As ``_draw_outline``, in dashes; each side begins and ends with one."""
    width_px = min(width_px, (min(edge.xmax - edge.xmin, edge.ymax - edge.ymin) + 1) // 2)
    if width_px <= 0:
        return
    for start, end in dashes(edge.xmin, edge.xmax, width_px):
        draw.rectangle((start, edge.ymin, end - 1, edge.ymin + width_px - 1), colour)
        draw.rectangle((start, edge.ymax - width_px, end - 1, edge.ymax - 1), colour)
    for start, end in dashes(edge.ymin, edge.ymax, width_px):
        draw.rectangle((edge.xmin, start, edge.xmin + width_px - 1, end - 1), colour)
        draw.rectangle((edge.xmax - width_px, start, edge.xmax - 1, end - 1), colour)


def dashes(low: int, high: int, line_px: int) -> list[tuple[int, int]]:
    """Where the dashes of a line begin and end."""
    dash, period = 4 * line_px, 7 * line_px
    return [(at, min(at + dash, high)) for at in range(low, high, period)]


def _inset(edge: PixelBox, by_px: int) -> PixelBox:
    return PixelBox(edge.xmin + by_px, edge.ymin + by_px, edge.xmax - by_px, edge.ymax - by_px)


def draw_leader(draw: ImageDraw.ImageDraw, label: Placed, ink: Ink, sizes: Sizes) -> None:
    """The line from a label that stands off its box to the frame around it."""
    if label.leader is None:
        return
    way, place, halo = label.leader, label.place, sizes.halo_px
    draw.rectangle((way.xmin, way.ymin, way.xmax - 1, way.ymax - 1), ink.halo)
    if place.ymax <= way.ymin + halo or way.ymax - halo <= place.ymin:
        draw.rectangle((way.xmin + halo, way.ymin, way.xmax - 1 - halo, way.ymax - 1), ink.line)
    else:
        draw.rectangle((way.xmin, way.ymin + halo, way.xmax - 1, way.ymax - 1 - halo), ink.line)


def draw_label(
    draw: ImageDraw.ImageDraw, label: Placed, frame: PixelBox | None, ink: Ink, sizes: Sizes, lettering: Lettering
) -> None:
    """Halo, ground and text; the ground flows into the box's line where it touches it."""
    place, halo = label.place, sizes.halo_px
    ground = _inset(place, halo)
    rounded = (True,) * 4 if frame is None else _free_corners(place, frame, sizes)
    _fill_rounded(draw, place, lettering.radius_px + halo, rounded, ink.halo)
    _fill_rounded(draw, ground, lettering.radius_px, rounded, ink.line)
    if frame is not None:
        # The halos of label and box overlap there (join_px); the ground's colour goes over them.
        left, right = max(ground.xmin, frame.xmin + halo), min(ground.xmax, frame.xmax - halo)
        top, bottom = max(ground.ymin, frame.ymin + halo), min(ground.ymax, frame.ymax - halo)
        if left < right and place.ymax == frame.ymin + halo:
            draw.rectangle((left, ground.ymax, right - 1, place.ymax - 1), ink.line)
        if left < right and place.ymin == frame.ymax - halo:
            draw.rectangle((left, place.ymin, right - 1, ground.ymin - 1), ink.line)
        if top < bottom and place.xmax == frame.xmin + halo:
            draw.rectangle((ground.xmax, top, place.xmax - 1, bottom - 1), ink.line)
        if top < bottom and place.xmin == frame.xmax - halo:
            draw.rectangle((place.xmin, top, ground.xmin - 1, bottom - 1), ink.line)
    start = (ground.xmin + lettering.padding_px, ground.ymin + lettering.baseline_px)
    draw.text(start, label.text, ink.text, lettering.font, anchor="ls")


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
