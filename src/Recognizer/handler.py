"""Lambda's entry point: builds the application at cold start, hands it each event."""

import os
from typing import Any

from recognizer.app import build

_app = build(os.environ)


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """The proxy response to an API Gateway event (REST 1.0 or HTTP API 2.0)."""
    return _app(event, context)
