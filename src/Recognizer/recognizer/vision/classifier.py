"""The classifier: pixels in, labels of the whole picture out.

Owns what is made of its scores. Engines, input and labels are those of detectors; a classifier is loaded when it is
first asked for, so that a detection does not wait for it.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from recognizer.detections import Classification
from recognizer.errors import ModelNotUsable
from recognizer.job import MAX_LIMIT
from recognizer.vision.detector import network_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recognizer.detections import Criteria, Detection
    from recognizer.job import View
    from recognizer.vision.model import Model
    from recognizer.vision.network import Network

    Label = Callable[[View, Criteria], tuple[Classification, ...]]

TASK = "classification"


class Classifier:
    """Says what a picture is; safe to call from several threads."""

    def __init__(self, model: Model, network: Network) -> None:
        """Takes a loaded network.

        Raises:
            ModelNotUsable: it scores other classes than the labels name.
        """
        classes, offset = network.shapes["scores"][-1], model.facts.get("class_offset")
        if offset not in {0, 1} or max(model.labels.by_index) + offset > classes:
            raise ModelNotUsable(
                f"labels.csv names a class {max(model.labels.by_index)}, but the classifier scores {classes}; "
                "build it again."
            )
        self._input = model.input
        self._labels = model.labels.by_index
        self._offset: int = offset
        self._network = network
        self._takes_softmax = model.facts.get("activation") == "softmax"

    def __call__(self, view: View, criteria: Criteria) -> tuple[Classification, ...]:
        """The classes wanted, most probable first; of ``criteria`` limit, scores and classes count.

        Args:
            view: what is seen of the picture.
            criteria: which classes are wanted.
        """
        tensor, _ = self._input.of(view)
        scores = self._network(tensor)["scores"].reshape(-1)
        if self._takes_softmax:
            scores = softmax(scores)
        minima, wanted = criteria.min_score_by_class, criteria.class_indices
        found = (
            Classification(self._labels[index], min(max(score, 0.0), 1.0))
            for index, score in self._ranked(scores)
            if index in self._labels
            and (wanted is None or index in wanted)
            and score >= minima.get(index, criteria.min_score)
        )
        return tuple(islice(found, criteria.limit))

    def _ranked(self, scores: NDArray[np.float32]) -> list[tuple[int, float]]:
        """Class index and score, the highest score first."""
        places = np.argsort(-scores, kind="stable")
        return list(zip((places + 1 - self._offset).tolist(), scores[places].tolist(), strict=True))


def of_detections(detect: Callable[[View, Criteria], tuple[Detection, ...]]) -> Label:
    """What stands in for a classifier: the best detection of each class."""

    def label(view: View, criteria: Criteria) -> tuple[Classification, ...]:
        best: dict[str, Classification] = {}
        for found in detect(view, criteria._replace(limit=MAX_LIMIT)):
            best.setdefault(found.label.id, Classification(found.label, found.score))
        return tuple(islice(best.values(), criteria.limit))

    return label


def load(model: Model, threads: int) -> Classifier:
    """The model's classifier, loaded and ready.

    Args:
        model: what to load.
        threads: how many threads one inference may use, at least 1.

    Raises:
        ModelNotUsable: it is no classifier, its engine is not installed, or its files are damaged.
    """
    if model.kind != TASK:
        raise ModelNotUsable(f"{model.folder / 'model.json'} is of the kind {model.kind!r}, no classifier.")
    return Classifier(model, network_of(model, threads))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities that sum to 1."""
    powers: NDArray[np.float32] = np.exp(logits.astype(np.float32) - logits.max())
    powers /= powers.sum()
    return powers
