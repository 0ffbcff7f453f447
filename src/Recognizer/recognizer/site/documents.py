"""The other operations in the description: labels, health, the description itself, the pages and the samples.

Owns their words and examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recognizer import VERSION
from recognizer.errors import InternalError, NotFound
from recognizer.site import problems
from recognizer.site.headers import CACHED, refs
from recognizer.site.schemas import FILE, JSON, content

if TYPE_CHECKING:
    from recognizer.errors import RequestError
    from recognizer.site.schemas import Json


def labels(found: Json) -> Json:
    """``GET /labels``; ``found`` is an example of a detection."""
    shown = found["detections"][0]
    label = {"name": shown["label"], "id": shown["id"], "parents": shown["parents"], "color": "#d55e00"}
    example = {"model": found["model"]["name"], "labels": [label], "groups": shown["parents"]}
    return {
        "operationId": "labels",
        "tags": ["Service"],
        "summary": "List the labels of the model",
        "description": "Every class that the model in use can name, with the classes that cover it, and the groups: "
        "names that `include`, `exclude` and `min_score` also take, each for all the classes below it. In a "
        "browser it is a page.",
        "responses": {
            "200": _document("Labels", "By name, from A to Z.", example),
            "304": not_modified(),
            **problems.by_status([InternalError]),
        },
        "x-codeSamples": [shell("All names", "curl \"$API/labels\" | jq -r '.labels[].name'")],
    }


def health() -> Json:
    """``GET /health``."""
    model = {"name": "openimages_v4/ssd/mobilenet_v2", "engine": "litert", "graph": "slim", "sha256": "0" * 64}
    example = {"status": "ok", "version": VERSION, "model": model, "warm": True}
    return {
        "operationId": "health",
        "tags": ["Service"],
        "summary": "Whether the service is well",
        "description": "Which model answers, by which engine, and whether this instance had to be started first.",
        "responses": {
            "200": _document("Health", "It is well.", example),
            **problems.by_status([InternalError]),
        },
        "x-codeSamples": [shell("", 'curl "$API/health"')],
    }


def description() -> Json:
    """``GET /openapi.json``."""
    schema = {"type": "object", "required": ["openapi", "info", "paths"]}
    return {
        "operationId": "description",
        "tags": ["Service"],
        "summary": "This description",
        "description": "OpenAPI 3.1, for the model in use.",
        "responses": _page_responses("The description.", {JSON: {"schema": schema}}),
        "x-codeSamples": [shell("", 'curl "$API/openapi.json"')],
    }


def page() -> Json:
    """``GET /``."""
    return _page("page", "The page", "A page to try the detector with.")


def reference() -> Json:
    """``GET /reference``."""
    return _page("reference", "The reference", "This description, for people to read.")


def sample(names: list[str]) -> Json:
    """``GET /samples/{name}``; the names end in ``.jpg``."""
    name = {"name": "name", "in": "path", "required": True, "description": "Which one."}
    return {
        "operationId": "sample",
        "tags": ["Site"],
        "summary": "A sample picture",
        "description": "Pictures to try things out with.",
        "parameters": [{**name, "schema": {"type": "string", "enum": names}}],
        "responses": _page_responses("The picture.", {"image/jpeg": {"schema": FILE}}, NotFound),
    }


def not_modified() -> Json:
    """The 304 of an operation."""
    return {"description": "What `If-None-Match` names still holds; there is no body.", "headers": refs(*CACHED)}


def shell(label: str, source: str) -> Json:
    """A command line that calls an operation, ``$API`` being where the service is."""
    return {"lang": "Shell", "label": label, "source": source}


def _page(operation: str, summary: str, told: str) -> Json:
    responses = _page_responses(f"{summary}.", {"text/html": {"schema": {"type": "string"}}})
    return {
        "operationId": operation,
        "tags": ["Site"],
        "summary": summary,
        "description": told,
        "responses": responses,
    }


def _page_responses(told: str, content: Json, *errors: type[RequestError]) -> Json:
    return {
        "200": {"description": told, "headers": refs(*CACHED), "content": content},
        "304": not_modified(),
        **problems.by_status([*errors, InternalError]),
    }


def _document(schema: str, told: str, example: Json) -> Json:
    return {"description": told, "headers": refs(*CACHED), "content": {JSON: content(schema, example=example)}}
