"""What a SavedModel says of itself, read from its file without loading it.

Owns the choice of its signature, what that takes and gives, and the class table that graphs in TF Hub's layout carry as
constants. Refuses graphs that do not take one picture, or of no kind that is known, naming what was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from recognizer.vision.kinds import Described, Tensor
from tensorflow.core.protobuf import saved_model_pb2

from model_build.errors import NotAModel, WrongInterface

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from model_build.labels import Row

SIGNATURES = ("default", "serving_default")  # in this order; TF Hub's first
# In TF Hub's layout rows are named by the graph itself.
NAMES = ("detection_class_names", "detection_class_entities")

_DTYPES = {"float32", "uint8"}


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature of a SavedModel that is used.

    Attributes:
        name: its name.
        meta_graph: the MetaGraphDef that has it.
        described: what it takes and gives.
        picture: its input.
    """

    name: str
    meta_graph: Any
    described: Described
    picture: Tensor


def read(folder: Path) -> Signature:
    """The signature of a SavedModel.

    Raises:
        NotAModel: its file is damaged.
        WrongInterface: it has none, or one that takes anything else than one picture.
    """
    saved_model = saved_model_pb2.SavedModel()
    try:
        saved_model.ParseFromString((folder / "saved_model.pb").read_bytes())
    except (OSError, ValueError, DecodeError) as error:
        raise NotAModel(f"{folder} is no SavedModel: {error}") from error
    found = [(name, meta_graph) for meta_graph in saved_model.meta_graphs for name in meta_graph.signature_def]
    for name in SIGNATURES:
        for of_graph, meta_graph in found:
            if name == of_graph:
                return _signature(name, meta_graph)
    others = ", ".join(sorted(name for name, _ in found if not name.startswith("__"))) or "none"
    raise WrongInterface(f"its signatures are: {others}; expected is one named {' or '.join(map(repr, SIGNATURES))}")


def labels(meta_graph: Any) -> list[Row] | None:
    """The class table inside a graph: rows of index, machine id and display name, without the background.

    Returns:
        The rows, or None where the graph does not hold exactly one table of ids and one of names of the same length.
    """
    tables = list(_string_vectors(meta_graph))
    ids = [table for table in tables if any(entry.startswith("/m/") for entry in table)]
    if len(ids) != 1:
        return None
    names = [table for table in tables if len(table) == len(ids[0]) and table is not ids[0]]
    if len(names) != 1:
        return None
    return [(index, id_, name) for index, (id_, name) in enumerate(zip(ids[0], names[0], strict=True)) if id_]


def _signature(name: str, meta_graph: Any) -> Signature:
    signature = meta_graph.signature_def[name]
    described = Described(
        *(tuple(_tensor(name, of[name]) for name in sorted(of)) for of in (signature.inputs, signature.outputs))
    )
    picture = described.picture()
    if picture is None or picture.dtype not in _DTYPES:
        raise WrongInterface(
            f"its signature {name!r} takes {described.inputs_in_words}; expected is one picture, "
            f"(1, height, width, 3), {' or '.join(sorted(_DTYPES))}"
        )
    return Signature(name, meta_graph, described, picture)


def _tensor(name: str, info: Any) -> Tensor:
    shape = () if info.tensor_shape.unknown_rank else info.tensor_shape.dim
    sizes = tuple(None if dimension.size < 0 else dimension.size for dimension in shape)
    dtype = tf.dtypes.as_dtype(info.dtype).name if info.dtype else "of no type"
    return Tensor(name, sizes, dtype)


def _string_vectors(meta_graph: Any) -> Iterator[list[str]]:
    graph = meta_graph.graph_def
    for node in [*graph.node, *(node for function in graph.library.function for node in function.node_def)]:
        if node.op == "Const" and node.attr["dtype"].type == tf.string.as_datatype_enum:
            values = tf.make_ndarray(node.attr["value"].tensor)
            if values.ndim == 1 and values.size > 1:
                yield [value.decode(errors="replace") for value in values]
