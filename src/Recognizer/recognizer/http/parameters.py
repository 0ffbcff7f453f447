"""Parameters -> DetectRequest: each one checked, and named in the error when it is wrong.

Owns what the parameters mean, whichever way they came: text from a query or a form, typed values from JSON. A parameter
that does not exist is an error that says so, not an option silently ignored. Whether a URL may be fetched is not judged
here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from recognizer.detections import Criteria
from recognizer.errors import InvalidParameter, quoted
from recognizer.http import source
from recognizer.job import (
    ALIASES,
    ANSWERS,
    DEFAULT_LIMIT,
    DRAWS,
    IMAGE_FORMATS,
    MAX_LIMIT,
    MAX_TILES,
    PARAMETERS,
    DetectRequest,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from recognizer.http.negotiation import Negotiated
    from recognizer.job import AnswerKind, Draw
    from recognizer.labels import LabelMap

_EVERY_LABEL = "*"
_REGION_EDGES = 4


class Rules(NamedTuple):
    """What the meaning of parameters depends on, beside themselves.

    Attributes:
        labels: the classes of the model.
        default_min_score: what a request that names no minimum gets.
        max_bytes: largest picture that may be sent, as a file.
    """

    labels: LabelMap
    default_min_score: float
    max_bytes: int


def canonical(*parts: Mapping[str, Any], known: Sequence[str] = PARAMETERS) -> dict[str, Any]:
    """The parameters of a request's parts, query and body, under their canonical names.

    Args:
        parts: name -> value.
        known: the canonical names that there are.

    Raises:
        InvalidParameter: one is unknown or given twice.
    """
    given: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            canonical_name = ALIASES.get(name, name)
            if canonical_name not in known:
                raise InvalidParameter(
                    f"There is no parameter {quoted(name)}; there are {', '.join(known)}. "
                    "If it belongs to the picture's address, percent-encode that address (& as %26).",
                    parameter=name,
                )
            if canonical_name in given:
                raise InvalidParameter(
                    f"{canonical_name} is given twice{f', once as {name}' * (name != canonical_name)}.", parameter=name
                )
            if value is not None:
                given[canonical_name] = value
    return given


def of_query(query: Mapping[str, Any], known: Sequence[str] = PARAMETERS) -> dict[str, Any]:
    """The parameters of a request that has no body, under their canonical names.

    Raises:
        InvalidParameter: as ``canonical``, or a picture itself is among them.
    """
    given = canonical(query, known=known)
    if "image" in given:
        raise InvalidParameter("A picture itself goes into the body of a POST request.", parameter="image")
    return given


def validated(
    given: Mapping[str, Any], rules: Rules, accepted: Negotiated, content: bytes | None = None
) -> DetectRequest:
    """The request that canonical parameters make.

    Args:
        given: parameters by canonical name: text, or JSON's values.
        rules: what depends on the service that is asked.
        accepted: what a request that names no format gets.
        content: the picture itself, where the body was one.

    Raises:
        InvalidParameter: a parameter is missing, malformed or out of range.
        TooLarge: the picture that was sent has too many bytes.
    """
    picture = source.of(given, content, rules.max_bytes)
    answer = answer_kind(given, accepted.kind)
    crop = _flag(given, "crop")
    draw = _draw(given, crop=crop)
    least, by_class = _min_score(given.get("min_score", ""), rules.default_min_score, rules.labels)
    # Who wants objects hidden wants all of them hidden.
    limit = _whole(given, "n", MAX_LIMIT, MAX_LIMIT if draw == "blur" else DEFAULT_LIMIT)
    return DetectRequest(
        url=picture.url,
        content=picture.content,
        parameter=picture.parameter,
        criteria=Criteria(
            limit=limit,
            min_score=least,
            class_indices=rules.labels.wanted(_names(given, "include"), _names(given, "exclude")),
            min_score_by_class=by_class,
            region=_region(given.get("region", "")),
            tiles=_whole(given, "tiles", MAX_TILES, 1),
        ),
        answer=answer,
        image_format=_image_format(given) or (accepted.image_format if answer == "image" else None),
        draw=draw,
        crop=crop,
    )


def answer_kind(given: Mapping[str, Any], default: AnswerKind, among: tuple[AnswerKind, ...] = ANSWERS) -> AnswerKind:
    """The kind of answer that ``format`` names, among those that there are.

    Raises:
        InvalidParameter: there is no such kind.
    """
    return cast("AnswerKind", _choice(given, "format", among, default))


def _whole(given: Mapping[str, Any], parameter: str, most: int, default: int) -> int:
    """A whole number from 1 on."""
    value = given.get(parameter, "")
    if value == "":
        return default
    # JSON's integers: 3.0 is one too.
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    text = str(int(value)) if whole else value
    # No int(): it takes "1_0", " 5 " and other scripts' digits.
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= len(str(most)):
        number = int(text)
        if 1 <= number <= most:
            return number
    raise InvalidParameter(
        f"{parameter} must be a whole number from 1 to {most}, not {quoted(value)}.", parameter=parameter
    )


def _min_score(value: Any, default: float, labels: LabelMap) -> tuple[float, dict[int, float]]:
    """The least score of most classes, and that of the classes that have one of their own."""
    if not isinstance(value, dict):
        return (default if value == "" else _score(value)), {}
    by_class: dict[int, float] = {}
    # Wider labels first, so that {"Vehicle": 0.5, "Car": 0.7} means 0.7 for cars in either order.
    covered = [(labels.covered_by(name, "min_score"), score) for name, score in value.items() if name != _EVERY_LABEL]
    for indices, score in sorted(covered, key=lambda item: -len(item[0])):
        by_class |= dict.fromkeys(indices, _score(score))
    return _score(value.get(_EVERY_LABEL, default)), by_class


def _score(value: Any) -> float:
    score = number(value)
    if score is None or not 0.0 <= score <= 1.0:
        raise InvalidParameter(f"min_score must be a number from 0 to 1, not {quoted(value)}.", parameter="min_score")
    return score


def number(value: Any) -> float | None:
    """A finite number from JSON or from text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and (not value.isascii() or "_" in value):
        return None  # float() would take them
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _names(given: Mapping[str, Any], parameter: str) -> tuple[str, ...]:
    value = given.get(parameter, "")
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidParameter(
            f"{parameter} must be labels separated by commas, or a list of them.", parameter=parameter
        )
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def _region(value: Any) -> tuple[float, float, float, float] | None:
    if value == "":
        return None
    parts = value.split(",") if isinstance(value, str) else value
    edges = [number(part) for part in parts] if isinstance(parts, list) else []
    if len(edges) == _REGION_EDGES and None not in edges:
        xmin, ymin, xmax, ymax = cast("list[float]", edges)
        if 0.0 <= xmin < xmax <= 1.0 and 0.0 <= ymin < ymax <= 1.0:
            return xmin, ymin, xmax, ymax
    raise InvalidParameter(
        f"region must be xmin,ymin,xmax,ymax as fractions of the picture, such as 0,0.5,1,1, not {quoted(value)}.",
        parameter="region",
    )


def _choice(given: Mapping[str, Any], parameter: str, choices: tuple[str, ...], default: str) -> str:
    value = given.get(parameter, "")
    if value == "":
        return default
    if not isinstance(value, str) or value.lower() not in choices:
        wanted = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise InvalidParameter(f"{parameter} must be {wanted}, not {quoted(value)}.", parameter=parameter)
    return value.lower()


def _draw(given: Mapping[str, Any], *, crop: bool) -> Draw:
    draw = cast("Draw", _choice(given, "draw", DRAWS, DRAWS[0]))
    # A cut-out has no room for boxes and labels round it: with crop they mean nothing drawn.
    return "none" if crop and draw in {"labels", "boxes"} else draw


def _image_format(given: Mapping[str, Any]) -> str | None:
    choice = _choice(given, "image_format", tuple(IMAGE_FORMATS), "")
    return IMAGE_FORMATS.get(choice)


def _flag(given: Mapping[str, Any], parameter: str) -> bool:
    """Whether a switch is on; in a query its bare name, ``&crop``, is enough."""
    value = given.get(parameter, False)
    text = str(value).lower() if isinstance(value, bool | int) else value
    return _choice({parameter: text}, parameter, ("1", "true", "0", "false"), "1") in {"1", "true"}
