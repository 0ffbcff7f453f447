"""TensorFlow.js graph models, read as TensorFlow graphs.

Owns the two halves of the format: the weights manifest (``read_weights``) and the topology (``graph_def``). A topology
is a GraphDef in JSON whose constants are empty; their values lie one after the other in binary files. TensorFlow.js
fuses a convolution with its bias and activation; here they become ordinary nodes again, which TensorFlow fuses by
itself where that helps.

Refuses what it does not know for certain to mean the same in TensorFlow: other operations, other weight encodings
(affine quantisation among them), other fusions. A graph that loads but computes something else would only show as
detections that are a little worse.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format  # type: ignore[import-untyped, unused-ignore]  # stubs come and go with tools

from model_build.errors import UnsupportedGraph

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

# (dtype, dtype under "quantization") in the manifest -> how the bytes are read. Little-endian by specification.
_ENCODINGS: dict[tuple[str, str | None], np.dtype[Any]] = {
    ("float32", None): np.dtype("<f4"),
    ("int32", None): np.dtype("<i4"),
    ("float32", "float16"): np.dtype("<f2"),
}
_SAME_IN_BOTH = {
    "Add",
    "AddV2",
    "BiasAdd",
    "ConcatV2",
    "Conv2D",
    "DepthwiseConv2dNative",
    "Identity",
    "Mean",
    "Mul",
    "Placeholder",
    "Relu",
    "Relu6",
    "ResizeBilinear",
    "Sigmoid",
}
_FUSED = {"_FusedConv2D": "Conv2D", "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative"}
_FUSIONS = ([b"BiasAdd"], [b"BiasAdd", b"Relu"], [b"BiasAdd", b"Relu6"])
_CONVOLUTION_ATTRIBUTES = ("T", "strides", "padding", "explicit_paddings", "data_format", "dilations")


def read_weights(manifest: Sequence[Mapping[str, Any]], files: Mapping[str, bytes]) -> dict[str, NDArray[Any]]:
    """The weights of a model, by node name, in the type they are stored in.

    Args:
        manifest: ``weightsManifest`` of the model's JSON: groups of ``paths`` and the ``weights`` in them, in order.
        files: content of each file that a group's ``paths`` name.

    Returns:
        Arrays of the manifest's shapes: int32, float32, or float16 where the file keeps a float32 weight in half
        the bytes (widening is left to the graph, so that the model does not double in size).

    Raises:
        UnsupportedGraph: a weight's encoding is unknown, or the files hold fewer or more bytes than the weights need.
        KeyError: a file is not among ``files``.
    """
    weights: dict[str, NDArray[Any]] = {}
    for group in manifest:
        content = b"".join(files[path] for path in group["paths"])
        offset_bytes = 0
        for entry in group["weights"]:
            dtype = _encoding(entry)
            count = prod(entry["shape"])
            if offset_bytes + count * dtype.itemsize > len(content):
                raise UnsupportedGraph(f"{group['paths']} end within the weight {entry['name']!r}")
            values = np.frombuffer(content, dtype, count, offset_bytes)
            weights[entry["name"]] = values.reshape(entry["shape"])
            offset_bytes += count * dtype.itemsize
        if offset_bytes != len(content):
            raise UnsupportedGraph(f"{group['paths']} hold {len(content)} bytes, the weights only {offset_bytes}")
    return weights


def _encoding(entry: Mapping[str, Any]) -> np.dtype[Any]:
    """How the bytes of a manifest entry are read."""
    encoding = (entry["dtype"], entry.get("quantization", {}).get("dtype"))
    if encoding not in _ENCODINGS:
        stored = encoding[0] if encoding[1] is None else f"{encoding[0]} quantised to {encoding[1]}"
        raise UnsupportedGraph(f"weight {entry['name']!r} is {stored}, which is not read here")
    return _ENCODINGS[encoding]


def graph_def(topology: Mapping[str, Any], weights: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> Any:
    """The part of a model that computes ``outputs``, as a ``tf.compat.v1.GraphDef`` with its weights in it.

    Args:
        topology: ``modelTopology`` of the model's JSON.
        weights: value of each constant, from ``read_weights``; float16 ones are widened to float32 in the graph.
        outputs: names of the nodes wanted.

    Returns:
        The graph; every node that was needed keeps its name.

    Raises:
        UnsupportedGraph: an operation, a fusion or an input that is not understood, or a constant without a value.
    """
    by_name = {node["name"]: node for node in topology["node"]}
    graph = tf.compat.v1.GraphDef()
    pending, seen = list(outputs), set(outputs)
    while pending:
        name = pending.pop()
        if name not in by_name:
            raise UnsupportedGraph(f"the graph has no node {name!r}")
        node = by_name[name]
        graph.node.extend(_translated(node, weights))
        fresh = [source for source in map(_node_of, node.get("input", [])) if source not in seen]
        pending += fresh
        seen.update(fresh)
    return graph


def _node_of(source: str) -> str:
    """Name of the node that an input refers to: ``node``, ``node:output`` or ``^node`` (only ordering)."""
    return source.removeprefix("^").partition(":")[0]


def _translated(node: Mapping[str, Any], weights: Mapping[str, NDArray[Any]]) -> Iterator[Any]:
    """TensorFlow's nodes for one node of TensorFlow.js; the last one carries its name."""
    name, op = node["name"], node["op"]
    if op == "Const":
        if name not in weights:
            raise UnsupportedGraph(f"constant {name!r} has no weight")
        yield from _constant(name, weights[name])
    elif op in _FUSED:
        yield from _unfused(json_format.ParseDict(node, tf.compat.v1.NodeDef()))
    elif op in _SAME_IN_BOTH:
        message = json_format.ParseDict(node, tf.compat.v1.NodeDef())
        message.device = ""  # the converter's machine, not ours
        for private in [key for key in message.attr if key.startswith("_")]:
            del message.attr[private]  # notes of the converter's optimiser to itself
        yield message
    else:
        raise UnsupportedGraph(f"node {name!r} is a {op}, which is not known to be the same in TensorFlow")


def _constant(name: str, value: NDArray[Any]) -> Iterator[Any]:
    """A constant; one in float16 is followed by its widening, which TensorFlow folds away when it loads the graph."""
    half = value.dtype == np.float16
    constant = tf.compat.v1.NodeDef(name=f"{name}/float16" if half else name, op="Const")
    constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    constant.attr["dtype"].type = constant.attr["value"].tensor.dtype
    yield constant
    if half:
        cast = tf.compat.v1.NodeDef(name=name, op="Cast", input=[constant.name])
        cast.attr["SrcT"].type = tf.float16.as_datatype_enum
        cast.attr["DstT"].type = tf.float32.as_datatype_enum
        yield cast


def _unfused(node: Any) -> Iterator[Any]:
    """A fused convolution as convolution, bias and activation."""
    fusion = list(node.attr["fused_ops"].list.s)
    if fusion not in _FUSIONS:
        raise UnsupportedGraph(f"node {node.name!r} fuses {[op.decode() for op in fusion]}, which is not known here")
    picture, kernel, bias = node.input
    convolution = tf.compat.v1.NodeDef(op=_FUSED[node.op], input=[picture, kernel])
    for key in _CONVOLUTION_ATTRIBUTES:
        convolution.attr[key].CopyFrom(node.attr[key])
    chain = [convolution]
    for op in fusion:
        step = tf.compat.v1.NodeDef(op=op.decode())
        step.attr["T"].CopyFrom(node.attr["T"])
        if op == b"BiasAdd":
            step.attr["data_format"].CopyFrom(node.attr["data_format"])
        chain.append(step)
    for step in chain[:-1]:
        step.name = f"{node.name}/{step.op}"
    chain[-1].name = node.name
    for before, step in pairwise(chain):
        step.input.append(before.name)
        if step.op == "BiasAdd":
            step.input.append(bias)
    yield from chain
