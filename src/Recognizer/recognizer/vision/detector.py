"""The detector: pixels in, detections out, whichever engine and graph do the work.

Owns the ``Detector`` protocol, the choice of its implementation by the model's ``model.json``, and the detector of slim
models: resize, network, NMS. Each engine is a module of its own, imported only when a model asks for it. There is no
other to fall back on: a model without its engine stops the cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from recognizer.detections import Box, Criteria, Detection
from recognizer.errors import ModelNotUsable
from recognizer.vision import nms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recognizer.job import View
    from recognizer.labels import LabelMap
    from recognizer.vision.model import Model


class Detector(Protocol):
    """Finds objects in one picture; safe to call from several threads."""

    def __call__(self, view: View, criteria: Criteria) -> tuple[Detection, ...]:
        """The objects wanted, most confident first.

        Args:
            view: what is seen of the picture.
            criteria: which objects are wanted.
        """


class Network(Protocol):
    """A slim graph: everything between the resized pixels and the NMS; safe to call from several threads.

    Attributes:
        input_size_px: height and width of the pixels it takes.
        columns: how many classes it scores, the background included.
    """

    input_size_px: tuple[int, int]
    columns: int

    def __call__(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes (A, 4) as ymin xmin ymax xmax in 0..1, and scores (A, C) by class index, 0 being the background.

        Args:
            pixels: RGB 0..255, shape (1, height, width, 3).
        """


class SlimDetector:
    """A network between our own resize and NMS, which do what the published graph does, in a fraction of its time."""

    def __init__(self, network: Network, labels: LabelMap) -> None:
        """Takes a loaded network and the labels of its classes.

        Raises:
            ModelNotUsable: the labels are those of other classes.
        """
        if labels.by_index.keys() != set(range(1, network.columns)):
            raise ModelNotUsable(
                f"labels.csv names {len(labels.by_index)} classes, but the model scores {network.columns - 1}, "
                "which must have the indices from 1 on; build the model again."
            )
        self._network = network
        self._labels = labels

    def __call__(self, view: View, criteria: Criteria) -> tuple[Detection, ...]:
        """See ``Detector``."""
        boxes, scores = self._network(view.resized(*self._network.input_size_px)[np.newaxis])
        class_indices = None if criteria.class_indices is None else np.array(sorted(criteria.class_indices), np.intp)
        min_score: float | NDArray[np.float32] = criteria.min_score
        if criteria.min_score_by_class:
            min_score = np.full(scores.shape[1], criteria.min_score, np.float32)
            for class_index, least in criteria.min_score_by_class.items():
                min_score[class_index] = least
        rows = nms.suppress(boxes, scores, criteria.limit, min_score, class_indices, region=criteria.region)
        return tuple(
            Detection(self._labels.by_index[class_index], min(score, 1.0), Box.clipped(*box))
            for box, score, class_index in zip(
                rows.boxes.tolist(), rows.scores.tolist(), rows.class_indices.tolist(), strict=True
            )
        )


def load(model: Model, threads: int) -> Detector:
    """The model's detector, loaded and ready: what only a first run does is done.

    Args:
        model: what to load.
        threads: how many threads one inference may use, at least 1.

    Raises:
        ModelNotUsable: the engine is unknown or not installed, or the model's files are damaged.
    """
    # Imported only here: TensorFlow costs 2 s and 300 MB, and is not in LiteRT images.
    try:
        match model.identity.engine, model.identity.graph:
            case "tensorflow", "published":
                from recognizer.vision import engine_tensorflow  # noqa: PLC0415

                return engine_tensorflow.Published(model, threads)
            case "tensorflow", "slim":
                from recognizer.vision import engine_tensorflow  # noqa: PLC0415

                return SlimDetector(engine_tensorflow.SlimNetwork(model, threads), model.labels)
            case "litert", "slim":
                from recognizer.vision import engine_litert  # noqa: PLC0415

                return SlimDetector(engine_litert.SlimNetwork(model, threads), model.labels)
    except ImportError as error:
        raise ModelNotUsable(
            f"The engine {model.identity.engine} of {model.folder} is not installed: {error}."
        ) from error
    raise ModelNotUsable(
        f"{model.folder / 'model.json'} asks for an unknown engine: {model.identity.engine}/{model.identity.graph}."
    )
