"""API Gateway event -> DetectRequest: every parameter read, checked and named in the error when it is wrong.

Owns the two shapes of proxy events (HTTP API payload 2.0, REST payload 1.0) and the parameters of ``/detector``.
Refuses what it does not know: a mistyped parameter is a 400 that says so, not an option silently ignored. Pure: the
URL's form and address are ``destinations``' to judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from recognizer.detections import Criteria
from recognizer.errors import InvalidParameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.labels import LabelMap

Answer = Literal["image", "json"]

DEFAULT_LIMIT = 3
MAX_LIMIT = 100
DEFAULT_MIN_SCORE = 0.1

# What a client may ask for -> Pillow's name of the format.
IMAGE_FORMATS = {"jpeg": "JPEG", "jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF"}

# Other names of parameters, taken from older services of this kind -> ours.
_ALIASES = {"input_url": "url", "n_predictions": "n"}
_PARAMETERS = ("url", "n", "min_score", "include", "exclude", "format", "image_format")


@dataclass(frozen=True, slots=True)
class DetectRequest:
    """What one request asks for, validated.

    Attributes:
        url: address of the picture, not yet checked.
        criteria: which objects are wanted; at most 100.
        answer: the annotated picture or JSON.
        image_format: Pillow's name of the format to answer in; None for the source's own.
    """

    url: str
    criteria: Criteria
    answer: Answer
    image_format: str | None


def payload_version(event: object) -> Literal["1.0", "2.0"]:
    """The version of a proxy event: 1.0 (REST API) or 2.0 (HTTP API).

    Raises:
        InvalidParameter: it is no such event.
    """
    if isinstance(event, dict) and isinstance(context := event.get("requestContext"), dict) and "stage" in context:
        http = context.get("http")
        if isinstance(http, dict) and {"method", "path"} <= http.keys() and isinstance(event.get("rawPath"), str):
            return "2.0"
        if isinstance(event.get("httpMethod"), str) and isinstance(event.get("path"), str):
            return "1.0"
    raise InvalidParameter("This is no API Gateway proxy event (REST 1.0 or HTTP API 2.0); see events/ for examples.")


def query_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The query parameters of either kind of event, percent-decoded; a repeated one is joined by commas."""
    repeated = event.get("multiValueQueryStringParameters")
    if repeated:
        return {name: ",".join(values) for name, values in repeated.items()}
    return dict(event.get("queryStringParameters") or {})


def header_of(event: Mapping[str, Any], name: str) -> str:
    """One request header in any case, or an empty string."""
    headers = event.get("headers") or {}
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")


def parse(event: Mapping[str, Any], labels: LabelMap) -> DetectRequest:
    """The request that a GET event makes.

    Raises:
        InvalidParameter: a parameter is missing, unknown, malformed or out of range.
    """
    given = _canonical(query_of(event))
    url = given.get("url", "").strip()
    if not url:
        raise InvalidParameter("Give the address of a picture, as in /detector?url=https://….jpg", parameter="url")
    return DetectRequest(
        url=url,
        criteria=Criteria(
            limit=_limit(given.get("n", "")),
            min_score=_min_score(given.get("min_score", "")),
            classes=labels.wanted(_names(given.get("include", "")), _names(given.get("exclude", ""))),
        ),
        answer=_answer(given.get("format", ""), header_of(event, "accept")),
        image_format=_image_format(given.get("image_format", "")),
    )


def _canonical(query: Mapping[str, str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in query.items():
        known = _ALIASES.get(name, name)
        if known not in _PARAMETERS:
            raise InvalidParameter(
                f"There is no parameter {name!r}; there are {', '.join(_PARAMETERS)}. "
                "If it belongs to the picture's address, percent-encode that address (& as %26).",
                parameter=name,
            )
        if known in given:
            raise InvalidParameter(f"{known!r} is given twice, once as {name!r}.", parameter=name)
        given[known] = value
    return given


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    # No int(): it takes "1_0", " 5 " and other scripts' digits.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_LIMIT)) and 1 <= int(text) <= MAX_LIMIT):
        raise InvalidParameter(f"n must be a whole number from 1 to {MAX_LIMIT}, not {_shown(text)}.", parameter="n")
    return int(text)


def _min_score(text: str) -> float:
    if not text:
        return DEFAULT_MIN_SCORE
    try:
        score = float(text) if text.isascii() and "_" not in text else -1.0
    except ValueError:
        score = -1.0
    if not 0.0 <= score <= 1.0:  # also refuses nan
        raise InvalidParameter(f"min_score must be a number from 0 to 1, not {_shown(text)}.", parameter="min_score")
    return score


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _answer(text: str, accept: str) -> Answer:
    if not text:
        return "json" if prefers_json(accept) else "image"
    if text.lower() == "image":
        return "image"
    if text.lower() == "json":
        return "json"
    raise InvalidParameter(f"format must be image or json, not {_shown(text)}.", parameter="format")


def _image_format(text: str) -> str | None:
    if not text:
        return None
    if text.lower() not in IMAGE_FORMATS:
        raise InvalidParameter(
            f"image_format must be jpeg, png, webp or gif, not {_shown(text)}.", parameter="image_format"
        )
    return IMAGE_FORMATS[text.lower()]


def prefers_json(accept: str) -> bool:
    """Whether an Accept header (RFC 9110, section 12.5.1) ranks application/json above any picture."""
    json_q = picture_q = -1.0
    for item in accept.split(","):
        media, *params = (part.strip().lower() for part in item.split(";"))
        quality = next((_quality(param[2:]) for param in params if param.startswith("q=")), 1.0)
        if media in {"application/json", "application/*"}:
            json_q = max(json_q, quality)
        elif media.startswith("image/"):
            picture_q = max(picture_q, quality)
        elif media == "*/*":
            json_q, picture_q = max(json_q, 0.0), max(picture_q, quality)
    return json_q > 0.0 and json_q > picture_q


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")  # noqa: PLR2004
