"""What is drawn for one detection: a line around its box, a label, and a leader where the label stands off.

Owns the shapes. Their colours, places and texts come with each Mark, how thick they are with the Sizes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from recognizer.detections import PixelBox
from recognizer.drawing.forms import radius_px

if TYPE_CHECKING:
    from recognizer.drawing.lettering import Lettering
    from recognizer.drawing.palette import RGB, Ink
    from recognizer.drawing.placement import Placed
    from recognizer.drawing.sizes import Sizes


_DASH, _GAP = 4, 3  # in widths of the line


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
    """As ``_draw_outline``, in dashes; each side begins with one at its upper or left end."""
    width, height = edge.xmax - edge.xmin, edge.ymax - edge.ymin
    width_px = min(width_px, (min(width, height) + 1) // 2)
    if width_px > 0:
        level, upright = _dashes(width_px, 1 << (max(width, height) - 1).bit_length())
        level, upright = level.crop((0, 0, width, width_px)), upright.crop((0, 0, width_px, height))
        draw.bitmap((edge.xmin, edge.ymin), level, colour)
        draw.bitmap((edge.xmin, edge.ymax - width_px), level, colour)
        draw.bitmap((edge.xmin, edge.ymin), upright, colour)
        draw.bitmap((edge.xmax - width_px, edge.ymin), upright, colour)


@lru_cache(maxsize=32)
def _dashes(width_px: int, length_px: int) -> tuple[Image.Image, Image.Image]:
    """A level and an upright line in dashes; mode L."""
    level, upright = Image.new("L", (length_px, width_px)), Image.new("L", (width_px, length_px))
    for start in range(0, length_px, (_DASH + _GAP) * width_px):
        end = start + _DASH * width_px
        level.paste(255, (start, 0, end, width_px))
        upright.paste(255, (0, start, width_px, end))
    return level, upright


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
    draw: ImageDraw.ImageDraw, label: Placed, frame: PixelBox, ink: Ink, sizes: Sizes, lettering: Lettering
) -> None:
    """Halo, ground and text; the ground flows into the box's line where it touches it."""
    place, halo = label.place, sizes.halo_px
    ground = _inset(place, halo)
    is_at_frame = label.form != "legend" and label.leader is None
    rounded = _free_corners(place, frame, sizes) if is_at_frame else (True,) * 4
    radius = radius_px(label.font_px)
    _fill_rounded(draw, place, radius + halo, rounded, ink.halo)
    _fill_rounded(draw, ground, radius, rounded, ink.line)
    if is_at_frame:
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
    draw.bitmap((ground.xmin, ground.ymin), lettering.written(label.text), ink.text)


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
    left_end, right_end = _ends(radius_px, area.ymax - area.ymin, rounded)
    draw.rectangle((area.xmin + radius_px, area.ymin, area.xmax - radius_px - 1, area.ymax - 1), colour)
    draw.bitmap((area.xmin, area.ymin), left_end, colour)
    draw.bitmap((area.xmax - radius_px, area.ymin), right_end, colour)


@lru_cache(maxsize=128)
def _ends(radius_px: int, height_px: int, rounded: tuple[bool, bool, bool, bool]) -> tuple[Image.Image, Image.Image]:
    """How much of each pixel at a label's left and right end is in it, as wide as its corners; mode L."""
    samples = 8  # per pixel and direction
    size = (2 * radius_px * samples, height_px * samples)
    shape = Image.new("L", size)
    ImageDraw.Draw(shape).rounded_rectangle(
        (0, 0, size[0] - 1, size[1] - 1),
        radius_px * samples,
        255,
        corners=(rounded[0], rounded[1], rounded[3], rounded[2]),
    )
    shape = shape.reduce(samples)
    return shape.crop((0, 0, radius_px, height_px)), shape.crop((radius_px, 0, 2 * radius_px, height_px))
