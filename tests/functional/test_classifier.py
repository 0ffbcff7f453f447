"""Whole-picture labels: classifiers of each kind, built in and asked over events, and what stands in without one."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from model_build.__main__ import main
from PIL import Image
from recognizer.build import build as build_app
from recognizer.detections import Criteria
from recognizer.vision import classifier
from recognizer.vision.model import CLASSIFIER, Model
from recognizer.vision.view import PixelView

from tests.conftest import ROOT, SHARED, THREADS, on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import Context, event, reply
from tests.functional.serving import environment

pytestmark = [on_loopback, pytest.mark.usefixtures("tiny_model")]  # it sets TensorFlow's threads before its first use

REAL = SHARED / "models" / "mobilenet_v2_1.0_224_quant.tflite"
NAMES = ("red", "green", "blue")
SIDE_PX = 16
BEST = Criteria(limit=3, min_score=0.0)


def picture(colour):
    return np.full((40, 60, 3), colour, np.uint8)


def network(*, rescaling=False, softmax=True, span=(-1.0, 1.0)):
    """A Keras network whose three scores follow the red, green and blue of a picture."""
    darkest, brightest = (0.0, 1.0) if rescaling else span
    layers = tf.keras.layers
    picture = layers.Input((SIDE_PX, SIDE_PX, 3), name="picture")
    levels = layers.Rescaling(1 / 255)(picture) if rescaling else picture
    levels = layers.GlobalAveragePooling2D()(levels)
    last = layers.Dense(3, activation="softmax" if softmax else None, name="scores")
    model = tf.keras.Model(picture, last(levels))
    last.set_weights([np.eye(3) * 8 / (brightest - darkest), np.full(3, -8 * darkest / (brightest - darkest))])
    return model


@pytest.fixture
def build(tmp_path, monkeypatch, caplog, tiny_model_of_both):
    """Builds a classifier into a copy of the tiny detector, as the command does with ``--keep``."""
    for name in ("MODEL_URL", "ENGINE", "LABELS_URL", "CLASSIFIER_URL", "CLASSIFIER_LABELS_URL"):
        monkeypatch.delenv(name, raising=False)

    def run(url, *arguments, engine="litert"):
        run.folder = tmp_path / f"model-{engine}"
        if not run.folder.exists():
            shutil.copytree(tiny_model_of_both[engine], run.folder)
        detector = json.loads((run.folder / "model.json").read_text(encoding="utf-8"))["requested"]
        options = ("--url", detector, "--engine", engine, "--keep", "--output", run.folder, "--cache", tmp_path / "c")
        classified = () if url is None else ("--classifier-url", url)
        return main([str(option) for option in (*options, *classified, *arguments)])

    caplog.set_level("INFO", "model_build")
    run.facts = lambda: json.loads((run.folder / CLASSIFIER / "model.json").read_text(encoding="utf-8"))
    run.classifier = lambda: classifier.load(Model.load(run.folder / CLASSIFIER), THREADS)
    run.said = lambda: caplog.text
    return run


@pytest.fixture
def labels_file(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("".join(f"{name}\n" for name in NAMES), encoding="utf-8")
    return path


def best(classify, colour):
    found = classify(PixelView(picture(colour)), BEST)
    return found[0].label.name, found[0].score


@pytest.mark.parametrize("engine", ["tensorflow", "litert"])
@pytest.mark.parametrize("softmax", [True, False], ids=["probabilities", "logits"])
@pytest.mark.parametrize("rescaling", [True, False], ids=["rescaling", "-1..1"])
def test_a_keras_file_becomes_a_classifier(build, labels_file, tmp_path, engine, softmax, rescaling):
    network(softmax=softmax, rescaling=rescaling).save(tmp_path / "own.keras")

    assert build(tmp_path / "own.keras", engine=engine) == 0
    facts = build.facts()
    assert (facts["task"], facts["engine"], facts["classes"]) == ("classification", engine, 3)
    assert facts["activation"] == ("none" if softmax else "softmax")
    name, score = best(build.classifier(), (0, 255, 0))
    assert name == "green"
    assert score == pytest.approx(np.exp(8) / (np.exp(8) + 2), abs=1e-4)


@pytest.mark.parametrize("engine", ["tensorflow", "litert"])
def test_a_saved_model_becomes_a_classifier(build, labels_file, tmp_path, engine):
    model = network(softmax=False, span=(0.0, 1.0))

    @tf.function(input_signature=[tf.TensorSpec((None, SIDE_PX, SIDE_PX, 3), tf.float32, "images")])
    def serve(images):
        return {"logits": model(images, training=False)}

    module = tf.Module()
    module.model = model
    tf.saved_model.save(module, str(tmp_path / "saved_model"), signatures={"serving_default": serve})

    options = ("--classifier-labels", labels_file)
    assert build(tmp_path / "saved_model", *options, engine=engine) == 0
    assert best(build.classifier(), (0, 0, 255))[0] == "blue"


def test_a_tflite_file_becomes_a_classifier_whose_background_has_no_name(build, tmp_path):
    model = network()
    inputs = tf.keras.layers.Input((SIDE_PX, SIDE_PX, 3), batch_size=1)
    background = tf.keras.layers.ZeroPadding1D((1, 0))(tf.keras.layers.Reshape((3, 1))(model(inputs)))
    whole = tf.keras.Model(inputs, tf.keras.layers.Reshape((4,))(background))
    (tmp_path / "own.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(whole).convert())
    (tmp_path / "own.txt").write_text("red\ngreen\nblue\n", encoding="utf-8")

    assert build(tmp_path / "own.tflite") == 0
    assert build.facts()["class_offset"] == 1
    assert best(build.classifier(), (255, 0, 0))[0] == "red"


def test_a_background_of_ones_own_is_answered(build, tmp_path):
    network().save(tmp_path / "own.keras")
    (tmp_path / "labels.txt").write_text("background\ngreen\nblue\n", encoding="utf-8")

    assert build(tmp_path / "own.keras") == 0
    assert (build.facts()["classes"], build.facts()["name"]) == (3, "own")
    assert best(build.classifier(), (255, 0, 0))[0] == "background"
    assert best(build.classifier(), (0, 0, 255))[0] == "blue"


def test_labels_of_another_classifier_are_refused(build, tmp_path):
    network().save(tmp_path / "own.keras")
    (tmp_path / "labels.txt").write_text("red\n", encoding="utf-8")

    assert build(tmp_path / "own.keras") == 1
    assert "scores 3 classes, but its labels name 1" in build.said()


def test_a_detector_is_no_classifier_and_is_refused_with_what_it_gives(build, tiny_model, labels_file):
    options = ("--classifier-labels", labels_file)

    assert build(tiny_model.parent / "published", *options, engine="tensorflow") == 1
    assert "no classifier gives detection_boxes float32 (100, 4)" in build.said()


def test_a_build_without_a_classifier_leaves_none(build, labels_file, tmp_path):
    network().save(tmp_path / "own.keras")

    assert [build(tmp_path / "own.keras"), build(None)] == [0, 0]
    assert not (build.folder / CLASSIFIER).exists()


# Over events


def png(colour):
    file = io.BytesIO()
    Image.fromarray(picture(colour)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def url():
    with LoopbackServer({"/green.png": lambda exchange: exchange.answer(200, png((0, 255, 0)))}) as server:
        yield server.url("/green.png")


def get(app, **query):
    return reply(app(event(path="/classifier", query=query), Context()))


def post(app, body, content_type="application/json"):
    asked = event(path="/classifier", method="POST", headers={"Content-Type": content_type})
    return reply(app(asked | {"body": json.dumps(body)}, Context()))


@pytest.fixture
def app(build, labels_file, tmp_path):
    network().save(tmp_path / "own.keras")
    assert build(tmp_path / "own.keras") == 0
    return build_app(environment(build.folder))


def test_the_classifiers_labels_are_told_most_probable_first(app, url):
    answer = get(app, url=url, n="2")

    assert answer.status == 200
    assert answer.json["source"] == "classifier"
    assert answer.json["image"]["width"] == 60
    first, second = answer.json["labels"]
    assert (first["label"], first["id"]) == ("green", "/own/green")
    assert first["score"] > second["score"] > 0
    assert answer.headers["x-model"] == "own; engine=litert"


def test_labels_are_chosen_by_name_and_score(app, url):
    assert [one["label"] for one in get(app, url=url, include="red,blue").json["labels"]] == ["red", "blue"]
    assert [one["label"] for one in get(app, url=url, min_score="0.5").json["labels"]] == ["green"]
    assert [one["label"] for one in get(app, url=url, exclude="green", min_score="0.5").json["labels"]] == []


def test_the_body_of_the_older_service_is_answered_in_its_own_shape(app, url):
    pairs = post(app, {"input_url": url, "n_predictions": 2}).json

    assert [len(pair) for pair in pairs] == [2, 2]
    assert pairs[0] == ["green", pytest.approx(99.93, abs=0.01)]


def test_the_same_body_is_read_when_curl_calls_it_a_form(app, url):
    assert post(app, {"input_url": url, "n_predictions": 1}, "application/x-www-form-urlencoded").json[0][0] == "green"


@pytest.mark.parametrize(
    ("query", "parameter"), [({"n": "0"}, "n"), ({"tiles": "2"}, "tiles"), ({"include": "grean"}, "include")]
)
def test_what_is_wrong_is_named(app, url, query, parameter):
    answer = get(app, url=url, **query)

    assert (answer.status, answer.json["parameter"]) == (400, parameter)


def test_a_picture_that_is_none_is_refused_as_elsewhere(app):
    answer = post(app, {"image": "bm8gcGljdHVyZQ=="})

    assert (answer.status, answer.json["type"]) == (415, "urn:problem-type:recognizer:unsupported-media-type")


def test_the_classifier_is_loaded_when_it_is_first_asked_for(build, labels_file, tmp_path, url, monkeypatch):
    network().save(tmp_path / "own.keras")
    assert build(tmp_path / "own.keras") == 0
    loads, load = [], classifier.load
    monkeypatch.setattr(classifier, "load", lambda *given: loads.append(given) or load(*given))
    app = build_app(environment(build.folder))

    assert reply(app(event(query={"url": url, "format": "json"}), Context())).status == 200
    assert loads == []
    assert [get(app, url=url).status for _ in range(2)] == [200, 200]
    assert len(loads) == 1


def test_without_a_classifier_each_label_has_its_best_detection_and_the_answer_says_so(tiny_model, url):
    app = build_app(environment(tiny_model))

    answer = get(app, url=url, n="100", min_score="0")
    found = reply(app(event(query={"url": url, "format": "json", "n": "100", "min_score": "0"}), Context())).json
    best_of_each = {}
    for one in found["detections"]:
        best_of_each.setdefault(one["label"], one["score"])

    assert answer.json["source"] == "detections"
    assert [(one["label"], one["score"]) for one in answer.json["labels"]] == list(best_of_each.items())


@pytest.mark.skipif(not REAL.is_file(), reason="the real .tflite files are not beside this project")
def test_the_real_classifier_knows_a_cat(build):
    assert build(REAL) == 0
    assert (build.facts()["classes"], build.facts()["activation"]) == (1001, "none")
    classify = build.classifier()
    for name, expected, score in (("cat.jpg", "Egyptian cat", 0.8), ("coffee.jpg", "espresso", 0.9)):
        with Image.open(ROOT / "src" / "Recognizer" / "web" / "samples" / name) as photo:
            found = classify(PixelView(np.asarray(photo.convert("RGB"))), BEST)
        assert found[0].label.name == expected
        assert found[0].score > score
