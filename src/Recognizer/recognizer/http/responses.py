"""Outcome or error -> response: the annotated picture with its headers, the JSON, and problem+json (RFC 9457).

Owns the shape of every answer of the API. How long it may be kept is ``caching``'s, what every answer carries is
``headers``'.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recognizer import VERSION
from recognizer.http import caching, multipart
from recognizer.http.filenames import disposition
from recognizer.http.headers import listed
from recognizer.http.messages import Response

if TYPE_CHECKING:
    from recognizer.detections import Detection
    from recognizer.errors import RequestError
    from recognizer.job import DetectRequest, Labelling, ModelIdentity, Outcome

JSON = "application/json"
PROBLEM = "application/problem+json"
_MAX_PARAMETER_CHARS = 40


def detected(outcome: Outcome, model: ModelIdentity, cache_max_age_s: int) -> Response:
    """The answer to a request that was served: the picture, JSON, or a form with both."""
    document = detections_document(outcome, model)
    boxes = document["detections"]
    headers = served(outcome, model, cache_max_age_s)
    headers["X-Detection-Count"] = str(len(boxes))
    if outcome.encoded is None:
        return Response(200, JSON, headers, _dumps(document))
    if outcome.encoded.reduced:
        headers["X-Image-Reduced"] = outcome.encoded.reduced
    if outcome.request.answer == "both":
        found = (JSON, _dumps(document).encode())
        picture = (outcome.encoded.media_type, outcome.encoded.content)
        media_type, body = multipart.form({"detections": found, "picture": picture})
        return Response(200, media_type, headers, body)
    headers["Content-Disposition"] = disposition(outcome.request.url, outcome.encoded.media_type)
    headers["X-Detections"] = _header_json(boxes)
    headers["X-Image-Size"] = f"{outcome.width_px}x{outcome.height_px}"
    return Response(200, outcome.encoded.media_type, headers, outcome.encoded.content)


def classified(outcome: Outcome, by: Labelling, cache_max_age_s: int, *, as_pairs: bool) -> Response:
    """The labels of a whole picture: as a document, or as pairs of name and per cent."""
    headers = served(outcome, by.identity, cache_max_age_s, f"{by.source} {as_pairs}")
    if as_pairs:
        pairs = [[found.label.name, round(found.score * 100, 2)] for found in outcome.labels]
        return Response(200, JSON, headers, _dumps(pairs))
    labels = [
        {"label": found.label.name, "id": found.label.id, "score": round(found.score, 4)} for found in outcome.labels
    ]
    body = {
        "image": _image(outcome),
        "model": {"name": by.identity.name, "engine": by.identity.engine},
        "source": by.source,
        "labels": labels,
    }
    return Response(200, JSON, headers, _dumps(body))


def served(outcome: Outcome, model: ModelIdentity, cache_max_age_s: int, about: str = "") -> dict[str, str]:
    """The headers of what a model made of a picture."""
    return {
        **detection_cache_headers(outcome.request, outcome.source_sha256, model, cache_max_age_s, about),
        "Server-Timing": ", ".join(f"{step};dur={ms:.1f}" for step, ms in outcome.timings_ms.items()),
        "X-Model": f"{model.name}; engine={model.engine}",
    }


def detection_cache_headers(
    request: DetectRequest, source_sha256: str, model: ModelIdentity, cache_max_age_s: int, about: str = ""
) -> dict[str, str]:
    """The caching headers of a detection, which are known before it is made.

    Its entity tag changes with the source's bytes, any option, the model and our version; what the answer is ``about``
    sets those of one picture apart that are no detections. What was sent, rather than fetched, is nobody else's and is
    not to be kept.
    """
    criteria = request.criteria
    classes = sorted(criteria.class_indices) if criteria.class_indices is not None else None
    minima = (criteria.min_score, sorted(criteria.min_score_by_class.items()))
    wanted = (criteria.limit, minima, classes, criteria.region, criteria.tiles)
    options = (request.url, *wanted, request.answer, request.image_format, request.draw, request.crop)
    identity = (VERSION, about, source_sha256, options, *model)
    max_age_s = cache_max_age_s if request.content is None else 0
    return caching.cache_headers(caching.entity_tag(repr(identity)), max_age_s, varies=True)


def document(body: dict[str, Any], max_age_s: int) -> Response:
    """A JSON document that depends on nothing but this version and its model."""
    return representation(JSON, _dumps(body), max_age_s)


def representation(media_type: str, body: str | bytes, max_age_s: int, policy: str = "") -> Response:
    """Content that is the same for everyone who asks.

    Args:
        media_type: its Content-Type.
        body: the content.
        max_age_s: seconds that any cache may keep it.
        policy: its Content-Security-Policy, if it needs one.
    """
    headers = caching.cache_headers(caching.entity_tag(body), max_age_s)
    if policy:
        headers["Content-Security-Policy"] = policy
    return Response(200, media_type, headers, body)


def passing(status: int, body: dict[str, Any] | list[Any] | None = None, **headers: str) -> Response:
    """An answer that holds for now only: a JSON document, or nothing but headers (``Retry_After`` is Retry-After)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = "" if body is None else _dumps(body)
    return Response(status, JSON if text else "", {**caching.NOT_KEPT, **named}, text)


def problem(error: RequestError, request_id: str | None = None) -> Response:
    """The problem document of an error (RFC 9457)."""
    return _problem(error, PROBLEM, _dumps(problem_document(error, request_id)))


def problem_page(error: RequestError, media_type: str, page: str | bytes, policy: str) -> Response:
    """The page that says what the problem document says, with its Content-Security-Policy."""
    response = _problem(error, media_type, page)
    return response._replace(headers={**response.headers, "Content-Security-Policy": policy})


def _problem(error: RequestError, media_type: str, body: str | bytes) -> Response:
    return Response(error.status, media_type, {**caching.NOT_KEPT, **error.headers}, body)


def problem_document(error: RequestError, request_id: str | None = None) -> dict[str, Any]:
    """What is said of an error, by the names of RFC 9457 and our own."""
    document: dict[str, Any] = {
        "type": f"urn:problem-type:recognizer:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.public_message,
    }
    parameter = None if error.parameter is None else error.parameter[:_MAX_PARAMETER_CHARS]
    extensions = {"parameter": parameter, "upstream_status": error.upstream_status, "request_id": request_id}
    return document | {name: value for name, value in extensions.items() if value is not None}


def _image(outcome: Outcome) -> dict[str, Any]:
    return {
        "url": outcome.request.url or None,
        "width": outcome.width_px,
        "height": outcome.height_px,
        "format": outcome.format,
        "animated": outcome.animated,
    }


def detections_document(outcome: Outcome, model: ModelIdentity) -> dict[str, Any]:
    """What the JSON answer of a detection says."""
    # A cut-out shows one object, however many were found, or hidden in it.
    is_cut_out = outcome.request.crop and outcome.encoded is not None
    shown = outcome.detections[:1] if is_cut_out else outcome.detections
    return {
        "image": _image(outcome),
        "model": {"name": model.name, "engine": model.engine},
        "detections": [_as_json(detection, outcome) for detection in shown],
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
    kept = ({key: box[key] for key in ("label", "score", "box")} for box in boxes)
    return listed(json.dumps(each, separators=(",", ":")) for each in kept)


def _dumps(document: dict[str, Any] | list[Any]) -> str:
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()  # a client can send half a surrogate pair
