"""A picture in a bucket -> DetectRequest.

Owns which parameters can be said of a picture before it is there: for a whole bucket as a query (``n=5&draw=blur``),
for an upload in the body of ``POST /uploads``, for an object as its metadata (``x-amz-meta-n: 5``). Objects are sent by
programs that put metadata of their own beside ours, so names that are none of ours are left alone there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from recognizer.errors import InvalidParameter, quoted
from recognizer.http import parameters
from recognizer.http.negotiation import Negotiated
from recognizer.job import ALIASES, PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.http.parameters import Rules
    from recognizer.job import DetectRequest

OPTIONS = tuple(name for name in PARAMETERS if name not in {"url", "image", "format"})


def in_query(query: str) -> dict[str, str]:
    """The options in a query.

    Raises:
        InvalidParameter: one is unknown or given twice.
    """
    given: dict[str, str] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name in given:
            raise InvalidParameter(f"{quoted(name)} is given twice.", parameter=name)
        given[name] = text
    return in_body(given)


def in_body(given: Mapping[str, Any]) -> dict[str, str]:
    """Options as metadata can hold them, text, by canonical name.

    Raises:
        InvalidParameter: one is unknown, or given twice.
    """
    options = parameters.canonical(given)
    for name in options:
        if name not in OPTIONS:
            raise InvalidParameter(
                f"{name} cannot be said of a picture that is uploaded; there are {', '.join(OPTIONS)}.", parameter=name
            )
    return {name: _text(value) for name, value in options.items()}


def in_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """The options among an object's metadata, by canonical name."""
    named = {ALIASES.get(name, name): text for name, text in metadata.items()}
    return {name: text for name, text in named.items() if name in OPTIONS}


def request_for(options: Mapping[str, str], rules: Rules, content: bytes = b"") -> DetectRequest:
    """What is asked of a picture: it is always drawn, and its objects are always listed.

    Raises:
        InvalidParameter: an option is malformed or out of range.
        TooLarge: the picture has too many bytes.
    """
    given: dict[str, Any] = dict(options)
    if options.get("min_score", "").lstrip().startswith("{"):
        given["min_score"] = _by_label(options["min_score"])
    return parameters.validated(given, rules, Negotiated("image"), content)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value)  # in ASCII, as metadata are
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _by_label(text: str) -> Any:
    """Scores by label, which as metadata are the text of a JSON object."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"min_score is no JSON object: {error}.", parameter="min_score") from error
