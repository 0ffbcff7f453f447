"""DOODS: ``GET /doods/detectors``, and ``POST /doods/detect`` with JSON that holds a picture and what counts in it.

Owns how its clients ask and are answered (https://github.com/snowzach/doods2): which labels count from which confidence
on (0..100), in the whole picture and in regions of it. There are two detectors: ``default`` tells COCO's classes in
lower case, ``all-labels`` all that the model knows by its own names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recognizer.compat import reading
from recognizer.compat.vocabulary import ALL_LABELS, Vocabulary
from recognizer.detections import Box
from recognizer.errors import InvalidParameter, UnsupportedMediaType, quoted
from recognizer.http import body, responses
from recognizer.job import MAX_LIMIT
from recognizer.suggestions import suggestions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.compat.desk import Desk
    from recognizer.detections import Detection
    from recognizer.errors import RequestError
    from recognizer.http.messages import Request, Response

_DEFAULT = "default"
_VOCABULARIES = {_DEFAULT: Vocabulary.coco, ALL_LABELS: Vocabulary.all_labels}
# `throttle` is about streams, and means nothing to them either with one picture.
_FIELDS = ("id", "detector_name", "data", "detect", "regions", "image", "preprocess", "throttle")
_NOT_DONE = {
    "image": "image asks for the picture with boxes drawn; /detector draws them. Leave it out here.",
    "preprocess": "preprocess is not done here: pictures are looked at as they are. Leave it out.",
}
_REGION_FIELDS = ("id", "top", "left", "bottom", "right", "covers", "detect")
_EDGES = ("top", "left", "bottom", "right")
_MAX_REGIONS = 100
_ANY = "*"
_PER_CENT = 100


@dataclass(frozen=True, slots=True)
class _Region:
    """What counts in a part of the picture.

    Attributes:
        least: label, or ``*`` for all that are not named -> least score (0..1) from which on it counts.
        box: where.
        covers: whether a thing has to be inside it, or only to touch it.
        id: what an answer calls it; None for nothing.
    """

    least: Mapping[str, float]
    box: Box
    covers: bool = False
    id: str | None = None

    def least_of(self, label: str) -> float | None:
        """The least score of a label; None where it does not count."""
        return self.least.get(label, self.least.get(_ANY))

    def has(self, found: Detection) -> bool:
        """Whether a thing counts here."""
        least = self.least_of(found.label.name)
        if least is None or found.score < least:
            return False
        mine, its = self.box, found.box
        if self.covers:
            return mine.ymin <= its.ymin and mine.xmin <= its.xmin and its.ymax <= mine.ymax and its.xmax <= mine.xmax
        return its.ymin <= mine.ymax and its.xmin <= mine.xmax and its.ymax >= mine.ymin and its.xmax >= mine.xmin


def detectors(_: Request, desk: Desk) -> Response:
    """The detectors there are; 0 for a size, as pictures of any shape are taken."""
    about = {"type": desk.identity.engine, "model": desk.identity.name, "width": 0, "height": 0}
    told = {name: vocabulary(desk.rules.labels).names for name, vocabulary in _VOCABULARIES.items()}
    return responses.passing(
        200, {"detectors": [{"name": name, **about, "labels": list(labels)} for name, labels in told.items()]}
    )


def detect(request: Request, desk: Desk) -> Response:
    """What counts in the picture, most certain first."""
    given, content = body.read(request)
    if content is not None:
        raise UnsupportedMediaType('A picture goes into JSON here, as base64: {"data": "…", "detect": {"*": 50}}.')
    reading.require_known(given, _FIELDS)
    for name, reason in _NOT_DONE.items():
        if given.get(name):
            raise InvalidParameter(reason, parameter=name)
    id_ = _text(given.get("id"), "id")
    name = _text(given.get("detector_name"), "detector_name") or _DEFAULT
    if name not in _VOCABULARIES:
        raise InvalidParameter(
            f"There is no detector {quoted(name)}; there are {', '.join(_VOCABULARIES)}.", parameter="detector_name"
        )
    vocabulary = _VOCABULARIES[name](desk.rules.labels)
    regions = _regions(given, vocabulary.names, desk.rules.default_min_score)
    found = _found(given.get("data"), desk, vocabulary, regions)
    places = ((each, next((region for region in regions if region.has(each)), None)) for each in found)
    told = [_told(each, region) for each, region in places if region is not None]
    return responses.passing(200, {"detections": told} if id_ is None else {"id": id_, "detections": told})


def problem(error: RequestError, _: Request) -> Response:
    """An error as DOODS has it."""
    return responses.passing(error.status, {"detections": [], "error": error.public_message}, **error.headers)


def key_of(request: Request) -> str:
    """What PyDOODS calls an authentication key."""
    return request.header("doods-auth-key")


def _found(data: Any, desk: Desk, vocabulary: Vocabulary, regions: list[_Region]) -> tuple[Detection, ...]:
    """What may count: the best of each label from the least score on that any region has for it."""
    picture = "url" if isinstance(data, str) and "://" in data[:10] else "image"
    wanted = {}
    for id_, label in vocabulary.labels.items():
        scores = [score for region in regions if (score := region.least_of(label.name)) is not None]
        if scores:
            wanted[id_] = min(scores)
    with reading.picture_in("data", data):
        least = {_ANY: 1.0, **wanted}
        outcome = desk.detect(**{picture: data}, n=MAX_LIMIT, include=list(wanted), min_score=least)
    return vocabulary.told(outcome.detections)


def _regions(given: Mapping[str, Any], labels: tuple[str, ...], default_min_score: float) -> list[_Region]:
    """The whole picture, and the parts of it that have rules of their own."""
    regions = reading.elements(given.get("regions") or None, "regions", _MAX_REGIONS)
    everywhere = _least(given.get("detect"), "detect", labels)
    if not everywhere and not regions:  # no rules: all that there is
        everywhere = {_ANY: default_min_score}
    whole = _Region(everywhere, Box(0, 0, 1, 1))
    return [whole, *(_region(region, f"regions[{place}]", labels) for place, region in enumerate(regions))]


def _region(given: Any, name: str, labels: tuple[str, ...]) -> _Region:
    region = reading.mapping(given, name)
    reading.require_known(region, _REGION_FIELDS, name)
    top, left, bottom, right = (reading.number(region.get(edge), f"{name}.{edge}", 1) for edge in _EDGES)
    if top > bottom or left > right:
        raise InvalidParameter(f"{name} must have top <= bottom and left <= right.", parameter=name)
    covers = region.get("covers", False)
    if not isinstance(covers, bool):
        raise InvalidParameter(f"{name}.covers must be true or false, not {quoted(covers)}.", parameter=name)
    least = _least(region.get("detect"), f"{name}.detect", labels)
    return _Region(least, Box(top, left, bottom, right), covers, _text(region.get("id"), f"{name}.id"))


def _least(given: Any, name: str, labels: tuple[str, ...]) -> dict[str, float]:
    """Label -> least score, from per cent."""
    least = {}
    for label, per_cent in reading.mapping(given, name).items():
        if label != _ANY and label not in labels:
            near = suggestions(label, labels)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise InvalidParameter(f"{quoted(label)} is no label of this detector.{hint}", parameter=name)
        least[label] = reading.number(per_cent, f"{name}.{label}", _PER_CENT) / _PER_CENT
    return least


def _text(value: Any, name: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise InvalidParameter(f"{name} must be text, not {quoted(value)}.", parameter=name)
    return value


def _told(found: Detection, region: _Region) -> dict[str, Any]:
    box = found.box
    place = {"top": box.ymin, "left": box.xmin, "bottom": box.ymax, "right": box.xmax}
    told = {**place, "label": found.label.name, "confidence": found.score * _PER_CENT}
    return told if region.id is None else {"region_id": region.id, **told}
