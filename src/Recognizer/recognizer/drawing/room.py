# ruff: noqa: FURB136 - min and max are calls, and this is done ten thousand times for a crowd
"""How much room labels have: in the image, between each other, and over each object.

Owns the promises that every label keeps: labels never overlap, together they hide half of the image at most, and no
object is hidden by more than a fifth of it, whichever labels lie over it.

Rectangles are plain (xmin, ymin, xmax, ymax) here, maxima exclusive.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Rectangle = tuple[int, int, int, int]
"""xmin, ymin, xmax, ymax in pixels, maxima exclusive."""

Obstacle = list[int]
"""ymin, xmin, ymax, xmax, and how many pixels of it a label may hide: none of another label."""

HIDDEN = 5
"""Of an object, labels may hide one part in so many."""

COVERED = 2
"""Of the image, likewise: the image is the answer, the names explain it."""


class Room:
    """The room for labels in an image; less with each that is taken.

    Args:
        image_px: size of the image.
        boxes: of its objects, within the image.
    """

    def __init__(self, image_px: tuple[int, int], boxes: Sequence[Rectangle]) -> None:
        self.may_cover_px = image_px[0] * image_px[1] // COVERED
        self._boxes = _Shelf(
            [top, left, bottom, right, area_px((left, top, right, bottom)) // HIDDEN]
            for left, top, right, bottom in boxes
        )
        self._taken = _Shelf()

    def obstacles(self, area: Rectangle, label_px: int) -> list[Obstacle]:
        """What labels of at most so many pixels have to heed, as long as they stay within an area."""
        xmin, ymin, xmax, ymax = area
        near = self._boxes.between(ymin, ymax) + self._taken.between(ymin, ymax)
        return [it for it in near if it[4] < label_px and ymin < it[2] and it[1] < xmax and xmin < it[3]]

    def first_free(
        self,
        places: Iterable[Rectangle],
        obstacles: Sequence[Obstacle],
        leader_to: Callable[[Rectangle], Rectangle] | None = None,
    ) -> Rectangle | None:
        """The first place where a label hides no object by too much and overlaps no other, nor its leader any.

        Args:
            places: in the order in which they are tried.
            obstacles: around all of them.
            leader_to: place -> the leader that a label there has.
        """
        left = top = right = bottom = may_px = 0  # of what was in the way last: it is likely to be again
        for place in places:
            xmin, ymin, xmax, ymax = place
            if top < ymax and ymin < bottom and left < xmax and xmin < right:
                width = (xmax if xmax < right else right) - (xmin if xmin > left else left)
                height = (ymax if ymax < bottom else bottom) - (ymin if ymin > top else top)
                if width * height > may_px:
                    continue
            for top, left, bottom, right, may_px in obstacles:
                if top < ymax and ymin < bottom and left < xmax and xmin < right:
                    width = (xmax if xmax < right else right) - (xmin if xmin > left else left)
                    height = (ymax if ymax < bottom else bottom) - (ymin if ymin > top else top)
                    if width * height > may_px:
                        break
            else:
                if leader_to is None or self._is_clear(leader_to(place)):
                    return place
        return None

    def take(self, place: Rectangle, leader: Rectangle | None = None) -> None:
        """Lays a label there, and its leader."""
        xmin, ymin, xmax, ymax = place
        for box in self._boxes.between(ymin, ymax):
            _, left, bottom, right, _ = box
            if ymin < bottom and left < xmax and xmin < right:
                top = box[0]
                width = (xmax if xmax < right else right) - (xmin if xmin > left else left)
                height = (ymax if ymax < bottom else bottom) - (ymin if ymin > top else top)
                box[4] -= width * height
        self.may_cover_px -= area_px(place)
        for left, top, right, bottom in (place,) if leader is None else (place, leader):
            self._taken.add([top, left, bottom, right, 0])

    def _is_clear(self, leader: Rectangle) -> bool:
        xmin, ymin, xmax, ymax = leader
        return not any(ymin < it[2] and it[1] < xmax and xmin < it[3] for it in self._taken.between(ymin, ymax))


class _Shelf:
    """Obstacles by their upper edges, so that those far above and below need not be looked at."""

    def __init__(self, obstacles: Iterable[Obstacle] = ()) -> None:
        self._sorted = sorted(obstacles)
        self._tallest_px = max((it[2] - it[0] for it in self._sorted), default=0)

    def add(self, obstacle: Obstacle) -> None:
        insort(self._sorted, obstacle)
        self._tallest_px = max(self._tallest_px, obstacle[2] - obstacle[0])

    def between(self, ymin: int, ymax: int) -> list[Obstacle]:
        """Those that begin above ``ymax`` and could reach below ``ymin``."""
        return self._sorted[bisect_left(self._sorted, [ymin - self._tallest_px]) : bisect_left(self._sorted, [ymax])]


def area_px(rectangle: Rectangle) -> int:
    """Its area."""
    return (rectangle[2] - rectangle[0]) * (rectangle[3] - rectangle[1])
