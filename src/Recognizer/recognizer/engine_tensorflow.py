"""The TensorFlow engine: runs a SavedModel.

Owns every call of TensorFlow at run time. Refuses labels by position: a published graph names each object itself, in
two fields whose order model cards disagree on, so the machine id is told by its ``/m/`` prefix.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from recognizer.detections import Box, Criteria, Detection, Label
from recognizer.errors import ModelNotUsable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recognizer.model import Model

tf.get_logger().setLevel("ERROR")  # loading a TF1 graph warns of each reference variable

# The published graph takes float32 pixels at full size and samples them down itself: 50 megapixels would be 600 MB,
# twice. Above this size every k-th pixel is passed, which is what its bilinear resize would look at anyway.
_MAX_INPUT_PX = 4_000_000


def _signature(folder: str) -> tuple[Any, Any]:
    """The loaded module, which must outlive its signature, and the signature."""
    try:
        module = tf.saved_model.load(folder)
        return module, module.signatures["default"]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ModelNotUsable(f"{folder} is no SavedModel with a signature 'default': {error}") from error


class Published:
    """The graph as it was published: NMS included, detections come out."""

    def __init__(self, model: Model, threads: int) -> None:
        """Loads the graph; see ``detector.load``."""
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        self._module, self._signature = _signature(str(model.folder / "saved_model"))
        self._labels = model.labels

    def __call__(self, pixels: NDArray[np.uint8], criteria: Criteria) -> tuple[Detection, ...]:
        """See ``Detector``."""
        height, width, _ = pixels.shape
        step = math.ceil(math.sqrt(height * width / _MAX_INPUT_PX))
        sampled = pixels[:: min(step, height), :: min(step, width)]
        images = np.multiply(sampled, np.float32(1 / 255), dtype=np.float32)[np.newaxis]
        out = {name: value.numpy() for name, value in self._signature(images=tf.constant(images)).items()}
        return self._detections(out, criteria)

    def _detections(self, out: dict[str, NDArray[Any]], criteria: Criteria) -> tuple[Detection, ...]:
        """The rows wanted of a model's output: boxes (N, 4), scores (N,) or (N, 1), two names of each; any N."""
        scores = out["detection_scores"].reshape(-1)
        boxes = out["detection_boxes"].reshape(-1, 4)
        names = out["detection_class_names"].reshape(-1)
        entities = out["detection_class_entities"].reshape(-1)
        found: list[Detection] = []
        for row in np.argsort(-scores, kind="stable"):
            if len(found) == criteria.limit or not scores[row] >= criteria.min_score:
                break
            label = _label(names[row].decode(), entities[row].decode())
            if criteria.classes is None or self._labels.index_of(label.id) in criteria.classes:
                found.append(Detection(label, min(float(scores[row]), 1.0), Box.clipped(*boxes[row])))
        return tuple(found)


def _label(one: str, other: str) -> Label:
    """Machine id and display name in their places, whichever field of the model holds which."""
    return Label(other, one) if other.startswith("/m/") else Label(one, other)
