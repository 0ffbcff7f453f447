"""The TensorFlow engine: runs a SavedModel, the slim one or, where it could not be slimmed, the published one.

Owns every call of TensorFlow at run time. A published graph names each object itself, in two fields whose order model
cards disagree on, so the machine id is told by its ``/m/`` prefix and not by its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from recognizer.detections import Box, Criteria, Detection, Label
from recognizer.errors import ModelNotUsable
from recognizer.vision.nms import centred_in, select
from recognizer.vision.view import PixelView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recognizer.job import View
    from recognizer.vision.model import Model

tf.get_logger().setLevel("ERROR")  # loading a TF1 graph warns of each reference variable

# The published graph takes float32 pixels at full size and samples them down itself: 50 megapixels would be 600 MB,
# twice. Above this size every k-th pixel each way is passed. That is another picture to its bilinear resize, whose
# neighbours are then k pixels apart, but hardly: on a photo of 24 megapixels levels differ by 0.7 of 255 on average.
_MAX_INPUT_PX = 4_000_000


def _loaded(model: Model, signature: str, threads: int) -> tuple[Any, Any]:
    """The loaded module, which must outlive its signature, and the signature."""
    folder = str(model.folder / "saved_model")
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)  # the graph is a chain
        module = tf.saved_model.load(folder)
        return module, module.signatures[signature]
    except (OSError, ValueError, LookupError, AttributeError, tf.errors.OpError) as error:
        raise ModelNotUsable(f"{folder} is no SavedModel with a signature {signature!r}: {error}") from error


class SlimNetwork:
    """See ``detector.Network``."""

    def __init__(self, model: Model, threads: int) -> None:
        """Loads the graph and runs it once, as the first run also optimizes it."""
        self._module, self._signature = _loaded(model, "serving_default", threads)
        _, height, width, _ = self._signature.structured_input_signature[1]["images"].shape
        self.input_size_px = (int(height), int(width))
        _, scores = self(np.zeros((1, *self.input_size_px, 3), np.float32))
        self.columns = scores.shape[-1]

    def __call__(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See ``detector.Network``."""
        out = self._signature(images=tf.constant(pixels))
        # Views of TensorFlow's own memory, which they keep alive: `.numpy()` would copy.
        return np.asarray(memoryview(out["boxes"])), np.asarray(memoryview(out["scores"]))


class Published:
    """The graph as it was published: NMS included, detections come out."""

    def __init__(self, model: Model, threads: int) -> None:
        """Loads the graph and runs it once, as the first run also optimizes it."""
        self._module, self._signature = _loaded(model, "default", threads)
        self._labels = model.labels
        self(PixelView(np.zeros((480, 640, 3), np.uint8)), Criteria(limit=1, min_score=0.0))

    def __call__(self, view: View, criteria: Criteria) -> tuple[Detection, ...]:
        """See ``Detector``."""
        sampled = view.thinned(_MAX_INPUT_PX)
        images = np.multiply(sampled, np.float32(1 / 255), dtype=np.float32)[np.newaxis]
        out = {name: value.numpy() for name, value in self._signature(images=tf.constant(images)).items()}
        return self._detections(out, criteria)

    def _detections(self, out: dict[str, NDArray[Any]], criteria: Criteria) -> tuple[Detection, ...]:
        """The rows wanted of a model's output: boxes (N, 4), scores (N,) or (N, 1), two names of each; any N."""
        boxes = out["detection_boxes"].reshape(-1, 4)
        scores = out["detection_scores"].reshape(-1)
        found = [
            _label(name.decode(), entity.decode())
            for name, entity in zip(
                out["detection_class_names"].reshape(-1), out["detection_class_entities"].reshape(-1), strict=True
            )
        ]
        indices = [-1 if (index := self._labels.index_of(label.id)) is None else index for label in found]
        minima = criteria.min_score_by_class
        wanted = centred_in(np.clip(boxes, 0, 1), criteria.region)
        wanted &= scores >= np.array([minima.get(index, criteria.min_score) for index in indices], np.float32)
        if criteria.class_indices is not None:
            wanted &= np.array([index in criteria.class_indices for index in indices], np.bool_)
        return tuple(
            Detection(
                self._labels.by_index.get(indices[row], found[row]),
                min(float(scores[row]), 1.0),
                Box.clipped(*boxes[row]),
            )
            for row in select(scores, criteria.limit, wanted=wanted)
        )


def _label(one: str, other: str) -> Label:
    """Machine id and display name in their places, whichever field of the model holds which."""
    return Label(other, one) if other.startswith("/m/") else Label(one, other)
