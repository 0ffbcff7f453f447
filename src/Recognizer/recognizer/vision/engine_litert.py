"""The LiteRT engine: runs a flatbuffer, without TensorFlow.

Owns every call of LiteRT. An interpreter serves one request at a time and has a copy of the weights of its own, 60 to
90 MB with the published model. There are two at most, the second made when it is first needed and kept: each uses all
CPUs, so more of them would cost memory and answer no faster.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from recognizer.errors import ModelNotUsable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from recognizer.vision.model import Model
    from recognizer.vision.network import Outputs

FILE_NAME = "model.tflite"
_MAX_INTERPRETERS = 2


class Network:
    """See ``network.Network``."""

    def __init__(self, model: Model, threads: int) -> None:
        """Loads the flatbuffer and brings its weights into the order in which this CPU's kernels read them."""
        self._path = model.folder / FILE_NAME
        self._threads = threads
        # Last in, first out: the one used last has its weights in the cache, and Lambda never makes a second one.
        self._idle: LifoQueue[Any] = LifoQueue()
        self._free = threading.BoundedSemaphore(_MAX_INTERPRETERS)
        first = self._new_interpreter()
        self._idle.put(first)
        inputs = {tensor["name"]: tensor for tensor in first.get_input_details()}
        outputs = {tensor["name"]: tensor for tensor in first.get_output_details()}
        if {model.input.name} != inputs.keys() or not {*model.outputs.values()} <= outputs.keys():
            raise ModelNotUsable(
                f"{self._path} is not the LiteRT model that model.json describes: its inputs are {', '.join(inputs)}, "
                f"its outputs are {', '.join(outputs)}"
            )
        self._input = inputs[model.input.name]["index"]
        self._outputs = {ours: outputs[theirs] for ours, theirs in model.outputs.items()}
        self.shapes = {ours: tuple(tensor["shape"].tolist()) for ours, tensor in self._outputs.items()}

    def __call__(self, tensor: NDArray[Any]) -> Outputs:
        """See ``network.Network``."""
        with self._interpreter() as interpreter:
            interpreter.set_tensor(self._input, tensor)
            interpreter.invoke()
            out = {ours: interpreter.get_tensor(tensor["index"]) for ours, tensor in self._outputs.items()}
        return {ours: _dequantised(values, *self._outputs[ours]["quantization"]) for ours, values in out.items()}

    def _new_interpreter(self) -> Any:
        try:
            interpreter = Interpreter(model_path=str(self._path), num_threads=self._threads)
            # Nearly all that only a first inference does. Running one would take 20 ms of a cold start to save 7 later.
            interpreter.allocate_tensors()
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelNotUsable(f"{self._path} is no LiteRT model that runs here: {error}") from error
        return interpreter

    @contextmanager
    def _interpreter(self) -> Iterator[Any]:
        with self._free:
            try:
                interpreter = self._idle.get_nowait()
            except Empty:
                interpreter = self._new_interpreter()
            try:
                yield interpreter
            finally:
                self._idle.put(interpreter)


def _dequantised(values: NDArray[Any], scale: float, zero_point: int) -> NDArray[Any]:
    """Integers as the numbers that they stand for; a scale of 0 means that they stand for themselves."""
    return values if scale == 0 else (values.astype(np.float32) - zero_point) * np.float32(scale)
