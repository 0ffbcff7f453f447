"""API Gateway event -> DetectRequest.

Owns the shapes of proxy events (HTTP API payload 2.0, REST payload 1.0), of request bodies (JSON, the picture itself, a
form), and content negotiation. Refuses bodies of other kinds. Pure; what the parameters mean is ``parameters``'.
"""

from __future__ import annotations

import base64
import binascii
import json
from email.message import Message
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

from recognizer.errors import InvalidParameter, UnsupportedMediaType, quoted
from recognizer.http import parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.job import AnswerKind, DetectRequest
    from recognizer.labels import LabelMap

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_BODIES = f"application/json, {_MULTIPART}, {_FORM} or the picture itself as image/*"
_PICTURE_FIELDS = {"image", "file"}
_NAME_THE_TYPE = "If it is a picture, say so: Content-Type: image/jpeg."


def payload_version(event: object) -> Literal["1.0", "2.0"]:
    """The version of a proxy event: 1.0 (REST API) or 2.0 (HTTP API).

    Raises:
        InvalidParameter: it is no such event.
    """
    if isinstance(event, dict) and isinstance(context := event.get("requestContext"), dict) and "stage" in context:
        http = context.get("http")
        if isinstance(http, dict) and {"method", "path"} <= http.keys() and isinstance(event.get("rawPath"), str):
            return "2.0"
        if isinstance(event.get("httpMethod"), str) and isinstance(event.get("path"), str):
            return "1.0"
    raise InvalidParameter("This is no API Gateway proxy event (REST 1.0 or HTTP API 2.0); see events/ for examples.")


def query_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The query parameters of either kind of event, percent-decoded; a repeated one is joined by commas."""
    repeated = event.get("multiValueQueryStringParameters")
    if repeated:
        return {name: ",".join(values or ()) for name, values in repeated.items()}
    return dict(event.get("queryStringParameters") or {})


def header_of(event: Mapping[str, Any], name: str) -> str:
    """One request header in any case, or an empty string."""
    headers = event.get("headers") or {}
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")


def parse(event: Mapping[str, Any], labels: LabelMap, default_min_score: float = 0.1) -> DetectRequest:
    """The request that a GET event makes.

    Args:
        event: a proxy event of either version.
        labels: the classes of the model.
        default_min_score: what a request that names no minimum gets.

    Raises:
        InvalidParameter: a parameter is missing, unknown, malformed or out of range.
    """
    given = parameters.canonical(query_of(event))
    if "image" in given:
        raise InvalidParameter("A picture itself goes into the body of a POST request.", parameter="image")
    return parameters.validated(
        given,
        labels,
        default_min_score=default_min_score,
        default_answer=negotiated(header_of(event, "accept"), "image"),
    )


def parse_post(event: Mapping[str, Any], labels: LabelMap, default_min_score: float = 0.1) -> DetectRequest:
    """The request that a POST event makes; JSON is its default answer. Arguments and errors as ``parse``.

    Raises:
        InvalidParameter: as ``parse``, or the body is not what its Content-Type says.
        UnsupportedMediaType: the body is of a kind that is not read.
    """
    given, content = _body(event)
    return parameters.validated(
        parameters.canonical(query_of(event), given),
        labels,
        default_min_score=default_min_score,
        default_answer=negotiated(header_of(event, "accept"), "json"),
        content=content,
    )


def _body(event: Mapping[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    """The parameters in a body, and the picture where the body is one."""
    body = _body_bytes(event)
    content_type = Message()
    content_type["Content-Type"] = header_of(event, "content-type") or "application/json"
    media = content_type.get_content_type()
    if media == "application/json":
        return _json(body), None
    if media.startswith("image/") or media == "application/octet-stream":
        return {}, body
    if media == _FORM:
        return _form(body), None
    if media == _MULTIPART:
        return _multipart(body, str(content_type.get_param("boundary") or "")), None
    raise UnsupportedMediaType(f"A body of type {quoted(media)} is not read; send {_BODIES}.")


def _body_bytes(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode(errors="surrogateescape")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise InvalidParameter("The body is marked as base64, but is not.") from error


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


def _multipart(body: bytes, boundary: str) -> dict[str, Any]:
    import multipart  # noqa: PLC0415 - only forms need it

    try:
        parts = list(
            multipart.MultipartParser(BytesIO(body), boundary, content_length=len(body), memory_limit=len(body))
        )
    except multipart.MultipartError as error:
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
        return str(part.value)
    except (UnicodeDecodeError, LookupError) as error:
        raise InvalidParameter(
            f"The field {quoted(part.name)} is not text; a picture goes into image or file.", parameter=part.name
        ) from error


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


def negotiated(accept: str, default: AnswerKind) -> AnswerKind:
    """The kind of answer an Accept header ranks higher (RFC 9110, section 12.5.1), the default where it ranks neither.

    Of two with the same quality, the one named more precisely: ``application/json, */*`` means JSON.
    """
    ranks: dict[str, tuple[float, int]] = {"json": (0.0, 0), "image": (0.0, 0)}
    for item in accept.split(","):
        media, *params = (part.strip().lower() for part in item.split(";"))
        quality = next((_quality(param[2:]) for param in params if param.startswith("q=")), 1.0)
        if media in {"*/*", "application/*", "application/json"}:
            ranks["json"] = _narrower(ranks["json"], quality, ("*/*", "application/*", "application/json").index(media))
        if media == "*/*" or media.startswith("image/"):
            ranks["image"] = _narrower(ranks["image"], quality, 0 if media == "*/*" else 1 + (media != "image/*"))
    if ranks["json"] == ranks["image"] or ranks["json"][0] == ranks["image"][0] == 0.0:
        return default
    return "json" if ranks["json"] > ranks["image"] else "image"


def _narrower(rank: tuple[float, int], quality: float, precision: int) -> tuple[float, int]:
    """The rank of a kind after one more media range: a more precise one overrides, an equal one can only raise."""
    if precision > rank[1]:
        return quality, precision
    return max(rank, (quality, precision)) if precision == rank[1] else rank


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0
