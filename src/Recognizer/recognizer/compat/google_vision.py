"""Google Cloud Vision's objects and labels: ``POST /v1/images:annotate`` with a batch of pictures.

Owns how its clients ask and are answered (https://cloud.google.com/vision/docs/reference/rest/v1/images/annotate). A
request whose shape is wrong is refused as a whole before anything is looked at; a picture that cannot be looked at is
an error in its own answer, beside those of the others. All have the time of one request together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from recognizer.compat.reading import MAX_INT, elements, mapping, members, whole
from recognizer.errors import InvalidParameter, RequestError, quoted
from recognizer.http import body, responses
from recognizer.job import MAX_LIMIT

if TYPE_CHECKING:
    from recognizer.compat.desk import Desk
    from recognizer.detections import Box
    from recognizer.http.messages import Request, Response

_MAX_PICTURES = 16  # https://cloud.google.com/vision/quotas
_MAX_FEATURES = 10
_DEFAULT_RESULTS = 10
_MIN_SCORE = 0.5  # theirs name none, and nobody can ask for another
_OBJECTS, _LABELS = "OBJECT_LOCALIZATION", "LABEL_DETECTION"
_FEATURES = {_OBJECTS: _OBJECTS, _LABELS: _LABELS, 19: _OBJECTS, 4: _LABELS}  # as text, and as the enum's numbers
_MODELS = ("", "builtin/stable", "builtin/latest")
# What all their REST clients may add to an address (https://cloud.google.com/apis/docs/system-parameters), and does not
# change what is answered.
_QUERY = {"$alt", "alt", "key", "prettyPrint", "$prettyPrint", "quotaUser"}


class _Code(NamedTuple):
    """A kind of error of theirs (https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto)."""

    number: int
    name: str
    status: int


_INVALID = _Code(3, "INVALID_ARGUMENT", 400)
_DENIED = _Code(7, "PERMISSION_DENIED", 403)
_INTERNAL = _Code(13, "INTERNAL", 500)
_UNAVAILABLE = _Code(14, "UNAVAILABLE", 503)
# By our status.
_CODES = {
    400: _INVALID,
    401: _Code(16, "UNAUTHENTICATED", 401),
    403: _DENIED,
    404: _Code(5, "NOT_FOUND", 404),
    413: _INVALID,
    415: _INVALID,
    422: _INVALID,
    502: _UNAVAILABLE,
    503: _UNAVAILABLE,
    504: _Code(4, "DEADLINE_EXCEEDED", 504),
    508: _INVALID,
}


class _Wanted(NamedTuple):
    """What is asked of one picture.

    Attributes:
        picture: what it is given as, by the parameter of ours.
        results: feature -> how many results at most.
    """

    picture: dict[str, Any]
    results: dict[str, int]


def annotate(request: Request, desk: Desk) -> Response:
    """What is in each picture, in their order."""
    if unknown := request.query.keys() - _QUERY:
        raise InvalidParameter(f"The address has {quoted(min(unknown))}, which is not known here: leave it out.")
    given, _ = body.read(request)
    asked = elements(_members(given, "the request", ("requests",)).get("requests"), "requests", _MAX_PICTURES)
    if not asked:
        raise InvalidParameter(f"requests must name 1 to {_MAX_PICTURES} pictures.", parameter="requests")
    wanted = [_wanted(one, f"requests[{index}]") for index, one in enumerate(asked)]
    return responses.passing(200, {"responses": [_answered(one, desk) for one in wanted]})


def problem(error: RequestError, _: Request) -> Response:
    """An error as Google's services have it (https://cloud.google.com/apis/design/errors)."""
    code = _CODES.get(error.status, _INTERNAL)
    document = {"error": {"code": code.status, "message": error.public_message, "status": code.name}}
    return responses.passing(code.status, document, **error.headers)


def key_of(request: Request) -> str:
    """The API key, which their clients send in a header or in the address."""
    return request.header("x-goog-api-key") or request.query.get("key", "")


def _members(value: Any, where: str, known: tuple[str, ...]) -> dict[str, Any]:
    """As ``members``; their JSON writes a name as ``imageUri`` or ``image_uri``."""
    if isinstance(value, dict):
        named: dict[str, Any] = {}
        for name, member in value.items():
            camel = re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
            if camel in named:
                raise InvalidParameter(f"{where} has {quoted(camel)} twice.", parameter=where)
            named[camel] = member
        value = named
    return members(value, where, known)


def _wanted(one: Any, where: str) -> _Wanted:
    given = _members(one, where, ("image", "features", "imageContext"))
    if mapping(given.get("imageContext"), f"{where}.imageContext"):
        raise InvalidParameter(f"{where}.imageContext means nothing here: leave it out.", parameter="imageContext")
    results: dict[str, int] = {}
    for index, feature in enumerate(elements(given.get("features"), f"{where}.features", _MAX_FEATURES)):
        kind, limit = _feature(feature, f"{where}.features[{index}]")
        if kind in results:
            raise InvalidParameter(f"{where}.features has {kind} twice.", parameter=f"{where}.features")
        results[kind] = limit
    if not results:
        raise InvalidParameter(
            f"{where}.features must name {_OBJECTS}, {_LABELS} or both.", parameter=f"{where}.features"
        )
    return _Wanted(_picture(given.get("image"), f"{where}.image"), results)


def _feature(feature: Any, where: str) -> tuple[str, int]:
    given = _members(feature, where, ("type", "maxResults", "model"))
    kind = given.get("type")
    if not isinstance(kind, str | int) or isinstance(kind, bool) or kind not in _FEATURES:
        raise InvalidParameter(f"{where}.type must be {_OBJECTS} or {_LABELS}, not {quoted(kind)}.", parameter=where)
    if given.get("model", "") not in _MODELS:
        raise InvalidParameter(f"{where}.model cannot be chosen here: leave it out.", parameter=where)
    results = whole(given.get("maxResults"), f"{where}.maxResults", MAX_INT, 0) or _DEFAULT_RESULTS
    return _FEATURES[kind], min(results, MAX_LIMIT)


def _picture(image: Any, where: str) -> dict[str, Any]:
    given = _members(image, where, ("content", "source"))
    source = _members(given.get("source"), f"{where}.source", ("imageUri", "gcsImageUri"))
    if "gcsImageUri" in source or str(source.get("imageUri", "")).startswith("gs:"):
        raise InvalidParameter(
            f"{where}.source: objects in Cloud Storage are not read by gs:// here; a public one is at "
            "https://storage.googleapis.com/BUCKET/OBJECT, and any other has a signed URL.",
            parameter=where,
        )
    content, address = given.get("content"), source.get("imageUri")
    if bool(content) == bool(address):
        raise InvalidParameter(f"{where} must have either content or source.imageUri.", parameter=where)
    return {"image": content} if content else {"url": address}


def _answered(wanted: _Wanted, desk: Desk) -> dict[str, Any]:
    try:
        return _annotations(wanted, desk)
    except RequestError as error:
        return {"error": {"code": _CODES.get(error.status, _INTERNAL).number, "message": error.public_message}}


def _annotations(wanted: _Wanted, desk: Desk) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if _LABELS in wanted.results:
        outcome = desk.classify(**wanted.picture, n=wanted.results[_LABELS], min_score=_MIN_SCORE)
        answer["labelAnnotations"] = [
            {"mid": found.label.id, "description": found.label.name, "score": found.score, "topicality": found.score}
            for found in outcome.labels
        ]
    if _OBJECTS in wanted.results:
        outcome = desk.detect(**wanted.picture, n=wanted.results[_OBJECTS], min_score=_MIN_SCORE)
        answer["localizedObjectAnnotations"] = [
            {"mid": found.label.id, "name": found.label.name, "score": found.score, "boundingPoly": _poly(found.box)}
            for found in outcome.detections
        ]
    return answer


def _poly(box: Box) -> dict[str, Any]:
    """The corners as they have them: from the top left one, clockwise."""
    corners = ((box.xmin, box.ymin), (box.xmax, box.ymin), (box.xmax, box.ymax), (box.xmin, box.ymax))
    return {"normalizedVertices": [{"x": x, "y": y} for x, y in corners]}
