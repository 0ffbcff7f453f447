"""What the local server says to whoever started it.

Owns the greeting, and a line for each request that a person reads at a glance: ``GET /detector 200 69 ms 3 objects``.
The query is left out, as it is from the log of the deployed service: a picture's address can hold secrets.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from model_build import fallback

from local.visitors import WILDCARDS

if TYPE_CHECKING:
    from recognizer.vision.model import Model

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def greeting(model: Model, host: str, port: int, *, reaches_private: bool, access: str = "NONE") -> str:
    """What is served, where, and what to try."""
    name = "127.0.0.1" if host in WILDCARDS else host
    address = f"http://{f'[{name}]' if ':' in name else name}:{port}"
    facts: dict[str, Any] = model.facts
    lines = [f"recognizer: {model.identity.name} on {model.identity.engine}, from {facts.get('source')}"]
    if facts.get("fallback"):
        lines.append(f"WARNING: {fallback.NOTICE}")
    if reaches_private and host not in _LOOPBACK:
        lines.append("WARNING: others can reach this server, and through it the private addresses that you can reach.")
    if access in {"AWS_IAM", "JWT"}:
        lines.append(f"WARNING: ACCESS={access} is for API Gateway to check: here everyone is let through.")
    key = ' -H "Authorization: Bearer $KEY"' if access == "KEY" else ""
    lines += [
        "",
        f"  browser  {address}/",
        f"  curl     curl{key} -o cat.jpg '{address}/detector?url={address}/samples/cat.jpg'",
        "",
        "Ctrl-C ends it.",
    ]
    return "\n".join(lines)


def line(method: str, path: str, answer: dict[str, Any], duration_ms: float) -> str:
    """A request and its answer, a proxy response."""
    headers: dict[str, str] = answer.get("headers") or {}
    asked = f"{method} {path}"
    return " ".join(
        [
            asked if asked.isprintable() else repr(asked),  # what the client sends may move a terminal's cursor
            str(answer["statusCode"]),
            f"{duration_ms:.0f} ms",
            *_objects(headers.get("X-Detection-Count")),
            *_problem(headers, answer.get("body") or ""),
        ]
    )


def _objects(count: str | None) -> list[str]:
    return [] if count is None else [f"{count} object{'' if count == '1' else 's'}"]


def _problem(headers: dict[str, str], body: str) -> list[str]:
    """The title of a problem document; its detail goes to the client."""
    is_problem = headers.get("Content-Type") == "application/problem+json" and body
    return [json.loads(body)["title"]] if is_problem else []


def log_for_people(service: str) -> None:
    """Writes the service's own log records, errors with their tracebacks, as text rather than as JSON."""
    for handler in logging.getLogger(service).handlers:
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
