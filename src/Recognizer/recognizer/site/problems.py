"""The errors of the service as its description shows them: each with its status, its meaning and one example.

Owns the examples: what the service really says to some request, which tests/contract/test_problems.py sends. Which
errors there are, their names and statuses are read from ``errors``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recognizer.errors import (
    AddressNotAllowed,
    BrokenPicture,
    DownloadFailed,
    DownloadTimedOut,
    InternalError,
    InvalidParameter,
    LoopDetected,
    MethodNotAllowed,
    NotFound,
    NothingDetected,
    OriginBypassed,
    Overloaded,
    PictureTooCostly,
    RequestError,
    TooLarge,
    TooManyTiles,
    Unauthorized,
    UnsupportedMediaType,
)
from recognizer.job import MAX_LIMIT
from recognizer.site.headers import refs
from recognizer.site.schemas import content, object_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from recognizer.site.schemas import Json

_MEDIA_TYPE = "application/problem+json"
_REQUEST_ID = "6d3d6fbd-347e-4b72-9de9-7d62daebddc6"
_NOT_OF_A_DETECTION: set[type[RequestError]] = {NotFound, MethodNotAllowed, Unauthorized, OriginBypassed}
_HEADERS: dict[type[RequestError], str] = {MethodNotAllowed: "Allow", Unauthorized: "WWW-Authenticate"}


def examples(max_bytes: int) -> Json:
    """Every error as a client sees it, by its code.

    Args:
        max_bytes: of the largest picture.
    """
    said: dict[type[RequestError], Json] = {
        InvalidParameter: {
            "detail": f'n must be a whole number from 1 to {MAX_LIMIT}, not "abc".',
            "parameter": "n",
        },
        Unauthorized: {
            "detail": "This asks for a key. Send the header Authorization: Bearer KEY; "
            "whoever runs this service hands keys out."
        },
        OriginBypassed: {
            "detail": "This service is behind a distribution: use its address, not that of the service itself."
        },
        AddressNotAllowed: {
            "detail": "The URL leads to an address that is not a public one.",
            "parameter": "url",
        },
        NotFound: {"detail": 'There is nothing at "/detect". Try / for the page, or /detector?url=https://….jpg'},
        NothingDetected: {
            "detail": "There is no object to cut out; try a lower min_score, or other labels.",
            "parameter": "crop",
        },
        MethodNotAllowed: {"detail": '/detector does not take "PUT", but GET, POST, OPTIONS.'},
        TooLarge: {"detail": f"The picture has more than {max_bytes:,} bytes.", "parameter": "image"},
        UnsupportedMediaType: {"detail": "There is no picture: the file is empty.", "parameter": "url"},
        BrokenPicture: {"detail": "The picture cannot be decoded: it ends too early.", "parameter": "url"},
        PictureTooCostly: {
            "detail": "The picture takes too long to decode or to write. Save it as an ordinary JPEG, or smaller.",
            "parameter": "url",
        },
        TooManyTiles: {
            "detail": "tiles=2 takes more time than is left for this request; leave tiles out.",
            "parameter": "tiles",
        },
        InternalError: {"detail": "Something went wrong on our side; the request id helps to find out what."},
        DownloadFailed: {
            "detail": "The picture's server answered 404 Not Found.",
            "parameter": "url",
            "upstream_status": 404,
        },
        Overloaded: {"detail": "Too many pictures are being worked on; ask again in a moment."},
        DownloadTimedOut: {"detail": "The picture's server did not send it in time.", "parameter": "url"},
        LoopDetected: {"detail": "The address of the picture leads back to this service.", "parameter": "url"},
    }
    return {error.code: _example(error, said[error]) for error in RequestError.__subclasses__()}


def _example(error: type[RequestError], said: Json) -> Json:
    value = {"type": _type(error), "title": error.title, "status": error.status, **said, "request_id": _REQUEST_ID}
    return {"summary": _meaning(error), "value": value}


def of_a_detection(without: Iterable[type[RequestError]] = ()) -> Json:
    """The responses of everything that can go wrong with a detection, or all but some of it, by status."""
    others = _NOT_OF_A_DETECTION.union(without)
    return by_status(error for error in RequestError.__subclasses__() if error not in others)


def by_status(errors: Iterable[type[RequestError]]) -> Json:
    """The responses that errors make, by status."""
    by_status: dict[int, list[type[RequestError]]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {str(status): response(same) for status, same in sorted(by_status.items())}


def response(errors: Sequence[type[RequestError]]) -> Json:
    """The response of one status, which several errors can share."""
    own = refs(*(_HEADERS[error] for error in errors if error in _HEADERS))
    shown = {error.code: {"$ref": f"#/components/examples/{error.code}"} for error in errors}
    return {
        "description": " ".join(_meaning(error) for error in errors),
        "headers": {**refs("Cache-Control"), **own},
        "content": {_MEDIA_TYPE: content("Problem", examples=shown)},
    }


def schema() -> Json:
    """The schema of a problem document."""
    text: Json = {"type": "string"}
    return object_of(
        {
            "type": {**text, "enum": [_type(error) for error in RequestError.__subclasses__()]},
            "title": text,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {**text, "description": "What happened, and what to change."},
            "parameter": {**text, "description": "The parameter at fault, if it is one."},
            "upstream_status": {"type": "integer", "description": "What the picture's own server answered."},
            "request_id": {**text, "description": "Finds the request in the logs."},
        },
        "parameter",
        "upstream_status",
        "request_id",
        description="An error (RFC 9457).",
    )


def _meaning(error: type[RequestError]) -> str:
    return (error.__doc__ or error.title).partition("\n")[0]


def _type(error: type[RequestError]) -> str:
    return f"urn:problem-type:recognizer:{error.code}"
