"""The LiteRT engine: runs a slim graph as a flatbuffer, without TensorFlow.

Owns every call of LiteRT. An interpreter serves one request at a time and has a copy of the weights of its own, 60 to
90 MB with the published model. There are two at most, the second made when it is first needed and kept: each uses all
CPUs, so more of them would cost memory and answer no faster.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any

from ai_edge_litert.interpreter import Interpreter

from recognizer.errors import ModelNotUsable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from recognizer.vision.model import Model

FILE_NAME = "model.tflite"
SIGNATURE = "serving_default"
_MAX_INTERPRETERS = 2


class SlimNetwork:
    """See ``detector.Network``."""

    def __init__(self, model: Model, threads: int) -> None:
        """Loads the flatbuffer and brings its weights into the order in which this CPU's kernels read them."""
        self._path = model.folder / FILE_NAME
        self._threads = threads
        # Last in, first out: the one used last has its weights in the cache, and Lambda never makes a second one.
        self._idle: LifoQueue[Any] = LifoQueue()
        self._free = threading.BoundedSemaphore(_MAX_INTERPRETERS)
        first = self._new_runner()
        self._idle.put(first)
        _, height, width, _ = first.get_input_details()["images"]["shape"]
        self.input_size_px = (int(height), int(width))
        self.columns = int(first.get_output_details()["scores"]["shape"][-1])

    def __call__(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See ``detector.Network``."""
        with self._runner() as run:
            out = run(images=pixels)
        return out["boxes"], out["scores"]

    def _new_runner(self) -> Any:
        try:
            interpreter = Interpreter(model_path=str(self._path), num_threads=self._threads)
            # Nearly all that only a first inference does. Running one would take 20 ms of a cold start to save 7 later.
            interpreter.allocate_tensors()
            runner = interpreter.get_signature_runner(SIGNATURE)
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelNotUsable(f"{self._path} is no LiteRT model of ours: {error}") from error
        inputs, outputs = sorted(runner.get_input_details()), sorted(runner.get_output_details())
        if (inputs, outputs) != (["images"], ["boxes", "scores"]):
            raise ModelNotUsable(
                f"{self._path} is no LiteRT model of ours: its inputs are {', '.join(inputs)}, "
                f"its outputs are {', '.join(outputs)}"
            )
        return runner

    @contextmanager
    def _runner(self) -> Iterator[Any]:
        with self._free:
            try:
                runner = self._idle.get_nowait()
            except Empty:
                runner = self._new_runner()
            try:
                yield runner
            finally:
                self._idle.put(runner)
