"""The fallback's network, alone or with everything around it: any picture in, the published model's five outputs out.

Owns letterboxing before the network, decoding and suppression after it, and saving all of it as a SavedModel that has
exactly the published interface; and saving the network alone, for ``recognizer.vision.kinds.centernet`` to do the rest.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from model_build.slim import SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from model_build.labels import Row

OUTPUTS = ("tower_0/keypoints", "tower_0/wh")  # of the network itself

SIDE_PX = 512  # of the square that the network sees
_CELL_PX = 4  # of that square, to a cell of the heat map
_PEAKS = 300  # candidates before suppression; the network's own decoder stops at 100, too few to fill 100 rows after it
_ROWS = 100
_MAX_IOU = 0.6


def save(network: Any, classes: Sequence[Row], folder: Path) -> None:
    """Write network, pre- and postprocessing as a TF1-Hub-style SavedModel: no tag, signature ``default``."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        images = v1.placeholder(tf.float32, (1, None, None, 3), "images")
        square, corner_px, size_px = _letterbox(images)
        heat, reach_px = tf.import_graph_def(
            network,
            input_map={"tower_0/images": square},
            return_elements=[f"{name}:0" for name in OUTPUTS],
            name="network",
        )
        outputs = _detections(heat, reach_px, corner_px, size_px, classes)
        signature = v1.saved_model.predict_signature_def({"images": images}, outputs)
        builder = v1.saved_model.Builder(os.fspath(folder))
        builder.add_meta_graph_and_variables(session, tags=[], signature_def_map={"default": signature})
        builder.save()
    (folder / "tfhub_module.pb").write_bytes(b"\x08\x03")  # ModuleDef{format: FORMAT_V3}, what TF Hub looks for


def save_network(network: Any, folder: Path) -> None:
    """Write the network alone, its peaks found and its distances as fractions, as a slim graph is written."""

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec((1, SIDE_PX, SIDE_PX, 3), tf.float32, name="images")], autograph=False
    )
    def detect(images: tf.Tensor) -> dict[str, tf.Tensor]:
        heat, reach_px = tf.graph_util.import_graph_def(
            network,
            input_map={"tower_0/images": images},
            return_elements=[f"{name}:0" for name in OUTPUTS],
            name="network",
        )
        return {"peaks": _peaks(heat), "reach": reach_px / float(SIDE_PX)}

    function = detect.get_concrete_function()
    tf.saved_model.save(tf.Module(), os.fspath(folder), signatures={SIGNATURE: function})


def _letterbox(images: Any) -> tuple[Any, Any, Any]:
    """A picture of any size as the network wants it: in the middle of a black square, its aspect ratio kept.

    Args:
        images: float32 (1, H, W, 3), RGB in 0..1.

    Returns:
        The square, float32 (1, 512, 512, 3), RGB in 0..255; and, each int32 (2,) in its pixels, in the order y, x,
        the picture's upper left corner in it and the picture's size.
    """
    with tf.name_scope("letterbox"):
        original_px = tf.cast(tf.shape(images)[1:3], tf.float32)
        scale = SIDE_PX / tf.reduce_max(original_px)
        size_px = tf.clip_by_value(tf.cast(tf.round(original_px * scale), tf.int32), 1, SIDE_PX)
        corner_px = (SIDE_PX - size_px) // 2
        scaled = tf.image.resize(images, size_px) * 255.0
        margins_px = tf.stack([corner_px, SIDE_PX - size_px - corner_px], axis=1)  # ((top, bottom), (left, right))
        square = tf.pad(scaled, tf.pad(margins_px, [[1, 1], [0, 0]]))
        return tf.ensure_shape(square, (1, SIDE_PX, SIDE_PX, 3)), corner_px, size_px


def _peaks(heat: Any) -> Any:
    """The heat map (1, H, W, C), 0 where one of the eight neighbours is hotter."""
    return tf.where(heat >= tf.nn.max_pool2d(heat, ksize=3, strides=1, padding="SAME"), heat, 0.0)


def _detections(heat: Any, reach_px: Any, corner_px: Any, size_px: Any, classes: Sequence[Row]) -> Mapping[str, Any]:
    """The published model's five outputs, of ``_ROWS`` rows each, best first.

    Where fewer boxes are left than there are rows, the last rows have score 0 and an empty box.

    Args:
        heat: float32 (1, 128, 128, C), how likely an object of the class has its centre in the cell.
        reach_px: float32 (1, 128, 128, 4), distance from there to its left, top, right and bottom edge.
        corner_px: int32 (2,), upper left corner (y, x) of the picture within the square.
        size_px: int32 (2,), the picture's size (y, x) within the square.
        classes: C rows of label index, machine id, display name.
    """
    with tf.name_scope("decode"):
        cells = heat.shape[2]
        scores, at = tf.math.top_k(tf.reshape(_peaks(heat), [-1]), _PEAKS)
        cell, of_class = at // len(classes), at % len(classes)
        centre_px = tf.cast(tf.stack([cell // cells, cell % cells] * 2, axis=1) * _CELL_PX, tf.float32)
        left_top_right_bottom_px = tf.gather(tf.reshape(reach_px, [-1, 4]), cell)
        edges_px = centre_px + tf.gather(left_top_right_bottom_px, [1, 0, 3, 2], axis=1) * [-1.0, -1.0, 1.0, 1.0]
        corner, size = (tf.cast(tf.tile(pair, [2]), tf.float32) for pair in (corner_px, size_px))
        boxes = tf.clip_by_value((edges_px - corner) / size, 0.0, 1.0)  # (300, 4): ymin, xmin, ymax, xmax

        # What lies in the black margin has no area after clipping; suppression leaves out what has score 0.
        scores *= tf.cast(tf.reduce_all(boxes[:, 2:] > boxes[:, :2], axis=1), tf.float32)
        kept = tf.image.combined_non_max_suppression(
            boxes[tf.newaxis, :, tf.newaxis, :],
            (scores[:, tf.newaxis] * tf.one_hot(of_class, len(classes)))[tf.newaxis],
            max_output_size_per_class=_ROWS,
            max_total_size=_ROWS,
            iou_threshold=_MAX_IOU,
            score_threshold=0.0,
        )
        kept_class = tf.cast(kept.nmsed_classes[0], tf.int32)
        label_indices, machine_ids, display_names = zip(*classes, strict=True)
        return {
            "detection_boxes": tf.identity(kept.nmsed_boxes[0], "detection_boxes"),
            "detection_scores": tf.identity(kept.nmsed_scores[0], "detection_scores"),
            "detection_class_labels": tf.gather(tf.constant(label_indices, tf.int64), kept_class),
            "detection_class_names": tf.gather(tf.constant(machine_ids), kept_class),
            "detection_class_entities": tf.gather(tf.constant(display_names), kept_class),
        }
