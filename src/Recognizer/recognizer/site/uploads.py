"""``POST /uploads`` and ``GET /uploads/{id}`` in the description, where the service has a bucket.

Owns their words and examples; the options of an upload are those of a detection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recognizer.errors import InternalError, InvalidParameter, NotFound, UnsupportedMediaType
from recognizer.job import ALIASES
from recognizer.site import problems
from recognizer.site.documents import shell
from recognizer.site.schemas import JSON, content, object_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from recognizer.site.schemas import Json

_NOT_BEFORE_THE_PICTURE = {"url", "image", "format", *ALIASES}
_ID = "8f0c2d4b6a1e4f70b3c59d27e6a8104f"


def added(document: Json, media_types: Sequence[str], max_bytes: int) -> Json:
    """The description of a service that has a bucket to upload to.

    Args:
        document: what ``openapi.document`` made.
        media_types: of the pictures that are read.
        max_bytes: of the largest picture.
    """
    asked = document["components"]["schemas"]["DetectRequest"]["properties"]
    kind = next(one for one in document["paths"]["/detector"]["get"]["parameters"] if one["name"] == "format")
    of_post = document["paths"]["/detector"]["post"]["parameters"]
    query = [one for one in of_post if one["name"] not in _NOT_BEFORE_THE_PICTURE]
    operations = {"/uploads": {"post": _begin(query, max_bytes)}, "/uploads/{id}": {"get": _result(kind)}}
    schemas = {**document["components"]["schemas"], **_schemas(asked, media_types)}
    return {
        **document,
        "paths": {**document["paths"], **operations},
        "components": {**document["components"], "schemas": schemas},
    }


def _schemas(options: Mapping[str, Json], media_types: Sequence[str]) -> Json:
    text: Json = {"type": "string"}
    whole: Json = {"type": "integer", "minimum": 1}
    asked = {name: schema for name, schema in options.items() if name not in _NOT_BEFORE_THE_PICTURE}
    asked["content_type"] = {**text, "enum": list(media_types), "description": "Of the picture; JPEG if left out."}
    return {
        "UploadRequest": object_of(asked, *asked, description="What is asked of the picture; all of it optional."),
        "UploadForm": object_of(
            {
                "id": text,
                "url": {**text, "format": "uri", "description": "Where the form is sent to."},
                "fields": {"type": "object", "additionalProperties": text, "description": "To be sent before `file`."},
                "result": {**text, "description": "Where the result will be, relative to this address."},
                "max_bytes": whole,
                "expires_in_s": {**whole, "description": "How long the form can be used."},
            },
            description="A form that stores one picture.",
        ),
        "UploadPending": object_of({"id": text, "status": {"const": "pending"}}, description="No result yet."),
    }


def _begin(query: Sequence[Json], max_bytes: int) -> Json:
    fields = {"key": f"uploads/{_ID}", "Content-Type": "image/jpeg", "policy": "eyJl…", "x-amz-signature": "9d2c…"}
    url = "https://pictures.s3.eu-central-1.amazonaws.com/"
    form = {"id": _ID, "url": url, "fields": fields, "result": f"uploads/{_ID}", "max_bytes": max_bytes}
    return {
        "operationId": "begin_upload",
        "tags": ["Detection"],
        "summary": "Get a form for a picture too large to be sent here",
        "description": f"Send the picture, of at most {max_bytes:,} bytes, to `url` as `multipart/form-data`: all "
        "`fields`, then `file`. It is recognised as soon as it is there. Options stand in the body or in the query; "
        "one given in both is an error.",
        "parameters": list(query),
        "requestBody": {"content": {JSON: content("UploadRequest", example={"content_type": "image/jpeg", "n": 5})}},
        "responses": {
            "201": {
                "description": "The form, and where the result will be.",
                "content": {JSON: content("UploadForm", example=form | {"expires_in_s": 600})},
            },
            **problems.by_status([InvalidParameter, UnsupportedMediaType, InternalError]),
        },
        "x-codeSamples": [shell("", 'curl "$API/uploads" --json \'{"content_type": "image/jpeg", "n": 5}\'')],
    }


def _result(kind: Json) -> Json:
    upload_id = {"name": "id", "in": "path", "required": True, "description": "As the form had it."}
    return {
        "operationId": "upload_result",
        "tags": ["Detection"],
        "summary": "Get the result of an upload",
        "description": "Leads to the JSON, or to the annotated picture where `format` or `Accept` asks for it. A "
        "picture that cannot be recognised has a problem document for its result.",
        "parameters": [
            {**upload_id, "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}},
            {**kind, "schema": {"type": "string", "enum": ["image", "json"]}},
        ],
        "responses": {
            "202": {
                "description": "It is not there yet; ask again after `Retry-After` seconds.",
                "content": {JSON: content("UploadPending", example={"id": _ID, "status": "pending"})},
            },
            "303": {"description": "It is there; `Location` can be read for ten minutes."},
            **problems.by_status([InvalidParameter, NotFound, InternalError]),
        },
        "x-codeSamples": [shell("", f'curl -L "$API/uploads/{_ID}?format=image" -o out.jpg')],
    }
