"""The detector: pixels in, detections out, whichever engine and graph do the work.

Owns the ``Detector`` protocol and the choice of its implementation by the model's ``model.json``; each engine is a
module of its own, imported only when a model asks for it. Refuses to fall back: a model without its engine stops the
cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from recognizer.detections import Criteria
from recognizer.errors import ModelNotUsable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recognizer.detections import Detection
    from recognizer.model import Model

# Half-tone noise: every path of the network and of the post-processing runs, whatever the weights are.
_WARM_UP_SIZE_PX = (300, 300)


class Detector(Protocol):
    """Finds objects in one picture at a time; safe to call from several threads."""

    def __call__(self, pixels: NDArray[np.uint8], criteria: Criteria) -> tuple[Detection, ...]:
        """The objects wanted, most confident first.

        Args:
            pixels: upright RGB picture, shape (height, width, 3).
            criteria: which objects are wanted.
        """


def load(model: Model, threads: int) -> Detector:
    """The model's detector, loaded and warmed up by one inference.

    Args:
        model: what to load.
        threads: how many threads one inference may use, at least 1.

    Raises:
        ModelNotUsable: the engine is unknown or not installed, or the model's files are damaged.
    """
    detector = _load(model, threads)
    noise = np.random.default_rng(0).integers(0, 256, (*_WARM_UP_SIZE_PX, 3), dtype=np.uint8)
    detector(noise, Criteria(limit=1, min_score=0.0))
    return detector


def _load(model: Model, threads: int) -> Detector:
    try:
        if (model.engine, model.graph) == ("tensorflow", "published"):
            from recognizer import engine_tensorflow  # noqa: PLC0415 - 2 s and 500 MB that LiteRT images do not pay

            return engine_tensorflow.Published(model, threads)
    except ImportError as error:
        raise ModelNotUsable(f"The engine {model.engine} of {model.folder} is not installed: {error}.") from error
    raise ModelNotUsable(f"{model.folder / 'model.json'} asks for an unknown engine: {model.engine}/{model.graph}.")
