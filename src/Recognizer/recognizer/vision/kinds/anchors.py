"""Boxes and scores for every anchor, before any NMS: what a slim graph gives.

Owns what follows the cut, which does what the published graph does after it; see ``vision.nms``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recognizer.errors import ModelNotUsable
from recognizer.vision import nms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.detections import Criteria
    from recognizer.labels import LabelMap
    from recognizer.vision.kinds import Described
    from recognizer.vision.network import Frame, Outputs, Postprocess

EXPECTED = "boxes (A, 4) and scores (A, C) of A anchors and C classes, class 0 being the background"


def recognised(described: Described) -> dict[str, Any] | None:
    """See ``kinds.Kind``."""
    outputs = described.outputs_named({"boxes": "boxes", "scores": "scores"})
    return None if outputs is None else {"outputs": outputs}


def postprocess(labels: LabelMap, facts: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> Postprocess:  # noqa: ARG001
    """See ``kinds.Kind``."""
    columns = shapes["scores"][-1]
    if labels.by_index.keys() != set(range(1, columns)):
        raise ModelNotUsable(
            f"labels.csv names {len(labels.by_index)} classes, but the model scores {columns - 1}, "
            "which must have the indices from 1 on; build the model again."
        )
    if len(shapes["boxes"]) != len(shapes["scores"]) or shapes["boxes"][-1] != 4:  # noqa: PLR2004 - edges
        raise ModelNotUsable(f"The model gives boxes of shape {shapes['boxes']} and scores of {shapes['scores']}.")
    return _suppressed


def _suppressed(outputs: Outputs, frame: Frame, criteria: Criteria) -> nms.Rows:
    return nms.detections(frame.to_picture(outputs["boxes"]), outputs["scores"], criteria)
