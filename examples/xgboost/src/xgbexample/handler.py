"""Lambda's entry point: loads the model at cold start, answers each event.

Owns the routes and the shape of answers, and is the only place where failures become problem documents. An event
without a gateway around it, as the console's test button sends it, is itself the body, and gets the plain document.
"""

from __future__ import annotations

import base64
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xgbexample import rows
from xgbexample.model import load
from xgbexample.problems import InternalError, InvalidBody, MethodNotAllowed, NotFound, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

PATH = "/xgbexample"
MESSAGE = "Succesful Prediction"  # spelled as clients know it
_model = load(Path(os.environ.get("MODEL_DIR") or Path(__file__).parents[1] / "model"))


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """The proxy response to an event of an HTTP API (payload 2.0); to any other event the plain document."""
    route = _route(event)
    status, media_type, headers = 200, "application/json", {"Cache-Control": "no-store"}
    try:
        document = _predict(event) if route is None else _routed(event, *route)
    except Exception as error:  # noqa: BLE001 - the one place where failures become answers
        problem = error if isinstance(error, Problem) else _internal(error, context)
        status, media_type, document = problem.status, "application/problem+json", problem.document()
        headers |= problem.headers
    if route is None:
        return document
    return {"statusCode": status, "headers": {"Content-Type": media_type, **headers}, "body": json.dumps(document)}


def _route(event: Any) -> tuple[str, str] | None:
    """The method and path of an HTTP API's event; None for any other."""
    match event:
        case {"rawPath": str(path), "requestContext": {"http": {"method": str(method)}}}:
            return method, path
    return None


def _routed(event: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    if path != PATH:
        raise NotFound(f"There is nothing here. Send POST {PATH}, or GET {PATH} to learn about the model.")
    if method not in _METHODS:
        allowed = ", ".join(_METHODS)
        raise MethodNotAllowed(f"{PATH} does not take {method}, but {allowed}.", headers={"Allow": allowed})
    return _METHODS[method](event)


def _predict_body(event: dict[str, Any]) -> dict[str, Any]:
    body = event.get("body") or ""
    try:
        document = json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
    except (ValueError, RecursionError):  # no JSON, or deeper than can be read
        raise InvalidBody(_EXPECTED) from None
    return _predict(document)


def _predict(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict) or rows.PARAMETER not in document:
        raise InvalidBody(_EXPECTED, parameter=rows.PARAMETER)
    value = document[rows.PARAMETER]
    predicted = _model.predict(rows.read(value, _model.features))
    return {"message": MESSAGE, "prediction": predicted if rows.is_many(value) else predicted[0]}


def _facts(_: dict[str, Any]) -> dict[str, Any]:
    return _model.facts


def _internal(error: Exception, context: Any) -> Problem:
    logger.error("internal error", exc_info=error)
    return InternalError(
        "Something went wrong on our side; the request id helps to find out what.",
        request_id=getattr(context, "aws_request_id", None),
    )


_METHODS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"GET": _facts, "POST": _predict_body}
_EXPECTED = (
    f'The body must be a JSON object such as {{"{rows.PARAMETER}": […]}}, with {len(_model.features)} numbers in the '
    f"list: {', '.join(_model.features)}."
)
