"""Hugging Face's object detection: ``POST /hf/models/{model}`` with a picture, or with JSON that holds one.

Owns how its clients ask and are answered (https://huggingface.co/docs/inference-providers/tasks/object-detection). The
model's name is theirs to choose: whatever it is, the model that is built in here answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recognizer.compat import reading
from recognizer.http import body, responses
from recognizer.job import MAX_LIMIT

if TYPE_CHECKING:
    from recognizer.compat.desk import Desk
    from recognizer.errors import RequestError
    from recognizer.http.messages import Request, Response
    from recognizer.job import Outcome

_DEFAULT_THRESHOLD = 0.5


def detect(request: Request, desk: Desk) -> Response:
    """What is in the picture, most certain first."""
    # Only of JSON is the type to be relied on: InferenceClient sends a picture's bytes without one, curl as a form.
    is_json = request.body[:1] == b"{" or "json" in request.header("content-type").lower()
    given, content = body.read(request) if is_json else ({}, request.body)
    reading.require_known(given, ("inputs", "parameters"))
    parameters = reading.mapping(given.get("parameters"), "parameters")
    reading.require_known(parameters, ("threshold",), "parameters")
    threshold = reading.number(parameters.get("threshold"), "threshold", 1, _DEFAULT_THRESHOLD)
    with reading.picture_in("inputs", given.get("inputs") if content is None else content):
        outcome = desk.detect(content, image=given.get("inputs"), n=MAX_LIMIT, min_score=threshold)
    return responses.passing(200, _found(outcome))


def problem(error: RequestError, _: Request) -> Response:
    """An error as the Hub has it."""
    return responses.passing(error.status, {"error": error.public_message}, **error.headers)


def _found(outcome: Outcome) -> list[dict[str, Any]]:
    boxes = [detection.box.to_pixels(outcome.width_px, outcome.height_px) for detection in outcome.detections]
    return [
        {
            "score": detection.score,
            "label": detection.label.name,
            "box": {"xmin": box.xmin, "ymin": box.ymin, "xmax": box.xmax, "ymax": box.ymax},
        }
        for detection, box in zip(outcome.detections, boxes, strict=True)
    ]
