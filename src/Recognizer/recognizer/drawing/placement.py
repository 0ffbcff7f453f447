"""Where labels go: within the image, at their boxes, not over each other.

Owns the arithmetic alone, on whole pixels: no image, no font, no colour. An earlier label is never moved for a later
one, so the caller gives the most important first. Two labels never overlap, as neither could be read: one for which
there is no room is left out.

Rectangles are PixelBoxes: ``xmax`` and ``ymax`` are exclusive. Sizes are (width, height).
"""

from __future__ import annotations

from bisect import insort
from operator import attrgetter
from typing import TYPE_CHECKING

from recognizer.detections import PixelBox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_COVERED = 0.5
"""Share of the image that labels may hide together: the image is the answer, the names explain it."""

_SMALL_FRAME = 4
"""A frame of less than this many label areas is small: a label over it would hide much of what it shows."""

_ROOMY_FRAME = 2
"""A frame of at least this many label heights can take its label inside: most of what it shows stays visible."""

_by_xmin = attrgetter("xmin")


def place_labels(
    image_px: tuple[int, int],
    frames: Sequence[PixelBox],
    sizes_px: Sequence[tuple[int, int] | None],
    join_px: int = 0,
) -> list[PixelBox | None]:
    """Find a place for each label, the most important first.

    A label goes above its frame, inside at the top, below, or inside at the bottom: the first of these that is free,
    as far left as it can; and, if it can, not over the middle of another small frame. Where all are taken it goes to
    the free place nearest to where it would have been.

    Args:
        image_px: size of the image.
        frames: n frames within the image, the most important first.
        sizes_px: sizes of the n labels, 1 or more each way; None for a frame without one.
        join_px: how far a label outside its frame reaches over the frame's edge.

    Returns:
        n rectangles in the order of the frames. None for no label, where the image has no free place of its size,
        and where the labels would hide more than half of the image.
    """
    width, height = image_px
    budget_px = _MAX_COVERED * width * height
    areas_px = [_area(frame) for frame in frames]
    placed: list[PixelBox] = []  # by xmin
    places: list[PixelBox | None] = []
    for index, (frame, size) in enumerate(zip(frames, sizes_px, strict=True)):
        place = None
        if size is not None and size[0] <= width and size[1] <= height and size[0] * size[1] <= budget_px:
            small_px = _SMALL_FRAME * size[0] * size[1]
            small = [_middle(frames[i]) for i, area_px in enumerate(areas_px) if area_px < small_px and i != index]
            room = (width - size[0], height - size[1])
            place = (
                _at_frame(frame, size, room, join_px, sorted([*placed, *small], key=_by_xmin))
                or _at_frame(frame, size, room, join_px, placed)
                or _nearest_free((frame.xmin, frame.ymin + join_px - size[1]), size, room, placed)
            )
        if place is not None:
            insort(placed, place, key=_by_xmin)
            budget_px -= _area(place)
        places.append(place)
    return places


def _at_frame(
    frame: PixelBox, size_px: tuple[int, int], room: tuple[int, int], join_px: int, taken: Sequence[PixelBox]
) -> PixelBox | None:
    """The first free place along the frame's edges.

    Args:
        frame: the label's own.
        size_px: the label's.
        room: the largest xmin and ymin with which the label lies in the image.
        join_px: how far it reaches over the frame's edge from outside.
        taken: rectangles to keep off, by xmin.
    """
    left = _clamp(frame.xmin, 0, room[0])
    right = _clamp(frame.xmax - size_px[0], left, room[0])
    for y in _rows(frame, size_px[1], join_px):
        if 0 <= y <= room[1]:
            for x in _gaps(y, size_px, (left, right), left, taken):
                return _rectangle(x, y, size_px)
    return None


def _rows(frame: PixelBox, label_height_px: int, join_px: int) -> Iterator[int]:
    """The label's ymin above the frame, inside at its top, below it and inside at its bottom."""
    roomy = frame.ymax - frame.ymin >= _ROOMY_FRAME * label_height_px
    yield frame.ymin + join_px - label_height_px
    if roomy:
        yield frame.ymin
    yield frame.ymax - join_px
    if roomy:
        yield frame.ymax - label_height_px


def _nearest_free(
    wish: tuple[int, int], size_px: tuple[int, int], room: tuple[int, int], taken: Sequence[PixelBox]
) -> PixelBox | None:
    """The free place with the shortest way, across plus down, from ``wish`` (xmin, ymin); None if there is none at all.

    The shortest way ends at the wished height or where something taken stops the last step towards it, so it is
    enough to look along those heights.
    """
    wish_x, wish_y = _clamp(wish[0], 0, room[0]), _clamp(wish[1], 0, room[1])
    heights = {wish_y, *(other.ymin - size_px[1] for other in taken), *(other.ymax for other in taken)}
    best: tuple[int, int, int] | None = None  # way, ymin, xmin
    for y in sorted((y for y in heights if 0 <= y <= room[1]), key=lambda y: (abs(y - wish_y), y)):
        if best is not None and abs(y - wish_y) > best[0]:
            break
        for x in _gaps(y, size_px, (0, room[0]), wish_x, taken):
            found = (abs(x - wish_x) + abs(y - wish_y), y, x)
            best = found if best is None else min(best, found)
    return None if best is None else _rectangle(best[2], best[1], size_px)


def _gaps(
    y: int, size_px: tuple[int, int], span: tuple[int, int], wish_x: int, taken: Sequence[PixelBox]
) -> Iterator[int]:
    """Where a label with ymin ``y`` fits between what is taken: for each gap the xmin nearest to the wish.

    Args:
        y: the label's ymin.
        size_px: the label's size.
        span: the smallest and the largest xmin that will do.
        wish_x: the best xmin.
        taken: rectangles to keep off, by xmin.
    """
    (width, height), (low, high) = size_px, span
    for other in taken:
        if other.ymin < y + height and y < other.ymax and other.xmax > low:
            if low + width <= other.xmin:
                yield _clamp(wish_x, low, min(other.xmin - width, high))
            low = other.xmax
            if low > high:
                return
    yield _clamp(wish_x, low, high)


def _middle(frame: PixelBox) -> PixelBox:
    """The frame without a quarter of its shorter side all around: that much of an object may be hidden."""
    margin = min(frame.xmax - frame.xmin, frame.ymax - frame.ymin) // 4
    return PixelBox(frame.xmin + margin, frame.ymin + margin, frame.xmax - margin, frame.ymax - margin)


def _rectangle(x: int, y: int, size_px: tuple[int, int]) -> PixelBox:
    return PixelBox(x, y, x + size_px[0], y + size_px[1])


def _area(rectangle: PixelBox) -> int:
    return (rectangle.xmax - rectangle.xmin) * (rectangle.ymax - rectangle.ymin)


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)
