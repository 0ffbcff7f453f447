"""Events of an HTTP API and of function URLs: payload version 2.0.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from recognizer.http.messages import Request, body_of, proxy_response, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.http.messages import Response

_DEFAULT_STAGE = _DEFAULT_ROUTE = "$default"
_OF_FUNCTION_URLS = ".lambda-url."  # https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html


def takes(event: object) -> bool:
    """See ``gateway.Format``."""
    if not isinstance(event, dict) or not isinstance(event.get("rawPath"), str):
        return False
    context = event.get("requestContext")
    http = context.get("http") if isinstance(context, dict) else None
    return isinstance(http, dict) and isinstance(http.get("method"), str)


def read(event: object) -> Request:
    """See ``gateway.Format``."""
    fields = cast("Mapping[str, Any]", event)
    context = fields["requestContext"]
    is_default = fields.get("routeKey") == _DEFAULT_ROUTE
    return Request(
        method=context["http"]["method"].upper(),
        path=_without_stage(fields["rawPath"], context.get("stage")),
        query=texts(fields, "queryStringParameters"),
        headers={name.lower(): value for name, value in texts(fields, "headers").items()},
        body=body_of(fields),
        # A gateway's default route has no authorizer; a function URL has no other route, but may have one.
        is_judged=not is_default or bool(context.get("authorizer")),
        is_routed=not is_default or _OF_FUNCTION_URLS in str(context.get("domainName")),
    )


def write(response: Response) -> dict[str, Any]:
    """See ``gateway.Format``."""
    return proxy_response(response)


def _without_stage(path: str, stage: object) -> str:
    """The path without the stage's name, which API Gateway puts before it unless it is the default one."""
    if not isinstance(stage, str) or stage in {"", _DEFAULT_STAGE}:
        return path
    prefix = f"/{stage}"
    if path == prefix:
        return "/"
    return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path
