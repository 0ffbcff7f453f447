"""Lambda's entry point: builds the application at cold start, hands it each event."""

import os
from typing import Any

from recognizer import startup

startup.begin()

from recognizer.build import build  # noqa: E402 - what it imports is what `begin` is for

_app = build(os.environ)
startup.finish()


def lambda_handler(event: object, context: object) -> Any:
    """The proxy response to an API Gateway event (REST 1.0 or HTTP API 2.0), plain JSON to any other event."""
    return _app(event, context)
