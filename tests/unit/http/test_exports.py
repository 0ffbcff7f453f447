"""What was found, in other programs' formats, is read by these programs as what was found."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from recognizer.detections import Box, Criteria, Detection, Label
from recognizer.http import exports, responses
from recognizer.http.headers import EXPOSED_HEADERS, MAX_HEADER_BYTES
from recognizer.job import ANSWERS, EXPORTS, DetectRequest, ModelIdentity, Outcome
from recognizer.labels import LabelMap

CAT, CAR, APPLE = Label("/m/01yrx", "Cat"), Label("/m/0k4j", "Car"), Label("/m/014j1m", "apple")
LABELS = LabelMap({1: CAT, 2: CAR, 3: APPLE})  # listed as apple, Car, Cat
MODEL = ModelIdentity("openimages_v4/ssd/mobilenet_v2", "litert", "slim", "12ab")
WIDTH_PX, HEIGHT_PX = 1024, 637
OUTCOME = Outcome(
    request=DetectRequest("https://example.com/a/my%20cat.jpg?w=3", Criteria(3, 0.1), "coco"),
    source_sha256="ab12",
    source_bytes=1000,
    width_px=WIDTH_PX,
    height_px=HEIGHT_PX,
    format="JPEG",
    animated=False,
    detections=(
        Detection(CAT, 0.93456789, Box(ymin=0.1, xmin=0.25, ymax=0.9, xmax=0.5)),
        Detection(CAR, 0.5, Box(ymin=0.0, xmin=0.0, ymax=1.0, xmax=1.0)),
        Detection(CAT, 0.25, Box(ymin=0.33, xmin=0.71, ymax=0.34, xmax=0.72)),
    ),
    encoded=None,
    timings_ms={"detect": 20.06},
)


def exported(kind, outcome=OUTCOME, labels=LABELS):
    return exports.response(outcome._replace(request=outcome.request._replace(answer=kind)), MODEL, 3600, labels)


def found(outcome=OUTCOME):
    """The objects as the JSON answer has them."""
    return responses.detections_document(outcome, MODEL)["detections"]


def edges(each):
    return [each["box"][edge] for edge in ("xmin", "ymin", "xmax", "ymax")]


@pytest.fixture
def coco(tmp_path):
    """The answer as COCO's own code reads it."""
    path = tmp_path / "coco.json"
    path.write_text(exported("coco").body, encoding="utf-8")
    return COCO(str(path))


def test_every_kind_that_is_offered_is_written():
    assert EXPORTS.keys() <= set(ANSWERS)
    assert {kind: exported(kind).media_type.partition(";")[0] for kind in EXPORTS} == EXPORTS


def test_coco_is_what_pycocotools_reads(coco):
    [image] = coco.loadImgs(coco.getImgIds())
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))

    assert (image["file_name"], image["width"], image["height"]) == ("my cat.jpg", WIDTH_PX, HEIGHT_PX)
    assert [coco.loadCats(each["category_id"])[0]["name"] for each in annotations] == ["Cat", "Car", "Cat"]
    for annotation, each in zip(annotations, found(), strict=True):
        xmin, ymin, width, height = annotation["bbox"]
        assert [xmin, ymin, xmin + width, ymin + height] == edges(each)
        assert (annotation["score"], annotation["area"]) == (each["score"], width * height)


def test_its_boxes_are_results_too(coco):
    results = coco.loadRes(json.loads(exported("coco").body)["annotations"])

    assert len(results.getAnnIds(catIds=coco.getCatIds(catNms=["Cat"]))) == 2


def test_a_line_of_yolo_leads_back_to_the_box():
    lines = [line.split() for line in exported("yolo").body.splitlines()]

    assert [int(line[0]) for line in lines] == [2, 1, 2]
    for line, each in zip(lines, found(), strict=True):
        x, y, width, height = (float(part) for part in line[1:])
        box = [(x - width / 2) * WIDTH_PX, (y - height / 2) * HEIGHT_PX]
        box += [(x + width / 2) * WIDTH_PX, (y + height / 2) * HEIGHT_PX]
        assert box == pytest.approx(edges(each), abs=0.01)
        assert all(0.0 <= float(part) <= 1.0 for part in line[1:])


@pytest.mark.parametrize("kind", EXPORTS)
def test_the_classes_have_the_numbers_of_the_list_of_labels(kind):
    names = json.loads(exported(kind).headers["X-Labels"])

    assert names == {"1": "Car", "2": "Cat"}
    assert {name: LABELS.listed[int(number)].name for number, name in names.items()} == {"Car": "Car", "Cat": "Cat"}


def test_coco_numbers_them_from_one():
    assert json.loads(exported("coco").body)["categories"] == [{"id": 2, "name": "Car"}, {"id": 3, "name": "Cat"}]


def test_csv_has_a_line_for_each_object():
    rows = list(csv.DictReader(io.StringIO(exported("csv").body, newline="")))

    assert [[int(row[edge]) for edge in ("xmin", "ymin", "xmax", "ymax")] for row in rows] == list(map(edges, found()))
    assert [(row["label"], row["id"], float(row["score"])) for row in rows] == [
        (each["label"], each["id"], each["score"]) for each in found()
    ]


def named(*names):
    """The outcome with objects of these names, and their labels."""
    labels = [Label(f"/own/{number}", name) for number, name in enumerate(names)]
    detections = tuple(Detection(label, 0.5, Box(0, 0, 1, 1)) for label in labels)
    return OUTCOME._replace(detections=detections), LabelMap(dict(enumerate(labels, 1)))


@pytest.mark.parametrize("label", ["=1+1", '=HYPERLINK("x";"y")', "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"])
def test_no_label_is_taken_for_a_formula(label):
    [row] = csv.DictReader(io.StringIO(exported("csv", *named(label)).body, newline=""))

    assert row["label"] == f"'{label}"


@pytest.mark.parametrize("kind", EXPORTS)
@given(names=st.lists(st.text(max_size=300), max_size=30, unique=True))
def test_whatever_the_labels_the_answer_can_be_read(kind, names):
    answer = exported(kind, *named("any", *names))
    lines = answer.body.splitlines() if kind == "yolo" else list(csv.reader(io.StringIO(answer.body, newline="")))
    count = len(json.loads(answer.body)["annotations"]) if kind == "coco" else len(lines) - (kind == "csv")

    assert count == len(names) + 1
    assert answer.body.encode()
    assert answer.headers["X-Labels"].isascii()
    assert len(answer.headers["X-Labels"]) <= MAX_HEADER_BYTES
    assert json.loads(answer.headers["X-Labels"])


def test_two_labels_of_one_name_are_one_class():
    outcome, labels = named("Bus", "Bus")

    assert [each["category_id"] for each in json.loads(exported("coco", outcome, labels).body)["annotations"]] == [1, 1]


def test_nothing_found_is_an_empty_answer_of_its_kind():
    nothing = OUTCOME._replace(detections=())

    assert json.loads(exported("coco", nothing).body)["annotations"] == []
    assert exported("yolo", nothing).body == ""
    assert exported("csv", nothing).body == "label,id,score,xmin,ymin,xmax,ymax\r\n"


def test_the_headers_say_what_the_body_cannot():
    headers = exported("yolo").headers

    assert headers["X-Image-Size"] == f"{WIDTH_PX}x{HEIGHT_PX}"
    assert headers["X-Detection-Count"] == "3"
    assert headers["Content-Disposition"] == 'inline; filename="my-cat-objects.txt"'
    assert headers["Vary"] == "Accept"
    assert {name for name in headers if name.startswith("X-")} <= set(EXPOSED_HEADERS)


def test_each_kind_has_an_entity_tag_of_its_own():
    assert len({exported(kind).headers["ETag"] for kind in EXPORTS}) == len(EXPORTS)
