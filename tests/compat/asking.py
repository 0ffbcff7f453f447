"""Requests to the service as events, for what no client would send."""

from __future__ import annotations

import base64
import json

from tests.functional.proxy_events import Context, event, reply

HOSTILE = [
    None,
    True,
    -1,
    1.5,
    10**400,
    float("nan"),
    float("inf"),
    "5",
    "\ud800",
    [],
    {},
    [None],
    ["\ud800"],
    {"a": 1},
]
"""Values that JSON can have in any place, most of them wrong in all."""


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
    answer = ask(app, "/detector", picture, query=query, Content_Type="image/png", Accept="application/json")
    return answer.json["detections"]
