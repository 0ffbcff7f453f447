# ruff: noqa: FURB136 - min and max are calls, in the innermost loop
"""How much room labels have: in the image, between each other, and over each object.

Owns the promises that every label keeps: labels never overlap, together they hide half of the image at most, and no
object is hidden by more than a fifth of it, whichever labels lie over it.

Rectangles are plain (xmin, ymin, xmax, ymax) here, maxima exclusive, and what is done with them stands in the loops
themselves, as thousands of them are tried for a crowd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Rectangle = tuple[int, int, int, int]
"""xmin, ymin, xmax, ymax in pixels, maxima exclusive."""

Spot = tuple[Rectangle, Rectangle | None]
"""A place for a label, and for its leader if it needs one."""

HIDDEN = 5
"""Of an object, labels may hide one part in so many."""

COVERED = 2
"""Of the image, likewise: the image is the answer, the names explain it."""


class Neighbours(NamedTuple):
    """What a label in some area has to heed; what was in the way last is looked at first.

    Attributes:
        taken: places of labels and leaders there.
        tight: boxes there that it might hide by too much, each with the pixels of it that may still be hidden.
    """

    taken: list[Rectangle]
    tight: list[tuple[int, int, int, int, int]]


class Room:
    """The room for labels in an image; less with each that is taken.

    Args:
        image_px: size of the image.
        boxes: of its objects, within the image.
    """

    def __init__(self, image_px: tuple[int, int], boxes: Sequence[Rectangle]) -> None:
        # Of each box the pixels that may still be hidden, behind its edges.
        self._boxes = [(*box, area_px(box) // HIDDEN) for box in boxes]
        self._taken: list[Rectangle] = []
        self.may_cover_px = image_px[0] * image_px[1] // COVERED

    def neighbours(self, area: Rectangle, label_px: int) -> Neighbours:
        """What labels of at most so many pixels have to heed, as long as they stay within an area."""
        xmin, ymin, xmax, ymax = area
        return Neighbours(
            [it for it in self._taken if it[0] < xmax and xmin < it[2] and it[1] < ymax and ymin < it[3]],
            [
                box
                for box in self._boxes
                if box[4] < label_px and box[0] < xmax and xmin < box[2] and box[1] < ymax and ymin < box[3]
            ],
        )

    def take(self, place: Rectangle, leader: Rectangle | None = None) -> None:
        """Lays a label there, and its leader."""
        xmin, ymin, xmax, ymax = place
        for at, (left, top, right, bottom, may_px) in enumerate(self._boxes):
            if left < xmax and xmin < right and top < ymax and ymin < bottom:
                hidden_px = (min(xmax, right) - max(xmin, left)) * (min(ymax, bottom) - max(ymin, top))
                self._boxes[at] = (left, top, right, bottom, may_px - hidden_px)
        self.may_cover_px -= area_px(place)
        self._taken += [place] if leader is None else [place, leader]


def first_free(spots: Iterable[Spot], neighbours: Neighbours) -> Spot | None:
    """The first spot at which a label overlaps no other and hides no object by too much."""
    taken, tight = neighbours
    for spot in spots:
        place, leader = spot
        if _is_clear(place, taken) and _hides_little(place, tight) and (leader is None or _is_clear(leader, taken)):
            return spot
    return None


def area_px(rectangle: Rectangle) -> int:
    """Its area."""
    return (rectangle[2] - rectangle[0]) * (rectangle[3] - rectangle[1])


def _is_clear(place: Rectangle, taken: list[Rectangle]) -> bool:
    xmin, ymin, xmax, ymax = place
    for other in taken:
        if other[0] < xmax and xmin < other[2] and other[1] < ymax and ymin < other[3]:
            if other is not taken[0]:
                taken.remove(other)
                taken.insert(0, other)
            return False
    return True


def _hides_little(place: Rectangle, tight: list[tuple[int, int, int, int, int]]) -> bool:
    xmin, ymin, xmax, ymax = place
    for box in tight:
        left, top, right, bottom, may_px = box
        if left < xmax and xmin < right and top < ymax and ymin < bottom:
            width = (xmax if xmax < right else right) - (xmin if xmin > left else left)
            height = (ymax if ymax < bottom else bottom) - (ymin if ymin > top else top)
            if width * height > may_px:
                if box is not tight[0]:
                    tight.remove(box)
                    tight.insert(0, box)
                return False
    return True
