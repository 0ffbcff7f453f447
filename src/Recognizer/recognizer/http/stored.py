"""A picture in a bucket -> DetectRequest.

Owns which parameters can be said of a picture before it is there: for a whole bucket as a query (``n=5&draw=blur``),
for an upload in the body of ``POST /uploads``, for an object as its metadata (``x-amz-meta-n: 5``), and how what is no
plain text stands in a query and in metadata: as JSON. Objects are sent by programs that put metadata of their own
beside ours, so names that are none of ours are left alone there.
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
METADATA = "x-amz-meta-"  # what begins the names of metadata where they are headers, or fields of a form
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
_MAX_METADATA_BYTES = 2048


def in_query(query: str) -> dict[str, Any]:
    """The options in a query.

    Raises:
        InvalidParameter: one is unknown or given twice.
    """
    given: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name in given:
            raise InvalidParameter(f"{quoted(name)} is given twice.", parameter=name)
        given[name] = _value(text)
    return among(given)


def among(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that parameters are, by canonical name.

    Raises:
        InvalidParameter: one is unknown, given twice, or about something else than a picture that comes later.
    """
    options = parameters.canonical(given)
    for name in options:
        if name not in OPTIONS:
            raise InvalidParameter(
                f"{name} cannot be said of a picture that is uploaded; there are {', '.join(OPTIONS)}.", parameter=name
            )
    return options


def in_metadata(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The options among an object's metadata, by canonical name."""
    named = {ALIASES.get(name, name): text for name, text in metadata.items()}
    return {name: _value(_decoded(text)) for name, text in named.items() if name in OPTIONS}


def as_metadata(options: Mapping[str, Any]) -> dict[str, str]:
    """Options as metadata can hold them, in ASCII; ``in_metadata`` makes the same options of it again.

    Raises:
        InvalidParameter: they are more than S3 keeps with an object.
    """
    metadata = {name: _text(value) for name, value in options.items()}
    sizes = {name: len(METADATA) + len(name) + len(text) for name, text in metadata.items()}
    size = sum(sizes.values())
    if size > _MAX_METADATA_BYTES:
        raise InvalidParameter(
            f"S3 keeps {_MAX_METADATA_BYTES:,} bytes of options with a picture, and these have {size:,}. "
            "Name fewer labels, or wider ones: Vehicle stands for all kinds of them.",
            parameter=max(sizes, key=lambda name: sizes[name]),
        )
    return metadata


def request_for(options: Mapping[str, Any], rules: Rules, content: bytes = b"") -> DetectRequest:
    """What is asked of a picture: it is always drawn, and its objects are always listed.

    Raises:
        InvalidParameter: an option is malformed or out of range.
        TooLarge: the picture has too many bytes.
    """
    return parameters.validated(options, rules, Negotiated("image"), content)


def _text(value: Any) -> str:
    """An option as text: as it is where it can stand in a header, else as JSON."""
    if isinstance(value, str) and value.isascii() and value.isprintable():
        return value
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _value(text: str) -> Any:
    """An option of text: a list, an object or a text in JSON, or else the text."""
    if text.lstrip().startswith(("[", "{", '"')):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass  # a label may begin so, and what cannot be is told of with the parameter's name
    return text


def _decoded(text: str) -> str:
    """Metadata outside ASCII come back as RFC 2047 writes them: ``=?UTF-8?Q?Caf=C3=A9?=``."""
    if "=?" not in text:
        return text
    from email.errors import HeaderParseError  # noqa: PLC0415 - hardly ever
    from email.header import decode_header, make_header  # noqa: PLC0415

    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, ValueError):
        return text
