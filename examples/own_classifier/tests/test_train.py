"""A classifier is trained and exported, and is right about pictures that it was not trained on."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.conftest import _settle_threads

GOAL = 0.95
# Keras has not followed NumPy yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def exported():
    """Reads an exported file; gives what classifies pictures."""
    import tensorflow as tf

    from examples.own_classifier import train

    _settle_threads(tf)
    return {"keras": train.of_keras, "tflite": train.of_tflite}


def read(path):
    """A picture file as the network takes it, read without what trains it; shape (1, 32, 32, 3), -1..1."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32)[np.newaxis] / 127.5 - 1


@pytest.mark.parametrize("kind", ["keras", "tflite"])
def test_the_exported_file_is_right_about_pictures_it_was_not_trained_on(exported, classifier, pictures, kind):
    classify = exported[kind](classifier / f"digits.{kind}")
    labels = (classifier / "labels.txt").read_text(encoding="utf-8").split()
    files = sorted((pictures / "test").rglob("*.png"))
    probabilities = classify(np.concatenate([read(file) for file in files]))
    right = [labels[row.argmax()] == file.parent.name for row, file in zip(probabilities, files, strict=True)]

    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert len(right) == 450
    assert np.mean(right) >= GOAL
    assert np.mean(right) == pytest.approx(
        json.loads((classifier / "digits.json").read_text())["accuracy"][kind], abs=0.01
    )


def test_both_files_are_the_same_network(exported, classifier, pictures):
    some = np.concatenate([read(file) for file in sorted((pictures / "test").rglob("*.png"))[::50]])
    by_keras, by_tflite = (exported[kind](classifier / f"digits.{kind}")(some) for kind in ("keras", "tflite"))

    np.testing.assert_allclose(by_keras, by_tflite, atol=1e-4)


def test_the_flatbuffer_carries_its_labels(classifier):
    with zipfile.ZipFile(classifier / "digits.tflite") as inside:
        assert inside.read("labels.txt").decode() == (classifier / "labels.txt").read_text(encoding="utf-8")


def test_no_picture_is_in_both_parts(pictures):
    names = [{file.name for file in (pictures / part).rglob("*.png")} for part in ("train", "test")]

    assert not names[0] & names[1]
    assert sorted(folder.name for folder in (pictures / "train").iterdir()) == list("0123456789")


def test_labels_that_are_tested_but_not_trained_are_named(pictures, tmp_path):
    from examples.own_classifier import train

    (tmp_path / "train").mkdir()
    for label in "01":
        (tmp_path / "train" / label).symlink_to(pictures / "train" / label)
    (tmp_path / "test").symlink_to(pictures / "test")

    with pytest.raises(ValueError, match=r"the labels of train \(0, 1\) and test \(0, 1, 2"):
        train.train(tmp_path, tmp_path / "out", "digits")
