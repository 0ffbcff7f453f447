"""Label Studio's ML backend: objects that people who label pictures find there already.

Owns how Label Studio asks (``label_studio/ml/api_connector.py`` in its source) and is answered
(https://labelstud.io/guide/ml_create). It joins the names of what it asks for to the address that a user gave, so that
address ends in ``/label-studio``. What a project wants is in its label config: see ``label_config``.

Files that were uploaded to Label Studio, or that it reads from a disk or bucket of its own, it gives without a host; to
read them would take its address and an access token of one of its users here. They are refused.
"""

from __future__ import annotations

import base64
import binascii
from statistics import fmean
from typing import TYPE_CHECKING, Any

from recognizer.compat import reading
from recognizer.compat.label_config import controls
from recognizer.errors import InvalidParameter, RequestError, TooLarge, quoted
from recognizer.http import body, responses
from recognizer.job import MAX_LIMIT

if TYPE_CHECKING:
    from recognizer.compat.desk import Desk
    from recognizer.compat.label_config import Control
    from recognizer.detections import Detection
    from recognizer.http.messages import Request, Response

_UNNAMED = "$undefined$"  # the field of a picture that was imported as a bare file or address
_OF_LABEL_STUDIO = ("/", "upload/", "s3:", "gs:", "azure-blob:")
# What it sends with every request, and what with these; older and coming versions included.
_ALWAYS = ("project", "hostname", "access_token", "force_reload")
_SETUP = ("schema", "extra_params", *_ALWAYS)
_PREDICT = ("tasks", "label_config", "params", "model_version", "try_fetch", *_ALWAYS)
_TRAINING = "START_TRAINING"
_MAX_REGIONS = 12_000  # some 4 of the 6 MB that Lambda can answer with
_DECIMALS = 4  # of per cent: less than a hundredth of a pixel in the largest picture


def health(_: Request, __: Desk) -> Response:
    """That there is a backend."""
    return responses.passing(200, {"status": "UP"})


def versions(_: Request, desk: Desk) -> Response:
    """The models to choose from: the one that there is."""
    return responses.passing(200, {"versions": [_version(desk)]})


def setup(request: Request, desk: Desk) -> Response:
    """Whether a project goes together with this model: asked when a backend is connected, and before predictions."""
    given = _read(request, _SETUP)
    controls(given.get("schema"), desk.rules.labels)
    return responses.passing(200, {"model_version": _version(desk)})


def predict(request: Request, desk: Desk) -> Response:
    """Boxes for tasks, however many: what Label Studio cannot make a prediction of, it logs and goes on.

    It asks for all tasks at once that have no prediction yet. One that failed, or for which there was no time, has an
    ``error`` in place of its ``result`` and is asked for again with the next request; where all failed, the first error
    is the answer.
    """
    given = _read(request, _PREDICT)
    context = reading.mapping(reading.mapping(given.get("params"), "params").get("context"), "context")
    if context.get("result"):
        raise InvalidParameter(
            "This model takes no hints from what is drawn; turn interactive preannotations off.", parameter="context"
        )
    wanted = controls(given.get("label_config"), desk.rules.labels)
    tasks = given.get("tasks")
    if not isinstance(tasks, list) or not tasks:
        raise InvalidParameter("tasks must be a list of tasks.", parameter="tasks")
    results: list[dict[str, Any]] = []
    errors: list[RequestError] = []
    regions = 0
    for task in tasks:
        try:
            if regions > _MAX_REGIONS:
                raise TooLarge("This answer is full; ask for the other tasks again.")
            result = [region for control in wanted for region in _regions(task, control, desk)]
        except RequestError as error:
            errors.append(error)
            results.append({"error": error.public_message})
            continue
        regions += len(result)
        score = fmean(region["score"] for region in result) if result else 0.0
        results.append({"result": result, "score": score, "model_version": _version(desk)})
    if len(errors) == len(tasks):
        raise errors[0]
    return responses.passing(200, {"results": results, "model_version": _version(desk)})


def webhook(request: Request, desk: Desk) -> Response:
    """Takes note of what people do in a project, which Label Studio tells every backend; nothing is learned from it."""
    given, _ = body.read(request)
    return train(request, desk) if given.get("action") == _TRAINING else responses.passing(200, {})


def train(_: Request, __: Desk) -> Response:
    """Refused: this model does not learn from annotations."""
    raise InvalidParameter("This model is not trained by annotations; a model of one's own is built in, see MODEL_URL.")


def problem(error: RequestError, _: Request) -> Response:
    """An error; Label Studio shows its status, and the rest is in the log of whoever runs this."""
    return responses.passing(error.status, {"error": error.public_message}, **error.headers)


def key_of(request: Request) -> str:
    """The password of basic authentication, which is what a user can give for a backend; the name may be any."""
    scheme, _, credentials = request.header("authorization").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _read(request: Request, known: tuple[str, ...]) -> dict[str, Any]:
    given, content = body.read(request)
    if content is not None:
        raise InvalidParameter("Send JSON, as Label Studio does.")
    reading.require_known(given, known)
    return given


def _regions(task: object, control: Control, desk: Desk) -> list[dict[str, Any]]:
    """What is found for one control of one task (https://labelstud.io/guide/predictions); edges are per cent."""
    outcome = desk.detect(
        url=_address(task, control),
        n=MAX_LIMIT,
        min_score=control.threshold,
        include=control.vocabulary.include,
    )
    return [
        {
            "from_name": control.name,
            "to_name": control.image,
            "type": "rectanglelabels",
            "original_width": outcome.width_px,
            "original_height": outcome.height_px,
            "image_rotation": 0,
            "value": {**_percentages(found), "rotation": 0, "rectanglelabels": [found.label.name]},
            "score": found.score,
        }
        for found in control.vocabulary.told(outcome.detections)
    ]


def _address(task: object, control: Control) -> str:
    data = reading.mapping(reading.mapping(task, "task").get("data"), "data")
    address = data.get(control.field, data.get(_UNNAMED))
    if not isinstance(address, str) or not address:
        raise InvalidParameter(
            f"The task has no address of a picture in {quoted(control.field)}, but {quoted(address)}.", parameter="data"
        )
    if address.startswith(_OF_LABEL_STUDIO):
        raise InvalidParameter(
            f"Only Label Studio can read {quoted(address)}. Import tasks with addresses that can be fetched, https://… "
            "or presigned ones of a bucket, or with data: URLs.",
            parameter="data",
        )
    return address


def _percentages(found: Detection) -> dict[str, float]:
    box = found.box
    edges = {"x": box.xmin, "y": box.ymin, "width": box.xmax - box.xmin, "height": box.ymax - box.ymin}
    return {name: round(edge * 100, _DECIMALS) for name, edge in edges.items()}


def _version(desk: Desk) -> str:
    """Another one for another model: Label Studio asks again for tasks that only have predictions of an earlier one."""
    return f"{desk.identity.name} {desk.identity.sha256[:8]}"
