"""Hugging Face's object detection: ``POST /hf/models/{model}`` with a picture, or with JSON that holds one.

Owns how its clients ask and are answered (https://huggingface.co/docs/inference-providers/tasks/object-detection). The
model's name is theirs to choose: whatever it is, the model that is built in here answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recognizer.errors import InvalidParameter, quoted
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
    given, content = body.read(request)
    parameters = given.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidParameter(f"parameters must be an object, not {quoted(parameters)}.", parameter="parameters")
    if unknown := (given.keys() - {"inputs", "parameters"}) or (parameters.keys() - {"threshold"}):
        raise InvalidParameter(
            f"There is no {quoted(min(unknown))} here: inputs and parameters.threshold are read.",
            parameter=min(unknown),
        )
    threshold = parameters.get("threshold")
    outcome = desk.detect(
        content,
        image=given.get("inputs"),
        n=MAX_LIMIT,
        min_score=_DEFAULT_THRESHOLD if threshold is None else threshold,
    )
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
