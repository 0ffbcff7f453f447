"""Requests to /detector, made as API Gateway makes their events; the tests of the wing share them."""

from __future__ import annotations

import base64

from recognizer.detections import Label
from recognizer.http import detection, gateway
from recognizer.http.parameters import Rules
from recognizer.labels import LabelMap

LABELS = LabelMap({1: Label("/m/0bt9lr", "Dog"), 2: Label("/m/01yrx", "Cat"), 3: Label("/m/01g317", "Person")})
RULES = Rules(LABELS, default_min_score=0.1, max_bytes=1_000_000)
URL = "https://example.com/a.jpg"


def http_event(query=None, headers=None):
    """An event of an HTTP API, payload 2.0."""
    context = {"stage": "$default", "http": {"method": "GET", "path": "/detector"}}
    event = {"version": "2.0", "rawPath": "/detector", "requestContext": context, "headers": headers or {}}
    return event | ({"queryStringParameters": query} if query else {})


def rest_event(query=None, headers=None):
    """An event of a REST API, payload 1.0; what is absent is null in these."""
    return {
        "httpMethod": "GET",
        "path": "/detector",
        "requestContext": {"stage": "prod"},
        "headers": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": query or None,
    }


def post_event(body, media_type, query=None):
    """A POST as API Gateway passes it on: text as it is, anything else as base64."""
    event = http_event(query, {"content-type": media_type} if media_type else {})
    if isinstance(body, str):
        return event | {"body": body, "isBase64Encoded": False}
    return event | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def parse(event, rules=RULES):
    """What an event asks for in its query."""
    return detection.from_query(gateway.format_of(event).read(event), rules)


def parse_post(event, rules=RULES):
    """What an event asks for in its body and its query."""
    return detection.from_body(gateway.format_of(event).read(event), rules)
