"""Events of a REST API with proxy integration: payload version 1.0, where what is absent is null.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from recognizer.http.messages import Request, body_of, malformed, proxy_response, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.http.messages import Response


def takes(event: object) -> bool:
    """See ``gateway.Format``."""
    return (
        isinstance(event, dict)
        and isinstance(event.get("httpMethod"), str)
        and isinstance(event.get("path"), str)
        and isinstance(event.get("requestContext"), dict)
    )


def read(event: object) -> Request:
    """See ``gateway.Format``."""
    fields = cast("Mapping[str, Any]", event)
    return Request(
        method=fields["httpMethod"].upper(),
        path=fields["path"],
        query=_repeated(fields) or texts(fields, "queryStringParameters"),
        headers={name.lower(): value for name, value in texts(fields, "headers").items()},
        body=body_of(fields),
    )


def write(response: Response) -> dict[str, Any]:
    """See ``gateway.Format``."""
    return proxy_response(response)


def _repeated(fields: Mapping[str, Any]) -> dict[str, str]:
    """The query with every value of a repeated parameter, which ``queryStringParameters`` has only the last of."""
    name = "multiValueQueryStringParameters"
    repeated = fields.get(name) or {}
    if not isinstance(repeated, dict):
        raise malformed(name)
    query: dict[str, str] = {}
    for parameter, values in repeated.items():
        if not isinstance(values, list | None) or not all(isinstance(value, str) for value in values or ()):
            raise malformed(name)
        query[parameter] = ",".join(values or ())
    return query
