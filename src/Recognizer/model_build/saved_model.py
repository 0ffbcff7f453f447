"""What a SavedModel says of itself, read from its file without loading it.

Owns the check of the published interface (signature ``default``, its input and outputs) and the class table that such
a graph carries as constants. Refuses graphs that lack any of it, naming what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from model_build.errors import WrongInterface

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from model_build.labels import Row

SIGNATURE = "default"
INPUT = "images"
OUTPUTS = (
    "detection_boxes",
    "detection_scores",
    "detection_class_labels",
    "detection_class_names",
    "detection_class_entities",
)


def check(folder: Path) -> Any:
    """The meta graph of a SavedModel that has the published interface.

    Returns:
        The MetaGraphDef.

    Raises:
        WrongInterface: there is no signature ``default`` with that input and those outputs.
    """
    saved_model = saved_model_pb2.SavedModel()
    try:
        saved_model.ParseFromString((folder / "saved_model.pb").read_bytes())
    except (OSError, ValueError, DecodeError) as error:
        raise WrongInterface(f"{folder} is no SavedModel: {error}") from error
    for meta_graph in saved_model.meta_graphs:
        if SIGNATURE in meta_graph.signature_def:
            signature = meta_graph.signature_def[SIGNATURE]
            missing = [name for name in OUTPUTS if name not in signature.outputs]
            if list(signature.inputs) != [INPUT]:
                raise WrongInterface(f"its signature takes {sorted(signature.inputs)}, not {INPUT!r} alone")
            if missing:
                raise WrongInterface(f"its signature does not return {', '.join(missing)}")
            return meta_graph
    raise WrongInterface(f"it has no signature {SIGNATURE!r}")


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


def _string_vectors(meta_graph: Any) -> Iterator[list[str]]:
    graph = meta_graph.graph_def
    for node in [*graph.node, *(node for function in graph.library.function for node in function.node_def)]:
        if node.op == "Const" and node.attr["dtype"].type == tf.string.as_datatype_enum:
            values = tf.make_ndarray(node.attr["value"].tensor)
            if values.ndim == 1 and values.size > 1:
                yield [value.decode(errors="replace") for value in values]
