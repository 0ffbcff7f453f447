"""A request to ``/detector`` -> DetectRequest.

Owns what GET and POST differ in: where parameters stand, and which kind of answer is the default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recognizer.http import body, parameters
from recognizer.http.negotiation import negotiated

if TYPE_CHECKING:
    from recognizer.http.messages import Request
    from recognizer.http.parameters import Rules
    from recognizer.job import DetectRequest


def from_query(request: Request, rules: Rules) -> DetectRequest:
    """What a GET asks for; the picture is its default answer.

    Raises:
        InvalidParameter: a parameter is missing, unknown, malformed or out of range.
    """
    given = parameters.of_query(request.query)
    return parameters.validated(given, rules, negotiated(request.header("accept"), "image"))


def from_body(request: Request, rules: Rules) -> DetectRequest:
    """What a POST asks for, in its body and its query; JSON is its default answer.

    Raises:
        InvalidParameter: as ``from_query``, or the body is not what its Content-Type says.
        TooLarge: the picture that was sent has too many bytes.
        UnsupportedMediaType: the body is of a kind that is not read.
    """
    given, content = body.read(request)
    merged = parameters.canonical(request.query, given)
    return parameters.validated(merged, rules, negotiated(request.header("accept"), "json"), content)
