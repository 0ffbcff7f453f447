"""Why a model cannot be built; each message says what can be done.

BuildFailed
├── NotObtained          no model at an address
│   ├── FetchFailed        it cannot be reached, or answers with an error
│   │   └── Unreachable      it cannot be reached
│   ├── WrongDigest        what is there has another sha256
│   └── NotAModel          what is there is no SavedModel
├── WrongInterface       a model of no kind that is known
├── UnsupportedGraph     a TensorFlow.js graph with something in it that is not understood
├── NotSlimmable         a graph that is not cut; the published one is served instead
├── NotConvertible       a graph that LiteRT cannot run
└── LabelsNotUsable      no names for its classes, or others than it has
"""

from __future__ import annotations


class BuildFailed(RuntimeError):
    """The root of the tree."""


class NotObtained(BuildFailed):
    """No model was obtained from an address, or from any of several.

    Attributes:
        reasons: where several were tried, why each of them failed.
    """

    def __init__(self, message: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reasons = reasons


class FetchFailed(NotObtained):
    """An address that cannot be reached, or that answers with an error."""


class Unreachable(FetchFailed):
    """An address that no answer comes from, or none that is whole."""


class WrongDigest(NotObtained):
    """Content of another sha256 than was asked for."""


class NotAModel(NotObtained):
    """Content that is no SavedModel, or no archive of one."""


class WrongInterface(BuildFailed):
    """A SavedModel that does not have the published model's interface; the message says what is missing."""


class UnsupportedGraph(BuildFailed):
    """A graph model with something in it that is not known to mean the same in TensorFlow; the message names it."""


class NotSlimmable(BuildFailed):
    """A graph that is not cut, because a part of it is missing, ambiguous or not what it must be."""


class NotConvertible(BuildFailed):
    """A slim model that LiteRT cannot run; the message says why."""


class LabelsNotUsable(BuildFailed):
    """No names for a model's classes, or not those of this model."""
