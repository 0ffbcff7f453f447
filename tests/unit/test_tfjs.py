"""model_build.tfjs: weights and topologies of TensorFlow.js, and what it refuses."""

import base64
import re

import numpy as np
import pytest
import tensorflow as tf
from model_build import tfjs
from model_build.errors import UnsupportedGraph

HALF = {"dtype": "float16", "original_dtype": "float32"}


def _manifest(*weights, path="w.bin"):
    return [{"paths": [path], "weights": list(weights)}]


def _text(value):
    return base64.b64encode(value.encode()).decode()


def _attributes(**more):
    return {
        "T": {"type": "DT_FLOAT"},
        "strides": {"list": {"i": ["1", "1", "1", "1"]}},
        "padding": {"s": _text("SAME")},
        "data_format": {"s": _text("NHWC")},
        "dilations": {"list": {"i": ["1", "1", "1", "1"]}},
        "explicit_paddings": {"list": {}},
        **more,
    }


def _topology(op, *fused_ops):
    """A picture of one pixel and two channels through one fused operation, named ``out``."""
    fused = {"fused_ops": {"list": {"s": [_text(name) for name in fused_ops]}}, "num_args": {"i": "1"}}
    constant = {"dtype": {"type": "DT_FLOAT"}, "value": {"tensor": {"dtype": "DT_FLOAT", "tensorShape": {}}}}
    return {
        "node": [
            {"name": "picture", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}}},
            {"name": "kernel", "op": "Const", "attr": constant},
            {"name": "bias", "op": "Const", "attr": constant},
            {
                "name": "out",
                "op": op,
                "input": ["picture", "kernel", "bias"],
                "attr": _attributes(**fused, epsilon={"f": 0}, _grappler_note={"b": True}),
                "device": "/device:GPU:7",
            },
        ],
        "library": {},
        "versions": {},
    }


def _run(graph, picture):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        (out,) = tf.import_graph_def(graph, return_elements=["out:0"], name="")
        return session.run(out, {"picture:0": np.array(picture, np.float32).reshape(1, 1, 1, 2)}).ravel().tolist()


def test_reads_weights_in_the_type_and_order_they_are_stored_in():
    half = np.array([0.5, -2.0, 65504.0], "<f2")
    whole = np.array([[1, -2], [3, 4]], "<i4")
    single = np.array(3.25, "<f4")
    weights = tfjs.read_weights(
        _manifest(
            {"name": "half", "shape": [3], "dtype": "float32", "quantization": HALF},
            {"name": "whole", "shape": [2, 2], "dtype": "int32"},
            {"name": "single", "shape": [], "dtype": "float32"},
        ),
        {"w.bin": half.tobytes() + whole.tobytes() + single.tobytes()},
    )
    for name, expected in {"half": half, "whole": whole, "single": single}.items():
        assert weights[name].dtype == expected.dtype
        np.testing.assert_array_equal(weights[name], expected)


def test_reads_a_group_of_weights_split_over_files():
    content = np.arange(4, dtype="<f4").tobytes()
    manifest = [{"paths": ["a", "b"], "weights": [{"name": "w", "shape": [4], "dtype": "float32"}]}]
    weights = tfjs.read_weights(manifest, {"b": content[6:], "a": content[:6]})
    np.testing.assert_array_equal(weights["w"], [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        (
            {"dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.1, "min": -1}},
            "float32 quantised to uint8",
        ),
        ({"dtype": "int32", "quantization": HALF}, "int32 quantised to float16"),
        ({"dtype": "string"}, "string"),
    ],
)
def test_refuses_an_encoding_it_does_not_know(encoding, named):
    with pytest.raises(UnsupportedGraph, match=f"'w' is {named}"):
        tfjs.read_weights(_manifest({"name": "w", "shape": [1], **encoding}), {"w.bin": bytes(4)})


@pytest.mark.parametrize(
    ("size_bytes", "message"), [(7, "end within the weight 'w'"), (9, "hold 9 bytes, the weights only 8")]
)
def test_refuses_files_that_are_too_short_or_too_long(size_bytes, message):
    with pytest.raises(UnsupportedGraph, match=message):
        tfjs.read_weights(_manifest({"name": "w", "shape": [2], "dtype": "int32"}), {"w.bin": bytes(size_bytes)})


@pytest.mark.parametrize(
    ("fused_ops", "bounds"),
    [(["BiasAdd"], (-np.inf, np.inf)), (["BiasAdd", "Relu"], (0, np.inf)), (["BiasAdd", "Relu6"], (0, 6))],
)
@pytest.mark.parametrize(
    ("op", "kernel", "sums"),
    [
        ("_FusedConv2D", [[[[-1.0, 1.0], [-1.0, 3.0]]]], [-4.5, 13.0]),  # kernel (1, 1, in, out)
        ("FusedDepthwiseConv2dNative", [[[[-4.0], [4.75]]]], [-3.5, 19.0]),  # kernel (1, 1, in, 1)
    ],
)
def test_takes_a_fused_convolution_apart(op, kernel, sums, fused_ops, bounds):
    weights = {"kernel": np.array(kernel, np.float16), "bias": np.array([0.5, 0.0], np.float16)}
    graph = tfjs.graph_def(_topology(op, *fused_ops), weights, ["out"])
    assert not {node.op for node in graph.node} & {"_FusedConv2D", "FusedDepthwiseConv2dNative"}
    assert _run(graph, [1.0, 4.0]) == pytest.approx(np.clip(sums, *bounds).tolist())


def test_keeps_float16_weights_at_two_bytes_each():
    weights = {"kernel": np.ones((1, 1, 2, 2), np.float16), "bias": np.zeros(2, np.float16)}
    graph = tfjs.graph_def(_topology("_FusedConv2D", "BiasAdd"), weights, ["out"])
    stored = {node.name: node.attr["value"].tensor.dtype for node in graph.node if node.op == "Const"}
    assert stored == dict.fromkeys(["kernel/float16", "bias/float16"], tf.float16.as_datatype_enum)


def test_drops_devices_and_the_converters_private_notes():
    topology = _topology("_FusedConv2D", "BiasAdd")
    topology["node"].append(
        {
            "name": "after",
            "op": "Relu",
            "input": ["out"],
            "attr": {"T": {"type": "DT_FLOAT"}, "_grappler_note": {"b": True}},
            "device": "/device:GPU:7",
        }
    )
    weights = {"kernel": np.ones((1, 1, 2, 2), np.float32), "bias": np.zeros(2, np.float32)}
    graph = tfjs.graph_def(topology, weights, ["after"])
    assert not [node.name for node in graph.node if node.device or any(key.startswith("_") for key in node.attr)]


def test_leaves_out_what_the_wanted_outputs_do_not_need():
    topology = _topology("_FusedConv2D", "BiasAdd")
    topology["node"].append({"name": "unneeded", "op": "NoSuchThing", "input": ["out"]})
    graph = tfjs.graph_def(topology, {"kernel": np.float32(1), "bias": np.float32(1)}, ["kernel"])
    assert [node.name for node in graph.node] == ["kernel"]


def _with_op(op):
    topology = _topology("_FusedConv2D", "BiasAdd")
    topology["node"][-1]["op"] = op
    return topology


@pytest.mark.parametrize(
    ("topology", "weights", "outputs", "message"),
    [
        (_with_op("Prelu"), {"kernel": 1, "bias": 1}, ["out"], "'out' is a Prelu"),
        (_topology("_FusedConv2D", "BiasAdd", "Elu"), {"kernel": 1, "bias": 1}, ["out"], "['BiasAdd', 'Elu']"),
        (_topology("_FusedConv2D", "FusedBatchNorm"), {"kernel": 1, "bias": 1}, ["out"], "['FusedBatchNorm']"),
        (_topology("_FusedConv2D", "BiasAdd"), {"kernel": 1}, ["out"], "constant 'bias' has no weight"),
        (_topology("_FusedConv2D", "BiasAdd"), {}, ["nowhere"], "no node 'nowhere'"),
    ],
)
def test_refuses_what_it_does_not_understand(topology, weights, outputs, message):
    arrays = {name: np.float32(value) for name, value in weights.items()}
    with pytest.raises(UnsupportedGraph, match=re.escape(message)):
        tfjs.graph_def(topology, arrays, outputs)
