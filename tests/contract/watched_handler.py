"""The handler as Lambda loads it, after things have happened that a snapshot would keep; its answers tell what is left.

Run by the runtime client of test_snapshot.py: not a test itself.
"""

from __future__ import annotations

import json
import os
import random

import handler

_SEED = 7


class _Context:
    aws_request_id = "before-the-snapshot"


# One request is answered while the instance starts: it is cold no longer, and keeps a connection.
_before = handler.lambda_handler(json.loads(os.environ["EVENT_BEFORE"]), _Context())
random.seed(_SEED)
_drawn_by_every_copy = random.Random(_SEED).random()  # noqa: S311 - of a test


def lambda_handler(event, context):
    answer = handler.lambda_handler(event, context)
    seen = {"before": _before["statusCode"], "same_random": random.random() == _drawn_by_every_copy}  # noqa: S311
    return {**answer, "seen": seen}
