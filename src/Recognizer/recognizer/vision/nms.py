"""Raw arrays -> the rows that are detections: exact class-aware non-maximum suppression (NMS), and top-N.

Owns the arithmetic of the published graph's own post-processing, in NumPy: what it keeps is, row for row and tie for
tie, what the graph keeps, as no approximate ("fast") NMS does.

The graph runs one NMS for each class (``NonMaxSuppressionV5``: IoU above 0.6 suppresses, scores above 1e-8 count, 100
boxes at most), sorts all that is kept by score (``TopKV2``: of equals the one of the lower class, then of the lower box
index, first), clips the boxes to the picture, drops those of no area, and keeps 100. A class's NMS only ever looks at
boxes of that class with a higher score, so one greedy pass over all (box, class) pairs in the order of that sort
keeps the same rows in the same order, and may stop at the n-th. A minimum score or fewer classes leave out pairs that
could not have suppressed what remains, so they filter before the pass.

Sources: ``tensorflow/core/kernels/image/non_max_suppression_op.cc``; the TensorFlow Object Detection API's
``core/post_processing.py`` (``multiclass_non_max_suppression``) and ``core/box_list_ops.py`` (``clip_to_window``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from recognizer.detections import Criteria

IOU_THRESHOLD = np.float32(0.6)
SCORE_THRESHOLD = np.float32(1e-8)
MAX_PER_CLASS = 100
MAX_DETECTIONS = 100
BACKGROUND = 0  # the class index that is no class

# The first block has about this many pairs; each one after it, should it not suffice, as many times more. It nearly
# always does, and sorting more pairs than needed costs more than a second look.
_FIRST_BLOCK_PER_ROW = 4
_FIRST_BLOCK = 64
_BLOCK_GROWTH = 8


Region = tuple[float, float, float, float]  # xmin, ymin, xmax, ymax as fractions of the picture


class Rows(NamedTuple):
    """Detections as arrays of one length, most confident first.

    Attributes:
        boxes: shape (n, 4), float32, ymin xmin ymax xmax as fractions of the picture.
        scores: shape (n,), float32.
        class_indices: shape (n,), the class index of each: its column in the table of scores; 0 is the background.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_indices: NDArray[np.intp]


def detections(boxes: NDArray[np.float32], scores: NDArray[np.float32], criteria: Criteria) -> Rows:
    """``suppress`` for what a request asks for."""
    class_indices = None if criteria.class_indices is None else np.array(sorted(criteria.class_indices), np.intp)
    min_score: float | NDArray[np.float32] = criteria.min_score
    if criteria.min_score_by_class:
        min_score = np.full(scores.shape[1], criteria.min_score, np.float32)
        for class_index, least in criteria.min_score_by_class.items():
            if class_index < len(min_score):
                min_score[class_index] = least
    return suppress(boxes, scores, criteria.limit, min_score, class_indices, region=criteria.region)


def wanted(found: Rows, criteria: Criteria, counting: NDArray[np.bool_] | None = None) -> Rows:
    """Those of a model that did its own NMS which a request asks for.

    Args:
        found: boxes clipped to the picture.
        criteria: which objects are wanted.
        counting: shape (n,), which rows count at all; None for all.
    """
    minima = criteria.min_score_by_class
    chosen = centred_in(found.boxes, criteria.region)
    if counting is not None:
        chosen &= counting
    least = [minima.get(index, criteria.min_score) for index in found.class_indices.tolist()]
    chosen &= found.scores >= np.array(least, np.float32)
    if criteria.class_indices is not None:
        chosen &= np.isin(found.class_indices, np.array(sorted(criteria.class_indices), np.intp))
    rows = select(found.scores, criteria.limit, chosen)
    return Rows(found.boxes[rows], found.scores[rows], found.class_indices[rows])


def suppress(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    limit: int = MAX_DETECTIONS,
    min_score: float | NDArray[np.float32] = 0.0,
    class_indices: NDArray[np.intp] | None = None,
    *,
    region: Region | None = None,
) -> Rows:
    """The detections among a network's boxes, as the published graph would choose them.

    Args:
        boxes: shape (A, 4), ymin xmin ymax xmax, as decoded: not clipped.
        scores: shape (A, C), the graph's own sigmoid values, so that they tie where the graph's do; class index 0 is
            the background, which never counts.
        limit: how many at most; never more than ``MAX_DETECTIONS``, the graph's own limit.
        min_score: those below are left out; one number, or one for each class, shape (C,).
        class_indices: the classes that count; None for all but the background.
        region: xmin, ymin, xmax, ymax; boxes whose centre lies outside suppress others but are not answered.

    Returns:
        Rows whose boxes are clipped to the picture.
    """
    limit = min(limit, MAX_DETECTIONS)
    kept: list[tuple[int, int]] = []  # (anchor, class index) of the rows that are answered
    if limit > 0:
        clipped = np.clip(boxes, 0, 1)
        greedy = _Greedy(boxes, _visible(clipped) & centred_in(clipped, region))
        for anchors, of_classes in _blocks(scores, limit, min_score, class_indices):
            kept += greedy.keep(anchors, of_classes, limit - len(kept))
            if len(kept) == limit:
                break
    rows = np.array(kept, np.intp).reshape(-1, 2)
    return Rows(np.clip(boxes[rows[:, 0]], 0, 1), scores[rows[:, 0], rows[:, 1]], rows[:, 1])


def select(
    scores: NDArray[np.float32],
    limit: int,
    wanted: NDArray[np.bool_] | None = None,
) -> NDArray[np.intp]:
    """Which rows of a model that did its own NMS to answer with.

    Args:
        scores: shape (N,) or (N, 1), any N. Graphs fill up to their fixed number of rows with scores of 0: no
            detections, and never selected.
        limit: how many at most.
        wanted: shape (N,), which rows count; None for all.

    Returns:
        Row numbers, highest score first, equal scores in their own order.
    """
    flat = scores.reshape(-1)
    counts = flat > 0
    if wanted is not None:
        counts = counts & wanted
    rows = np.flatnonzero(counts)
    return rows[np.argsort(-flat[rows], kind="stable")][: max(limit, 0)]


def centred_in(boxes: NDArray[np.float32], region: Region | None) -> NDArray[np.bool_]:
    """Which boxes (n, 4), clipped to the picture, have their centre in a region, shape (n,)."""
    if region is None:
        return np.ones(len(boxes), np.bool_)
    xmin, ymin, xmax, ymax = region
    centre_y, centre_x = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    inside: NDArray[np.bool_] = (centre_x >= xmin) & (centre_x <= xmax) & (centre_y >= ymin) & (centre_y <= ymax)
    return inside


def _visible(clipped: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which boxes, clipped to the picture, have an area, shape (A,); the graph drops the others after its NMS."""
    visible: NDArray[np.bool_] = (clipped[:, 2] - clipped[:, 0]) * (clipped[:, 3] - clipped[:, 1]) > 0
    return visible


def _blocks(
    scores: NDArray[np.float32],
    limit: int,
    min_score: float | NDArray[np.float32],
    class_indices: NDArray[np.intp] | None,
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """All pairs that count in the order of the graph's sort, as blocks of (anchors, class indices).

    The pairs of a block are those whose score lies between two bounds, so pairs that tie are never parted.
    """
    allowed = (
        np.arange(BACKGROUND + 1, scores.shape[1])
        if class_indices is None
        else np.unique(class_indices[class_indices > BACKGROUND])
    )
    table = scores[:, BACKGROUND + 1 :] if class_indices is None else np.take(scores, allowed, axis=1)
    best = table.max(axis=1, initial=0)  # of each anchor: bounds are taken from these, a scan of the table is slower
    floors = np.maximum(np.nextafter(SCORE_THRESHOLD, np.float32(1)), np.asarray(min_score, np.float32))
    if floors.ndim:
        floors = floors[allowed]
    floor = floors.min(initial=np.inf)
    upper = np.float32(np.inf)
    size = _FIRST_BLOCK + _FIRST_BLOCK_PER_ROW * limit
    while upper > floor:
        lower = max(np.partition(best, -size)[-size], floor) if size < best.size else floor
        if lower < upper:
            near = np.flatnonzero(~(best < lower))  # and anchors with a score that is no number
            # Flat, because NumPy looks for what is not zero ten times as long in two dimensions.
            row, column = np.divmod(np.flatnonzero(table[near] >= lower), table.shape[1])
            anchors = near[row]
            found = table[anchors, column]
            counts = (found < upper) & (found >= (floors[column] if floors.ndim else floors))
            anchors, column, found = anchors[counts], column[counts], found[counts]
            order = np.lexsort((anchors, column, -found))
            yield anchors[order], allowed[column[order]]
            upper = lower
        size *= _BLOCK_GROWTH


class _Greedy:
    """One greedy pass over pairs that come in blocks; remembers what it kept."""

    def __init__(self, boxes: NDArray[np.float32], answerable: NDArray[np.bool_]) -> None:
        # The op puts swapped corners right before it measures overlap.
        self._low = np.minimum(boxes[:, :2], boxes[:, 2:])
        self._high = np.maximum(boxes[:, :2], boxes[:, 2:])
        sides = self._high - self._low
        self._areas = sides[:, 0] * sides[:, 1]
        self._answerable = answerable
        self._kept: dict[int, list[int]] = {}  # anchors by class index; those that are not answered suppress too

    def keep(self, anchors: NDArray[np.intp], class_indices: NDArray[np.intp], limit: int) -> list[tuple[int, int]]:
        """The (anchor, class index) pairs of a block that are kept and answered, at most ``limit``."""
        alive = np.ones(anchors.size, np.bool_)
        for class_index, earlier in self._kept.items():
            for anchor in earlier:
                self._strike(alive, anchor, anchors, class_indices == class_index)
        answered: list[tuple[int, int]] = []
        for place, (anchor, class_index) in enumerate(zip(anchors.tolist(), class_indices.tolist(), strict=True)):
            if len(answered) == limit:
                break
            siblings = self._kept.setdefault(class_index, [])
            if not alive[place] or len(siblings) == MAX_PER_CLASS:
                continue
            siblings.append(anchor)
            self._strike(alive, anchor, anchors, class_indices == class_index)
            if self._answerable[anchor]:
                answered.append((anchor, class_index))
        return answered

    def _strike(
        self, alive: NDArray[np.bool_], anchor: int, anchors: NDArray[np.intp], of_class: NDArray[np.bool_]
    ) -> None:
        """Clears ``alive`` where a pair of the class overlaps a kept box too much."""
        area = self._areas[anchor]
        places = np.flatnonzero(of_class)
        if places.size <= 1 or area <= 0:  # the op calls the overlap with a box of no area 0
            return
        others = anchors[places]
        sides = np.minimum(self._high[others], self._high[anchor]) - np.maximum(self._low[others], self._low[anchor])
        sides = np.maximum(sides, 0)
        overlap = sides[:, 0] * sides[:, 1]
        alive[places[overlap / (area + self._areas[others] - overlap) > IOU_THRESHOLD]] = False
