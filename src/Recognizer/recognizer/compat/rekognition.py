"""Amazon Rekognition's DetectLabels: ``POST /`` with ``X-Amz-Target: RekognitionService.DetectLabels``.

Owns how its clients ask and are answered
(https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectLabels.html): a label stands once, with all its
instances, and so does each label that covers it. Objects in S3 are not read: whoever may ask would read with this
service's rights instead of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from recognizer.compat.reading import MAX_INT, elements, members, number, picture_in, whole
from recognizer.errors import InvalidParameter, NotFound, quoted
from recognizer.http import body, responses
from recognizer.job import MAX_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from recognizer.compat.desk import Desk
    from recognizer.detections import Box, Detection
    from recognizer.errors import RequestError
    from recognizer.http.messages import Request, Response
    from recognizer.labels import LabelMap

_TARGET = "RekognitionService.DetectLabels"
_MEDIA_TYPE = "application/x-amz-json-1.1"
_DEFAULT_CONFIDENCE = 55.0
_PERCENT = 100
_MAX_LABELS = 1000  # their upper limit, and their default
_MAX_FILTERS = 100
_S3_OBJECT = "Image.S3Object"

# https://docs.aws.amazon.com/general/latest/gr/sigv4.html: the access key id is the first part of the credential.
_CREDENTIAL = re.compile(r"AWS4-[A-Z0-9-]+ .*?Credential=([^/,\s]+)/")

# Our status -> their error. Theirs have one status for what the client can change, and one for what it cannot.
_INTERNAL = "InternalServerError"
_NAMES = {
    400: "InvalidParameterException",
    401: "AccessDeniedException",
    403: "AccessDeniedException",
    404: "UnknownOperationException",
    413: "ImageTooLargeException",
    415: "InvalidImageFormatException",
    422: "InvalidImageFormatException",
    503: "ThrottlingException",
}


@dataclass(slots=True)
class _Found:
    """A label of the answer.

    Attributes:
        name: what it is called.
        parents: the labels that cover it, nearest first.
        score: of its best detection, or of the best that it covers.
        instances: its own detections, best first.
    """

    name: str
    parents: tuple[str, ...]
    score: float
    instances: list[Detection] = field(default_factory=list)


def detect_labels(request: Request, desk: Desk) -> Response:
    """The labels of what is in the picture, most certain first."""
    target = request.header("x-amz-target")
    if target != _TARGET:
        raise NotFound(f"X-Amz-Target must be {_TARGET}, not {quoted(target)}: nothing else of Rekognition is here.")
    asked, _ = body.read(request._replace(headers={**request.headers, "content-type": "application/json"}))
    asked = members(asked, "the request", ("Image", "MaxLabels", "MinConfidence", "Features", "Settings"))
    most = min(whole(asked.get("MaxLabels"), "MaxLabels", MAX_INT, _MAX_LABELS), _MAX_LABELS)
    least = number(asked.get("MinConfidence"), "MinConfidence", _PERCENT, _DEFAULT_CONFIDENCE)
    _require_general_labels(asked.get("Features"))
    wanted, unwanted = _filters(asked.get("Settings"), desk.rules.labels)
    picture = _picture(asked.get("Image"))
    with picture_in("Image.Bytes", picture):
        outcome = desk.detect(image=picture, n=MAX_LIMIT, min_score=least / _PERCENT, include=list(wanted))
    found = [
        label
        for label in _labels(outcome.detections, desk.rules.labels)
        if (not wanted or label.name in wanted) and label.name not in unwanted
    ]
    document = {"LabelModelVersion": desk.identity.name, "Labels": [_as_json(label) for label in found[:most]]}
    return responses.passing(200, document)._replace(media_type=_MEDIA_TYPE)


def problem(error: RequestError, _: Request) -> Response:
    """An error as AWS has it."""
    name = "InvalidS3ObjectException" if error.parameter == _S3_OBJECT else _NAMES.get(error.status, _INTERNAL)
    document = {"__type": name, "message": error.public_message}
    status = 500 if error.is_server_error else 400
    return responses.passing(status, document, **error.headers)._replace(media_type=_MEDIA_TYPE)


def key_of(request: Request) -> str:
    """The access key id that the request is signed with; the signature itself is not looked at."""
    credential = _CREDENTIAL.match(request.header("authorization"))
    return credential[1] if credential else ""


def _picture(image: Any) -> Any:
    given = members(image, "Image", ("Bytes", "S3Object"))
    if "S3Object" in given:
        raise InvalidParameter(
            "Objects in S3 are not read here: send the picture itself as Image.Bytes, or ask /detector for a presigned "
            "URL of it.",
            parameter=_S3_OBJECT,
        )
    return given.get("Bytes")


def _require_general_labels(features: Any) -> None:
    for feature in elements(features, "Features", _MAX_FILTERS):
        if feature != "GENERAL_LABELS":
            raise InvalidParameter(
                f"Features can be GENERAL_LABELS alone, not {quoted(feature)}.", parameter="Features"
            )


def _filters(settings: Any, labels: LabelMap) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the labels that alone are wanted, none for all, and of those that are not."""
    given = members(settings, "Settings", ("GeneralLabels",))
    where = "Settings.GeneralLabels"
    filters = members(given.get("GeneralLabels"), where, ("LabelInclusionFilters", "LabelExclusionFilters"))
    wanted, unwanted = (
        frozenset(_names(filters.get(name), f"{where}.{name}", labels))
        for name in ("LabelInclusionFilters", "LabelExclusionFilters")
    )
    return wanted, unwanted


def _names(value: Any, where: str, labels: LabelMap) -> Iterator[str]:
    """Display names as the model writes them; the classes that labels stand for are not needed here."""
    names = {name.casefold(): name for name in (*(label.name for label in labels.by_index.values()), *_groups(labels))}
    for name in elements(value, where, _MAX_FILTERS):
        if not isinstance(name, str):
            raise InvalidParameter(f"{where} must be names of labels, not {quoted(name)}.", parameter=where)
        labels.covered_by(name, where)
        if name.casefold() not in names:
            raise InvalidParameter(f"{where} must be names of labels, no ids as {quoted(name)}.", parameter=where)
        yield names[name.casefold()]


def _groups(labels: LabelMap) -> dict[str, frozenset[int]]:
    """The classes below each label that covers others."""
    return dict(labels.groups.values())


def _labels(detections: Iterable[Detection], labels: LabelMap) -> list[_Found]:
    """Each label and each that covers it once, most certain first, the narrower first where they are alike."""
    found: dict[str, _Found] = {}
    for detection in detections:
        label = detection.label
        own = found.setdefault(label.name, _Found(label.name, label.parents, detection.score))
        own.instances.append(detection)
        for name in label.parents:
            # Their most certain comes first.
            found.setdefault(name, _Found(name, _parents(name, label.parents, labels), detection.score))
    return sorted(found.values(), key=lambda label: (-label.score, -len(label.parents)))


def _parents(name: str, among: tuple[str, ...], labels: LabelMap) -> tuple[str, ...]:
    """What covers a label that covers others: what is known of its class, where the model has one."""
    index = labels.index_of(name)
    if index is not None:
        return labels.by_index[index].parents
    below = _groups(labels)
    return tuple(other for other in among[among.index(name) + 1 :] if below[other] >= below[name])


def _as_json(label: _Found) -> dict[str, Any]:
    return {
        "Name": label.name,
        "Confidence": label.score * _PERCENT,
        "Instances": [
            {"BoundingBox": _bounding_box(instance.box), "Confidence": instance.score * _PERCENT}
            for instance in label.instances
        ],
        "Parents": [{"Name": parent} for parent in label.parents],
        "Aliases": [],
        "Categories": [],
    }


def _bounding_box(box: Box) -> dict[str, float]:
    return {"Width": box.xmax - box.xmin, "Height": box.ymax - box.ymin, "Left": box.xmin, "Top": box.ymin}
