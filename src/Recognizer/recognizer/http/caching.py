"""Entity tags, conditional requests and how long an answer may be kept.

Owns each of these rules once, for pictures, JSON documents and the page alike (RFC 9110, sections 8.8.3 and 13.1.2; RFC
9111).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from recognizer.http.messages import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAG_CHARS = 32  # of the digest's hexadecimal form: 128 bits
_NOT_KEPT = "no-store"
_BY_ANYONE, _BY_THE_CLIENT = "public", "private"
NOT_KEPT = {"Cache-Control": _NOT_KEPT}  # the headers of an answer that is not to be kept
_OF_A_304 = frozenset({"ETag", "Cache-Control", "Vary"})


def entity_tag(content: bytes | str) -> str:
    """A strong entity tag that changes with the content; text counts as UTF-8, half a surrogate pair included."""
    encoded = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    return f'"{hashlib.sha256(encoded).hexdigest()[:_TAG_CHARS]}"'


def cache_headers(tag: str, max_age_s: int, *, varies: bool = False) -> dict[str, str]:
    """The headers of an answer that may be kept; ``max_age_s`` 0 forbids storing it.

    Args:
        tag: its entity tag.
        max_age_s: seconds that any cache may keep it.
        varies: whether the Accept header had a say in it.
    """
    headers = {"Cache-Control": f"{_BY_ANYONE}, max-age={max_age_s}" if max_age_s else _NOT_KEPT, "ETag": tag}
    return {**headers, "Vary": "Accept"} if varies else headers


def private(response: Response) -> Response:
    """The response, to be kept by its client alone: a shared cache would hand it to those who may not ask for it."""
    kept = response.headers.get("Cache-Control", "")
    return response._replace(headers={**response.headers, "Cache-Control": kept.replace(_BY_ANYONE, _BY_THE_CLIENT)})


def names(if_none_match: str, tag: str) -> bool:
    """Whether an If-None-Match header names an entity tag; ``*`` names none."""
    return tag in {entry.strip().removeprefix("W/") for entry in if_none_match.split(",")}


def not_modified(headers: Mapping[str, str]) -> Response:
    """The 304 that takes the place of an answer with these headers (RFC 9110, section 15.4.5)."""
    return Response(304, "", {name: value for name, value in headers.items() if name in _OF_A_304}, "")


def conditional(response: Response, if_none_match: str) -> Response:
    """The response, or the 304 in its place where the client has it already; ``*`` means whichever there is."""
    tag = response.headers.get("ETag")
    is_kept = response.headers.get("Cache-Control") != _NOT_KEPT
    if response.status != 200 or tag is None or not is_kept:  # noqa: PLR2004 - only a representation can be unchanged
        return response
    is_known = if_none_match.strip() == "*" or names(if_none_match, tag)
    return not_modified(response.headers) if is_known else response
