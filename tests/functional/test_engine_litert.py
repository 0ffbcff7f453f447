"""The LiteRT engine: the same objects as TensorFlow's, several requests at a time, no damaged files."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from recognizer.detections import Criteria
from recognizer.errors import ModelNotUsable
from recognizer.vision import detector
from recognizer.vision.model import Model

from tests.conftest import THREADS
from tests.functional.detecting import loaded

ALL = Criteria(limit=100, min_score=0.0)


@pytest.fixture(scope="module")
def models(tiny_model_of_both):
    return {engine: Model.load(folder) for engine, folder in tiny_model_of_both.items()}


@pytest.fixture(scope="module")
def find(models):
    return {engine: loaded(model, THREADS) for engine, model in models.items()}


def pictures(count):
    random = np.random.default_rng(5)
    return [random.integers(0, 256, (90 + 7 * seed, 140, 3), dtype=np.uint8) for seed in range(count)]


@pytest.mark.parametrize(
    "criteria",
    [
        ALL,
        Criteria(3, 0.2),
        Criteria(10, 0.0, frozenset({1})),
        Criteria(20, 0.0, min_score_by_class={2: 0.6}, region=(0.0, 0.25, 0.75, 1.0)),
    ],
)
def test_both_engines_find_the_same(find, criteria):
    for pixels in pictures(4):
        one, other = find["tensorflow"](pixels, criteria), find["litert"](pixels, criteria)

        assert [found.label for found in one] == [found.label for found in other]
        assert np.allclose([found.score for found in one], [found.score for found in other], atol=1e-4)


def test_requests_at_the_same_time_get_their_own_answers(find):
    many = pictures(6)
    alone = [find["litert"](pixels, ALL) for pixels in many]
    together = Barrier(len(many))

    def ask(pixels):
        together.wait()
        return find["litert"](pixels, ALL)

    with ThreadPoolExecutor(len(many)) as pool:
        assert list(pool.map(ask, many)) == alone


def test_a_model_with_other_outputs_stops_the_start(models, tmp_path):
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 3), tf.float32)])
    def other(images):
        return {"heat": images * 2}

    folder = shutil.copytree(models["litert"].folder, tmp_path / "model")
    module = tf.Module()
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=other)
    converted = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved")).convert()
    (folder / "model.tflite").write_bytes(converted)

    with pytest.raises(ModelNotUsable, match=r"not the LiteRT model that model\.json describes: .* its outputs are"):
        detector.load(Model.load(folder), THREADS)


@pytest.mark.parametrize("content", [None, b"", b"no flatbuffer at all" * 100])
def test_a_missing_or_damaged_file_stops_the_start(models, tmp_path, content):
    folder = shutil.copytree(models["litert"].folder, tmp_path / "model")
    (folder / "model.tflite").unlink()
    if content is not None:
        (folder / "model.tflite").write_bytes(content)

    with pytest.raises(ModelNotUsable, match=r"model\.tflite"):
        detector.load(Model.load(folder), THREADS)
