"""The OpenAPI 3.1 description of the service, as one dictionary.

Owns what is said of the service as a whole, and puts the operations and what they refer to together. Names, limits and
errors are read from the code, and what belongs to a model or to the pictures is handed in, so that the description
cannot differ from the service. ``reference`` makes a page of it.

The server's address is ``.``: relative to where the description is, so that it holds under any host and stage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recognizer import VERSION
from recognizer.errors import MethodNotAllowed
from recognizer.site import classification, detection, documents, problems, schemas
from recognizer.site.headers import headers
from recognizer.site.options import options
from recognizer.site.options import schemas as schemas_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from recognizer.labels import LabelMap
    from recognizer.site.schemas import Json

_ABOUT = """\
One address takes a picture and answers with the same picture, its objects boxed and named, or with JSON.

`GET` takes the address of a picture and answers with the picture by default. `POST` also takes the picture itself, and
answers with JSON by default. An `Accept` header changes that, with quality values; `format` wins over both.

A parameter that does not exist is an error, so that a typing mistake is not silently ignored. For the same reason
percent-encode the picture's address: a bare `&` would end it. The address must be public and on port 80 or 443, unless
whoever runs the service allowed more.

Every error is a problem document (RFC 9457) that says what to change; in a browser it is a page that says the same. API
Gateway has a few of its own, as `{"message": "…"}`: 413 for a request of more than 6 MB (about 4.5 MB of picture, in
whichever form), 429 when too many come, 503 and 504 when there is no answer within 30 seconds.

Any page may call this (CORS), and read the headers that are described here.
"""


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
    found = schemas.found_in(labels)
    asked = options(found["detections"][0]["label"], default_min_score)
    kinds = ", ".join(kind.partition("/")[2].upper() for kind in media_types)
    limits = f"{kinds}, of at most {max_bytes:,} bytes and {max_pixels:,} pixels."
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
            {"name": "Classification", "description": "What a whole picture is."},
            {"name": "Service", "description": "What the service knows, and whether it is well."},
            {"name": "Site", "description": "For people."},
        ],
        "paths": {
            "/detector": {
                "get": detection.by_url(asked, found, media_types),
                "post": detection.in_body(asked, found, media_types, limits),
            },
            "/classifier": {
                "get": classification.by_url(asked, found),
                "post": classification.in_body(asked, found, limits),
            },
            "/labels": {"get": documents.labels(found)},
            "/health": {"get": documents.health()},
            "/openapi.json": {"get": documents.description()},
            "/": {"get": documents.page()},
            "/reference": {"get": documents.reference()},
            **({"/samples/{name}": {"get": documents.sample(names)}} if names else {}),
        },
        "components": {
            "schemas": {
                **schemas_of(asked),
                **schemas.answers(),
                **classification.schemas(asked, schemas.answers()),
                "Problem": problems.schema(),
            },
            "headers": headers(found),
            "responses": {MethodNotAllowed.__name__: problems.response([MethodNotAllowed])},
            "examples": problems.examples(max_bytes),
        },
    }
