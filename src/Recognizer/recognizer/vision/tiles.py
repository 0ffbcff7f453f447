"""Small objects: the picture is looked at whole and in overlapping tiles, and what is seen twice is told once.

Owns where the tiles lie, whose word counts for what, and whether there is time. A network of 300 x 300 pixels sees
nothing of an object that is 5 pixels large in its input; in a tile of half the picture's width it is nearly twice as
large. What is large is seen better whole: in a tile it is cut, and what is left of it looks like another, smaller
object. So of a tile only what is small in it and clear of its inner edges counts, and a box of the whole picture is
never given up for a box of one of its parts.

Source of the idea: Akyon et al., "Slicing Aided Hyper Inference", https://arxiv.org/abs/2202.06934.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from recognizer.detections import PixelBox
from recognizer.errors import TooManyTiles
from recognizer.vision import nms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from recognizer.detections import Criteria
    from recognizer.job import View
    from recognizer.vision.nms import Rows

    Look = Callable[[View, Criteria, PixelBox | None], Rows]
    Floats = NDArray[np.float32]

# Measured with `make accuracy`, on two detectors; see docs/accuracy.md.
OVERLAP = 0.25  # of two tiles side by side, as a fraction of a tile
_MAX_SIDE = 0.55  # of what counts in a tile, as a fraction of the tile: what is larger is seen better whole
_EDGE = 0.01  # of a tile: a box that ends so near to an inner edge is taken for cut
_SAME_IOU = nms.IOU_THRESHOLD  # two boxes of a class that overlap so much are one object
_PART = 0.8  # a box of which so much lies in another one of its class is a part of that object
_SHARE_OF_TIME = 0.8  # of what is left of the request's time; the rest is for drawing and sending


def looked(look: Look, view: View, criteria: Criteria) -> Rows:
    """The detections in a picture, looked at whole and in ``criteria.tiles`` x ``criteria.tiles`` tiles.

    Args:
        look: finds what there is in a picture, or in a part of it as fractions of that part.
        view: what is seen of the picture.
        criteria: which objects are wanted.

    Raises:
        TooManyTiles: there is no time for so many, or there turns out to be none as they are looked at; the message
            names the largest number that there is time for.
    """
    everything = criteria._replace(limit=nms.MAX_DETECTIONS, region=None, tiles=1)
    began_s = time.monotonic()
    whole = look(view, everything, None)
    ended_s = time.monotonic()
    left_s = (view.ends_at_s - ended_s) * _SHARE_OF_TIME
    _require_time(criteria.tiles, ended_s - began_s, left_s)
    seen: list[Rows] = []
    # One after the other: each look uses all CPUs, and two at a time would need a second copy of the weights.
    for part in parts(view.size_px, criteria.tiles):
        if seen:  # the first look may have been quicker than these are: others may be at work by now
            _require_time(criteria.tiles, (time.monotonic() - ended_s) / len(seen), left_s)
        seen.append(_in_picture(look(view, everything, part), part, view.size_px))
    return nms.wanted(merged(whole, seen), criteria)


def parts(size_px: tuple[int, int], tiles: int) -> list[PixelBox]:
    """The tiles of a picture, row by row; of a picture that is too small for so many, fewer."""
    columns, rows = (_spans(length, tiles) for length in size_px)
    return [PixelBox(xmin, ymin, xmax, ymax) for ymin, ymax in rows for xmin, xmax in columns]


def merged(whole: Rows, seen: Sequence[Rows]) -> Rows:
    """What was seen in the whole picture and in its tiles, each object once, most confident first.

    Args:
        whole: the detections in the whole picture.
        seen: those of each tile that count, as fractions of the picture.
    """
    of_whole = np.repeat([True, False], [len(whole.scores), sum(len(rows.scores) for rows in seen)])
    boxes = np.concatenate([whole.boxes, *(rows.boxes for rows in seen)])
    scores = np.concatenate([whole.scores, *(rows.scores for rows in seen)])
    classes = np.concatenate([whole.class_indices, *(rows.class_indices for rows in seen)])
    # Of equals the whole picture's comes first.
    order = np.lexsort((~of_whole, -scores))
    kept: list[int] = []
    for class_index in np.unique(classes):
        of_class = order[classes[order] == class_index]
        kept += of_class[_distinct(boxes[of_class], of_whole[of_class])].tolist()
    rows = np.array(sorted(kept, key=lambda row: -scores[row]), np.intp)
    return nms.Rows(boxes[rows], scores[rows], classes[rows])


def _distinct(boxes: Floats, of_whole: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which boxes of one class, most confident first, are objects of their own, shape (n,).

    Boxes of the whole picture were set apart by the model's own NMS already, and are only given up for a box of a tile
    that says the same; those of tiles also where they are a part of an object.
    """
    low = np.maximum(boxes[:, np.newaxis, :2], boxes[:, :2])
    high = np.minimum(boxes[:, np.newaxis, 2:], boxes[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area = np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), np.finfo(np.float32).tiny)
    same = shared / (area[:, np.newaxis] + area - shared) > _SAME_IOU
    part = (shared / area > _PART) & (area[:, np.newaxis] > area)  # [i, j]: j is a part of i
    alive = np.ones(len(boxes), np.bool_)
    for place in range(len(boxes)):
        if alive[place]:
            given_up = same[place] & ~(of_whole[place] & of_whole)
            given_up |= part[place] & ~of_whole
            given_up[: place + 1] = False
            alive &= ~given_up
    return alive


def _in_picture(rows: Rows, part: PixelBox, size_px: tuple[int, int]) -> Rows:
    """Of a tile's detections those that count, as fractions of the picture."""
    width, height = size_px
    boxes = rows.boxes
    sides = boxes[:, 2:] - boxes[:, :2]
    is_inner = np.array([part.ymin > 0, part.xmin > 0, part.ymax < height, part.xmax < width])
    is_cut = (np.concatenate([boxes[:, :2] < _EDGE, boxes[:, 2:] > 1 - _EDGE], axis=1) & is_inner).any(axis=1)
    counts = ~is_cut & (sides.max(axis=1, initial=0) <= _MAX_SIDE)
    corner = np.array([part.ymin, part.xmin] * 2, np.float32)
    tile = np.array([part.ymax - part.ymin, part.xmax - part.xmin] * 2, np.float32)
    picture = np.array([height, width] * 2, np.float32)
    return nms.Rows((boxes[counts] * tile + corner) / picture, rows.scores[counts], rows.class_indices[counts])


def _spans(length: int, tiles: int) -> list[tuple[int, int]]:
    """Where tiles begin and end along one side, all of one size."""
    size = min(length, max(1, round(length / (tiles - (tiles - 1) * OVERLAP))))
    begins = {round(place * (length - size) / (tiles - 1)) for place in range(tiles)}
    return [(begin, begin + size) for begin in sorted(begins)]


def _require_time(tiles: int, one_s: float, left_s: float) -> None:
    if tiles * tiles * one_s > left_s:
        largest = max((fewer for fewer in range(2, tiles) if fewer * fewer * one_s <= left_s), default=None)
        way_out = "leave tiles out" if largest is None else f"tiles={largest} is the most that there is time for"
        raise TooManyTiles(
            f"tiles={tiles} takes more time than is left for this request; {way_out}.", parameter="tiles"
        )
