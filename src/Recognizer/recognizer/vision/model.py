"""The model folder that ``model_build`` wrote: what is in it, and for which engine.

Owns ``model.json`` and the label table beside it. A folder that is missing, half-written or of another format stops the
cold start with a message that says how to build it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from recognizer.errors import ModelNotUsable
from recognizer.job import DEFAULT_MIN_SCORE, ModelIdentity
from recognizer.labels import LabelMap
from recognizer.vision.network import Input

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TOLD = ("model.json", "labels.csv", "hierarchy.csv")  # what an answer depends on beside the network
CLASSIFIER = "classifier"  # the folder in a model's folder that has a classifier, if there is one
FORMAT = 3  # of model.json; raised when older folders can no longer be read


class Model(NamedTuple):
    """A model on disk.

    Attributes:
        folder: where its files are.
        identity: what it is, what runs it and what it was built from.
        labels: its classes.
        kind: what its outputs are; see ``vision.kinds``.
        input: what its network takes.
        outputs: our name of each output that is read -> the graph's own.
        default_min_score: what a request that names no minimum gets; below it this model is mostly wrong.
        facts: all of model.json.
    """

    folder: Path
    identity: ModelIdentity
    labels: LabelMap
    kind: str
    input: Input
    outputs: Mapping[str, str]
    default_min_score: float
    facts: dict[str, Any]

    @classmethod
    def load(cls, folder: Path, release: str = "") -> Model:
        """The model in a folder.

        Args:
            folder: where ``model_build`` wrote it.
            release: the version of the service that it is part of, where it has a number.

        Raises:
            ModelNotUsable: there is none, or its model.json or labels.csv is not what this version reads.
        """
        path = folder / "model.json"
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelNotUsable(
                f"There is no model in {folder} ({error}). Build one: `make model`, or `python -m model_build`."
            ) from error
        try:
            if facts["format"] != FORMAT:
                raise ModelNotUsable(
                    f"{path} has format {facts['format']}, this version reads {FORMAT}: build it again."
                )
            name, engine, graph, sha256 = (str(facts[key]) for key in ("name", "engine", "graph", "sha256"))
            kind, outputs = str(facts["kind"]), {str(ours): str(theirs) for ours, theirs in facts["outputs"].items()}
            input_ = Input.from_json(facts["input"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelNotUsable(f"{path} lacks {error}; build the model again.") from error
        default_min_score = facts.get("default_min_score", DEFAULT_MIN_SCORE)
        # Python's JSON has NaN, and no comparison with it is true.
        if type(default_min_score) not in {int, float} or not 0.0 <= default_min_score <= 1.0:
            raise ModelNotUsable(
                f"{path} has the default_min_score {default_min_score!r}, which is no number from 0 to 1; "
                "build the model again."
            )
        labels = LabelMap.load(folder / "labels.csv")
        identity = ModelIdentity(name, engine, graph, sha256, f"{_digest(folder)} {release}".rstrip())
        return cls(folder, identity, labels, kind, input_, outputs, float(default_min_score), facts)


def _digest(folder: Path) -> str:
    files = (folder / name for name in _TOLD)
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files if file.is_file())).hexdigest()
