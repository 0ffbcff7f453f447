"""HTTP <-> API Gateway: a WSGI application that calls a Lambda handler as an HTTP API would.

Owns the translation of a request into a payload 2.0 event and of a proxy response into HTTP, and the two refusals that
the handler never sees: of other sites' pages (``visitors``), and of what is too long for Lambda. It has no routes of
its own: what is served here is served deployed.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recognizer.errors import AddressNotAllowed, RequestError, TooLarge
from recognizer.http import headers, responses
from recognizer.http.messages import proxy_response
from werkzeug.wrappers import Request, Response

from local import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from local.visitors import Visitors

# Lambda's limit of an invocation, which is what a large body meets first: base64 of it is a third larger.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_EVENT_BYTES = 6 * 1024 * 1024
_TIMEOUT_S = 29  # as template.yaml has it; here nothing is stopped


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda passes beside the event, as far as a handler may look."""

    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_name: str = "recognizer-local"
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "3008"
    invoked_function_arn: str = "arn:aws:lambda:local:000000000000:function:recognizer-local"
    _started_s: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop the invocation."""
        return max(0, round((self._started_s + _TIMEOUT_S - time.monotonic()) * 1000))


class Gateway:
    """A WSGI application in front of a Lambda handler.

    Args:
        handler: what every request goes to.
        visitors: who may ask; everybody where it is None.
        say: takes a line for each request.
    """

    def __init__(
        self,
        handler: Callable[[dict[str, Any], Any], dict[str, Any]],
        visitors: Visitors | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._handler = handler
        self._visitors = visitors
        self._say = say

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """See PEP 3333."""
        started_s = time.perf_counter()
        request = Request(environ)
        answer = self._answer(request)
        if self._say is not None:
            self._say(console.line(request.method, request.path, answer, (time.perf_counter() - started_s) * 1000))
        return _response(answer)(environ, start_response)

    def _answer(self, request: Request) -> dict[str, Any]:
        refusal = (
            self._visitors.refusal(request.method, request.path, request.headers)
            if self._visitors is not None
            else None
        )
        if refusal is not None:
            return _refused(AddressNotAllowed(refusal))
        event = event_of(request)
        if len(event.get("body", "")) > MAX_EVENT_BYTES:
            return _refused(
                TooLarge("Lambda takes requests of at most 6 MB, base64 included: send a smaller picture, or its url.")
            )
        return self._handler(event, Context())


def _refused(error: RequestError) -> dict[str, Any]:
    return proxy_response(headers.complete(responses.problem(error)))


def event_of(request: Request) -> dict[str, Any]:
    """The HTTP API event (payload 2.0) of a request; a body is base64 unless it is text."""
    body = request.get_data(cache=False)
    is_text = request.mimetype.startswith("text/") or request.mimetype in {"application/json", "application/xml"}
    path = request.path
    route = f"{request.method} {path}"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
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
            "routeKey": route,
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
