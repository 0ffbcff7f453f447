"""The slim SavedModel -> a LiteRT flatbuffer, for images without TensorFlow.

Owns the conversion. Refuses quantisation, half precision and operations outside LiteRT's own set: the file must say the
same as the graph (``model_build.parity`` compares them) and run without TensorFlow's kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.python.convert_phase import ConverterError

from model_build import noise
from model_build.errors import NotConvertible
from model_build.slim import SIGNATURE

if TYPE_CHECKING:
    from pathlib import Path


def convert(slim_dir: Path, destination: Path) -> tuple[str, dict[str, str]]:
    """Writes a slim SavedModel as a float32 flatbuffer with the same signature.

    Args:
        slim_dir: what ``slim.slim`` saved.
        destination: the file to write; by convention ``*.tflite``.

    Returns:
        What the flatbuffer calls its input, and the signature's outputs, by their names there.

    Raises:
        NotConvertible: the graph has an operation that LiteRT lacks, or the result does not load.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(slim_dir), signature_keys=[SIGNATURE])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        with noise.left_out():
            flatbuffer = converter.convert()
            interpreter = Interpreter(model_content=flatbuffer)
            interpreter.allocate_tensors()
    except (ConverterError, RuntimeError, ValueError) as error:
        raise NotConvertible(str(error)) from error
    if SIGNATURE not in interpreter.get_signature_list():
        raise NotConvertible(f"the flatbuffer has no signature {SIGNATURE!r}")
    destination.write_bytes(flatbuffer)
    runner = interpreter.get_signature_runner(SIGNATURE)
    (input_,) = runner.get_input_details().values()
    outputs = {ours: tensor["name"] for ours, tensor in runner.get_output_details().items()}
    return input_["name"], outputs
