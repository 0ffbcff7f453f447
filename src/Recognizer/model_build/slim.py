"""A published SavedModel -> a small one that ends where boxes and scores are known.

Owns finding, cutting, folding and saving. Refuses to guess: a graph in which a part is not found exactly once, by
name, type and shape, raises NotSlimmable with the reason, and the caller keeps the original.

The published graph (google/openimages_v4/ssd/mobilenet_v2) unrolls one NMS for each of 601 classes: 33,000 nodes that
TensorFlow takes 16 s to load and initialise. The network itself is some 1,900, and 330 once everything that does not
depend on the picture is computed here instead of at each start. Batch normalisations are folded into the convolutions
before them. What precedes the cut is ``recognizer.vision.resize``, what follows it ``recognizer.vision.nms``.

Weights are saved as variables: constants are held several times over while TensorFlow loads and optimises a graph
(a peak of 1.8 GB instead of 0.64).

The slim model's signature ``serving_default`` takes ``images``, float32 (1, height, width, 3), RGB 0..255, already
resized. It gives ``boxes``, float32 (A, 4), ymin xmin ymax xmax in fractions of the picture, not clipped, and
``scores``, float32 (A, C), the graph's own sigmoid values with the background as column 0.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from recognizer.vision.resize import bilinear
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from model_build.errors import NotSlimmable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Values = dict[str, NDArray[Any]]  # tensor name -> value

SIGNATURE = "serving_default"

_PUBLISHED_SIGNATURES = ("default", "serving_default")
_BOXES, _SCORES = "Postprocessor/ExpandDims_1", "Postprocessor/convert_scores"
_PREPROCESSOR = "/Preprocessor/"
_CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative"}
_SMALLEST_VARIABLE = 16  # numbers; below it a constant is cheaper
_PROBE_SIZE_PX = (37, 53)  # odd on purpose: no scale that rounding could hide in
_PROBE_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Parts:
    """Where a graph is cut, as tensor names, and the shapes there.

    Attributes:
        pixels: the resized, normalised picture, what leaves the preprocessor.
        boxes: decoded boxes, (1, anchors, 1, 4).
        scores: sigmoid scores, (1, anchors, columns); column 0 is the background.
    """

    pixels: str
    boxes: str
    scores: str
    anchors: int
    columns: int


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What a graph does to a picture before its network: a resize as in ``vision.resize``, and a normalisation.

    Attributes:
        height: rows after the resize.
        width: columns after the resize.
        scale: for R, G and B; a value of 0..255 becomes ``value * scale + offset``.
        offset: see ``scale``.
    """

    height: int
    width: int
    scale: tuple[float, ...]
    offset: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SlimReport:
    """What was cut, what was cut off before it, and how many operations there were and are."""

    parts: Parts
    preprocessing: Preprocessing
    nodes_before: int
    nodes_after: int


def slim(saved_model_dir: Path, destination: Path) -> SlimReport:
    """Saves the slim form of a published SavedModel in ``destination``.

    Raises:
        NotSlimmable: the graph is not one that can be cut; nothing is written.
    """
    with _opened(saved_model_dir) as (session, images):
        parts = find_parts(session.graph)
        preprocessing = _probe(session, images, parts)
        network = _network(session.graph, parts)
        values: Values = session.run(_frontier(network, parts))
        nodes_before = len(session.graph.get_operations())
    weights, detect = _detector(_folded(network, values), values, parts, preprocessing)
    function = detect.get_concrete_function()
    # The module holds the variables alone: were the function its attribute too, its graph would be saved twice.
    tf.saved_model.save(weights, str(destination), signatures={SIGNATURE: function})
    return SlimReport(parts, preprocessing, nodes_before, len(function.graph.get_operations()))


def find_parts(graph: tf.Graph) -> Parts:
    """The tensors to cut at, whatever prefix their names carry.

    Raises:
        NotSlimmable: one of them is missing, there is more than one, or its type or shape is another.
    """
    boxes, scores = _only(graph, _BOXES, "ExpandDims"), _only(graph, _SCORES, "Sigmoid")
    shapes = [tensor.shape.as_list() if tensor.shape.rank else [] for tensor in (boxes, scores)]
    match shapes:
        case [[1, int(anchors), 1, 4], [1, int(scored), int(columns)]] if anchors == scored and columns > 1:
            pass
        case _:
            raise NotSlimmable(f"boxes and scores have shapes {shapes}, not (1, A, 1, 4) and (1, A, C)")
    leaving = {
        tensor.name
        for op in _upstream([boxes, scores])
        for tensor in op.inputs
        if not _in_preprocessor(op) and _in_preprocessor(tensor.op) and tensor.dtype == tf.float32
    }
    if len(leaving) != 1:
        raise NotSlimmable(f"one tensor should lead from its preprocessor to boxes and scores, not {sorted(leaving)}")
    return Parts(leaving.pop(), boxes.name, scores.name, anchors, columns)


def _only(graph: tf.Graph, suffix: str, type_: str) -> tf.Tensor:
    named = [op for op in graph.get_operations() if f"/{op.name}".endswith(f"/{suffix}")]
    found = [op.outputs[0] for op in named if op.type == type_]
    if len(found) != 1:
        others = ", ".join(f"{op.name} ({op.type})" for op in named) or "none"
        raise NotSlimmable(f"it should have one {type_} named …{suffix}; found: {others}")
    return found[0]


def _in_preprocessor(op: tf.Operation) -> bool:
    return _PREPROCESSOR in f"/{op.name}"


def _upstream(tensors: Iterable[tf.Tensor], stop: str = "") -> set[tf.Operation]:
    """The operations that tensors depend on, back to the tensor named ``stop``."""
    found: set[tf.Operation] = set()
    waiting = [tensor.op for tensor in tensors]
    while waiting:
        op = waiting.pop()
        if op not in found:
            found.add(op)
            waiting += [tensor.op for tensor in op.inputs if tensor.name != stop]
    return found


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[tuple[Any, str]]:
    """A session over the flat graph of a SavedModel, its variables restored, and the name of its input tensor."""
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((folder / "saved_model.pb").read_bytes())
    for meta_graph in saved_model.meta_graphs:
        for name in _PUBLISHED_SIGNATURES:
            if name in meta_graph.signature_def and len(meta_graph.signature_def[name].inputs) == 1:
                opened = _opened_tf2 if meta_graph.object_graph_def.nodes else _opened_tf1
                with opened(folder, meta_graph, name) as (session, images):
                    yield session, images
                return
    raise NotSlimmable(f"it has no signature named {' or '.join(_PUBLISHED_SIGNATURES)} with one input")


@contextlib.contextmanager
def _opened_tf1(folder: Path, meta_graph: Any, signature: str) -> Iterator[tuple[Any, str]]:
    """As the version 1 loader does it, without the parts of it that are for serving."""
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        saver = tf.compat.v1.train.import_meta_graph(meta_graph, clear_devices=True)
        if saver is not None and (folder / "variables").is_dir():
            saver.restore(session, str(folder / "variables" / "variables"))
        (images,) = meta_graph.signature_def[signature].inputs.values()
        yield session, images.name


@contextlib.contextmanager
def _opened_tf2(folder: Path, _: Any, signature: str) -> Iterator[tuple[Any, str]]:
    """Functions inlined, variables turned into constants: a graph like a version 1 graph."""
    module = tf.saved_model.load(str(folder))
    frozen = convert_variables_to_constants_v2(module.signatures[signature])
    with tf.compat.v1.Session(graph=frozen.graph) as session:
        yield session, frozen.inputs[0].name


def _probe(session: Any, images: str, parts: Parts) -> Preprocessing:
    """Finds the preprocessing from what the graph makes of a black and a white picture; checks it on a noise picture.

    How the graph does it, by whichever nodes and loops, does not matter then.
    """
    noise = np.random.default_rng(0).integers(0, 256, (*_PROBE_SIZE_PX, 3), dtype=np.uint8)

    def seen(pixels: NDArray[Any]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = session.run(parts.pixels, {images: pixels[np.newaxis] / np.float32(255)})
        return result

    black, white = seen(np.zeros_like(noise)), seen(np.full_like(noise, 255))
    match black.shape:
        case (1, height, width, 3):
            pass
        case _:
            raise NotSlimmable(f"its preprocessor gives shape {black.shape}, not (1, height, width, 3)")
    offset = black[0, 0, 0]
    scale = (white[0, 0, 0] - offset) / np.float32(255)
    difference = np.abs(bilinear(noise, height, width) * scale + offset - seen(noise)[0]).max()
    if not difference <= _PROBE_TOLERANCE * np.abs(white - black).max():
        raise NotSlimmable(f"its preprocessor resizes in another way: values of a noise picture differ by {difference}")
    return Preprocessing(height, width, tuple(map(float, scale)), tuple(map(float, offset)))


def _network(graph: tf.Graph, parts: Parts) -> list[tf.Operation]:
    """The operations between the cuts that depend on the picture, in the graph's order."""
    pixels, boxes, scores = (graph.get_tensor_by_name(name) for name in (parts.pixels, parts.boxes, parts.scores))
    needed = _upstream([boxes, scores], stop=parts.pixels)
    depending: set[tf.Operation] = set()
    waiting = list(pixels.consumers())
    while waiting:
        op = waiting.pop()
        if op in needed and op not in depending:
            depending.add(op)
            waiting += [consumer for tensor in op.outputs for consumer in tensor.consumers()]
    if boxes.op not in depending or scores.op not in depending:
        raise NotSlimmable("its boxes or scores do not depend on the picture")
    return [op for op in graph.get_operations() if op in depending]


def _frontier(network: list[tf.Operation], parts: Parts) -> dict[str, tf.Tensor]:
    """What the network reads besides the picture: weights and anchors, all of them constant."""
    inside = set(network)
    inputs = (tensor for op in network for tensor in op.inputs)
    return {tensor.name: tensor for tensor in inputs if tensor.name != parts.pixels and tensor.op not in inside}


def _folded(network: list[tf.Operation], values: Values) -> list[Any]:
    """The network's NodeDefs, each batch normalisation of a convolution's result folded into its filter and a bias.

    Changes the filters in ``values`` and adds the biases.
    """
    nodes = []
    inside = set(network)
    for op in network:
        node = type(op.node_def)()
        node.CopyFrom(op.node_def)
        node.attr.pop("_class", None)  # names nodes that are gone
        node.input[:] = [name for name in node.input if not name.startswith("^")]
        if op.type.startswith("FusedBatchNorm") and _foldable(op, inside, values):
            bias = f"{op.name}/bias"
            values[f"{bias}:0"] = _fold(op, values)
            node = type(node)(name=op.name, op="BiasAdd", input=[op.inputs[0].op.name, bias])
            node.attr["T"].type = tf.float32.as_datatype_enum
        nodes.append(node)
    return nodes


def _foldable(norm: tf.Operation, inside: set[tf.Operation], values: Values) -> bool:
    """Whether a batch normalisation alone reads a convolution that alone reads its filter; regularisers aside."""
    convolution = norm.inputs[0].op

    def readers(tensor: tf.Tensor) -> list[tf.Operation]:
        return [op for op in tensor.consumers() if op in inside]

    return (
        convolution.type in _CONVOLUTIONS
        and readers(norm.inputs[0]) == [norm]
        and all(tensor.name in values for tensor in (*norm.inputs[1:5], convolution.inputs[1]))
        and readers(convolution.inputs[1]) == [convolution]
        and not norm.get_attr("is_training")
        and norm.get_attr("data_format") == b"NHWC"
        and not any(readers(tensor) for tensor in norm.outputs[1:])
    )


def _fold(norm: tf.Operation, values: Values) -> NDArray[np.float32]:
    """Scales the convolution's filter in ``values``; returns the bias. In float64, rounded once."""
    gamma, beta, mean, variance = (values[tensor.name].astype(np.float64) for tensor in norm.inputs[1:5])
    factor = gamma / np.sqrt(variance + norm.get_attr("epsilon"))
    convolution = norm.inputs[0].op
    weights = values[convolution.inputs[1].name]
    # A depthwise filter is (height, width, channels, multiplier) and gives channels * multiplier channels.
    of_filter = factor if convolution.type == "Conv2D" else factor.reshape(weights.shape[2:])
    values[convolution.inputs[1].name] = (weights * of_filter).astype(np.float32)
    bias: NDArray[np.float32] = (beta - mean * factor).astype(np.float32)
    return bias


def _detector(nodes: list[Any], values: Values, parts: Parts, preprocessing: Preprocessing) -> tuple[tf.Module, Any]:
    """The network as a function, and the module of the variables that hold its large values."""
    shape = (1, preprocessing.height, preprocessing.width, 3)
    graph_def = tf.compat.v1.GraphDef(node=nodes)
    graph_def.versions.producer = tf.version.GRAPH_DEF_VERSION
    read = {name if ":" in name else f"{name}:0" for node in nodes for name in node.input}
    constants = {name: value for name, value in values.items() if name in read}
    module = tf.Module()
    variables = module.variables_by_name = {
        name: tf.Variable(value, trainable=False, name=name.partition(":")[0].replace("/", "_"))
        for name, value in constants.items()
        if value.size >= _SMALLEST_VARIABLE and value.dtype == np.float32
    }

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec(shape, tf.float32, name="images")], autograph=False
    )
    def detect(images: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = {name: tf.constant(value) for name, value in constants.items() if name not in variables}
        inputs |= {name: variable.read_value() for name, variable in variables.items()}
        inputs[parts.pixels] = images * preprocessing.scale + preprocessing.offset
        boxes, scores = tf.graph_util.import_graph_def(
            graph_def, input_map=inputs, return_elements=[parts.boxes, parts.scores], name=""
        )
        return {
            "boxes": tf.reshape(boxes, (parts.anchors, 4)),
            "scores": tf.reshape(scores, (parts.anchors, parts.columns)),
        }

    return module, detect
