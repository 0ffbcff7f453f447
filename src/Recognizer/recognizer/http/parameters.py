"""Parameters -> DetectRequest: each one checked, and named in the error when it is wrong.

Owns what a client may ask for, whichever way it came: text from a query or a form, typed values from JSON. Refuses what
it does not know: a mistyped parameter is a 400 that says so, not an option silently ignored. Pure; the form and the
address of a URL are ``destinations``' to judge.
"""

from __future__ import annotations

import base64
import binascii
import math
from typing import TYPE_CHECKING, Any, cast

from recognizer.detections import Criteria
from recognizer.errors import InvalidParameter, quoted
from recognizer.job import ALIASES, DEFAULT_LIMIT, DRAWS, IMAGE_FORMATS, MAX_LIMIT, PARAMETERS, DetectRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.job import AnswerKind, Draw
    from recognizer.labels import LabelMap

_EVERY_LABEL = "*"
_REGION_EDGES = 4


def canonical(*sources: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of several sources under their canonical names.

    Raises:
        InvalidParameter: one is unknown or given twice.
    """
    given: dict[str, Any] = {}
    for source in sources:
        for name, value in source.items():
            known = ALIASES.get(name, name)
            if known not in PARAMETERS:
                raise InvalidParameter(
                    f"There is no parameter {quoted(name)}; there are {', '.join(PARAMETERS)}. "
                    "If it belongs to the picture's address, percent-encode that address (& as %26).",
                    parameter=name,
                )
            if known in given:
                raise InvalidParameter(
                    f"{known} is given twice{f', once as {name}' * (name != known)}.", parameter=name
                )
            if value is not None:
                given[known] = value
    return given


def validated(
    given: Mapping[str, Any],
    labels: LabelMap,
    *,
    default_min_score: float,
    default_answer: AnswerKind,
    content: bytes | None = None,
) -> DetectRequest:
    """The request that canonical parameters make.

    Args:
        given: parameters by canonical name: text, or JSON's values.
        labels: the classes of the model.
        default_min_score: what a request that names no minimum gets.
        default_answer: what a request that names no format gets.
        content: the picture itself, where the body was one.

    Raises:
        InvalidParameter: a parameter is missing, malformed or out of range.
    """
    url, content = _source(given, content)
    crop = _flag(given, "crop")
    draw = _draw(given, crop=crop)
    least, by_class = _min_score(given.get("min_score", ""), default_min_score, labels)
    return DetectRequest(
        url=url,
        content=content,
        criteria=Criteria(
            # Whoever hides faces means all of them.
            limit=_limit(given.get("n", ""), MAX_LIMIT if draw == "blur" and not crop else DEFAULT_LIMIT),
            min_score=least,
            class_indices=labels.wanted(_names(given, "include"), _names(given, "exclude")),
            min_score_by_class=by_class,
            region=_region(given.get("region", "")),
        ),
        answer=cast("AnswerKind", _choice(given, "format", ("image", "json"), default_answer)),
        image_format=_image_format(given),
        draw=draw,
        crop=crop,
    )


def _source(given: Mapping[str, Any], content: bytes | None) -> tuple[str, bytes | None]:
    url, image = given.get("url", ""), given.get("image", "")
    if not isinstance(url, str):
        raise InvalidParameter(f"url must be text, not {quoted(url)}.", parameter="url")
    if not isinstance(image, str | bytes):
        raise InvalidParameter(f"image must be a picture file in base64, not {quoted(image)}.", parameter="image")
    if sum((bool(url.strip()), bool(image), content is not None)) > 1:
        raise InvalidParameter("Give one picture: its url, or the image itself.", parameter="url")
    if content is not None or isinstance(image, bytes):
        return "", content if content is not None else cast("bytes", image)
    if image:
        return "", _decoded(image)
    if not url.strip():
        raise InvalidParameter(
            "Give the address of a picture, as in /detector?url=https://….jpg, or send one: see /reference.",
            parameter="url",
        )
    return url.strip(), None


def _decoded(image: str) -> bytes:
    """A picture from base64, with or without the ``data:image/…;base64,`` that browsers put before it."""
    text = image.partition(",")[2] if image.startswith("data:") else image
    text = text.replace(" ", "+")  # a form's + that was not percent-encoded
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidParameter("image must be a picture file in base64.", parameter="image") from error


def _limit(value: Any, default: int) -> int:
    if value == "":
        return default
    # JSON's integers: 3.0 is one too.
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    text = str(int(value)) if whole else value
    # No int(): it takes "1_0", " 5 " and other scripts' digits.
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= len(str(MAX_LIMIT)):
        limit = int(text)
        if 1 <= limit <= MAX_LIMIT:
            return limit
    raise InvalidParameter(f"n must be a whole number from 1 to {MAX_LIMIT}, not {quoted(value)}.", parameter="n")


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
    score = _number(value)
    if score is None or not 0.0 <= score <= 1.0:
        raise InvalidParameter(f"min_score must be a number from 0 to 1, not {quoted(value)}.", parameter="min_score")
    return score


def _number(value: Any) -> float | None:
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
    return tuple(name.strip() for name in names if name.strip())


def _region(value: Any) -> tuple[float, float, float, float] | None:
    if value == "":
        return None
    parts = value.split(",") if isinstance(value, str) else value
    edges = [_number(part) for part in parts] if isinstance(parts, list) else []
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
    draw = cast("Draw", _choice(given, "draw", DRAWS, "none" if crop else "labels"))
    if crop and draw in {"labels", "boxes"}:
        raise InvalidParameter("crop cuts the best object out undrawn: leave draw out, or blur it.", parameter="draw")
    return draw


def _image_format(given: Mapping[str, Any]) -> str | None:
    choice = _choice(given, "image_format", tuple(IMAGE_FORMATS), "")
    return IMAGE_FORMATS.get(choice)


def _flag(given: Mapping[str, Any], parameter: str) -> bool:
    value = given.get(parameter, "")
    return value is True or _choice({parameter: _as_text(value)}, parameter, ("1", "true", "0", "false"), "0") in {
        "1",
        "true",
    }


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, bool | int) else value
