"""The detector: pixels in, detections out, whichever engine, kind of model and graph do the work.

Owns the order input, network, post-processing, and the choice of engine and kind by the model's ``model.json``. Each
engine and each kind is a module of its own, imported only when a model asks for it. There is no other to fall back on:
a model without its engine stops the cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recognizer.detections import Box, Detection
from recognizer.errors import ModelNotUsable
from recognizer.vision import kinds

if TYPE_CHECKING:
    from recognizer.detections import Criteria, PixelBox
    from recognizer.job import View
    from recognizer.vision.model import Model
    from recognizer.vision.network import Network, Postprocess
    from recognizer.vision.nms import Rows


class Detector:
    """Finds objects in one picture; safe to call from several threads."""

    def __init__(self, model: Model, network: Network, postprocess: Postprocess) -> None:
        """Takes a loaded network and what makes detections of its outputs."""
        self._input = model.input
        self._labels = model.labels.by_index
        self._network = network
        self._postprocess = postprocess

    def __call__(self, view: View, criteria: Criteria) -> tuple[Detection, ...]:
        """The objects wanted, most confident first.

        Args:
            view: what is seen of the picture.
            criteria: which objects are wanted.

        Raises:
            TooManyTiles: there is no time to look so closely.
        """
        rows = self.rows(view, criteria)
        return tuple(
            Detection(self._labels[class_index], min(score, 1.0), Box.clipped(*box))
            for box, score, class_index in zip(
                rows.boxes.tolist(), rows.scores.tolist(), rows.class_indices.tolist(), strict=True
            )
        )

    def rows(self, view: View, criteria: Criteria) -> Rows:
        """The same as arrays."""
        if criteria.tiles == 1:
            return self._look(view, criteria)
        from recognizer.vision import tiles  # noqa: PLC0415 - no part of a cold start

        return tiles.looked(self._look, view, criteria)

    def _look(self, view: View, criteria: Criteria, part: PixelBox | None = None) -> Rows:
        """The detections in a picture, or in a part of it and as fractions of that part."""
        tensor, frame = self._input.of(view, part)
        return self._postprocess(self._network(tensor), frame, criteria)


def load(model: Model, threads: int) -> Detector:
    """The model's detector, loaded and ready: what only a first run does is done.

    Args:
        model: what to load.
        threads: how many threads one inference may use, at least 1.

    Raises:
        ModelNotUsable: the engine or the kind is unknown, the engine is not installed, or its files are damaged.
    """
    kind = kinds.kind(model.kind)
    if kind is None:
        raise ModelNotUsable(
            f"{model.folder / 'model.json'} asks for the kind {model.kind!r}; "
            f"this version knows {', '.join(kinds.KINDS)}."
        )
    network = network_of(model, threads)
    return Detector(model, network, kind.postprocess(model.labels, model.facts, network.shapes))


def network_of(model: Model, threads: int) -> Network:
    """The model's network, loaded by its engine."""
    # Imported only here: TensorFlow costs 2 s and 300 MB, and is not in LiteRT images.
    try:
        match model.identity.engine:
            case "tensorflow":
                from recognizer.vision import engine_tensorflow  # noqa: PLC0415

                return engine_tensorflow.Network(model, threads)
            case "litert":
                from recognizer.vision import engine_litert  # noqa: PLC0415

                return engine_litert.Network(model, threads)
    except ImportError as error:
        raise ModelNotUsable(
            f"The engine {model.identity.engine} of {model.folder} is not installed: {error}."
        ) from error
    raise ModelNotUsable(f"{model.folder / 'model.json'} asks for an unknown engine: {model.identity.engine}.")
