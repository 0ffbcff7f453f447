"""The TensorFlow engine: runs a SavedModel, a slim one or one as it was published.

Owns every call of TensorFlow at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from recognizer.errors import ModelNotUsable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recognizer.vision.model import Model
    from recognizer.vision.network import Outputs

FOLDER_NAME = "saved_model"

tf.get_logger().setLevel("ERROR")  # loading a TF1 graph warns of each reference variable


class Network:
    """See ``network.Network``."""

    def __init__(self, model: Model, threads: int) -> None:
        """Loads the graph and runs it once, as the first run also optimizes it."""
        folder, name = str(model.folder / FOLDER_NAME), str(model.facts.get("signature"))
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)  # the graph is a chain
            self._module = tf.saved_model.load(folder)  # must outlive its signature
            self._signature = self._module.signatures[name]
        except (OSError, ValueError, LookupError, AttributeError, tf.errors.OpError) as error:
            raise ModelNotUsable(f"{folder} is no SavedModel with a signature {name!r}: {error}") from error
        inputs, outputs = self._signature.structured_input_signature[1], self._signature.structured_outputs
        if {model.input.name} != inputs.keys() or not {*model.outputs.values()} <= outputs.keys():
            raise ModelNotUsable(
                f"{folder} is not the SavedModel that model.json describes: its inputs are {', '.join(inputs)}, "
                f"its outputs are {', '.join(outputs)}"
            )
        self._input = model.input.name
        self._outputs = model.outputs
        self.shapes = {ours: values.shape for ours, values in self(model.input.blank()).items()}

    def __call__(self, tensor: NDArray[Any]) -> Outputs:
        """See ``network.Network``."""
        out = self._signature(**{self._input: tf.constant(tensor)})
        return {ours: _array(out[theirs]) for ours, theirs in self._outputs.items()}


def _array(tensor: Any) -> NDArray[Any]:
    """A view of TensorFlow's own memory, which it keeps alive, where there is one: ``.numpy()`` would copy."""
    return tensor.numpy() if tensor.dtype == tf.string else np.asarray(memoryview(tensor))
