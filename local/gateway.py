"""HTTP <-> API Gateway: a WSGI application that calls a Lambda handler as an HTTP API would.

Owns the translation of a request into a payload 2.0 event and of a proxy response into HTTP. Refuses routes of its
own except ``/samples/``, the pictures to try things out with.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import NotFound
from werkzeug.utils import send_from_directory
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

SAMPLES = Path(__file__).with_name("samples")

Handler = "Callable[[dict[str, Any], Context], dict[str, Any]]"

# API Gateway's payload limit, and Lambda's, which is the one that bites: base64 of a body is a third larger.
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
        """Takes the handler that every request but ``/samples/`` goes to."""
        self._handler = handler

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        request = Request(environ)
        if request.path.startswith("/samples/"):
            response = _sample(request)
        else:
            response = _response(self._handler(event_of(request), Context()))
        return response(environ, start_response)


def _sample(request: Request) -> Response | NotFound:
    try:
        return send_from_directory(SAMPLES, request.path.removeprefix("/samples/"), request.environ)
    except NotFound as missing:
        return missing


def event_of(request: Request) -> dict[str, Any]:
    """The HTTP API event (payload 2.0) of a request; a body is base64 unless it is text."""
    body = request.get_data(cache=False)
    is_text = request.mimetype.startswith("text/") or request.mimetype in {"application/json", "application/xml"}
    path = request.path
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.query_string.decode(),
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
