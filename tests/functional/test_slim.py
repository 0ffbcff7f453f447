"""Slimming, conversion and comparison, on tiny models and, where it is at hand, on one of the published size."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from model_build import litert, parity, slim
from model_build.errors import NotConvertible, NotSlimmable
from recognizer.vision.nms import Rows
from tensorflow.core.protobuf import saved_model_pb2

from tests.functional.tiny_model import ANCHORS, CAR, CLASSES, INPUT_PX, build_tiny_model

TWIN = Path(__file__).parents[2].parent / "shared" / "models" / "openimages_twin.tar.gz"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return build_tiny_model(tmp_path_factory.mktemp("tiny") / "published")


@pytest.fixture(scope="module")
def slimmed(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("slim") / "slim"
    return folder, slim.slim(tiny, folder)


@pytest.fixture(scope="module")
def flatbuffer(slimmed, tmp_path_factory):
    path = tmp_path_factory.mktemp("litert") / "model.tflite"
    litert.convert(slimmed[0], path)
    return path


def edited(folder, edit):
    """Changes the graph of a SavedModel in place."""
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((folder / "saved_model.pb").read_bytes())
    edit(saved_model.meta_graphs[0])
    (folder / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    return folder


def renamed(old, new):
    """An edit that gives a node another name, wherever it stands."""

    def edit(meta_graph):
        for node in meta_graph.graph_def.node:
            node.name = new if node.name == old else node.name
            node.input[:] = [name.replace(old, new) if name.split(":")[0] == old else name for name in node.input]

    return edit


def rows(labels, scores, boxes=None):
    boxes = np.tile([0.1, 0.1, 0.5, 0.5], (len(labels), 1)) if boxes is None else boxes
    return Rows(np.array(boxes, np.float32), np.array(scores, np.float32), np.array(labels, np.intp))


def compared(wanted, found):
    picture = np.zeros((4, 6, 3), np.uint8)
    return parity.compare(lambda _: wanted, lambda _: found, [picture])


class TestSlim:
    def test_reports_what_it_cut(self, slimmed):
        _, report = slimmed
        assert report.parts.boxes == "Postprocessor/ExpandDims_1:0"
        assert report.parts.scores == "Postprocessor/convert_scores:0"
        assert (report.parts.anchors, report.parts.columns) == (ANCHORS, len(CLASSES))
        assert (report.preprocessing.height, report.preprocessing.width) == (INPUT_PX, INPUT_PX)
        assert report.preprocessing.scale == pytest.approx([2 / 255] * 3)
        assert report.preprocessing.offset == pytest.approx([-1] * 3)
        assert report.nodes_after < report.nodes_before

    def test_saves_a_signature_of_fixed_shapes(self, slimmed):
        signature = tf.saved_model.load(str(slimmed[0])).signatures["serving_default"]
        assert signature.structured_input_signature[1]["images"].shape == (1, INPUT_PX, INPUT_PX, 3)
        assert signature.structured_outputs["boxes"].shape == (ANCHORS, 4)
        assert signature.structured_outputs["scores"].shape == (ANCHORS, len(CLASSES))

    def test_folds_batch_normalisations_and_keeps_weights_as_variables(self, slimmed):
        saved_model = saved_model_pb2.SavedModel()
        saved_model.ParseFromString((slimmed[0] / "saved_model.pb").read_bytes())
        functions = saved_model.meta_graphs[0].graph_def.library.function
        operations = [node.op for function in functions for node in function.node_def]
        assert "BiasAdd" in operations
        assert not any(op.startswith("FusedBatchNorm") for op in operations)
        saved = tf.train.list_variables(str(slimmed[0] / "variables" / "variables"))
        assert sum(np.prod(shape) for _, shape in saved) > 4500

    @pytest.mark.parametrize(
        "options",
        [
            {"prefix": "module/apply_default/"},
            {"score_column": True, "swap_names": True},
            {"rows": 10},
            {"loop": "v1"},
            {"loop": "v2", "prefix": "a/"},
        ],
        ids=str,
    )
    def test_finds_the_parts_of_any_variant(self, tmp_path, options):
        published = build_tiny_model(tmp_path / "published", **options)
        report = slim.slim(published, tmp_path / "slim")
        assert report.parts.boxes == f"{options.get('prefix', '')}Postprocessor/ExpandDims_1:0"
        found = parity.slim_rows(tmp_path / "slim")
        limit = options.get("rows", 100)

        def first(pixels):
            every = found(pixels)
            return Rows(every.boxes[:limit], every.scores[:limit], every.class_indices[:limit])

        comparison = parity.compare(parity.published_rows(published), first, parity.pictures())
        assert comparison.passed, comparison.reason

    def test_finds_the_parts_in_functions_of_tensorflow_2(self, tiny, slimmed, tmp_path):
        version_2 = tmp_path / "published"
        save_as_version_2(tiny, version_2)
        report = slim.slim(version_2, tmp_path / "slim")
        assert report.preprocessing == slimmed[1].preprocessing
        comparison = parity.compare(
            parity.published_rows(version_2), parity.slim_rows(tmp_path / "slim"), parity.pictures()
        )
        assert comparison.passed, comparison.reason

    @pytest.mark.parametrize("part", ["Postprocessor/ExpandDims_1", "Postprocessor/convert_scores"])
    def test_refuses_a_graph_without_a_part(self, tmp_path, part):
        published = edited(build_tiny_model(tmp_path / "published"), renamed(part, "Postprocessor/other"))
        with pytest.raises(NotSlimmable, match=f"named …{part}; found: none"):
            slim.slim(published, tmp_path / "slim")
        assert not (tmp_path / "slim").exists()

    def test_refuses_a_part_of_another_type(self, tmp_path):
        def softmax(meta_graph):
            for node in meta_graph.graph_def.node:
                if node.name == "Postprocessor/convert_scores":
                    node.op = "Softmax"

        published = edited(build_tiny_model(tmp_path / "published"), softmax)
        with pytest.raises(NotSlimmable, match=r"Postprocessor/convert_scores \(Softmax\)"):
            slim.slim(published, tmp_path / "slim")

    def test_refuses_a_part_that_is_there_twice(self, tmp_path):
        def twice(meta_graph):
            for node in list(meta_graph.graph_def.node):
                if node.name == "Postprocessor/convert_scores":
                    copy = meta_graph.graph_def.node.add()
                    copy.CopyFrom(node)
                    copy.name = f"again/{node.name}"

        published = edited(build_tiny_model(tmp_path / "published"), twice)
        with pytest.raises(NotSlimmable, match="again/Postprocessor/convert_scores"):
            slim.slim(published, tmp_path / "slim")

    def test_refuses_a_graph_that_resizes_in_another_way(self, tmp_path):
        published = build_tiny_model(tmp_path / "published", half_pixel_centers=True)
        with pytest.raises(NotSlimmable, match="resizes in another way"):
            slim.slim(published, tmp_path / "slim")

    def test_refuses_a_graph_without_a_preprocessor(self, tmp_path):
        def elsewhere(meta_graph):
            for node in meta_graph.graph_def.node:
                node.name = node.name.replace("Preprocessor", "Input")
                node.input[:] = [name.replace("Preprocessor", "Input") for name in node.input]

        published = edited(build_tiny_model(tmp_path / "published"), elsewhere)
        with pytest.raises(NotSlimmable, match=r"one tensor should lead from its preprocessor .* not \[\]"):
            slim.slim(published, tmp_path / "slim")

    def test_refuses_a_model_without_the_signature(self, tmp_path):
        published = edited(build_tiny_model(tmp_path / "published"), lambda graph: graph.signature_def.clear())
        with pytest.raises(NotSlimmable, match="no signature named default"):
            slim.slim(published, tmp_path / "slim")


class TestParity:
    def test_passes_for_the_slim_model_and_the_flatbuffer(self, tiny, slimmed, flatbuffer):
        published = parity.published_rows(tiny)
        for find in (parity.slim_rows(slimmed[0]), parity.litert_rows(flatbuffer)):
            report = parity.compare(published, find, parity.pictures())
            assert report.passed, report.reason
            assert report.pictures == 14
            assert report.rows > 1000
            assert max(report.max_box_difference, report.max_score_difference) < 1e-5

    def test_reports_a_model_with_another_nms(self, tmp_path):
        published = build_tiny_model(tmp_path / "published", iou_threshold=0.5)
        slim.slim(published, tmp_path / "slim")
        report = parity.compare(
            parity.published_rows(published), parity.slim_rows(tmp_path / "slim"), parity.pictures()
        )
        assert not report.passed
        assert report.reason is not None
        assert report.reason.startswith("picture 1 (300x300): row ")

    def test_compares_photos_of_a_folder_too(self, tmp_path):
        from PIL import Image

        Image.new("RGB", (50, 40), "red").save(tmp_path / "photo.jpg")
        assert [picture.shape for picture in parity.pictures(tmp_path)][14:] == [(40, 50, 3)]

    def test_made_pictures_are_always_the_same(self):
        for one, other in zip(parity.pictures(), parity.pictures(), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_equal_rows_pass(self):
        report = compared(rows([1, 2, 2], [0.9, 0.5, 0.4]), rows([1, 2, 2], [0.90005, 0.5, 0.4]))
        assert (report.passed, report.labels_equal, report.rows, report.reordered_ties) == (True, True, 3, 0)
        assert report.max_score_difference == pytest.approx(5e-5, rel=0.01)

    @pytest.mark.parametrize(
        ("found", "reason"),
        [
            (rows([1, 3], [0.9, 0.5]), "row 2 is class 3, score 0.500000"),
            (rows([1, 2], [0.9, 0.4998]), "row 2 is class 2, score 0.499800"),
            (rows([2, 1], [0.9, 0.5]), "row 1 is class 2"),
            (rows([1], [0.9]), "1 rows instead of 2"),
            (rows([1, 2], [0.9, 0.5], [[0.1, 0.1, 0.5, 0.5], [0.1, 0.1, 0.5, 0.5002]]), "row 2 is class 2"),
        ],
        ids=["label", "score", "order", "count", "box"],
    )
    def test_reports_the_first_row_that_differs(self, found, reason):
        report = compared(rows([1, 2], [0.9, 0.5]), found)
        assert not report.passed
        assert report.reason is not None
        assert report.reason.startswith(f"picture 1 (6x4): {reason}")

    def test_rows_that_tie_may_change_places_and_are_counted(self):
        report = compared(rows([1, 2, 3], [0.9, 0.50001, 0.5]), rows([1, 3, 2], [0.9, 0.5, 0.5]))
        assert (report.passed, report.labels_equal, report.reordered_ties) == (True, False, 2)
        assert report.widest_tie == pytest.approx(1e-5, rel=0.01)

    def test_rows_that_do_not_tie_may_not_change_places(self):
        assert not compared(rows([1, 2, 3], [0.9, 0.50005, 0.5]), rows([1, 3, 2], [0.9, 0.5, 0.5])).passed

    def test_the_last_of_100_rows_may_be_another_of_the_same_score(self):
        scores = np.linspace(0.9, 0.5, 100)
        assert compared(rows([1] * 100, scores), rows([1] * 99 + [2], scores)).passed
        assert not compared(rows([1] * 100, scores), rows([1] * 98 + [2, 1], scores)).passed
        assert not compared(rows([1] * 99, scores[:99]), rows([1] * 98 + [2], scores[:99])).passed

    def test_a_model_that_finds_nothing_proves_nothing(self):
        report = compared(rows([], []), rows([], []))
        assert not report.passed
        assert report.reason == "the reference found nothing on any picture, so nothing was compared"


class TestLitert:
    def test_refuses_a_graph_with_operations_that_litert_lacks(self, tmp_path):
        module = tf.Module()
        module.call = tf.function(
            lambda images: {"boxes": tf.linalg.inv(images)},
            input_signature=[tf.TensorSpec((4, 4), tf.float32, name="images")],
        )
        tf.saved_model.save(module, str(tmp_path / "odd"), signatures={"serving_default": module.call})
        with pytest.raises(NotConvertible, match="MatrixInverse"):
            litert.convert(tmp_path / "odd", tmp_path / "odd.tflite")
        assert not (tmp_path / "odd.tflite").exists()


class TestTinyModel:
    @pytest.mark.parametrize("count", [0, 10, 100])
    @pytest.mark.parametrize("column", [False, True])
    def test_returns_as_many_rows_as_asked_for(self, tmp_path, count, column):
        out = detect(build_tiny_model(tmp_path / "tiny", rows=count, score_column=column), RED)
        assert out["detection_boxes"].shape == (count, 4)
        assert out["detection_scores"].shape == ((count, 1) if column else (count,))

    def test_pads_what_it_lacks_with_scores_of_0(self, tmp_path):
        out = detect(build_tiny_model(tmp_path / "tiny", detections=4), RED)
        assert np.count_nonzero(out["detection_scores"]) == 4
        assert len(out["detection_scores"]) == 100

    def test_takes_red_for_a_car_and_names_it_in_either_field(self, tiny, tmp_path):
        out = detect(tiny, RED)
        assert out["detection_class_labels"][0] == CAR
        assert (out["detection_class_names"][0], out["detection_class_entities"][0]) == (b"/m/0k4j", b"Car")
        swapped = detect(build_tiny_model(tmp_path / "tiny", swap_names=True), RED)
        assert (swapped["detection_class_names"][0], swapped["detection_class_entities"][0]) == (b"Car", b"/m/0k4j")

    def test_spreads_its_scores(self, tiny):
        for pixels in parity.pictures():
            scores = detect(tiny, pixels)["detection_scores"]
            assert scores.max() > 0.3
            assert scores.min() < 0.3


RED = np.full((240, 320, 3), 20, np.uint8)
RED[60:180, 80:240] = (230, 20, 20)


def detect(folder, pixels):
    module = tf.saved_model.load(str(folder))
    out = module.signatures["default"](images=tf.constant(pixels[np.newaxis] / np.float32(255)))
    return {name: value.numpy() for name, value in out.items()}


def save_as_version_2(published, destination):
    """A SavedModel of TensorFlow 2 with the same nodes inside functions and loops, and its weights in variables."""
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        meta_graph = v1.saved_model.load(session, [], str(published))
        signature = meta_graph.signature_def["default"]
        weights = session.run({op.name: op.outputs[0] for op in graph.get_operations() if op.type == "VariableV2"})
        graph_def = graph.as_graph_def()
    kept = [node for node in graph_def.node if node.name not in weights and not node.name.startswith("save")]
    readers = {node.input[0]: node.name for node in kept if node.op == "Identity" and node.input[0] in weights}
    wanted = set(readers.values())
    reduced = v1.GraphDef(versions=graph_def.versions)
    for node in kept:
        if node.op != "Assign" and "Initializer" not in node.name and node.name not in {*wanted, "init"}:
            reduced.node.add().CopyFrom(node)
            reduced.node[-1].attr.pop("_class", None)
    module = tf.Module()
    module.weights = {name: tf.Variable(value, name=name.replace("/", "_")) for name, value in weights.items()}

    @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3), tf.float32, name="images")], autograph=False)
    def call(images):
        inputs = {f"{readers[name]}:0": variable.read_value() for name, variable in module.weights.items()}
        inputs[signature.inputs["images"].name] = images
        outputs = {name: info.name for name, info in signature.outputs.items()}
        tensors = tf.graph_util.import_graph_def(reduced, inputs, list(outputs.values()), name="detector")
        out = dict(zip(outputs, tensors, strict=True))
        _, boxes = tf.while_loop(  # control flow of version 2, after the parts
            lambda step, _: step < 3, lambda step, boxes: (step + 1, boxes * 1.0), (0, out["detection_boxes"])
        )
        return {**out, "detection_boxes": tf.ensure_shape(boxes, (100, 4))}

    module.call = call
    tf.saved_model.save(module, str(destination), signatures={"default": call})


@pytest.mark.skipif(not TWIN.exists(), reason="the model of the published size is not at hand")
def test_a_model_of_the_published_size_stays_the_same(tmp_path):
    with tarfile.open(TWIN) as archive:
        archive.extractall(tmp_path / "published", filter="data")
    report = slim.slim(tmp_path / "published", tmp_path / "slim")
    assert (report.preprocessing.height, report.preprocessing.width) == (300, 300)
    assert (report.parts.anchors, report.parts.columns) == (1917, 602)
    litert.convert(tmp_path / "slim", tmp_path / "model.tflite")
    published = parity.published_rows(tmp_path / "published")
    for find in (parity.slim_rows(tmp_path / "slim"), parity.litert_rows(tmp_path / "model.tflite")):
        comparison = parity.compare(published, find, parity.pictures())
        assert comparison.passed, comparison.reason
        assert comparison.rows == 1400
