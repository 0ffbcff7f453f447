"""The two operations of ``/classifier`` in the description.

Owns their words, bodies and examples. What a parameter means is what ``/detector`` says of it, but for the few words
that are of labels instead of objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from recognizer.errors import NothingDetected, TooManyTiles
from recognizer.job import MAX_LIMIT
from recognizer.site import problems
from recognizer.site.documents import not_modified, shell
from recognizer.site.headers import CACHED, refs
from recognizer.site.options import body_schemas, parameter
from recognizer.site.schemas import FILE, JSON, PICTURE_URL, content, object_of, ref

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.site.options import Option
    from recognizer.site.schemas import Json

NAMES = ("url", "n", "min_score", "include", "exclude")

_PAIRS: Json = {
    "type": "array",
    "items": {
        "type": "array",
        "items": {"type": ["string", "number"]},
        "minItems": 2,
        "maxItems": 2,
    },
    "description": "Name and per cent, the most probable first.",
}
_HEADERS = (*CACHED, "Vary", "Server-Timing", "X-Model")


def by_url(options: Mapping[str, Option], found: Json) -> Json:
    """``GET /classifier``."""
    return {
        "operationId": "classifyByUrl",
        "tags": ["Classification"],
        "summary": "Tell the labels of a picture on the web",
        "description": _told(),
        "parameters": [parameter(name, options[name]) for name in NAMES],
        "responses": {
            "200": _labelled({JSON: content("Labelled", example=example(found))}),
            "304": not_modified(),
            **_problems(),
        },
        "x-codeSamples": [shell("", f'curl "$API/classifier?url={quote(PICTURE_URL, safe="")}&n=5"')],
    }


def in_body(options: Mapping[str, Option], found: Json, limits: str) -> Json:
    """``POST /classifier``."""
    picture = {"schema": FILE}
    return {
        "operationId": "classify",
        "tags": ["Classification"],
        "summary": "Tell the labels of a picture that is sent",
        "description": f"{_told()} To a body that names the picture `input_url`, as clients of an older service do, "
        f"the answer is pairs of name and per cent, and nothing else. A picture can be {limits}",
        "parameters": [parameter(name, options[name]) for name in NAMES if name != "url"],
        "requestBody": {
            "required": True,
            "content": {
                JSON: content("ClassifyRequest", example={"url": PICTURE_URL, "n": 5}),
                "application/octet-stream": picture,
                "image/*": picture,
                "multipart/form-data": content("ClassifyForm", encoding={"image": {"contentType": "image/*"}}),
                "application/x-www-form-urlencoded": content("ClassifyFields", example={"url": PICTURE_URL, "n": 5}),
            },
        },
        "responses": {
            "200": _labelled({JSON: {"schema": {"anyOf": [ref("Labelled"), _PAIRS]}, "example": example(found)}}),
            **_problems(),
        },
        "x-codeSamples": [
            shell("A file", 'curl "$API/classifier?n=5" -H "Content-Type: image/jpeg" --data-binary @cat.jpg'),
            shell("Pairs", f'curl "$API/classifier" -d \'{{"input_url": "{PICTURE_URL}", "n_predictions": 5}}\''),
        ],
    }


def schemas(options: Mapping[str, Option], answers: Json) -> Json:
    """The schemas of bodies and answers."""
    text: Json = {"type": "string"}
    score: Json = {"type": "number", "minimum": 0, "maximum": 1}
    request, form, fields = body_schemas({name: options[name] for name in NAMES})
    image, model = (answers["Detections"]["properties"][part] for part in ("image", "model"))
    source = {**text, "enum": ["classifier", "detections"]}
    return {
        "ClassifyRequest": request,
        "ClassifyForm": form,
        "ClassifyFields": fields,
        "Labelled": object_of(
            {
                "image": image,
                "model": model,
                "source": {**source, "description": "`detections` where the service has no classifier."},
                "labels": {"type": "array", "maxItems": MAX_LIMIT, "items": ref("WholeLabel")},
            }
        ),
        "WholeLabel": object_of(
            {"label": text, "id": text, "score": score}, description="What the whole picture is, or has in it."
        ),
    }


def example(found: Json) -> Json:
    """An answer, as an example: what a service without a classifier could have said."""
    labels = [{key: each[key] for key in ("label", "id", "score")} for each in found["detections"]]
    return {"image": found["image"], "model": found["model"], "source": "detections", "labels": labels}


def _told() -> str:
    return (
        "Labels of the whole picture, the most probable first, from the classifier that is built in; without one, each "
        "label's best detection, and `source` says so."
    )


def _labelled(content: Json) -> Json:
    return {"description": "The labels, most probable first.", "headers": refs(*_HEADERS), "content": content}


def _problems() -> Json:
    return problems.of_a_detection(without=(NothingDetected, TooManyTiles))
