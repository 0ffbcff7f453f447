"""HTTP <-> API Gateway: a WSGI application that calls a Lambda handler as an HTTP API would.

Owns the translation of a request into a payload 2.0 event and of a proxy response into HTTP, Lambda's limit of a
request, and the refusal of other sites' pages. Refuses routes of its own: what is served here is served deployed.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

# Lambda's limit of an invocation, which is what a large body meets first: base64 of it is a third larger.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_EVENT_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda passes beside the event, as far as a handler may look."""

    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_name: str = "recognizer-local"
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "3008"
    invoked_function_arn: str = "arn:aws:lambda:local:000000000000:function:recognizer-local"


class Gateway:
    """A WSGI application in front of a Lambda handler."""

    def __init__(self, handler: Callable[[dict[str, Any], Any], dict[str, Any]]) -> None:
        """Takes the handler that every request goes to."""
        self._handler = handler

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        request = Request(environ)
        event = event_of(request)
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            response = Response(json.dumps(_CROSS_SITE), 403, mimetype="application/problem+json")
        elif len(event.get("body", "")) > MAX_EVENT_BYTES:
            response = Response(json.dumps(_TOO_LONG), 413, mimetype="application/problem+json")
        else:
            response = _response(self._handler(event, Context()))
        return response(environ, start_response)


# Here, unlike deployed, private addresses may be fetched: any page in the browser could look round the local network.
_CROSS_SITE = {
    "type": "urn:problem-type:recognizer:address-not-allowed",
    "title": "Address not allowed",
    "status": 403,
    "detail": "The local server answers no pages of other sites, because it may fetch from private addresses.",
}

# The handler never sees such a request; this says what API Gateway's own 413 means.
_TOO_LONG = {
    "type": "urn:problem-type:recognizer:too-large",
    "title": "Picture too large",
    "status": 413,
    "detail": "Lambda takes requests of at most 6 MB, base64 included: send a smaller picture, or its url.",
}


def event_of(request: Request) -> dict[str, Any]:
    """The HTTP API event (payload 2.0) of a request; a body is base64 unless it is text."""
    body = request.get_data(cache=False)
    is_text = request.mimetype.startswith("text/") or request.mimetype in {"application/json", "application/xml"}
    path = request.path
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.query_string.decode(errors="replace"),
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": request.host,
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.environ["SERVER_PROTOCOL"],
                "sourceIp": request.remote_addr,
                "userAgent": request.headers.get("User-Agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": int(time.time() * 1000),
        },
        "isBase64Encoded": bool(body) and not is_text,
    }
    if request.args:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in request.args.lists()}
    if body:
        event["body"] = body.decode(errors="replace") if is_text else base64.b64encode(body).decode()
    return event


def _response(answer: dict[str, Any]) -> Response:
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return Response(content, status=answer["statusCode"], headers=answer.get("headers"))
