"""The TensorFlow engine on graphs that answer whatever a test wants, and on a tiny one with the published structure."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from recognizer.detections import Box, Criteria, Label
from recognizer.errors import ModelNotUsable
from recognizer.vision import detector
from recognizer.vision.model import FORMAT, Model

from tests.conftest import THREADS
from tests.functional.detecting import loaded
from tests.functional.tiny_model import build_tiny_model

LABELS = {1: Label("/m/01g317", "Person"), 2: Label("/m/0bt9lr", "Dog"), 3: Label("/m/0k4j", "Car")}
EVERYTHING = Criteria(limit=100, min_score=0.0)
DARK = np.full((240, 320, 3), 10, np.uint8)


def put_model(folder, put_graph, graph="published"):
    """A model folder round a graph that ``put_graph`` saves."""
    put_graph(folder / "saved_model")
    facts = {
        "format": FORMAT,
        "name": "a/model",
        "engine": "tensorflow",
        "graph": graph,
        "sha256": "12ab",
        "kind": "rows",
        "signature": "default",
        "input": {"name": "images", "scale": [1 / 255], "offset": [0.0]},
        "outputs": {
            "boxes": "detection_boxes",
            "scores": "detection_scores",
            "names": "detection_class_names",
            "entities": "detection_class_entities",
        },
        "class_offset": 0,
    }
    (folder / "model.json").write_text(json.dumps(facts), encoding="utf-8")
    rows = "".join(f"{index},{label.id},{label.name}\n" for index, label in LABELS.items())
    (folder / "labels.csv").write_text(f"index,id,name\n{rows}", encoding="utf-8")
    return Model.load(folder)


def save_answering(folder, answer):
    """Saves a graph with the published interface that answers what ``answer`` makes of the picture."""
    module = tf.Module()
    module.run = tf.function(answer, input_signature=[tf.TensorSpec((1, None, None, 3), tf.float32, "images")])
    tf.saved_model.save(module, str(folder), signatures={"default": module.run})


def rows_of(boxes, scores, indices, *, swapped=False):
    """The five outputs for these rows, scores as they are shaped."""
    ids = tf.constant([LABELS[index].id for index in indices], tf.string)
    names = tf.constant([LABELS[index].name for index in indices], tf.string)
    return {
        "detection_boxes": tf.constant(boxes, tf.float32, (len(indices), 4)),
        "detection_scores": tf.constant(scores, tf.float32),
        "detection_class_labels": tf.constant(indices, tf.int64, (len(indices),)),
        "detection_class_names": ids if swapped else names,
        "detection_class_entities": names if swapped else ids,
    }


@pytest.fixture
def answering(tmp_path):
    """A detector over a graph that answers the same rows to every picture."""

    def load(boxes, scores, indices, **options):
        model = put_model(
            tmp_path, lambda folder: save_answering(folder, lambda images: rows_of(boxes, scores, indices, **options))
        )
        return loaded(model, THREADS)

    return load


def several(count):
    """That many rows, the scores out of order."""
    scores = np.random.default_rng(1).permutation(np.linspace(0.1, 0.9, count)).astype(np.float32)
    return np.tile([0.1, 0.2, 0.3, 0.4], (count, 1)), scores, [1 + row % 3 for row in range(count)]


@pytest.mark.parametrize("count", [0, 1, 10, 100])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)], ids=["(N,)", "(N, 1)"])
def test_any_number_of_rows_in_either_shape_of_scores(answering, count, shape):
    boxes, scores, indices = several(count)

    found = answering(boxes, scores.reshape(shape), indices)(DARK, EVERYTHING)

    assert [detection.score for detection in found] == sorted(map(float, scores), reverse=True)


@pytest.mark.parametrize("swapped", [False, True])
def test_names_are_told_from_machine_ids_in_either_field(answering, swapped):
    find = answering([[0.1, 0.2, 0.3, 0.4]] * 3, [0.9, 0.8, 0.7], [2, 3, 1], swapped=swapped)

    assert [found.label.id for found in find(DARK, EVERYTHING)] == [LABELS[row].id for row in (2, 3, 1)]


def test_a_box_keeps_its_order_of_coordinates(answering):
    (found,) = answering([[0.125, 0.25, 0.5, 0.75]], [0.9], [1])(DARK, EVERYTHING)

    assert found.box == Box(ymin=0.125, xmin=0.25, ymax=0.5, xmax=0.75)


def test_boxes_outside_the_picture_are_clipped(answering):
    (found,) = answering([[-0.01, 0.25, 1.5, 1.001]], [0.9], [1])(DARK, EVERYTHING)

    assert found.box == Box(ymin=0.0, xmin=0.25, ymax=1.0, xmax=1.0)


def test_a_score_above_one_by_rounding_is_one(answering):
    (found,) = answering([[0, 0, 1, 1]], [1.0000001], [1])(DARK, EVERYTHING)

    assert found.score == 1.0


def test_the_most_confident_are_kept(answering):
    find = answering(*several(10))

    assert [found.score for found in find(DARK, Criteria(3, 0.0))] == pytest.approx([0.9, 0.8111, 0.7222], abs=1e-3)


def test_a_minimum_score_counts_itself(answering):
    find = answering([[0, 0, 1, 1]] * 3, [0.75, 0.5, 0.25], [1, 1, 1])

    assert [found.score for found in find(DARK, Criteria(100, 0.5))] == [0.75, 0.5]


def test_only_the_wanted_classes_count_towards_the_limit(answering):
    find = answering([[0, 0, 1, 1]] * 4, [0.9, 0.8, 0.7, 0.6], [1, 2, 1, 2])

    assert [found.score for found in find(DARK, Criteria(2, 0.0, frozenset({2})))] == pytest.approx([0.8, 0.6])


def test_no_class_wanted_is_nothing_found(answering):
    assert answering(*several(10))(DARK, Criteria(100, 0.0, frozenset())) == ()


def test_padding_is_no_detection(answering):
    find = answering([[0.1, 0.1, 0.5, 0.5], [0, 0, 0, 0], [0, 0, 0, 0]], [0.9, 0.0, 0.0], [1, 1, 1])

    assert len(find(DARK, EVERYTHING)) == 1


def test_equal_scores_keep_the_models_order(answering):
    find = answering([[0, 0, 1, 1]] * 3, [0.5, 0.5, 0.5], [3, 1, 2])

    assert [found.label.name for found in find(DARK, EVERYTHING)] == ["Car", "Person", "Dog"]


@pytest.fixture(scope="module")
def measuring(tmp_path_factory):
    """A detector whose box tells the size of the picture that the graph got (in 10,000 px), its score the level."""

    def answer(images):
        size = tf.cast(tf.shape(images)[1:3], tf.float32) / 10_000.0
        rows = rows_of([[0, 0, 1, 1]], [1.0], [1])
        boxes = tf.concat([[0.0, 0.0], size], axis=0)[tf.newaxis]
        return {**rows, "detection_boxes": boxes, "detection_scores": tf.reduce_mean(images, keepdims=True)[0, 0, 0]}

    folder = tmp_path_factory.mktemp("measuring")
    return loaded(put_model(folder, lambda graph: save_answering(graph, answer)), THREADS)


def size_passed_on(measuring, height, width):
    (found,) = measuring(np.full((height, width, 3), 255, np.uint8), EVERYTHING)
    return round(found.box.ymax * 10_000), round(found.box.xmax * 10_000)


@pytest.mark.parametrize("size", [(1, 1), (240, 320), (2000, 2000)])
def test_a_picture_is_passed_on_whole(measuring, size):
    assert size_passed_on(measuring, *size) == size


@pytest.mark.parametrize(
    ("size", "passed"), [((4000, 4000), (2000, 2000)), ((2001, 2000), (1001, 1000)), ((3000, 6000), (1000, 2000))]
)
def test_a_large_picture_is_sampled(measuring, size, passed):
    assert size_passed_on(measuring, *size) == passed


def test_a_thin_large_picture_keeps_at_least_a_row(measuring):
    assert size_passed_on(measuring, 1, 9_000_000)[0] == 1


@pytest.mark.parametrize("level", [51, 255])
def test_levels_are_passed_on_from_0_to_1(measuring, level):
    (found,) = measuring(np.full((10, 10, 3), level, np.uint8), EVERYTHING)

    assert found.score == pytest.approx(level / 255)


@pytest.mark.parametrize(
    "options", [{}, {"swap_names": True}, {"score_column": True}, {"rows": 10}, {"prefix": "module/"}]
)
def test_a_graph_of_the_published_structure_finds_the_red_car(tmp_path, options):
    model = put_model(tmp_path, lambda folder: build_tiny_model(folder, **options))
    pixels = DARK.copy()
    pixels[60:150, 80:200] = (255, 0, 0)

    best = loaded(model, THREADS)(pixels, EVERYTHING)[0]

    assert (best.label.id, best.label.name) == (LABELS[3].id, LABELS[3].name)
    assert best.box.ymin < 105 / 240 < best.box.ymax
    assert best.box.xmin < 140 / 320 < best.box.xmax


def test_threads_find_what_each_of_them_asked_for(measuring):
    with ThreadPoolExecutor(4) as pool:
        sizes = list(pool.map(lambda side: size_passed_on(measuring, side, side + 1), range(50, 90)))

    assert sizes == [(side, side + 1) for side in range(50, 90)]


# What stops the start


@pytest.fixture
def damaged(tiny_model, tmp_path):
    """A copy of a model folder to damage."""
    return shutil.copytree(tiny_model, tmp_path / "model")


def damage(path, content):
    assert path.exists()
    path.write_bytes(content)


@pytest.mark.parametrize("content", [b"", b"no graph", bytes(1000)], ids=["empty", "text", "zeros"])
def test_a_damaged_graph_stops_the_start_and_is_named(damaged, content):
    damage(damaged / "saved_model" / "saved_model.pb", content)

    with pytest.raises(ModelNotUsable, match="saved_model"):
        detector.load(Model.load(damaged), THREADS)


@pytest.mark.parametrize("name", ["variables.index", "variables.data-00000-of-00001"])
def test_damaged_weights_stop_the_start_and_are_named(damaged, name):
    damage(damaged / "saved_model" / "variables" / name, b"junk")

    with pytest.raises(ModelNotUsable, match="saved_model"):
        detector.load(Model.load(damaged), THREADS)


@pytest.mark.parametrize("missing", [".", "saved_model.pb", "variables"])
def test_missing_files_stop_the_start_and_are_named(damaged, missing):
    path = damaged / "saved_model" / missing
    path.unlink() if path.is_file() else shutil.rmtree(path)

    with pytest.raises(ModelNotUsable, match="saved_model"):
        detector.load(Model.load(damaged), THREADS)


def test_a_graph_without_the_signature_stops_the_start(damaged):
    facts = json.loads((damaged / "model.json").read_text(encoding="utf-8"))
    assert facts["signature"] == "serving_default"
    (damaged / "model.json").write_text(json.dumps(facts | {"signature": "default"}), encoding="utf-8")

    with pytest.raises(ModelNotUsable, match="signature 'default'"):
        detector.load(Model.load(damaged), THREADS)


@pytest.mark.parametrize("name", ["engine", "kind"])
def test_an_unknown_engine_or_kind_stops_the_start(damaged, name):
    facts = json.loads((damaged / "model.json").read_text(encoding="utf-8"))
    (damaged / "model.json").write_text(json.dumps(facts | {name: "onnx"}), encoding="utf-8")

    with pytest.raises(ModelNotUsable, match=f"{name}.*onnx"):
        detector.load(Model.load(damaged), THREADS)


@pytest.mark.parametrize(("part", "value"), [("outputs", {"boxes": "nowhere", "scores": "scores"}), ("input", None)])
def test_a_graph_with_other_tensors_than_model_json_names_stops_the_start(damaged, part, value):
    facts = json.loads((damaged / "model.json").read_text(encoding="utf-8"))
    value = value or {**facts["input"], "name": "nowhere"}
    (damaged / "model.json").write_text(json.dumps(facts | {part: value}), encoding="utf-8")

    with pytest.raises(ModelNotUsable, match=r"not the SavedModel that model\.json describes"):
        detector.load(Model.load(damaged), THREADS)
