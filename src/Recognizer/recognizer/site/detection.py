"""The two operations of ``/detector`` in the description: a picture on the web, and a picture that is sent.

Owns their words, bodies and examples, and in which kinds of answer each is described.

Both can answer with a picture or with JSON, but a generated client reads the answer of an operation in one way only. So
the answer of ``GET``, whose default is the picture, has no schema for JSON: such a client leaves it as bytes, which is
right for both. ``POST``, whose default is JSON, has that schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from recognizer.job import EXPORTS
from recognizer.site import problems
from recognizer.site.documents import not_modified, shell
from recognizer.site.headers import DETECTED, refs
from recognizer.site.options import parameter
from recognizer.site.schemas import FILE, JSON, PICTURE_URL, content, ref

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from recognizer.site.options import Option
    from recognizer.site.schemas import Json

_QUOTED_URL = quote(PICTURE_URL, safe="")
# The smallest GIF: one grey pixel, so that an example of the base64 form is short and can be sent as it is.
_PIXEL = "R0lGODdhAQABAIAAAICAgAAAACwAAAAAAQABAAACAkQBADs="
_DOCUMENTS = {"anyOf": [ref("Detections"), ref("Coco")]}
_TEXTS = {kind: {"schema": {"type": "string"}} for kind in EXPORTS.values() if kind.startswith("text/")}


def by_url(options: Mapping[str, Option], found: Json, media_types: Sequence[str]) -> Json:
    """``GET /detector``.

    Args:
        options: every parameter.
        found: an example of an answer in JSON.
        media_types: of the pictures that an answer can be.
    """
    label = found["detections"][0]["label"]
    known = {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of an answer that is there already; where it still holds, a 304 says so. "
        "The picture is fetched all the same, but not looked at again.",
        "schema": {"type": "string"},
    }
    return {
        "operationId": "detectByUrl",
        "tags": ["Detection"],
        "summary": "Detect objects in a picture on the web",
        "description": "Answers with the picture. Where `format` or `Accept` asks for JSON, the answer is the document "
        "`Detections` that `POST` answers with, or `Coco` where `format` asks for that.",
        "parameters": [*(parameter(name, option) for name, option in options.items()), known],
        "responses": {
            "200": _detected({**_pictures(media_types), JSON: {"example": found}, **_TEXTS}),
            "304": not_modified(),
            **problems.of_a_detection(),
        },
        "x-codeSamples": [
            shell("The picture, annotated", f'curl -o out.jpg "$API/detector?url={_QUOTED_URL}"'),
            shell("What is in it", f'curl "$API/detector?url={_QUOTED_URL}&format=json&n=5&min_score=0.2"'),
            shell(
                f"Each {label} hidden",
                f'curl -o out.jpg "$API/detector?url={_QUOTED_URL}&include={quote(label)}&draw=blur"',
            ),
        ],
    }


def in_body(options: Mapping[str, Option], found: Json, media_types: Sequence[str], limits: str) -> Json:
    """``POST /detector``; arguments as of ``by_url``, and the limits of a picture in words."""
    label = found["detections"][0]["label"]
    by_label = {"url": PICTURE_URL, "min_score": {"*": 0.5, label: 0.7}}
    request = content(
        "DetectRequest",
        examples={
            "url": {"summary": "An address", "value": {"url": PICTURE_URL, "n": 5}},
            "image": {"summary": "The picture in base64", "value": {"image": _PIXEL}},
            "by-label": {"summary": "A least score for each label", "value": by_label},
        },
    )
    picture = {"schema": FILE}
    return {
        "operationId": "detect",
        "tags": ["Detection"],
        "summary": "Detect objects in a picture that is sent",
        "description": "Answers with JSON, unless `format` or `Accept` asks for the picture. The body is JSON, a form, "
        "or the picture itself; with the latter the options are in the query. An option given in both is an error. "
        f"A picture can be {limits}",
        "parameters": [parameter(name, option) for name, option in options.items() if name != "url"],
        "requestBody": {
            "required": True,
            "content": {
                JSON: request,
                "application/octet-stream": picture,
                "image/*": picture,
                "multipart/form-data": content("DetectForm", encoding={"image": {"contentType": "image/*"}}),
                "application/x-www-form-urlencoded": content("DetectFields", example={"url": PICTURE_URL, "n": 5}),
            },
        },
        "responses": {
            "200": _detected({JSON: {"schema": _DOCUMENTS, "example": found}, **_pictures(media_types), **_TEXTS}),
            **problems.of_a_detection(),
        },
        "x-codeSamples": [
            shell(
                "JSON",
                f'curl "$API/detector" -H "Content-Type: application/json" \\\n'
                f'  -d \'{{"url": "{PICTURE_URL}", "min_score": {{"*": 0.5, "{label}": 0.7}}}}\'',
            ),
            shell("A file", 'curl "$API/detector?n=5" -H "Content-Type: image/jpeg" --data-binary @cat.jpg'),
            shell(
                "A label file",
                'curl "$API/detector?format=yolo&n=100" --data-binary @cat.jpg -H "Content-Type: image/jpeg"',
            ),
            shell("A form", 'curl "$API/detector" -F image=@cat.jpg -F format=image -F crop=1 -o object.jpg'),
            shell(
                "A file in base64",
                "base64 cat.jpg | jq -Rs '{image: .}' |\n"
                '  curl "$API/detector" -H "Content-Type: application/json" -d @-',
            ),
        ],
    }


def _pictures(media_types: Sequence[str]) -> Json:
    """What is left as bytes: the kinds of pictures, and the form that has one in it."""
    return {media_type: {"schema": FILE} for media_type in (*media_types, "multipart/form-data")}


def _detected(content: Json) -> Json:
    description = "The objects that were found, most confident first. None is no error."
    return {"description": description, "headers": refs(*DETECTED), "content": content}
