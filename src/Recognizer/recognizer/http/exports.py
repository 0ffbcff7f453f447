"""What was found in the formats that other programs read: COCO, the label files of YOLO, CSV.

Owns these formats and what a reader has to know beside them. Each is made of the JSON answer of a detection; one more
is a line of ``job.EXPORTS`` and one of ``_WRITERS``.

A number of a class means the same in the answers to all pictures, so that they can be put together: it is the label's
place in the list of ``/labels``, from 0 in YOLO and from 1 in COCO. A label file cannot say what its numbers stand for
(YOLO keeps that in a file of its own), so ``X-Labels`` does.
"""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import TYPE_CHECKING, Any

from recognizer.http import responses
from recognizer.http.filenames import disposition, of_source
from recognizer.http.headers import listed
from recognizer.http.messages import Response
from recognizer.job import EXPORTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from recognizer.job import AnswerKind, ModelIdentity, Outcome
    from recognizer.labels import LabelMap

    Document = Mapping[str, Any]  # the JSON answer of a detection
    Numbers = Mapping[str, int]  # name of a label -> its number, from 0

_COLUMNS = ("label", "id", "score", "xmin", "ymin", "xmax", "ymax")
_DECIMALS = 6  # of a fraction: less than a hundredth of a pixel in the largest picture
# What makes a spreadsheet calculate (https://owasp.org/www-community/attacks/CSV_Injection).
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def response(outcome: Outcome, model: ModelIdentity, cache_max_age_s: int, labels: LabelMap) -> Response:
    """The answer to a request for one of ``job.EXPORTS``."""
    kind, url = outcome.request.answer, outcome.request.url
    document = responses.detections_document(outcome, model)
    numbers: dict[str, int] = {}
    for number, label in enumerate(labels.listed):
        numbers.setdefault(label.name, number)
    text = _WRITERS[kind](document, of_source(url), numbers)
    found = sorted({each["label"] for each in document["detections"]}, key=numbers.__getitem__)
    headers = {
        **responses.served(outcome, model, cache_max_age_s),
        "Content-Disposition": disposition(url, EXPORTS[kind]),
        "X-Detection-Count": str(len(outcome.detections)),
        "X-Image-Size": f"{outcome.width_px}x{outcome.height_px}",
        "X-Labels": listed((f'"{numbers[name]}":{json.dumps(name)}' for name in found), "{}"),
    }
    charset = "; charset=utf-8" if EXPORTS[kind].startswith("text/") else ""
    return Response(200, EXPORTS[kind] + charset, headers, text.encode("utf-8", "replace").decode())


def coco(pictures: Iterable[tuple[str, Document]], numbers: Numbers) -> dict[str, Any]:
    """COCO's format for object detection, with the score that its results have.

    See https://cocodataset.org/#format-data and #format-results: boxes are xmin, ymin, width, height in pixels.

    Args:
        pictures: the name of each picture's file, and what was found in it.
        numbers: of each label that was found; categories count from 1.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    names: set[str] = set()
    for name, document in pictures:
        size = {"width": document["image"]["width"], "height": document["image"]["height"]}
        images.append({"id": len(images) + 1, "file_name": name, **size})
        for found in document["detections"]:
            box = found["box"]
            width, height = box["xmax"] - box["xmin"], box["ymax"] - box["ymin"]
            names.add(found["label"])
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": len(images),
                    "category_id": numbers[found["label"]] + 1,
                    "bbox": [box["xmin"], box["ymin"], width, height],
                    "area": width * height,
                    "iscrowd": 0,
                    "score": found["score"],
                }
            )
    categories = [{"id": numbers[name] + 1, "name": name} for name in sorted(names, key=numbers.__getitem__)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _coco(document: Document, name: str, numbers: Numbers) -> str:
    return json.dumps(coco([(name, document)], numbers), ensure_ascii=False, separators=(",", ":"))


def _yolo(document: Document, _: str, numbers: Numbers) -> str:
    """A label file (https://docs.ultralytics.com/datasets/detect/): class, centre and size as fractions."""
    width, height = document["image"]["width"], document["image"]["height"]
    lines = []
    for found in document["detections"]:
        xmin, ymin, xmax, ymax = (found["box"][edge] for edge in ("xmin", "ymin", "xmax", "ymax"))
        fractions = (
            (xmin + xmax) / 2 / width,
            (ymin + ymax) / 2 / height,
            (xmax - xmin) / width,
            (ymax - ymin) / height,
        )
        lines.append(f"{numbers[found['label']]} {' '.join(f'{part:.{_DECIMALS}f}' for part in fractions)}\n")
    return "".join(lines)


def _csv(document: Document, *_: object) -> str:
    """A line for each object, in pixels, below one with the names of the columns (RFC 4180)."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for found in document["detections"]:
        writer.writerow([_cell(found["label"]), _cell(found["id"]), found["score"], *found["box"].values()])
    return text.getvalue()


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: labels of a model of one's own can be anything."""
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


_WRITERS: dict[AnswerKind, Callable[[Document, str, Numbers], str]] = {"coco": _coco, "yolo": _yolo, "csv": _csv}
