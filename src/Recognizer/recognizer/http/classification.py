"""A request to ``/classifier`` -> DetectRequest, and in which shape it is answered.

Owns which parameters it takes: the picture, and which of its labels are wanted. A body that speaks of ``input_url`` is
answered as the service that it was written for did: pairs of name and per cent, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recognizer.http import body, parameters
from recognizer.http.negotiation import Negotiated

if TYPE_CHECKING:
    from recognizer.http.messages import Request
    from recognizer.http.parameters import Rules
    from recognizer.job import DetectRequest

PARAMETERS = ("url", "image", "n", "min_score", "include", "exclude")

_JSON = Negotiated("json", None)
_OF_PAIRS = "input_url"


def from_query(request: Request, rules: Rules) -> tuple[DetectRequest, bool]:
    """What a GET asks for, and that it is answered with a document.

    Raises:
        InvalidParameter: a parameter is missing, unknown, malformed or out of range.
    """
    given = parameters.of_query(request.query, PARAMETERS)
    return parameters.validated(given, rules, _JSON), False


def from_body(request: Request, rules: Rules) -> tuple[DetectRequest, bool]:
    """What a POST asks for, in its body and its query, and whether it is answered with pairs.

    Raises:
        InvalidParameter: as ``from_query``, or the body is not what its Content-Type says.
        TooLarge: the picture that was sent has too many bytes.
        UnsupportedMediaType: the body is of a kind that is not read.
    """
    given, content = body.read(request)
    merged = parameters.canonical(request.query, given, known=PARAMETERS)
    return parameters.validated(merged, rules, _JSON, content), _OF_PAIRS in given
