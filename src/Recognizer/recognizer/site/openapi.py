"""The OpenAPI 3.1 description of the service, as one dictionary.

Owns the words that explain each parameter, header, body and answer. Refuses to repeat what the code knows: names,
limits, defaults and errors are read from ``parameters`` and ``errors``, and what belongs to a model or to the pictures
is handed in. Pure; ``reference`` makes a page of it.

The server's address is ``.``: relative to where the description is, so that it holds under any host and stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from recognizer import VERSION
from recognizer.errors import InternalError, MethodNotAllowed, NotFound, RequestError
from recognizer.job import ALIASES, DEFAULT_LIMIT, DRAWS, IMAGE_FORMATS, MAX_LIMIT
from recognizer.site.schemas import (
    JSON,
    PICTURE_URL,
    Json,
    by_status,
    content,
    found_in,
    headers,
    problem_example,
    problems,
    refs,
    schemas,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from recognizer.labels import LabelMap

_QUOTED_URL = quote(PICTURE_URL, safe="")
# The smallest GIF: one grey pixel, so that an example of the base64 form is short and can be sent as it is.
_PIXEL = "R0lGODdhAQABAIAAAICAgAAAACwAAAAAAQABAAACAkQBADs="
_FILE = {"type": "string", "contentMediaType": "application/octet-stream"}

_ABOUT = """\
One address takes a picture and answers with the same picture, its objects boxed and named, or with JSON.

`GET` takes the address of a picture and shows the picture by default. `POST` also takes the picture itself, and answers
with JSON by default. An `Accept` header changes that, with quality values; `format` wins over both.

A parameter that does not exist is an error, not something ignored. So percent-encode the picture's address: a bare `&`
would end it. The address must be public and on port 80 or 443, unless whoever runs the service allowed more.

Every error is a problem document (RFC 9457) that says what to change. API Gateway has a few of its own, as
`{"message": "…"}`: 413 for a request of more than 6 MB (about 4.5 MB of picture, in whichever form), 429 when too many
come, 503 and 504 when there is no answer within 30 seconds.

Any page may call this (CORS), and read the headers that are described here.
"""


@dataclass(frozen=True, slots=True)
class _Option:
    """One parameter.

    Attributes:
        description: what it means.
        text: schema of its value in a query; a form takes the same, lists written with commas.
        typed: schema of its value in JSON.
        example: a value that fits both.
    """

    description: str
    text: Json
    typed: Json
    example: Any = None


def document(
    labels: LabelMap,
    *,
    default_min_score: float,
    media_types: Sequence[str],
    max_bytes: int,
    max_pixels: int,
    samples: Iterable[str] = (),
) -> Json:
    """The description of a service.

    Args:
        labels: the classes of its model; examples name some of them.
        default_min_score: what a request that names no minimum gets.
        media_types: of the pictures that are read; any of them can be an answer's.
        max_bytes: of the largest picture.
        max_pixels: of the largest picture, width times height.
        samples: paths of the sample pictures, ``/samples/….jpg``.
    """
    found = found_in(labels)
    label = found["detections"][0]["label"]
    options = _options(label, default_min_score)
    kinds = ", ".join(kind.partition("/")[2].upper() for kind in media_types)
    limits = f"{kinds}; at most {max_bytes:,} bytes and {max_pixels:,} pixels."
    answers = {JSON: content("Detections", example=found), **{kind: {"schema": _FILE} for kind in media_types}}
    names = sorted(path.rpartition("/")[2] for path in samples)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Recognizer",
            "version": VERSION,
            "summary": "Finds the objects in a picture, boxes and names them.",
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": ".", "description": "Where this description is"}],
        "security": [],
        "tags": [
            {"name": "Detection", "description": "What is in a picture."},
            {"name": "Service", "description": "What the service knows, and whether it is well."},
            {"name": "Site", "description": "For people."},
        ],
        "paths": {
            "/detector": {"get": _get(options, answers, label), "post": _post(options, answers, limits, label)},
            "/labels": {"get": _labels(found)},
            "/health": {"get": _health()},
            "/openapi.json": {"get": _description()},
            "/": {"get": _page("page", "The page", "A page to try the detector with.")},
            "/reference": {"get": _page("reference", "The reference", "This description, for people to read.")},
            **({"/samples/{name}": {"get": _sample(names)}} if names else {}),
        },
        "components": {
            "schemas": schemas(),
            "headers": headers(found),
            "responses": {MethodNotAllowed.__name__: problems([MethodNotAllowed])},
            "examples": {error.code: problem_example(error) for error in RequestError.__subclasses__()},
        },
    }


def _options(label: str, default_min_score: float) -> dict[str, _Option]:
    """Every parameter but the picture itself."""
    url = {"type": "string", "format": "uri"}
    count = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    score = {"type": "number", "minimum": 0, "maximum": 1}
    by_label = {"type": "object", "additionalProperties": score, "examples": [{"*": 0.5, label: 0.7}]}
    names = {"type": "array", "items": {"type": "string"}}
    edges = {"type": "array", "items": score, "minItems": 4, "maxItems": 4}
    answer = {"type": "string", "enum": ["image", "json"]}
    formats = {"type": "string", "enum": list(IMAGE_FORMATS)}
    draw = {"type": "string", "enum": list(DRAWS), "default": DRAWS[0]}
    flag = {"type": "boolean", "default": False}
    least = {**score, "default": default_min_score}
    return {
        "url": _Option("Address of the picture, http or https. `input_url` is another name.", url, url, PICTURE_URL),
        "n": _Option(
            "How many objects at most, the most confident ones. `n_predictions` is another name.", count, count, 5
        ),
        "min_score": _Option(
            "Leave out objects below this score. In JSON it can also be an object with a score for each label, `*` for "
            "all others; a label stands for all that it covers, and the narrower one wins.",
            least,
            {"anyOf": [least, by_label]},
            0.2,
        ),
        "include": _Option(
            "Only these labels, in any case, by name or id; each stands for all that it covers: `Animal` for `Cat` and "
            "`Dog`. An unknown one is an error that suggests the nearest. See `/labels`.",
            names,
            names,
            [label],
        ),
        "exclude": _Option("All but these labels; wins over `include`.", names, names, []),
        "region": _Option(
            "Only objects whose centre lies in this part of the picture: xmin, ymin, xmax, ymax as fractions of it, "
            "from the top left corner. `0,0.5,1,1` is the lower half.",
            edges,
            edges,
            [0, 0, 1, 1],
        ),
        "format": _Option("What to answer with. Without it the `Accept` header decides.", answer, answer, "json"),
        "image_format": _Option(
            "Format of the picture in the answer; the source's own without it.", formats, formats, "webp"
        ),
        "draw": _Option(
            "What is done to the objects in the picture: named boxes, boxes alone, blurred beyond recognition, or "
            "nothing. With `crop` the default is `none`, and only `blur` or `none` can be asked for. `blur` hides up "
            "to 100 objects unless `n` says otherwise.",
            draw,
            draw,
            DRAWS[0],
        ),
        "crop": _Option(
            "Answer with the most confident object alone, cut out, where the answer is a picture; `1` and `0` will do.",
            flag,
            flag,
            example=False,
        ),
    }


def _get(options: Mapping[str, _Option], answers: Json, label: str) -> Json:
    known = {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of an answer that is there already; where it still holds, a 304 says so. "
        "The picture is fetched all the same, but not looked at again.",
        "schema": {"type": "string"},
    }
    shown = {kind: answers[kind] for kind in [*list(answers)[1:], JSON]}
    return {
        "operationId": "detectByUrl",
        "tags": ["Detection"],
        "summary": "Detect objects in a picture on the web",
        "description": "Answers with the picture, unless `format` or `Accept` asks for JSON.",
        "parameters": [*(_parameter(name, option) for name, option in options.items()), known],
        "responses": {"200": _detected(shown), "304": _not_modified(), **_detectionproblems()},
        "x-codeSamples": [
            _shell("The picture, annotated", f'curl -o out.jpg "$API/detector?url={_QUOTED_URL}"'),
            _shell("What is in it", f'curl "$API/detector?url={_QUOTED_URL}&format=json&n=5&min_score=0.2"'),
            _shell(
                f"Each {label} hidden",
                f'curl -o out.jpg "$API/detector?url={_QUOTED_URL}&include={quote(label)}&draw=blur"',
            ),
        ],
    }


def _post(options: Mapping[str, _Option], answers: Json, limits: str, label: str) -> Json:
    base64: Json = {"type": "string", "contentEncoding": "base64"}
    base64["description"] = "The picture itself, in base64; a `data:` URL will do."
    file: Json = {**_FILE, "description": "The picture, as a file; `file` is another name of this field."}
    typed: Json = {name: {**option.typed, "description": option.description} for name, option in options.items()}
    written: Json = {
        name: {**_written(option.text), "description": option.description} for name, option in options.items()
    }
    body = _one_picture({**typed, "image": base64}, ALIASES)
    fields = _one_picture({**written, "image": base64}, ALIASES)
    form = _one_picture({**written, "image": file}, {**ALIASES, "file": "image"})
    picture = {"schema": _FILE}
    queried = {name: option for name, option in options.items() if name != "url"}
    return {
        "operationId": "detectInBody",
        "tags": ["Detection"],
        "summary": "Detect objects in a picture that is sent",
        "description": "Answers with JSON, unless `format` or `Accept` asks for the picture. The body is JSON, a form, "
        "or the picture itself, and then the options are in the query. An option given in both is an error. Read are "
        f"{limits}",
        "parameters": [_parameter(name, option) for name, option in queried.items()],
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": body,
                    "examples": {
                        "url": {"summary": "An address", "value": {"url": PICTURE_URL, "n": 5}},
                        "image": {"summary": "The picture in base64", "value": {"image": _PIXEL}},
                        "by-label": {
                            "summary": "A least score for each label",
                            "value": {"url": PICTURE_URL, "min_score": {"*": 0.5, label: 0.7}},
                        },
                    },
                },
                "image/*": picture,
                "application/octet-stream": picture,
                "multipart/form-data": {"schema": form, "encoding": {"image": {"contentType": "image/*"}}},
                "application/x-www-form-urlencoded": {"schema": fields, "example": {"url": PICTURE_URL, "n": 5}},
            },
        },
        "responses": {"200": _detected(answers), **_detectionproblems()},
        "x-codeSamples": [
            _shell(
                "JSON",
                f'curl "$API/detector" -H "Content-Type: application/json" \\\n'
                f'  -d \'{{"url": "{PICTURE_URL}", "min_score": {{"*": 0.5, "{label}": 0.7}}}}\'',
            ),
            _shell("A file", 'curl "$API/detector?n=5" -H "Content-Type: image/jpeg" --data-binary @cat.jpg'),
            _shell("A form", 'curl "$API/detector" -F image=@cat.jpg -F format=image -F crop=1 -o object.jpg'),
            _shell(
                "A file in base64",
                "base64 cat.jpg | jq -Rs '{image: .}' |\n"
                '  curl "$API/detector" -H "Content-Type: application/json" -d @-',
            ),
        ],
    }


def _one_picture(properties: Json, aliases: Mapping[str, str]) -> Json:
    """An object of those properties, some with other names, which gives the picture in one of the ways there are."""
    others = {
        alias: {**properties[name], "description": f"Another name of `{name}`."} for alias, name in aliases.items()
    }
    ways = [name for name in (*properties, *others) if aliases.get(name, name) in {"url", "image"}]
    return {
        "type": "object",
        "properties": {**properties, **others},
        "oneOf": [{"required": [way]} for way in ways],
        "additionalProperties": False,
    }


def _labels(found: Json) -> Json:
    label = {"name": found["detections"][0]["label"], "id": found["detections"][0]["id"]}
    parents = found["detections"][0]["parents"]
    label |= {"parents": parents, "color": "#d55e00"}
    example = {"model": found["model"]["name"], "labels": [label], "groups": parents}
    return {
        "operationId": "labels",
        "tags": ["Service"],
        "summary": "List the labels of the model",
        "description": "Every class that the model in use can name, with the classes that cover it, and the groups: "
        "names that `include`, `exclude` and `min_score` also take, each for all the classes below it.",
        "responses": _document_responses("Labels", "By name, from A to Z.", example, cached=True),
        "x-codeSamples": [_shell("All names", "curl \"$API/labels\" | jq -r '.labels[].name'")],
    }


def _health() -> Json:
    model = {"name": "openimages_v4/ssd/mobilenet_v2", "engine": "litert", "graph": "slim", "sha256": "0" * 64}
    example = {"status": "ok", "version": VERSION, "model": model, "warm": True}
    return {
        "operationId": "health",
        "tags": ["Service"],
        "summary": "Whether the service is well",
        "description": "Which model answers, by which engine, and whether this instance had to be started first.",
        "responses": _document_responses("Health", "It is well.", example, cached=False),
        "x-codeSamples": [_shell("", 'curl "$API/health"')],
    }


def _description() -> Json:
    return {
        "operationId": "description",
        "tags": ["Service"],
        "summary": "This description",
        "description": "OpenAPI 3.1, for the model in use.",
        "responses": {
            "200": {
                "description": "The description.",
                "headers": refs("ETag", "Cache-Control"),
                "content": {JSON: {"schema": {"type": "object", "required": ["openapi", "info", "paths"]}}},
            },
            "304": _not_modified(),
            **by_status([InternalError]),
        },
        "x-codeSamples": [_shell("", 'curl "$API/openapi.json"')],
    }


def _page(operation: str, summary: str, description: str, *errors: type[RequestError]) -> Json:
    content = {"text/html": {"schema": {"type": "string"}}}
    return {
        "operationId": operation,
        "tags": ["Site"],
        "summary": summary,
        "description": description,
        "responses": {
            "200": {"description": summary, "headers": refs("ETag", "Cache-Control"), "content": content},
            "304": _not_modified(),
            **by_status([*errors, InternalError]),
        },
    }


def _sample(names: list[str]) -> Json:
    page = _page("sample", "A sample picture", "Pictures to try things out with.", NotFound)
    page["parameters"] = [
        {
            "name": "name",
            "in": "path",
            "required": True,
            "description": "Which one.",
            "schema": {"type": "string", "enum": names},
        }
    ]
    page["responses"]["200"]["content"] = {"image/jpeg": {"schema": _FILE}}
    return page


def _parameter(name: str, option: _Option) -> Json:
    parameter: Json = {"name": name, "in": "query", "description": option.description, "schema": option.text}
    if name == "url":
        parameter["required"] = True
    if option.text["type"] == "array":
        parameter |= {"style": "form", "explode": False}
    return parameter | {"example": option.example}


def _written(schema: Json) -> Json:
    """The schema of a form's field: lists are written with commas."""
    return {"type": "string"} if schema["type"] == "array" else schema


def _detected(content: Json) -> Json:
    return {
        "description": "The objects that were found, most confident first. None is no error.",
        "headers": refs(
            "ETag",
            "Cache-Control",
            "Vary",
            "Server-Timing",
            "X-Detection-Count",
            "X-Model",
            "X-Detections",
            "X-Image-Size",
            "X-Image-Reduced",
        ),
        "content": content,
    }


def _document_responses(schema: str, description: str, example: Json, *, cached: bool) -> Json:
    answer = {"description": description, "content": {JSON: content(schema, example=example)}}
    answer["headers"] = refs("ETag", "Cache-Control")
    return {"200": answer, **({"304": _not_modified()} if cached else {}), **by_status([InternalError])}


def _not_modified() -> Json:
    return {
        "description": "What `If-None-Match` names still holds; there is no body.",
        "headers": refs("ETag", "Cache-Control"),
    }


def _detectionproblems() -> Json:
    return by_status([error for error in RequestError.__subclasses__() if error not in {NotFound, MethodNotAllowed}])


def _shell(label: str, source: str) -> Json:
    return {"lang": "Shell", "label": label, "source": source}
