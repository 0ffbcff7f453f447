"""Proxy events of both payload versions, and their answers read alike."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

VERSIONS = ("1.0", "2.0")


@dataclass(frozen=True)
class Context:
    """What Lambda passes beside the event, as far as the service looks."""

    aws_request_id: str = "7b6c1a52-request"


def event(version="2.0", *, path="/detector", method="GET", query=None, headers=None, stage=None) -> dict[str, Any]:
    """The event of a request; ``stage`` is put where API Gateway puts the name of a stage that is not the default."""
    if version == "2.0":
        prefix = f"/{stage}" if stage else ""
        made: dict[str, Any] = {
            "version": "2.0",
            "routeKey": f"{method} {path}",
            "rawPath": prefix + path,
            "rawQueryString": urlencode(query or {}, errors="surrogatepass"),
            "headers": {name.lower(): value for name, value in (headers or {}).items()},
            "requestContext": {
                "http": {"method": method, "path": prefix + path, "sourceIp": "203.0.113.7"},
                "requestId": "JKJaXmPLvHcESHA=",
                "stage": stage or "$default",
            },
            "isBase64Encoded": False,
        }
        return made | ({"queryStringParameters": query} if query else {})
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()} if headers else None,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "requestContext": {"path": f"/{stage or 'prod'}{path}", "requestId": "0f1e2d3c", "stage": stage or "prod"},
        "body": None,
        "isBase64Encoded": False,
    }


@dataclass(frozen=True)
class Reply:
    """A proxy response of either version, as an HTTP client would see it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self):
        return self.headers["content-type"].partition(";")[0]

    @property
    def json(self):
        return json.loads(self.body)


def reply(response) -> Reply:
    """Reads a proxy response as API Gateway does; it must survive JSON, which it travels as."""
    response = json.loads(json.dumps(response))
    many = {name: ", ".join(values) for name, values in (response.get("multiValueHeaders") or {}).items()}
    headers = {name.lower(): value for name, value in {**many, **(response.get("headers") or {})}.items()}
    body = response.get("body") or ""
    content = base64.b64decode(body, validate=True) if response.get("isBase64Encoded") else body.encode()
    return Reply(response["statusCode"], headers, content)
