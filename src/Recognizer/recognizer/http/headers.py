"""The headers that every answer carries, whatever it is: security and CORS.

Owns both sets and the preflight's answer. Any page may call the service, so ``*`` is all that CORS ever says, and no
answer depends on the Origin header.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recognizer.http.messages import Response
from recognizer.job import LOOP_HEADER, LOOP_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recognizer.http.messages import Request

# Response headers of ours that a page of another origin may read.
EXPOSED_HEADERS = (
    "Content-Disposition",
    "ETag",
    "Server-Timing",
    "X-Detection-Count",
    "X-Detections",
    "X-Image-Reduced",
    "X-Image-Size",
    "X-Labels",
    "X-Model",
)

MAX_HEADER_BYTES = 4096  # of one that tells what was found

_ALLOWED_HEADERS = ("Authorization", "Content-Type", "If-None-Match", "X-Api-Key")
_PREFLIGHT_MAX_AGE_S = 86_400

_EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": ", ".join(EXPOSED_HEADERS),
}
_EVERY_PAGE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}


def complete(response: Response) -> Response:
    """The response with the headers that every answer of its kind carries."""
    is_page = response.media_type.startswith("text/html")
    return response._replace(headers={**_EVERY_ANSWER, **(_EVERY_PAGE if is_page else {}), **response.headers})


def listed(items: Iterable[str], brackets: str = "[]") -> str:
    """As many whole items of JSON, in ASCII, as fit into a header."""
    fitting: list[str] = []
    left = MAX_HEADER_BYTES - len(brackets)
    for item in items:
        left -= len(item) + len(",")
        if left < 0:
            break
        fitting.append(item)
    return f"{brackets[0]}{','.join(fitting)}{brackets[1]}"


def varied(response: Response, header: str) -> Response:
    """The response, saying that a header of the request has a say in it."""
    names = [*filter(None, response.headers.get("Vary", "").split(", ")), header]
    return response._replace(headers={**response.headers, "Vary": ", ".join(dict.fromkeys(names))})


def is_looped(request: Request) -> bool:
    """Whether a request was sent by a fetch of this service (RFC 8586)."""
    passed = request.header(LOOP_HEADER.lower()).split(",")
    return any(entry.partition(";")[0].strip().lower() == LOOP_TOKEN for entry in passed)


def preflight(methods: Iterable[str]) -> Response:
    """The answer to OPTIONS: what a page of another origin may ask of a path (https://fetch.spec.whatwg.org)."""
    allowed = ", ".join(methods)
    headers = {
        "Allow": allowed,
        "Access-Control-Allow-Methods": allowed,
        "Access-Control-Allow-Headers": ", ".join(_ALLOWED_HEADERS),
        "Access-Control-Max-Age": str(_PREFLIGHT_MAX_AGE_S),
        "Cache-Control": f"public, max-age={_PREFLIGHT_MAX_AGE_S}",
    }
    return Response(204, "", headers, "")
