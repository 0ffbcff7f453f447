"""Tiny ``.tflite`` detectors that end in TFLite_Detection_PostProcess, as the converters and exporters write them.

They detect by colour: class 0 is a red cell of an 8 x 8 grid, class 1 a green one, class 2 a blue one.
"""

from __future__ import annotations

import io
import zipfile

import flatbuffers
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

SIDE_PX = 64
CELLS = 8
CLASSES = ("red", "green", "blue")
ROWS = 10

_OPERATION = " ".join(
    [
        'name: "TFLite_Detection_PostProcess"',
        f'attr {{ key: "max_detections" value {{ i: {ROWS} }} }}',
        'attr { key: "max_classes_per_detection" value { i: 1 } }',
        'attr { key: "use_regular_nms" value { b: false } }',
        'attr { key: "nms_score_threshold" value { f: 0.1 } }',
        'attr { key: "nms_iou_threshold" value { f: 0.6 } }',
        'attr { key: "y_scale" value { f: 10.0 } } attr { key: "x_scale" value { f: 10.0 } }',
        'attr { key: "h_scale" value { f: 5.0 } } attr { key: "w_scale" value { f: 5.0 } }',
        f'attr {{ key: "num_classes" value {{ i: {len(CLASSES)} }} }}',
    ]
)


def build_tiny_tflite(path, *, quantised=None, span=(-1.0, 1.0)):
    """Writes the model.

    Args:
        path: the file to make.
        quantised: ``uint8`` or ``int8`` for a quantised network with such an input; None for floats.
        span: what black and white are to the network, in floats.
    """
    darkest, brightest = span

    @tf.function(experimental_implements=_OPERATION)
    def postprocess(box_encodings, class_predictions, anchors):
        return tf.constant(0.0), tf.constant(1.0), tf.constant(2.0), tf.constant(3.0)

    @tf.function(input_signature=[tf.TensorSpec((1, SIDE_PX, SIDE_PX, 3), tf.float32, name="picture")])
    def detect(picture):
        light = (tf.nn.avg_pool2d(picture, SIDE_PX // CELLS, SIDE_PX // CELLS, "VALID") - darkest) / (
            brightest - darkest
        )
        cells = tf.reshape(light, (1, CELLS * CELLS, 3))
        scores = tf.nn.relu(cells - 0.5 * (tf.reduce_sum(cells, axis=2, keepdims=True) - cells))
        scores = tf.concat([tf.zeros((1, CELLS * CELLS, 1)), scores], axis=2)
        boxes = 0.0 * scores
        boxes, classes, scores, count = postprocess(boxes, scores, tf.constant(_anchors()))
        return {"output_0": count, "output_1": scores, "output_2": classes, "output_3": boxes}

    # From a SavedModel: functions of any other source are inlined, and the stand-in with them.
    module = tf.Module()
    module.detect = detect
    tf.saved_model.save(module, str(path.with_suffix(".saved")), signatures=detect)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(path.with_suffix(".saved")))
    converter.allow_custom_ops = True
    if quantised:
        # Cells of one colour each, as what the network sees: noise would be grey once it is averaged.
        random, cell = np.random.default_rng(3), np.ones((1, SIDE_PX // CELLS, SIDE_PX // CELLS, 1))
        cells = [random.choice([darkest, brightest], (1, CELLS, CELLS, 3)) for _ in range(8)]
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([np.kron(one, cell).astype(np.float32)] for one in cells)
        converter.inference_input_type = {"uint8": tf.uint8, "int8": tf.int8}[quantised]
    path.write_bytes(converter.convert())
    return path


def _anchors():
    """Centre and size of each cell's box, (64, 4) as y, x, height, width."""
    centres = (np.stack(np.mgrid[0:CELLS, 0:CELLS], axis=-1).reshape(-1, 2) + 0.5) / CELLS
    return np.hstack([centres, np.full((len(centres), 2), 1 / CELLS)]).astype(np.float32)


def with_metadata(path, *, labels=None, mean=None, std=None):
    """Adds TFLite metadata to a file: labels of its second output, normalisation of its input."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = np.frombuffer(_metadata("labels.txt" if labels else None, mean, std), np.uint8)
    entry = schema.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    content = io.BytesIO(bytes(builder.Output()))
    if labels:
        with zipfile.ZipFile(content, "a") as archive:
            archive.writestr("labels.txt", "".join(f"{label}\n" for label in labels))
    path.write_bytes(content.getvalue())
    return path


def _metadata(label_file, mean, std):
    """A ModelMetadata with what is tested: see ``model_build.tflite_metadata`` for the places of its fields."""
    builder = flatbuffers.Builder()

    def table(fields, values):
        builder.StartObject(fields)
        for place, (add, value) in values.items():
            add(place, value, 0)
        return builder.EndObject()

    def offsets(*of):
        builder.StartVector(4, len(of), 4)
        for offset in reversed(of):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()

    at, byte = builder.PrependUOffsetTRelativeSlot, builder.PrependUint8Slot
    units = []
    if mean is not None:
        values = [builder.CreateNumpyVector(np.array(numbers, np.float32)) for numbers in (mean, std)]
        options = table(2, {place: (at, value) for place, value in enumerate(values)})
        units.append(table(2, {0: (byte, 1), 1: (at, options)}))
    picture = table(7, {4: (at, offsets(*units))})
    plain = table(7, {})
    files = offsets(*([table(4, {0: (at, builder.CreateString(label_file)), 2: (byte, 3)})] if label_file else []))
    classes = table(7, {6: (at, files)})
    inputs, outputs = offsets(picture), offsets(plain, classes, plain, plain)
    subgraph = table(7, {2: (at, inputs), 3: (at, outputs)})
    model = table(8, {3: (at, offsets(subgraph))})
    builder.Finish(model, b"M001")
    return bytes(builder.Output())
