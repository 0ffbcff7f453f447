"""Lambda's entry point for pictures in a bucket: hands each batch of the queue's messages to the worker."""

import os
from typing import Any

from recognizer import startup

startup.begin()

from recognizer.build import build_worker  # noqa: E402 - what it imports is what `begin` is for

_worker = build_worker(os.environ)
startup.finish()


def lambda_handler(event: dict[str, Any], context: object) -> Any:
    """Which messages of an SQS event failed and are to be handed out again."""
    return _worker(event, context)
