"""A ``.tflite`` file -> what its model.json says, read without TensorFlow.

Owns what the file's tables tell: inputs, outputs, the operation that made them, quantisation and metadata. Refuses
files that LiteRT cannot load here, naming the operation that it lacks.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import flexbuffers
from recognizer.vision.classifier import TASK
from recognizer.vision.engine_litert import FILE_NAME
from recognizer.vision.kinds import Described, Tensor

from model_build import classification, form, noise, tflite_metadata
from model_build.errors import NotAModel, WrongInterface
from model_build.form import Form
from model_build.normalisation import Normalisation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from model_build.labels import Row

_QUANTISED = {"uint8": 0, "int8": -128}  # what stands for a black pixel where nothing else is said
_INPUTS = {"float32", *_QUANTISED}


def read(path: Path, normalisation: Normalisation | None, task: str) -> Form:
    """What a file holds.

    Args:
        path: the ``.tflite`` file.
        normalisation: how pixels become the values that it takes, where the user says so.
        task: what it is to do.

    Raises:
        NotAModel: it is damaged, or has an operation that LiteRT lacks.
        WrongInterface: it does not take one picture.
    """
    try:
        with noise.left_out():
            interpreter = Interpreter(model_path=str(path))
            interpreter.allocate_tensors()
        metadata = tflite_metadata.read(path)
        makers, options = _custom_operation(path)
    except tflite_metadata.UNREADABLE as error:
        raise NotAModel(f"LiteRT cannot load {path.name}: {error}") from error
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    described = Described(
        tuple(_tensor(tensor) for tensor in inputs),
        tuple(_tensor(tensor, makers.get(tensor["index"], "")) for tensor in outputs),
    )
    picture = described.picture()
    if picture is None or None in picture.shape[1:] or picture.dtype not in _INPUTS:
        raise WrongInterface(
            f"it takes {described.inputs_in_words}; expected is one picture of a fixed size, (1, height, width, 3), "
            f"{', '.join(sorted(_INPUTS))}"
        )
    kind = form.kind_of(described, task)
    classes = _class_count(described, options, task)
    _, height, width, _ = picture.shape
    chosen = normalisation or metadata.normalisation or _usual(picture.dtype)
    facts = {
        **kind,
        "input": {
            "name": picture.name,
            "height": height,
            "width": width,
            "dtype": picture.dtype,
            **_levels(chosen, picture.dtype, inputs[0]["quantization"]),
            **kind.get("input", {}),
        },
        "normalization": chosen.name if chosen else "as the quantisation says",
        "graph": "published",
        "kept_because": "a .tflite file is served as it is",
    }

    def put(folder: Path, _work: Path, rows: Sequence[Row]) -> dict[str, Any]:
        shutil.copyfile(path, folder / FILE_NAME)
        return {**facts, **(classification.offset(classes, rows) if task == TASK and classes else {})}

    return Form(described, put, labels_inside=metadata.labels, class_count=classes)


def _class_count(described: Described, options: dict[str, Any], task: str) -> int | None:
    """How many classes it knows, where it tells."""
    if task == TASK:
        return classification.scores_of(described).shape[1]
    return options.get("num_classes")


def _tensor(details: dict[str, Any], made_by: str = "") -> Tensor:
    signature = details["shape_signature"] if len(details["shape_signature"]) else details["shape"]
    shape = tuple(None if size < 0 else int(size) for size in signature)
    return Tensor(details["name"], shape, np.dtype(details["dtype"]).name, made_by)


def _custom_operation(path: Path) -> tuple[dict[int, str], dict[str, Any]]:
    """``NAME:0``, ``NAME:1``, … for the outputs of the last custom operation, by tensor; and its options."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    makers: dict[int, str] = {}
    options: Any = {}
    for operation in model.subgraphs[0].operators:
        name = model.operatorCodes[operation.opcodeIndex].customCode
        if name:
            makers = {int(index): f"{name.decode()}:{place}" for place, index in enumerate(operation.outputs)}
            given = operation.customOptions
            options = {} if given is None or not len(given) else flexbuffers.Loads(bytes(given))
    return makers, options if isinstance(options, dict) else {}


def _usual(dtype: str) -> Normalisation | None:
    """What float models take as a rule; for quantised ones their quantisation is made for pixels as they are."""
    return Normalisation.named("-1..1") if dtype == "float32" else None


def _levels(normalisation: Normalisation | None, dtype: str, quantisation: tuple[float, int]) -> dict[str, Any]:
    """The ``scale`` and ``offset`` that make an input's values of pixels.

    A quantised input takes ``real / scale + zero_point``: https://ai.google.dev/edge/litert/models/quantization_spec
    """
    scale, zero_point = quantisation
    if normalisation is None or (dtype != "float32" and scale == 0):
        return {"scale": [1.0], "offset": [float(_QUANTISED.get(dtype, 0))]}
    if dtype == "float32":
        return normalisation.levels()
    levels = normalisation.levels(scale, zero_point)
    # What is meant as "the pixel itself" is written with a mean and std that miss it by a rounding.
    shift = _QUANTISED[dtype]
    if all(
        abs(offset - shift) <= 1 and abs(255 * factor + offset - 255 - shift) <= 1
        for factor, offset in zip(levels["scale"], levels["offset"], strict=True)
    ):
        return {"scale": [1.0], "offset": [float(shift)]}
    return levels
