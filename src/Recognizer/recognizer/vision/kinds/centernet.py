"""Objects as points: a heat map of centres for each class, and from each cell the distances to four edges (CenterNet).

Owns decoding the heat map's peaks into boxes. The graph has already set all cells to 0 that are no peak among their
neighbours.

Source: Zhou et al., "Objects as Points", https://arxiv.org/abs/1904.07850.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recognizer.errors import ModelNotUsable
from recognizer.vision import nms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recognizer.detections import Criteria
    from recognizer.labels import LabelMap
    from recognizer.vision.kinds import Described
    from recognizer.vision.network import Frame, Outputs, Postprocess

EXPECTED = "peaks (1, H, W, C) of C classes and reach (1, H, W, 4): fractions to the left, top, right and bottom edge"

_CANDIDATES = 300  # peaks that may become a box, the best of all classes


def recognised(described: Described) -> dict[str, Any] | None:
    """See ``kinds.Kind``."""
    outputs = described.outputs_named({"peaks": "peaks", "reach": "reach"})
    return None if outputs is None else {"outputs": outputs}


def postprocess(labels: LabelMap, facts: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> Postprocess:
    """See ``kinds.Kind``."""
    classes = facts.get("class_indices")
    if not isinstance(classes, list) or len(classes) != shapes["peaks"][-1] or {*classes} - labels.by_index.keys():
        raise ModelNotUsable(
            f"The model scores {shapes['peaks'][-1]} classes, which are not those of class_indices and labels.csv."
        )
    return _Peaks(np.array(classes, np.intp))


class _Peaks:
    """See ``network.Postprocess``."""

    def __init__(self, class_indices: NDArray[np.intp]) -> None:
        self._class_indices = class_indices  # index in labels.csv of each of the network's own classes

    def __call__(self, outputs: Outputs, frame: Frame, criteria: Criteria) -> nms.Rows:
        _, rows, columns, classes = outputs["peaks"].shape
        flat = outputs["peaks"].reshape(-1)
        best = _highest(flat, max(float(nms.SCORE_THRESHOLD), criteria.least_score))
        cell, of_class = np.divmod(best, classes)
        y, x = np.divmod(cell, columns)
        centres = np.stack([y / rows, x / columns] * 2, axis=1).astype(np.float32)
        left, top, right, bottom = outputs["reach"].reshape(-1, 4)[cell].T
        edges = centres + np.stack([-top, -left, bottom, right], axis=1)
        scores = np.zeros((len(best), 1 + self._class_indices.max()), np.float32)
        scores[np.arange(len(best)), self._class_indices[of_class]] = flat[best]
        return nms.detections(np.clip(frame.to_picture(edges), 0, 1), scores, criteria)


def _highest(flat: NDArray[np.float32], least: float) -> NDArray[np.intp]:
    """Where the highest values are, highest first, of equals the earlier one first."""
    above = np.flatnonzero(flat >= least)
    if len(above) > _CANDIDATES:  # a sort of all would take longer than everything else here
        above = above[flat[above] >= np.partition(flat[above], -_CANDIDATES)[-_CANDIDATES]]
    return above[np.argsort(-flat[above], kind="stable")][:_CANDIDATES]
