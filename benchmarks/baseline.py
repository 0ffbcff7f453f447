"""The baseline: an object-detection Lambda as the published examples are written, with today's calls of each library.

After aws-samples/lambda-efs-deep-learning-inference (load the SavedModel, fetch, decode with TensorFlow, call the
signature) and TensorFlow Hub's object detection tutorial (draw with Pillow, one label above each box). Kept typical
and fair: the model and the font load once, the picture is copied no more often than the calls need, and boxes are drawn
on one image rather than on a copy for each, as the tutorial does. The clock readings for ``Server-Timing`` are all that
was added.
"""

import base64
import io
import os
import time
from typing import Any

import requests
import tensorflow as tf
from PIL import Image, ImageColor, ImageDraw, ImageFont

_module = tf.saved_model.load(os.environ["MODEL_DIR"])
_detector = _module.signatures["default"]
_font = ImageFont.load_default(25)
_colors = list(ImageColor.colormap)


def lambda_handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """The annotated picture of ``url``, with the ``n`` most confident objects above ``min_score``."""
    query = event["queryStringParameters"]
    clock = [time.perf_counter()]

    response = requests.get(query["url"], timeout=10)
    response.raise_for_status()
    clock.append(time.perf_counter())

    image = tf.image.decode_jpeg(response.content, channels=3)
    clock.append(time.perf_counter())

    converted = tf.image.convert_image_dtype(image, tf.float32)[tf.newaxis, ...]
    result = {name: value.numpy() for name, value in _detector(converted).items()}
    clock.append(time.perf_counter())

    picture = Image.fromarray(image.numpy())
    count = _draw(picture, result, int(query.get("n", 3)), float(query.get("min_score", 0.1)))
    clock.append(time.perf_counter())

    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=85)
    clock.append(time.perf_counter())

    steps = ("download", "decode", "detect", "annotate", "encode")
    timing = [f"{step};dur={(clock[i + 1] - clock[i]) * 1000:.1f}" for i, step in enumerate(steps)]
    return {
        "statusCode": 200,
        "headers": {
            "Content-Type": "image/jpeg",
            "Server-Timing": ", ".join(timing),
            "X-Detection-Count": str(count),
        },
        "body": base64.b64encode(file.getvalue()).decode(),
        "isBase64Encoded": True,
    }


def _draw(picture: Image.Image, result: dict[str, Any], limit: int, min_score: float) -> int:
    draw = ImageDraw.Draw(picture)
    boxes = result["detection_boxes"].reshape(-1, 4)
    scores = result["detection_scores"].reshape(-1)
    names = result["detection_class_entities"].reshape(-1)
    rows = [row for row in range(min(len(boxes), limit)) if scores[row] >= min_score]
    for row in rows:
        ymin, xmin, ymax, xmax = (float(value) for value in boxes[row])
        left, right = xmin * picture.width, xmax * picture.width
        top, bottom = ymin * picture.height, ymax * picture.height
        color = _colors[hash(names[row]) % len(_colors)]
        draw.line([(left, top), (left, bottom), (right, bottom), (right, top), (left, top)], width=4, fill=color)
        text = f"{names[row].decode('ascii')}: {int(100 * scores[row])}%"
        text_left, text_top, text_right, text_bottom = draw.textbbox((left, top), text, font=_font, anchor="lb")
        draw.rectangle([(text_left, text_top), (text_right, text_bottom)], fill=color)
        draw.text((left, top), text, fill="black", font=_font, anchor="lb")
    return len(rows)
