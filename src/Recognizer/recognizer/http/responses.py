"""Outcome or error -> status, headers and body.

Owns the shape of every answer: the annotated picture with its headers, the JSON, and problem+json (RFC 9457). Refuses
anything of API Gateway: ``app`` hands an Answer to the router, which knows both payload versions.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recognizer import VERSION

if TYPE_CHECKING:
    from recognizer.detections import Detection
    from recognizer.errors import RequestError
    from recognizer.job import DetectRequest, ModelIdentity, Outcome

MAX_DETECTIONS_HEADER_BYTES = 4096
_MAX_PARAMETER_CHARS = 40

# Response headers of ours that a page of another origin may read.
EXPOSED_HEADERS = (
    "ETag",
    "Server-Timing",
    "X-Detection-Count",
    "X-Detections",
    "X-Image-Reduced",
    "X-Image-Size",
    "X-Model",
)

_SECURITY_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response; a bytes body is binary, a str body is text."""

    status: int
    media_type: str
    headers: dict[str, str]
    body: str | bytes


def detected(outcome: Outcome, model: ModelIdentity, cache_max_age_s: int) -> Answer:
    """The answer to a request that was served: the picture where one was asked for, JSON otherwise."""
    boxes = [_as_json(detection, outcome) for detection in outcome.detections]
    headers = {
        # What was sent is nobody else's.
        **_caching(
            etag(outcome.request, outcome.source_sha256, model),
            cache_max_age_s if outcome.request.content is None else 0,
        ),
        "Server-Timing": ", ".join(f"{step};dur={ms:.1f}" for step, ms in outcome.timings_ms.items()),
        "X-Detection-Count": str(len(boxes)),
        "X-Model": f"{model.name}; engine={model.engine}",
    }
    if outcome.encoded is None:
        return Answer(200, "application/json", headers, _dumps(_document(outcome, model, boxes)))
    headers["X-Detections"] = _header_json(boxes)
    headers["X-Image-Size"] = f"{outcome.width_px}x{outcome.height_px}"
    if outcome.encoded.reduced:
        headers["X-Image-Reduced"] = outcome.encoded.reduced
    return Answer(200, outcome.encoded.media_type, headers, outcome.encoded.content)


def document(body: dict[str, Any], max_age_s: int) -> Answer:
    """A JSON document that depends on nothing but this version and its model."""
    text = _dumps(body)
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    return Answer(200, "application/json", _caching(tag, max_age_s), text)


def not_modified(tag: str, cache_max_age_s: int) -> Answer:
    """The answer to a client that has this very answer already (RFC 9110, section 15.4.5)."""
    return Answer(304, "", _caching(tag, cache_max_age_s), "")


def is_known(tag: str, if_none_match: str) -> bool:
    """Whether an If-None-Match header names an entity tag (RFC 9110, section 13.1.2)."""
    # Not "*": it asks whether there is an answer at all, which only detecting would tell.
    return tag in {entry.strip().removeprefix("W/") for entry in if_none_match.split(",")}


def etag(request: DetectRequest, source_sha256: str, model: ModelIdentity) -> str:
    """The entity tag of an answer: it changes with the source's bytes, any option, the model and our version."""
    criteria = request.criteria
    classes = sorted(criteria.class_indices) if criteria.class_indices is not None else None
    minima = (criteria.min_score, sorted(criteria.min_score_by_class.items()))
    options = (request.url, criteria.limit, minima, classes, criteria.region, request.answer, request.image_format)
    identity = (VERSION, source_sha256, options, request.draw, request.crop, model.sha256, model.engine, model.graph)
    return f'"{hashlib.sha256(repr(identity).encode()).hexdigest()[:32]}"'


def problem(error: RequestError, request_id: str | None) -> Answer:
    """The problem document of an error (RFC 9457)."""
    document: dict[str, Any] = {
        "type": f"urn:problem-type:recognizer:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.public_message,
    }
    parameter = None if error.parameter is None else error.parameter[:_MAX_PARAMETER_CHARS]
    extensions = {"parameter": parameter, "upstream_status": error.upstream_status, "request_id": request_id}
    document.update({name: value for name, value in extensions.items() if value is not None})
    headers = {**_SECURITY_HEADERS, "Cache-Control": "no-store", **error.headers}
    return Answer(error.status, "application/problem+json", headers, _dumps(document))


def _document(outcome: Outcome, model: ModelIdentity, boxes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "image": {
            "url": outcome.request.url or None,
            "width": outcome.width_px,
            "height": outcome.height_px,
            "format": outcome.format,
            "animated": outcome.animated,
        },
        "model": {"name": model.name, "engine": model.engine},
        "detections": boxes,
    }


def _as_json(detection: Detection, outcome: Outcome) -> dict[str, Any]:
    box = detection.box.to_pixels(outcome.width_px, outcome.height_px)
    return {
        "label": detection.label.name,
        "id": detection.label.id,
        "parents": list(detection.label.parents),
        "score": round(detection.score, 4),
        "box": {"xmin": box.xmin, "ymin": box.ymin, "xmax": box.xmax, "ymax": box.ymax},
    }


def _header_json(boxes: list[dict[str, Any]]) -> str:
    """As many whole detections as fit into a header, as compact JSON in ASCII."""
    items: list[str] = []
    left = MAX_DETECTIONS_HEADER_BYTES - len("[]")
    for box in boxes:
        item = json.dumps({key: box[key] for key in ("label", "score", "box")}, separators=(",", ":"))
        left -= len(item) + len(",")
        if left < 0:
            break
        items.append(item)
    return f"[{','.join(items)}]"


def _caching(tag: str, max_age_s: int) -> dict[str, str]:
    return {
        **_SECURITY_HEADERS,
        "Cache-Control": f"public, max-age={max_age_s}" if max_age_s else "no-store",
        "ETag": tag,
        "Vary": "Accept, Origin",
    }


def _dumps(document: dict[str, Any]) -> str:
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()  # a client can send half a surrogate pair
