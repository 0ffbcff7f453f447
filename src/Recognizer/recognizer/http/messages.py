"""The two values that travel between a gateway's event and the application: a request, and the response to it.

Owns them, and how a response becomes the proxy response that every API Gateway understands.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

from recognizer.errors import InvalidParameter


class Request(NamedTuple):
    """An HTTP request.

    Attributes:
        method: in capitals.
        path: without the gateway's stage.
        query: parameters, percent-decoded; a repeated one is joined by commas.
        headers: by name in lower case.
        body: as it was sent.
        is_judged: whether the gateway looked at who asks, where it is the gateway's to look.
        is_routed: whether it came by a route made for its path, and so through its throttle, where there is one.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    is_judged: bool = True
    is_routed: bool = True

    def header(self, name: str) -> str:
        """One header by its name in lower case; an empty string where it was not sent."""
        return self.headers.get(name, "")


class Response(NamedTuple):
    """An HTTP response; a bytes body is binary, a str body is text.

    Attributes:
        status: HTTP status code.
        media_type: Content-Type; empty for a response without a body.
        headers: all others.
        body: the content.
    """

    status: int
    media_type: str
    headers: Mapping[str, str]
    body: str | bytes


def texts(event: Mapping[str, Any], field: str) -> dict[str, str]:
    """A field of an event that maps names to texts; empty where the event has none.

    Raises:
        InvalidParameter: it is something else.
    """
    value = event.get(field) or {}
    if not isinstance(value, Mapping) or not all(isinstance(text, str | None) for text in value.values()):
        raise malformed(field)
    return {str(name): text for name, text in value.items() if text is not None}


def body_of(event: Mapping[str, Any]) -> bytes:
    """The body of a proxy event.

    Raises:
        InvalidParameter: it is no text, or no base64 although it is marked so.
    """
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise malformed("body")
    if not event.get("isBase64Encoded"):
        # Half a surrogate pair gets through here and is refused where the body is read as JSON or a form.
        return body.encode(errors="surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidParameter("The body is marked as base64, but is not.") from error


def malformed(field: str) -> InvalidParameter:
    """The error of an event with a field that API Gateway does not send like this."""
    return InvalidParameter(f"The field {field} of this event is not as API Gateway sends it; see events/.")


def proxy_response(response: Response) -> dict[str, Any]:
    """What API Gateway turns into HTTP; both payload versions understand it."""
    is_binary = isinstance(response.body, bytes)
    headers = dict(response.headers)
    if response.media_type:
        headers["Content-Type"] = response.media_type
    return {
        "statusCode": response.status,
        "headers": headers,
        "body": base64.b64encode(response.body).decode() if isinstance(response.body, bytes) else response.body,
        "isBase64Encoded": is_binary,
    }
