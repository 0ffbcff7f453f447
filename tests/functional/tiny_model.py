"""A tiny SavedModel with the published model's interface, node names and structure, built in a second.

It detects by colour: red areas on a dark ground are cars; the other classes follow random but fixed filters, so that
ordinary pictures give some dozens of detections with scores from below 0.05 to above 0.9.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from pathlib import Path

v1 = tf.compat.v1

# Index 0 is the background, as in the published tables.
CLASSES = (
    ("", ""),
    ("/m/01g317", "Person"),
    ("/m/0bt9lr", "Dog"),
    ("/m/0k4j", "Car"),
    ("/m/01yrx", "Cat"),
    ("/m/0199g", "Bicycle"),
)
CAR = 3
INPUT_PX = 64
CELLS = 8  # a side of the feature map
ANCHOR_SIDES = (0.2, 0.35, 0.6)
ANCHORS = CELLS * CELLS * len(ANCHOR_SIDES)


@dataclass(frozen=True)
class _Weights:
    """The same numbers each time; the first three features are the red, green and blue of a cell, 0..2."""

    random: np.random.Generator

    def patches(self):
        filters = self.random.normal(0, 0.08, (12, 12, 3, 8))
        filters[..., :3] = np.eye(3) / 144
        return filters

    def classes(self):
        weights = self.random.normal(-0.1, 0.75, (1, 1, 8, len(ANCHOR_SIDES), len(CLASSES)))
        weights[..., CAR] = np.array([4, -3, -3, 0, 0, 0, 0, 0]).reshape(1, 1, 8, 1)
        weights[..., CAR] *= np.array([0.8, 1.0, 0.6])
        return weights.reshape(1, 1, 8, -1)


def build_tiny_model(  # noqa: PLR0913 - each is one way in which models differ
    destination: Path,
    *,
    rows: int = 100,
    prefix: str = "",
    detections: int | None = None,
    swap_names: bool = False,
    score_column: bool = False,
    iou_threshold: float = 0.6,
    half_pixel_centers: bool = False,
    loop: str | None = None,
) -> Path:
    """Saves the model.

    Args:
        destination: the folder to make.
        rows: how many rows it always returns; what it lacks is padding with score 0, box 0 and label 1.
        prefix: put before every node's name but the input's, for example ``module/apply_default/``.
        detections: how many of the rows are real at most; None for as many as it finds.
        swap_names: machine ids in ``detection_class_entities`` and names in ``detection_class_names``, or, by default,
            the other way round.
        score_column: scores of shape (rows, 1) instead of (rows,).
        iou_threshold: of its NMS; the published model's is 0.6.
        half_pixel_centers: of its resize; the published model's has none.
        loop: puts the resize into a loop over the batch, as graphs for any batch size have it, in the control flow of
            TensorFlow ``v1`` or ``v2``.

    Returns:
        The folder.
    """
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        images = v1.placeholder(tf.float32, (1, None, None, 3), name="images")
        with v1.name_scope(prefix.rstrip("/") + "/" if prefix else ""), v1.variable_scope("", use_resource=False):
            pixels = _preprocessor(images, half_pixel_centers, loop)
            boxes, scores = _postprocessor(*_network(pixels))
            found = _nms(boxes, scores, iou_threshold, rows if detections is None else min(rows, detections))
            outputs = _outputs(*(_padded(tensor, rows) for tensor in found), swap_names, score_column)
        session.run(v1.global_variables_initializer())
        _save(session, destination, images, outputs)
    return destination


def _save(session, destination, images, outputs):
    builder = v1.saved_model.Builder(str(destination))
    signature = v1.saved_model.build_signature_def(
        {"images": v1.saved_model.build_tensor_info(images)},
        {name: v1.saved_model.build_tensor_info(tensor) for name, tensor in outputs.items()},
        "default",
    )
    builder.add_meta_graph_and_variables(session, [], {"default": signature})
    builder.save()
    (destination / "tfhub_module.pb").write_bytes(b"\x08\x03")


def _preprocessor(images, half_pixel_centers, loop):
    def resize(image):
        with v1.name_scope("ResizeImage/resize"):
            size = tf.constant([INPUT_PX, INPUT_PX], name="size")
            resized = tf.raw_ops.ResizeBilinear(
                images=image[tf.newaxis], size=size, half_pixel_centers=half_pixel_centers, name="ResizeBilinear"
            )
            return tf.squeeze(resized, [0])

    scaled = images * 255.0
    with v1.name_scope("Preprocessor"):
        normalised = (2.0 / 255.0) * scaled - 1.0
        if loop is None:
            return tf.stack([resize(tf.unstack(normalised, axis=0, num=1)[0])], name="stack")
        with _control_flow(loop):
            return tf.map_fn(resize, normalised)


@contextlib.contextmanager
def _control_flow(version):
    before = v1.control_flow_v2_enabled()
    (v1.enable_control_flow_v2 if version == "v2" else v1.disable_control_flow_v2)()
    try:
        yield
    finally:
        (v1.enable_control_flow_v2 if before else v1.disable_control_flow_v2)()


def _variable(name, value):
    initial = np.asarray(value, np.float32)
    return v1.get_variable(name, initial.shape, initializer=v1.constant_initializer(initial), use_resource=False)


def _network(pixels):
    """Box encodings (1, A, 4) and logits (1, A, C): a convolution, a depthwise one, and two heads."""
    weights = _Weights(np.random.default_rng(20180))
    count = len(ANCHOR_SIDES)
    with v1.name_scope("FeatureExtractor"):
        features = tf.nn.conv2d(pixels, _variable("patches", weights.patches()), CELLS, "SAME")
        features = _norm(features, "norm", mean=[-1, -1, -1, 0, 0, 0, 0, 0], variance=[1] * 8)
        features = tf.nn.relu6(features)
        smooth = np.full((3, 3, 8, 1), 0.02)
        smooth[1, 1] = 1
        features = tf.nn.depthwise_conv2d(features, _variable("smooth", smooth), [1, 1, 1, 1], "SAME")
        features = _norm(features, "norm_1", mean=[0] * 8, variance=[0.9, 0.9, 0.9, 0.8, 1.1, 1, 1, 1])
        features = tf.nn.relu6(features)
    with v1.name_scope("BoxPredictor_0"):
        boxes = tf.nn.conv2d(
            features, _variable("boxes", weights.random.normal(0, 0.7, (1, 1, 8, 4 * count))), 1, "SAME"
        )
        logits = tf.nn.conv2d(features, _variable("classes", weights.classes()), 1, "SAME")
        logits = tf.nn.bias_add(logits, _variable("class_biases", np.full(count * len(CLASSES), -3.5)))
        return tf.reshape(boxes, (1, ANCHORS, 4)), tf.reshape(logits, (1, ANCHORS, len(CLASSES)))


def _norm(features, name, mean, variance):
    channels = len(mean)
    return v1.nn.fused_batch_norm(
        features,
        _variable(f"{name}/gamma", np.ones(channels)),
        _variable(f"{name}/beta", np.zeros(channels)),
        _variable(f"{name}/moving_mean", mean),
        _variable(f"{name}/moving_variance", variance),
        epsilon=0.001,
        is_training=False,
    )[0]


def _postprocessor(encodings, logits):
    """Decoded boxes (1, A, 1, 4) and scores (1, A, C), under the names that the published graph gives them."""
    centres = (np.stack(np.mgrid[0:CELLS, 0:CELLS], axis=-1) + 0.5).reshape(-1, 1, 2) / CELLS
    centres = np.broadcast_to(centres, (CELLS * CELLS, len(ANCHOR_SIDES), 2)).reshape(-1, 2)
    sides = np.tile(ANCHOR_SIDES, CELLS * CELLS)[:, np.newaxis] * [1.0, 1.2]
    with v1.name_scope("Postprocessor"):
        with v1.name_scope("Decode"):
            offsets, growth = tf.split(encodings[0], 2, axis=1)
            middle = offsets / 10.0 * sides.astype(np.float32) + centres.astype(np.float32)
            half = tf.exp(growth / 5.0) * sides.astype(np.float32) / 2.0
            decoded = tf.concat([middle - half, middle + half], axis=1)
        locations = tf.reshape(decoded, (1, ANCHORS, 4), name="raw_box_locations")
        tf.expand_dims(locations, 0, name="ExpandDims")
        boxes = tf.expand_dims(locations, 2, name="ExpandDims_1")
        return boxes, tf.sigmoid(tf.multiply(logits, 1.0, name="scale_logits"), name="convert_scores")


def _nms(boxes, scores, iou_threshold, limit):
    """One NMS for each class, sorted, clipped, the best ``limit``: boxes, scores and class indices."""
    found = []
    corners = tf.squeeze(boxes, [0, 2])
    with v1.name_scope("Postprocessor/BatchMultiClassNonMaxSuppression"):
        for column in range(1, len(CLASSES)):
            index, score, _ = tf.raw_ops.NonMaxSuppressionV5(
                boxes=corners,
                scores=scores[0, :, column],
                max_output_size=100,
                iou_threshold=iou_threshold,
                score_threshold=1e-8,
                soft_nms_sigma=0.0,
            )
            found.append((tf.gather(corners, index), score, tf.fill(tf.shape(score), float(column - 1))))
        boxes, scores, classes = (tf.concat(parts, axis=0) for parts in zip(*found, strict=True))
        boxes = tf.clip_by_value(boxes, 0.0, 1.0)
        visible = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) > 0
        boxes, scores, classes = (tf.boolean_mask(part, visible) for part in (boxes, scores, classes))
        order = tf.math.top_k(scores, tf.shape(scores)[0]).indices[:limit]
        return tuple(tf.gather(part, order) for part in (boxes, scores, classes))


def _padded(tensor, rows):
    missing = rows - tf.shape(tensor)[0]
    padded = tf.pad(tensor, [[0, missing]] + [[0, 0]] * (tensor.shape.rank - 1))
    return tf.ensure_shape(padded, [rows, *tensor.shape[1:]])


def _outputs(boxes, scores, classes, swap_names, score_column):
    labels = tf.cast(classes, tf.int64) + 1
    ids = tf.gather(tf.constant([id_ for id_, _ in CLASSES]), labels)
    names = tf.gather(tf.constant([name for _, name in CLASSES]), labels)
    return {
        "detection_boxes": boxes,
        "detection_scores": scores[:, tf.newaxis] if score_column else scores,
        "detection_class_labels": labels,
        "detection_class_names": names if swap_names else ids,
        "detection_class_entities": ids if swap_names else names,
    }
