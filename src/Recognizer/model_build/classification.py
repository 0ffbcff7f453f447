"""Classifiers: networks that score what a whole picture is.

Owns which outputs are such scores, bringing Keras files and SavedModels into the form that both engines run, and how
many classes a label file may lack: one, where the network's first is a background.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from recognizer.vision.classifier import TASK

from model_build.errors import LabelsNotUsable, WrongInterface

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recognizer.vision.kinds import Described, Tensor

    from model_build.labels import Row

# Of several outputs of that shape, the one that is meant: TF Hub's image classifiers give features beside.
_PREFERRED = ("logits", "default", "predictions", "probabilities")

logger = logging.getLogger(__name__)


def scores_of(described: Described) -> Tensor:
    """The output that scores classes.

    Raises:
        WrongInterface: there is none, or several.
    """
    found = [
        tensor
        for tensor in described.outputs
        if len(tensor.shape) == 2 and tensor.shape[0] in {1, None} and (tensor.shape[1] or 0) > 1  # noqa: PLR2004
    ]
    preferred = [tensor for name in _PREFERRED for tensor in found if tensor.name == name]
    if preferred or len(found) == 1:
        return (preferred or found)[0]
    raise WrongInterface(
        f"no classifier gives {' and '.join(map(str, described.outputs)) or 'nothing'} for "
        f"{described.inputs_in_words}. Expected is one output of scores, (1, classes)"
    )


def kind_of(described: Described) -> dict[str, Any]:
    """What model.json says of a classifier's outputs.

    Raises:
        WrongInterface: it is none.
    """
    return {"kind": TASK, "task": TASK, "outputs": {"scores": scores_of(described).name}}


def offset(classes: int, rows: Sequence[Row]) -> dict[str, Any]:
    """What model.json says of where the first named class is among the scores.

    Raises:
        LabelsNotUsable: there are other classes than names.
    """
    highest = max(index for index, _, _ in rows)
    if classes - highest not in {0, 1}:
        raise LabelsNotUsable(
            f"the classifier scores {classes} classes, but its labels name {highest}; expected are as many, or one "
            "fewer where the first score is a background's"
        )
    return {"class_offset": classes - highest}
