"""Rows that are detections already: the graph did its own NMS.

Owns the ways in which such graphs name their outputs: the TF Hub layout, exports of the TF Object Detection API, and
``.tflite`` files that end in the operation ``TFLite_Detection_PostProcess``, whose outputs are told by their place. A
graph in TF Hub's layout names each object itself, by machine id and display name, in two fields whose order model cards
disagree on: either will do.
Rows beyond the count that some of them give are not read: TFLite leaves there whatever was in memory.

Sources: the TF Object Detection API's ``exporter_lib_v2.py``; ``tensorflow/lite/kernels/detection_postprocess.cc``.
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

EXPECTED = (
    "detection_boxes and detection_scores, with detection_class_names and detection_class_entities (TF Hub) or with "
    "detection_classes and num_detections (TF Object Detection API); or those of TFLite_Detection_PostProcess"
)

_OPERATION = "TFLite_Detection_PostProcess"
_ROWS = {"boxes": "detection_boxes", "scores": "detection_scores"}
# Our names -> the graph's, and what is added to a class to make it an index of labels.csv, where 0 is no class.
_LAYOUTS = (
    ({**_ROWS, "names": "detection_class_names", "entities": "detection_class_entities"}, 0),
    ({**_ROWS, "classes": "detection_classes", "count": "num_detections"}, 0),
    ({name: f"{_OPERATION}:{place}" for place, name in enumerate(("boxes", "classes", "scores", "count"))}, 1),
)


def recognised(described: Described) -> dict[str, Any] | None:
    """See ``kinds.Kind``."""
    for names, class_offset in _LAYOUTS:
        outputs = described.outputs_named(names)
        if outputs is not None:
            return {"outputs": outputs, "class_offset": class_offset}
    return None


def postprocess(labels: LabelMap, facts: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> Postprocess:
    """See ``kinds.Kind``."""
    offset = facts.get("class_offset")
    if offset not in {0, 1} or shapes["boxes"][-1] != 4:  # noqa: PLR2004 - edges
        raise ModelNotUsable(f"The model gives boxes of shape {shapes['boxes']} with a class_offset of {offset!r}.")
    named = np.array(sorted(labels.by_index), np.intp)

    def chosen(outputs: Outputs, frame: Frame, criteria: Criteria) -> nms.Rows:
        count = int(outputs["count"].reshape(-1)[0]) if "count" in outputs else None
        boxes = outputs["boxes"].reshape(-1, 4)[:count]
        scores = outputs["scores"].reshape(-1)[:count]
        classes = _named(outputs, labels) if "names" in outputs else np.rint(outputs["classes"].reshape(-1)[:count])
        classes = classes.astype(np.intp) + offset
        found = nms.Rows(np.clip(frame.to_picture(boxes), 0, 1), scores, classes)
        return nms.wanted(found, criteria, np.isin(classes, named))

    return chosen


def _named(outputs: Outputs, labels: LabelMap) -> NDArray[np.intp]:
    """The class index of each row by one of its names, -1 for names that the label table lacks."""
    pairs = zip(outputs["names"].reshape(-1), outputs["entities"].reshape(-1), strict=True)
    found = ([labels.index_of(text.decode()) for text in pair] for pair in pairs)
    return np.array([next((index for index in pair if index is not None), -1) for pair in found], np.intp)
