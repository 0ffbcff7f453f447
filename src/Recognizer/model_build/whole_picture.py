"""Classifiers that TensorFlow reads: Keras files, and SavedModels such as TF Hub's image classifiers.

Owns bringing them into one form, ``images`` (1, height, width, 3) in and ``scores`` (1, classes) out, which TensorFlow
runs as a SavedModel and LiteRT as a flatbuffer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf
from recognizer.vision.classifier import TASK
from recognizer.vision.engine_litert import FILE_NAME
from recognizer.vision.engine_tensorflow import FOLDER_NAME
from recognizer.vision.kinds import Described, Tensor
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from model_build import classification, graph, litert, saved_model  # noqa: F401 - graph settles TensorFlow's threads
from model_build.errors import NotAModel, WrongInterface
from model_build.form import Form
from model_build.normalisation import Normalisation
from model_build.slim import SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from model_build.labels import Row

_RESCALING = {"Rescaling", "Normalization"}


def read(path: Path, engine: str, normalisation: Normalisation | None) -> Form:
    """What a file or folder holds.

    Args:
        path: a ``.keras`` file, or a SavedModel's folder.
        engine: what will run it.
        normalisation: how pixels become the values that it takes, where the user says so.

    Raises:
        NotAModel: it is damaged.
        WrongInterface: it does not take one picture of a fixed size, or is no classifier.
    """
    holder, classify, described, usual = _of_folder(path) if path.is_dir() else _of_keras(path)
    picture, scores = described.picture(), classification.scores_of(described)
    if picture is None or not picture.shape[1] or not picture.shape[2]:
        raise WrongInterface(
            f"it takes {described.inputs_in_words}; expected is one picture of a fixed size, (1, height, width, 3)"
        )
    _, height, width, _ = picture.shape
    chosen = normalisation or Normalisation.named(usual)

    taken = tf.function(
        input_signature=[tf.TensorSpec((1, height, width, 3), picture.dtype, name="images")], autograph=False
    )

    @taken  # type: ignore[untyped-decorator]
    def variable(images: tf.Tensor) -> tf.Tensor:
        return tf.ensure_shape(classify(images), (1, scores.shape[1]))

    def put(folder: Path, work: Path, rows: Sequence[Row]) -> dict[str, Any]:
        # LiteRT's converter leaves a Keras model's weights variables, which nobody would fill in.
        constant = convert_variables_to_constants_v2(variable.get_concrete_function())

        @taken  # type: ignore[untyped-decorator]
        def whole(images: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"scores": tf.nest.flatten(constant(images))[0]}

        module = tf.Module()
        module.holder = holder  # its tables, where it has any
        tf.saved_model.save(module, str(work / "classifier"), signatures={SIGNATURE: whole.get_concrete_function()})
        input_name, outputs = "images", {"scores": "scores"}
        if engine == "litert":
            input_name, outputs = litert.convert(work / "classifier", folder / FILE_NAME)
        else:
            (work / "classifier").rename(folder / FOLDER_NAME)
        return {
            "kind": TASK,
            "task": TASK,
            "outputs": outputs,
            "signature": SIGNATURE,
            "input": {
                "name": input_name,
                "height": height,
                "width": width,
                "dtype": picture.dtype,
                **chosen.levels(),
            },
            "normalization": chosen.name,
            "graph": "published",
            "kept_because": "classifiers are served whole",
            **classification.offset(scores.shape[1] or 0, rows),
        }

    return Form(described, put, class_count=scores.shape[1])


def _of_folder(folder: Path) -> tuple[Any, Callable[[Any], Any], Described, str]:
    """TF Hub's image classifiers take 0..1: https://www.tensorflow.org/hub/common_signatures/images."""
    signature = saved_model.read(folder)
    output = classification.scores_of(signature.described).name
    try:
        module = tf.saved_model.load(str(folder))
        run = module.signatures[signature.name]
    except (OSError, ValueError, LookupError, AttributeError, tf.errors.OpError) as error:
        raise NotAModel(f"{folder.name} cannot be loaded: {error}") from error
    return module, lambda images: run(**{signature.picture.name: images})[output], signature.described, "0..1"


def _of_keras(path: Path) -> tuple[Any, Callable[[Any], Any], Described, str]:
    """A model that rescales takes pixels as they are; the others -1..1, unless the user says otherwise."""
    try:
        model = tf.keras.models.load_model(path, compile=False)  # its code, if it has any, is not run: safe_mode
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise NotAModel(f"{path.name} is no Keras model that loads here: {error}") from error
    described = Described(
        tuple(Tensor(each.name, tuple(each.shape), str(each.dtype)) for each in model.inputs),
        tuple(Tensor(each.name, tuple(each.shape), str(each.dtype)) for each in model.outputs),
    )
    rescales = any(type(layer).__name__ in _RESCALING for layer in model.layers)
    return model, lambda images: model(images, training=False), described, "0..255" if rescales else "-1..1"
