"""``python -m examples.own_classifier.train PICTURES OUTPUT --name digits``: labelled pictures -> a classifier.

Takes ``PICTURES/train`` and ``PICTURES/test``, each with a folder of picture files for each label. Writes
``NAME.keras``, ``NAME.tflite`` with its labels inside, ``labels.txt`` and ``NAME.json`` with the accuracy of both on
the test pictures.

The network takes RGB pixels as -1..1, which most classifiers do and which is assumed where nothing else is said, and
gives a probability for each label. It is small and starts from nothing, which is enough for digits. For photos of your
own, start from one that knows photos already: see README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Classifier = Callable[[NDArray[np.float32]], NDArray[np.float32]]

keras = tf.keras

SIZE_PX = 32
EPOCHS = 12
LABELS_FILE = "labels.txt"
_BATCH = 64
_SHUFFLED_BATCHES = 100
_SEED = 0

logger = logging.getLogger("train")


def main(arguments: list[str] | None = None) -> int:
    """Trains, exports, measures and says how good the classifier is."""
    logging.basicConfig(level=logging.INFO, format="train: %(message)s", stream=sys.stderr)
    parser = argparse.ArgumentParser(prog="python -m examples.own_classifier.train", description=__doc__)
    parser.add_argument("pictures", type=Path, help="folder with train/LABEL/*.jpg and test/LABEL/*.jpg (or .png)")
    parser.add_argument("output", type=Path, help="folder for the classifier")
    parser.add_argument("--name", default="classifier", help="its name")
    options = parser.parse_args(arguments)
    facts = train(options.pictures, options.output, options.name)
    for kind, accuracy in facts["accuracy"].items():
        logger.info(
            "%s.%s: %.1f %% of %d test pictures are right", options.name, kind, 100 * accuracy, facts["tested_on"]
        )
    return 0


def train(pictures: Path, output: Path, name: str) -> dict[str, Any]:
    """Trains a network on ``pictures/train`` and writes it; its facts, with its accuracy on ``pictures/test``."""
    keras.utils.set_random_seed(_SEED)
    seen, labels = _read(pictures / "train")
    unseen, labels_of_test = _read(pictures / "test")
    if labels != labels_of_test:
        raise ValueError(f"the labels of train ({', '.join(labels)}) and test ({', '.join(labels_of_test)}) differ")
    model = _network(len(labels))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(_varied(seen), epochs=EPOCHS, shuffle=False, verbose=0)

    output.mkdir(parents=True, exist_ok=True)
    (output / LABELS_FILE).write_text("\n".join(labels) + "\n", encoding="utf-8")
    model.save(output / f"{name}.keras")
    _write_tflite(model, output / f"{name}.tflite", labels)
    test, truth = _arrays(unseen)
    facts = {
        "labels": labels,
        "input": {"height": SIZE_PX, "width": SIZE_PX, "normalization": "-1..1"},
        "trained_on": len(seen.file_paths),
        "tested_on": len(truth),
        "accuracy": {
            kind: round(float((classify(test).argmax(axis=1) == truth).mean()), 4)
            for kind, classify in (
                ("keras", of_keras(output / f"{name}.keras")),
                ("tflite", of_tflite(output / f"{name}.tflite")),
            )
        },
    }
    (output / f"{name}.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return facts


def of_keras(path: Path) -> Classifier:
    """The exported network: pixels (n, height, width, 3) as -1..1 -> probabilities (n, labels)."""
    model = keras.models.load_model(path)
    return lambda pixels: np.asarray(model.predict(pixels, verbose=0), np.float32)


def of_tflite(path: Path) -> Classifier:
    """The same of the flatbuffer, one picture at a time, as it is served."""
    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    (given,), (asked,) = interpreter.get_input_details(), interpreter.get_output_details()

    def classify(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = []
        for picture in pixels:
            interpreter.set_tensor(given["index"], picture[np.newaxis])
            interpreter.invoke()
            rows.append(interpreter.get_tensor(asked["index"])[0])
        return np.stack(rows)

    return classify


def _read(folder: Path) -> tuple[Any, list[str]]:
    """The pictures in a folder, resized, in batches of 0..255 with their labels' numbers; and the labels."""
    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=(SIZE_PX, SIZE_PX), batch_size=_BATCH, shuffle=True, seed=_SEED, verbose=False
    )
    return dataset, list(dataset.class_names)


def _normalised(pixels: Any, labels: Any) -> tuple[Any, Any]:
    return tf.cast(pixels, tf.float32) / 127.5 - 1.0, labels


def _varied(dataset: Any) -> Any:
    """Pictures that are moved, turned and scaled a little each time: nobody writes a digit twice alike.

    No part of the network, so that what is exported is only what is needed to classify.
    """
    vary = keras.Sequential(
        [
            keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
            keras.layers.RandomRotation(0.03, fill_mode="nearest"),
            keras.layers.RandomZoom(0.1, fill_mode="nearest"),
        ]
    )
    return (
        dataset.cache()
        .shuffle(_SHUFFLED_BATCHES, seed=_SEED)
        .map(_normalised)
        .map(lambda pixels, labels: (vary(pixels, training=True), labels))
    )


def _arrays(dataset: Any) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """All of its pictures, as the network takes them, and their labels' numbers."""
    batches = list(dataset.map(_normalised).as_numpy_iterator())
    return np.concatenate([pixels for pixels, _ in batches]), np.concatenate([labels for _, labels in batches])


def _network(label_count: int) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((SIZE_PX, SIZE_PX, 3), name="image"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(label_count, activation="softmax", name="probabilities"),
        ]
    )


def _write_tflite(model: Any, path: Path, labels: list[str]) -> None:
    """The network as a flatbuffer with its label file appended, which is where TFLite metadata keep it too."""
    with contextlib.redirect_stdout(io.StringIO()):  # Keras describes what it exports there
        path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    with zipfile.ZipFile(path, "a") as appended:
        appended.writestr(LABELS_FILE, "\n".join(labels) + "\n")


if __name__ == "__main__":
    sys.exit(main())
