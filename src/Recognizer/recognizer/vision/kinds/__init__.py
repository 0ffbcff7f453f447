"""Kinds of models: what turns a network's raw outputs into detections, one module for each kind.

Owns the table of kinds. model.json names the kind, and only its module is imported. A new kind is a new module here and
a line in ``KINDS``; it needs

- ``EXPECTED``, which outputs it is about, for a person whose model is refused;
- ``recognised(described)``: what the build writes into model.json for a graph of this kind, None for any other graph;
- ``postprocess(labels, facts, shapes)``: see ``vision.network.Postprocess``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.labels import LabelMap
    from recognizer.vision.network import Postprocess

KINDS = ("anchors", "rows", "centernet")


class Tensor(NamedTuple):
    """An input or output of a graph.

    Attributes:
        name: what the graph calls it.
        shape: its sizes, None for those that are not fixed.
        dtype: as NumPy calls it.
        made_by: ``TFLite_Detection_PostProcess:0`` for the first output of an operation of that name, where it matters.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    made_by: str = ""

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} {self.dtype} ({sizes})"


@dataclass(frozen=True, slots=True)
class Described:
    """A graph from outside.

    Attributes:
        inputs: what it takes.
        outputs: what it gives.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    _by_name: dict[str, Tensor] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {tensor.made_by or tensor.name: tensor for tensor in self.outputs})

    def picture(self) -> Tensor | None:
        """The input, if there is one alone and it takes one RGB picture; its sizes may be open."""
        match self.inputs:
            case (Tensor(shape=(1 | None, _, _, 3)) as tensor,):
                return tensor
        return None

    @property
    def inputs_in_words(self) -> str:
        """What it takes, for a person."""
        return " and ".join(map(str, self.inputs)) or "nothing"

    def outputs_named(self, names: Mapping[str, str]) -> dict[str, str] | None:
        """Our name -> the graph's name, for outputs of these names or makers; None unless all of them are there."""
        if any(name not in self._by_name for name in names.values()):
            return None
        return {ours: self._by_name[name].name for ours, name in names.items()}


class Kind(Protocol):
    """What a module of this package has; see above."""

    EXPECTED: str

    def recognised(self, described: Described) -> dict[str, Any] | None:
        """What model.json says of a graph of this kind: ``outputs`` by our names, and what the kind needs to know.

        Fields of ``input`` that follow from the kind, such as ``letterbox``, may be among them.
        """

    def postprocess(
        self, labels: LabelMap, facts: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]
    ) -> Postprocess:
        """What makes detections of the outputs of a network.

        Args:
            labels: the classes of the model.
            facts: what model.json says.
            shapes: the shape of each output.

        Raises:
            ModelNotUsable: the labels or the shapes are not those of this model.
        """


def kind(name: str) -> Kind | None:
    """The kind of that name; None if there is none."""
    if name not in KINDS:
        return None
    module: Any = import_module(f"{__name__}.{name}")
    return module  # type: ignore[no-any-return] # a module that has what a Kind has
