"""Requests to the service as events, for what no client would send."""

from __future__ import annotations

import base64
import json

from tests.functional.proxy_events import Context, event, reply


def ask(app, path, body=b"", method="POST", query=None, **headers):
    """The reply to a request; a body that is no bytes goes as JSON, and ``Content_Type`` is Content-Type."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if not isinstance(body, bytes):
        body, named = json.dumps(body).encode(), {"Content-Type": "application/json"} | named
    sent = event(path=path, method=method, query=query, headers=named)
    sent |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return reply(app(sent, Context()))


def detections(app, picture, **query):
    """What ``/detector`` finds in a picture."""
    sent = event(method="POST", query=query, headers={"Content-Type": "image/png", "Accept": "application/json"})
    sent |= {"body": base64.b64encode(picture).decode(), "isBase64Encoded": True}
    return reply(app(sent, Context())).json["detections"]
