"""DeepStack's and CodeProject.AI's object detection: ``POST /v1/vision/detection`` with a form that holds a picture.

Owns how their clients ask and are answered (https://docs.deepstack.cc/object-detection/,
https://codeproject.github.io/codeproject.ai/api/api_reference.html): a thing is one of COCO's 80 classes in lower case.
The one custom model there is, ``all-labels``, tells all that the model knows by its own names. Blue Iris asks for the
list of custom models and whether there is an update before it uses a server, and wants every field of the latter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recognizer import VERSION
from recognizer.compat import reading
from recognizer.compat.vocabulary import ALL_LABELS, Vocabulary
from recognizer.errors import NotFound, RequestError, quoted
from recognizer.http import body, responses
from recognizer.job import MAX_LIMIT

if TYPE_CHECKING:
    from recognizer.compat.desk import Desk
    from recognizer.detections import Detection
    from recognizer.http.messages import Request, Response
    from recognizer.job import Outcome

_DEFAULT_MIN_CONFIDENCE = 0.4
_FIELDS = ("image", "min_confidence", "api_key")
# Whatever is wrong with a request or its picture is 400 to them, and their clients know no other.
_BAD_REQUEST = 400
_ABOUT_THE_PICTURE = {413, 415, 422}


def detect(request: Request, desk: Desk) -> Response:
    """What is in the picture, by COCO's names."""
    return _detected(request, desk, Vocabulary.coco(desk.rules.labels), "detect")


def detect_custom(request: Request, desk: Desk) -> Response:
    """What is in the picture, by the names of a custom model."""
    name = request.path.rpartition("/")[2]
    if name != ALL_LABELS:
        raise NotFound(
            f"There is no custom model {quoted(name)}, but {ALL_LABELS}; /v1/vision/detection tells COCO's classes."
        )
    return _detected(request, desk, Vocabulary.all_labels(desk.rules.labels), "custom")


def custom_models(_: Request, desk: Desk) -> Response:
    """The custom models there are."""
    return responses.passing(200, {"success": True, "models": [ALL_LABELS], **_about(desk, "list-custom")})


def ping(_: Request, __: Desk) -> Response:
    """That someone is here."""
    return responses.passing(200, {"success": True, "code": 200})


def version(_: Request, __: Desk) -> Response:
    """Which version this is."""
    return responses.passing(200, {"success": True, "code": 200, "message": VERSION, "version": _version()})


def update(_: Request, __: Desk) -> Response:
    """That there is none."""
    versions = {name: _version() for name in ("version", "current", "latest")}
    told = {"success": True, "code": 200, "message": "This is the current version.", "updateAvailable": False}
    return responses.passing(200, {**told, **versions})


def other(request: Request, _: Desk) -> Response:
    """No answer to what these servers can do beside finding objects."""
    raise NotFound(f"{quoted(request.path)} is not done here; /v1/vision/detection finds objects.")


def problem(error: RequestError, _: Request) -> Response:
    """An error as they have it."""
    status = _BAD_REQUEST if error.status in _ABOUT_THE_PICTURE else error.status
    told = {"success": False, "error": error.public_message, "code": status}
    return responses.passing(status, told, **error.headers)


def key_of(request: Request) -> str:
    """The form's ``api_key``, where no header has a key."""
    if request.header("authorization"):
        return ""
    try:
        given, _ = body.read(request)
    except RequestError:  # what cannot be read has no key
        return ""
    key = given.get("api_key")
    return key if isinstance(key, str) else ""


def _detected(request: Request, desk: Desk, vocabulary: Vocabulary, command: str) -> Response:
    given, content = body.read(request)
    reading.require_known(given, _FIELDS)
    min_confidence = reading.number(given.get("min_confidence"), "min_confidence", 1, _DEFAULT_MIN_CONFIDENCE)
    with reading.picture_in("image", given.get("image") if content is None else content):
        outcome = desk.detect(
            content, image=given.get("image"), n=MAX_LIMIT, include=vocabulary.include, min_score=min_confidence
        )
    found = vocabulary.told(outcome.detections)
    names = ", ".join(dict.fromkeys(each.label.name for each in found))
    told = {
        "success": True,
        "message": f"Found {names}" if found else "No objects found",
        "count": len(found),
        "predictions": [_prediction(each, outcome) for each in found],
    }
    total_ms = round(sum(outcome.timings_ms.values()))
    times = {"inferenceMs": round(outcome.timings_ms["detect"]), "processMs": total_ms, "analysisRoundTripMs": total_ms}
    return responses.passing(200, {**told, **_about(desk, command), **times})


def _prediction(found: Detection, outcome: Outcome) -> dict[str, Any]:
    box = found.box.to_pixels(outcome.width_px, outcome.height_px)
    place = {"x_min": box.xmin, "y_min": box.ymin, "x_max": box.xmax, "y_max": box.ymax}
    return {"label": found.label.name, "confidence": found.score, **place}


def _about(desk: Desk, command: str) -> dict[str, Any]:
    """What CodeProject.AI's servers say with every answer of a module."""
    return {
        "code": 200,
        "command": command,
        "moduleId": "Recognizer",
        "moduleName": desk.identity.name,
        "executionProvider": "CPU",
        "canUseGPU": False,
    }


def _version() -> dict[str, Any]:
    major, minor, patch = (int(part) for part in VERSION.split("."))
    numbers = {"major": major, "minor": minor, "patch": patch, "build": 0}
    return {**numbers, "preRelease": "", "securityUpdate": False, "file": "", "releaseNotes": ""}
