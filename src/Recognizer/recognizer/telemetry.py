"""What is known of a request afterwards: one log record and one set of metrics.

Owns their names and what they may hold: of the picture's address only the host, because a path or a query can hold
secrets, and of an error's causes only the types, because the text of a network error repeats the address. An internal
error is a metric of its own, so that an alarm can see it, and its record has the traceback.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from recognizer.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recognizer.errors import RequestError
    from recognizer.job import Outcome

logger = Logger()  # its service is POWERTOOLS_SERVICE_NAME
# TensorFlow gives the root logger a handler of its own: every record would come twice.
logging.getLogger(logger.name).propagate = False


@dataclass(slots=True)
class Record:
    """One request, filled in as it proceeds.

    Attributes:
        request_id: Lambda's name for it.
        is_cold: whether it is the first that this instance answers.
        has_picture: whether a picture was asked about.
        outcome: what a detection came to.
        error: what the client was told instead.
        started_s: when it came in, by ``time.perf_counter``.
        ends_at_s: when it must be answered, by ``time.monotonic``.
    """

    request_id: str | None
    is_cold: bool
    has_picture: bool = False
    outcome: Outcome | None = None
    error: RequestError | None = None
    started_s: float = field(default_factory=time.perf_counter)
    ends_at_s: float = math.inf


def report(record: Record, status: int, message: str = "request", **more: Any) -> None:
    """Logs and measures a request that was answered; never raises, as nothing of the answer depends on it.

    Args:
        record: what is known of it.
        status: what it was answered with.
        message: what its line in the log says.
        more: fields of that line.
    """
    try:
        _report(record, status, message, more)
    except Exception:
        logger.exception("the request could not be logged")


def _report(record: Record, status: int, message: str, more: dict[str, Any]) -> None:
    duration_ms = (time.perf_counter() - record.started_s) * 1000
    facts: dict[str, Any] = {
        **more,
        "request_id": record.request_id,
        "cold_start": record.is_cold,
        "status": status,
        "duration_ms": round(duration_ms, 1),
    }
    metrics = EphemeralMetrics(namespace="Recognizer")
    metrics.add_metric("Duration", MetricUnit.Milliseconds, duration_ms)
    metrics.add_metric(f"Status{status // 100}xx", MetricUnit.Count, 1)
    if record.has_picture:  # apart from the page's files, which take a millisecond and would hide it
        metrics.add_metric("PictureDuration", MetricUnit.Milliseconds, duration_ms)
    if record.is_cold:
        metrics.add_metric("ColdStart", MetricUnit.Count, 1)
    if record.error is not None:
        facts |= {"error": record.error.code, "detail": record.error.log_message}
        facts["causes"] = [type(cause).__name__ for cause in _causes(record.error)]
    if record.outcome is not None:
        facts |= _facts(record.outcome)
        metrics.add_metric("Detections", MetricUnit.Count, len(record.outcome.detections))
        for step, ms in record.outcome.timings_ms.items():
            metrics.add_metric(step.capitalize(), MetricUnit.Milliseconds, ms)
    if isinstance(record.error, InternalError):
        metrics.add_metric("InternalErrors", MetricUnit.Count, 1)
        logger.error(message, exc_info=record.error.__cause__, extra=facts)
    else:
        logger.info(message, extra=facts)
    metrics.flush_metrics()


def _causes(error: BaseException) -> Iterator[BaseException]:
    while (cause := error.__cause__ or error.__context__) is not None:
        yield cause
        error = cause


def _facts(outcome: Outcome) -> dict[str, Any]:
    return {
        "host": urlsplit(outcome.request.url).hostname if outcome.request.url else None,
        "source_bytes": outcome.source_bytes,
        "width": outcome.width_px,
        "height": outcome.height_px,
        "format": outcome.format,
        "detections": len(outcome.detections),
        "timings_ms": {step: round(ms, 1) for step, ms in outcome.timings_ms.items()},
    }
