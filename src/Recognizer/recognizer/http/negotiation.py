"""Which kind of answer an Accept header asks for.

Owns reading the header (RFC 9110, section 12.5.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from recognizer.job import IMAGE_FORMATS

if TYPE_CHECKING:
    from recognizer.job import AnswerKind

_JSON_RANGES = ("*/*", "application/*", "application/json")  # each narrower than the one before
_ANY_IMAGE = {"*/*", "image/*"}


class Negotiated(NamedTuple):
    """What an Accept header asks for.

    Attributes:
        kind: the annotated picture or JSON.
        image_format: Pillow's name of the format that the picture must have; None where the source's own will do.
    """

    kind: AnswerKind
    image_format: str | None = None


def negotiated(accept: str, default: AnswerKind) -> Negotiated:
    """The answer that an Accept header ranks higher, the default kind where it ranks neither.

    Of two kinds with the same quality it is the one named more precisely: ``application/json, */*`` means JSON. A
    header that names formats of pictures but no wildcard gets the best of them that can be written.
    """
    ranges = [_range(item) for item in accept.split(",")]
    ranks: dict[AnswerKind, tuple[float, int]] = {"json": (0.0, 0), "image": (0.0, 0)}
    for media, quality in ranges:
        if media in _JSON_RANGES:
            ranks["json"] = _narrower(ranks["json"], quality, _JSON_RANGES.index(media))
        if media == "*/*" or media.startswith("image/"):
            ranks["image"] = _narrower(ranks["image"], quality, 0 if media == "*/*" else 1 + (media != "image/*"))
    kind = default
    if ranks["json"] != ranks["image"] and max(ranks["json"][0], ranks["image"][0]) > 0.0:
        kind = "json" if ranks["json"] > ranks["image"] else "image"
    return Negotiated(kind, _image_format(ranges) if kind == "image" else None)


def prefers_html(accept: str) -> bool:
    """Whether someone reads the answer: a header names HTML, as browsers do, and ranks no kind of JSON as high."""
    best = {"html": 0.0, "json": 0.0}
    for media, quality in map(_range, accept.split(",")):
        if media == "text/html":
            best["html"] = max(best["html"], quality)
        elif media.startswith("application/") and media.endswith("json"):
            best["json"] = max(best["json"], quality)
    return best["html"] > best["json"]


def _image_format(ranges: list[tuple[str, float]]) -> str | None:
    if any(media in _ANY_IMAGE and quality > 0.0 for media, quality in ranges):
        return None
    named = [(quality, media.removeprefix("image/")) for media, quality in ranges if media.startswith("image/")]
    writable = [(quality, name) for quality, name in named if quality > 0.0 and name in IMAGE_FORMATS]
    return IMAGE_FORMATS[max(writable, key=lambda item: item[0])[1]] if writable else None


def _range(item: str) -> tuple[str, float]:
    """A media range in lower case, and its quality."""
    media, *parameters = (part.strip().lower() for part in item.split(";"))
    return media, next((_quality(parameter[2:]) for parameter in parameters if parameter.startswith("q=")), 1.0)


def _narrower(rank: tuple[float, int], quality: float, precision: int) -> tuple[float, int]:
    """The rank of a kind after one more media range: a more precise one overrides, an equal one can only raise."""
    if precision > rank[1]:
        return quality, precision
    return max(rank, (quality, precision)) if precision == rank[1] else rank


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return min(max(quality, 0.0), 1.0) if quality == quality else 0.0  # noqa: PLR0124 - "nan" is a float
