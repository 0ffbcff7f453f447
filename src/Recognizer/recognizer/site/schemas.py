"""The shapes of answers: schemas, headers and problems, which the operations of ``openapi`` refer to.

Owns what an answer's parts are called and mean, and the examples of them. Refuses to know which operation gives which
answer. Every error of ``errors`` is in it, with its status, code and title.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recognizer.errors import (
    AddressNotAllowed,
    BrokenPicture,
    DownloadFailed,
    DownloadTimedOut,
    InternalError,
    InvalidParameter,
    MethodNotAllowed,
    NotFound,
    NothingDetected,
    RequestError,
    TooLarge,
    UnsupportedMediaType,
)
from recognizer.job import MAX_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from recognizer.labels import LabelMap

Json = dict[str, Any]

PICTURE_URL = "https://upload.wikimedia.org/wikipedia/commons/3/3a/Cat03.jpg"
JSON = "application/json"

_PROBLEM = "application/problem+json"
_LABELS_SHOWN = ("Cat", "Dog", "Person")  # in examples, where the model knows them
_TAG = '"6f1ed002ab5595859014ebf0951522d9"'

_ERROR_EXAMPLES: dict[type[RequestError], Json] = {
    InvalidParameter: {"detail": f"n must be a whole number from 1 to {MAX_LIMIT}, not 'abc'.", "parameter": "n"},
    AddressNotAllowed: {"detail": "Port 22 may not be called.", "parameter": "url"},
    NotFound: {"detail": "There is nothing at /detect. Try / for the page, or /detector?url=https://….jpg"},
    NothingDetected: {"detail": "There is no object to cut out; try a lower min_score.", "parameter": "crop"},
    MethodNotAllowed: {"detail": "/detector does not take PUT, but GET, POST, OPTIONS."},
    TooLarge: {"detail": "The picture has more than 20,971,520 bytes.", "parameter": "url"},
    UnsupportedMediaType: {"detail": "There is no picture: the file is empty.", "parameter": "url"},
    BrokenPicture: {"detail": "The picture cannot be decoded: it ends too early.", "parameter": "url"},
    InternalError: {"detail": "Something went wrong on our side; the request id helps to find out what."},
    DownloadFailed: {
        "detail": "The picture's server answered 404 Not Found.",
        "parameter": "url",
        "upstream_status": 404,
    },
    DownloadTimedOut: {"detail": "The picture did not arrive within 10 seconds.", "parameter": "url"},
}


def by_status(errors: Iterable[type[RequestError]]) -> Json:
    """The responses that errors make, by status."""
    by_status: dict[int, list[type[RequestError]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {str(status): problems(same) for status, same in sorted(by_status.items())}


def problems(errors: Sequence[type[RequestError]]) -> Json:
    """The response of one status, which several errors can share."""
    examples = {error.code: {"$ref": f"#/components/examples/{error.code}"} for error in errors}
    allow = refs("Allow") if MethodNotAllowed in errors else {}
    return {
        "description": " ".join(_told(error) for error in errors),
        "headers": {**refs("Cache-Control"), **allow},
        "content": {_PROBLEM: {**content("Problem"), "examples": examples}},
    }


def problem_example(error: type[RequestError]) -> Json:
    """One error as a client sees it."""
    value = {"type": _urn(error), "title": error.title, "status": error.status}
    facts = _ERROR_EXAMPLES.get(error, {"detail": _told(error)})
    return {"summary": _told(error), "value": {**value, **facts, "request_id": "6d3d6fbd-347e-4b72-9de9-7d62daebddc6"}}


def _told(error: type[RequestError]) -> str:
    return (error.__doc__ or error.title).partition("\n")[0]


def _urn(error: type[RequestError]) -> str:
    return f"urn:problem-type:recognizer:{error.code}"


def found_in(labels: LabelMap) -> Json:
    """An answer in JSON, as an example: what the model could have found."""
    indices = [labels.index_of(name) for name in _LABELS_SHOWN]
    label = labels.by_index[next((index for index in indices if index is not None), min(labels.by_index))]
    box = {"xmin": 0, "ymin": 3, "xmax": 415, "ymax": 297}
    return {
        "image": {"url": PICTURE_URL, "width": 451, "height": 300, "format": "JPEG", "animated": False},
        "model": {"name": "openimages_v4/ssd/mobilenet_v2", "engine": "litert"},
        "detections": [
            {"label": label.name, "id": label.id, "parents": list(label.parents), "score": 0.5543, "box": box}
        ],
    }


def content(schema: str, **more: Any) -> Json:
    """A media type of that schema, with its example or examples."""
    return {"schema": {"$ref": f"#/components/schemas/{schema}"}, **more}


def refs(*names: str) -> Json:
    """Headers by name."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _object(properties: Json, *optional: str, description: str = "") -> Json:
    required = [name for name in properties if name not in optional]
    schema = {"type": "object", "properties": properties, "required": required}
    return schema | ({"description": description} if description else {})


def schemas() -> Json:
    """Every named schema."""
    text: Json = {"type": "string"}
    whole: Json = {"type": "integer", "minimum": 0}
    names: Json = {"type": "array", "items": text}
    ref = {name: {"$ref": f"#/components/schemas/{name}"} for name in ("Detection", "Box", "Label")}
    codes = [_urn(error) for error in RequestError.__subclasses__()]
    parents = {**names, "description": "The classes that cover it, nearest first."}
    color = {"type": "string", "pattern": "^#[0-9a-f]{6}$", "description": "What its boxes are drawn in."}
    return {
        "Detections": _object(
            {
                "image": _object(
                    {
                        "url": {"type": ["string", "null"], "description": "As asked for; null for a picture sent."},
                        "width": {**whole, "description": "Of the upright picture, in pixels."},
                        "height": {**whole, "description": "Of the upright picture, in pixels."},
                        "format": {**text, "description": "Of the source."},
                        "animated": {
                            "type": "boolean",
                            "description": "Whether it has more frames than the first, which counted.",
                        },
                    }
                ),
                "model": _object({"name": text, "engine": text}),
                "detections": {"type": "array", "items": ref["Detection"], "maxItems": MAX_LIMIT},
            }
        ),
        "Detection": _object(
            {
                "label": text,
                "id": {**text, "description": "Open Images' machine id."},
                "parents": parents,
                "score": {"type": "number", "minimum": 0, "maximum": 1},
                "box": ref["Box"],
            },
            description="One object.",
        ),
        "Box": _object(
            {"xmin": whole, "ymin": whole, "xmax": whole, "ymax": whole},
            description="Pixels of the upright picture, from its top left corner.",
        ),
        "Labels": _object(
            {
                "model": text,
                "labels": {"type": "array", "items": ref["Label"], "minItems": 1},
                "groups": {**names, "description": "Names that stand for several classes."},
            }
        ),
        "Label": _object({"name": text, "id": text, "parents": parents, "color": color}),
        "Health": _object(
            {
                "status": {"const": "ok"},
                "version": text,
                "model": _object({"name": text, "engine": text, "graph": text, "sha256": text}),
                "warm": {"type": "boolean", "description": "False in the answer that this instance was started for."},
            }
        ),
        "Problem": _object(
            {
                "type": {**text, "enum": codes},
                "title": text,
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": {**text, "description": "What happened, and what to change."},
                "parameter": {**text, "description": "The parameter at fault, if it is one."},
                "upstream_status": {"type": "integer", "description": "What the picture's own server answered."},
                "request_id": {**text, "description": "Finds the request in the logs."},
            },
            "parameter",
            "upstream_status",
            "request_id",
            description="RFC 9457.",
        ),
    }


def headers(found: Json) -> Json:
    """Every header of ours, with the example of ``found_in`` in it."""
    box = found["detections"][0]
    summary = [{key: box[key] for key in ("label", "score", "box")}]
    item = {"type": "object", "required": ["label", "score", "box"]}

    def header(description: str, example: str, *, always: bool = True, **schema: Any) -> Json:
        return {
            "description": description,
            "required": always,
            "schema": {"type": "string", **schema},
            "example": example,
        }

    return {
        "ETag": header("Changes with the picture's bytes, any option, the model and its engine.", _TAG),
        "Cache-Control": header("How long the answer may be kept; `no-store` for errors.", "public, max-age=3600"),
        "Vary": header("`Accept` decides the kind of answer, `Origin` the CORS headers.", "Accept, Origin"),
        "Server-Timing": header("Milliseconds by step.", "download;dur=17.1, decode;dur=0.8, detect;dur=36.8"),
        "X-Detection-Count": {
            "description": "How many objects were found.",
            "required": True,
            "schema": {"type": "integer", "minimum": 0, "maximum": MAX_LIMIT},
            "example": 1,
        },
        "X-Model": header("What looked at the picture.", "openimages_v4/ssd/mobilenet_v2; engine=litert"),
        "X-Detections": {
            "description": "With a picture: label, score and box of each object, as many as fit into 4 KB.",
            "content": {JSON: {"schema": {"type": "array", "items": item}, "example": summary}},
        },
        "X-Image-Size": header(
            "With a picture: size of the upright source, which the boxes are in.",
            "451x300",
            always=False,
            pattern="^[0-9]+x[0-9]+$",
        ),
        "X-Image-Reduced": header(
            "With a picture that had to shrink to fit into Lambda's 6 MB: how.",
            "quality=55, width=1200, height=800",
            always=False,
        ),
        "Allow": header("The methods that there are.", "GET, POST, OPTIONS"),
    }
