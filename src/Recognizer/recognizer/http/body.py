"""The body of a POST: parameters as JSON or as a form, or the picture itself.

Owns the kinds of bodies and reading them, whole and in memory. Text in a form is UTF-8, whatever a part claims: Python
knows encodings that take quadratic time, and some that only raise.
"""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from recognizer.errors import InvalidParameter, UnsupportedMediaType, quoted

if TYPE_CHECKING:
    from recognizer.http.messages import Request

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BODIES = f"{_JSON}, {_MULTIPART}, {_FORM} or the picture itself as image/*"
_PICTURE_FIELDS = {"image", "file"}
_NAME_THE_TYPE = "If it is a picture, say so: Content-Type: image/jpeg."


def read(request: Request) -> tuple[dict[str, Any], bytes | None]:
    """The parameters in a body, and the picture where the body is one.

    Raises:
        InvalidParameter: the body is not what its Content-Type says, or gives something twice.
        UnsupportedMediaType: the body is of a kind that is not read.
    """
    content_type, body = request.header("content-type"), request.body
    media = content_type.partition(";")[0].strip().lower() or _JSON
    if media.startswith("image/") or media == "application/octet-stream":
        return {}, body
    # `curl -d` calls every body a form and `fetch` calls it text; no form field begins like this.
    if media == _JSON or (media in {_FORM, "text/plain"} and body.lstrip().startswith(b"{")):
        return _json(body), None
    if media == _FORM:
        return _form(body), None
    if media == _MULTIPART:
        return _multipart(body, content_type), None
    raise UnsupportedMediaType(f"A body of type {quoted(media)} is not read; send {_BODIES}.")


def _json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}", object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise UnsupportedMediaType(f"The body is no JSON. {_NAME_THE_TYPE}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"The body is no JSON: {error}.") from error
    if not isinstance(document, dict):
        raise InvalidParameter('The body must be a JSON object, such as {"url": "https://….jpg"}.')
    return document


def _form(body: bytes) -> dict[str, Any]:
    try:
        return _once(parse_qsl(body.decode(), keep_blank_values=True))
    except UnicodeDecodeError as error:  # what `curl --data-binary @picture.jpg` sends
        raise UnsupportedMediaType(f"The body is no form. {_NAME_THE_TYPE}") from error
    except ValueError as error:  # more fields than Python's own limit, where one is set
        raise InvalidParameter(f"The form cannot be read: {error}.") from error


def _multipart(body: bytes, content_type: str) -> dict[str, Any]:
    import multipart  # noqa: PLC0415 - only forms need it

    _, options = multipart.parse_options_header(content_type)
    boundary = options.get("boundary", "")
    if not boundary:
        raise InvalidParameter("The form has no boundary in its Content-Type; let the client set that header.")
    whole = {"content_length": len(body), "memory_limit": len(body), "spool_limit": len(body)}  # nothing on disk
    try:
        parts = list(multipart.MultipartParser(BytesIO(body), boundary, **whole))
    except (multipart.MultipartError, UnicodeError) as error:
        raise InvalidParameter(f"The form cannot be read: {error}.") from error
    fields: list[tuple[str, Any]] = []
    for part in parts:
        if part.name in _PICTURE_FIELDS and (part.filename or part.content_type.startswith("image/")):
            if part.size:  # a file field left empty is sent all the same
                fields.append(("image", part.raw))
        else:
            fields.append((part.name, _text(part)))
    return _once(fields)


def _text(part: Any) -> str:
    try:
        text: str = part.raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidParameter(
            f"The field {quoted(part.name)} is not text in UTF-8; a picture goes into image or file.",
            parameter=part.name,
        ) from error
    return text


def _once(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """Fields by name.

    Raises:
        InvalidParameter: one is given twice.
    """
    found: dict[str, Any] = {}
    for name, value in fields:
        if name in found:
            raise InvalidParameter(f"{quoted(name)} is given twice.", parameter=name)
        found[name] = value
    return found
