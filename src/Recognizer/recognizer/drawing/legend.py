"""The legend: what the numbers of a picture stand for, in a block at its edge.

Owns the block's shape and where it may go, on whole pixels; whether a place is free is ``room``'s. All division is
rounded down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from recognizer.drawing.room import Rectangle, Room

MAX_LINES = 12
"""A longer legend would be a text to read, not a picture to look at."""

_COLUMNS = (1, 2, 3, 4)


def legend(line_sizes_px: Sequence[tuple[int, int]], image_px: tuple[int, int], room: Room) -> list[Rectangle]:
    """Takes the room for a legend: the places of its lines, of which the last may be missing where there is less room.

    It has as many lines as it was asked for, or half as many, or a quarter, and so on; one column if that is free at
    one of the edges, or two, or three, or four. Its lines are as wide as the widest.

    Args:
        line_sizes_px: width and height of each line; all are of one height.
        image_px: size of the image.
        room: that is left.
    """
    count = min(len(line_sizes_px), MAX_LINES)
    while count:
        width, height = max(width for width, _ in line_sizes_px[:count]), line_sizes_px[0][1]
        for columns in _COLUMNS:
            rows = -(-count // columns)
            block = columns * width, rows * height
            if (columns - 1) * rows < count and block[0] <= image_px[0] and block[1] <= image_px[1]:
                area = block[0] * block[1]
                obstacles = room.obstacles((0, 0, *image_px), area)
                if area <= room.may_cover_px and (found := room.first_free(_at_edges(block, image_px), obstacles)):
                    left, top, _, _ = found
                    corners = [(left + at // rows * width, top + at % rows * height) for at in range(count)]
                    places = [(x, y, x + width, y + height) for x, y in corners]
                    for place in places:
                        room.take(place)
                    return places
        count //= 2
    return []


def _at_edges(block_px: tuple[int, int], image_px: tuple[int, int]) -> Iterator[Rectangle]:
    """Bottom left, bottom right, top right, top left; then the middles of the lower, upper, left and right edge."""
    width, height = block_px
    right, bottom = image_px[0] - width, image_px[1] - height
    for x, y in (
        *((0, bottom), (right, bottom), (right, 0), (0, 0)),
        *((right // 2, bottom), (right // 2, 0), (0, bottom // 2), (right, bottom // 2)),
    ):
        yield x, y, x + width, y + height
