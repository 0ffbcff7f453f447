"""Where a label may go: at its box, or off it with a leader.

Owns these places and the order in which they are tried, on whole pixels; whether one is free is ``room``'s. All
division is rounded down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recognizer.drawing.room import Rectangle

_ROOMY = 2
"""A frame of at least so many label heights, and as wide as the label, may have it inside."""

_LEADERS = (1, 2, 3, 4)
"""Lengths of leaders in heights of the label."""

LONGEST_LEADER = max(_LEADERS)


def at_frame(
    frame: Rectangle, label_px: tuple[int, int], image_px: tuple[int, int], join_px: int
) -> Iterator[Rectangle]:
    """Places at the frame: above it, inside at its top, below it, inside at its bottom, right and left of it.

    In a row: flush with the frame's left edge, with its right edge, in the middle. At a side: flush with the frame's
    upper edge, with its lower edge.

    Args:
        frame: outer edge of the line around the box.
        label_px: width and height of the label, which is no larger than the image.
        image_px: size of the image.
        join_px: how far a label outside the frame reaches over its edge.
    """
    (left, top, right, bottom), (width, height) = frame, label_px
    lowest, rightmost = image_px[1] - height, image_px[0] - width
    outside, inside = (top + join_px - height, bottom - join_px), (top, bottom - height)
    is_roomy = bottom - top >= _ROOMY * height and right - left >= width
    columns = _flush(left, right, width, rightmost)
    for y in (outside[0], inside[0], outside[1], inside[1]) if is_roomy else outside:
        if 0 <= y <= lowest:
            for x in columns:
                yield x, y, x + width, y + height
    rows = _flush(top, bottom, height, lowest)[:2]
    for x in (right - join_px, left + join_px - width):
        if 0 <= x <= rightmost:
            for y in rows:
                yield x, y, x + width, y + height


def off_frame(frame: Rectangle, label_px: tuple[int, int], image_px: tuple[int, int]) -> Iterator[Rectangle]:
    """Places off the frame, ever farther: above it, below it, right and left of it; see ``leader``.

    Args:
        frame: outer edge of the line around the box.
        label_px: width and height of the label, which is no larger than the image.
        image_px: size of the image.
    """
    (left, top, right, bottom), (width, height) = frame, label_px
    lowest, rightmost = image_px[1] - height, image_px[0] - width
    columns, rows = _flush(left, right, width, rightmost), _flush(top, bottom, height, lowest)
    for away in (length * height for length in _LEADERS):
        for y in (top - away - height, bottom + away):
            if 0 <= y <= lowest:
                for x in columns:
                    yield x, y, x + width, y + height
        for x in (right + away, left - away - width):
            if 0 <= x <= rightmost:
                for y in rows:
                    yield x, y, x + width, y + height


def leader(place: Rectangle, frame: Rectangle, join_px: int, leader_px: int) -> Rectangle:
    """The level or upright line from a label off its frame to the frame.

    Args:
        place: of the label.
        frame: outer edge of the line around its box.
        join_px: how far the leader reaches into the label and over the frame's edge.
        leader_px: how wide it is.
    """
    (xmin, ymin, xmax, ymax), (left, top, right, bottom) = place, frame
    if ymax <= top or bottom <= ymin:
        x = (max(xmin, left) + min(xmax, right)) // 2 - leader_px // 2
        start, end = (ymax, top) if ymax <= top else (bottom, ymin)
        return x, start - join_px, x + leader_px, end + join_px
    y = (max(ymin, top) + min(ymax, bottom)) // 2 - leader_px // 2
    start, end = (right, xmin) if right <= xmin else (xmax, left)
    return start - join_px, y, end + join_px, y + leader_px


def _flush(low: int, high: int, length: int, last: int) -> tuple[int, int, int]:
    """Where a span begins that is flush with another's low end, with its high end, in its middle.

    Within 0..last, so at an edge of the image two of them may be the same.
    """
    end, middle = high - length, (low + high - length) // 2
    if low >= 0 and high <= last + length and low <= last and end >= 0:  # within the image wherever it is flush
        return low, end, middle
    return min(max(low, 0), last), min(max(end, 0), last), min(max(middle, 0), last)
