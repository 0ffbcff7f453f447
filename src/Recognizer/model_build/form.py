"""A model as it was understood: what the readers of SavedModels and of flatbuffers give.

Owns the choice of its kind, and what is said of a model of no kind that is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recognizer.vision import kinds
from recognizer.vision.classifier import TASK

from model_build import classification
from model_build.errors import WrongInterface

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from recognizer.vision.kinds import Described

    from model_build.labels import Row


@dataclass(frozen=True, slots=True)
class Form:
    """A model that can be written.

    Attributes:
        described: its inputs and outputs, as it came.
        put: writes the graph into a model folder, given that, a folder to work in and the rows of its label table;
            returns what model.json says of it.
        labels_inside: lines of the label file that it carries.
        rows_inside: the class table that it carries.
        class_count: how many classes it knows, where it tells.
    """

    described: Described
    put: Callable[[Path, Path, Sequence[Row]], dict[str, Any]]
    labels_inside: Sequence[str] | None = None
    rows_inside: Sequence[Row] | None = None
    class_count: int | None = None


def kind_of(described: Described, task: str) -> dict[str, Any]:
    """What model.json says of a graph's kind and outputs.

    Raises:
        WrongInterface: it is of no kind that is known for this task.
    """
    if task == TASK:
        return classification.kind_of(described)
    known = {name: kind for name in kinds.KINDS if (kind := kinds.kind(name)) is not None}
    for name, kind in known.items():
        facts = kind.recognised(described)
        if facts is not None:
            return {"kind": name, **facts}
    expected = "; or ".join(kind.EXPECTED for kind in known.values())
    raise WrongInterface(
        f"no kind of model that is known gives {' and '.join(map(str, described.outputs)) or 'nothing'} for "
        f"{described.inputs_in_words}. Expected are the outputs of a detector: {expected}"
    )
