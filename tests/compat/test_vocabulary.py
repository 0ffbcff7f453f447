"""Names of COCO for what the model sees, and its own."""

from __future__ import annotations

import base64
import csv
import shutil

import pytest
from recognizer import coco
from recognizer.build import build
from recognizer.compat.vocabulary import Vocabulary
from recognizer.detections import Box, Detection, Label
from recognizer.labels import LabelMap

from tests.compat.asking import ask, detections
from tests.conftest import ROOT
from tests.functional.serving import environment

OPEN_IMAGES = ROOT / "src" / "Recognizer" / "model_build" / "openimages_v4_labels.csv"
LEFT, MOSTLY_LEFT, RIGHT = Box(0.1, 0.1, 0.5, 0.5), Box(0.1, 0.12, 0.5, 0.5), Box(0.1, 0.6, 0.5, 0.9)
NAMES = {name: Label(id_, name) for name, id_ in coco.classes().items()}


@pytest.fixture(scope="module")
def known():
    """The labels of the published model."""
    return LabelMap.load(OPEN_IMAGES)


@pytest.fixture(scope="module")
def seen(known):
    """Detections of labels by their names."""

    def seen(*of):
        return [Detection(known.by_index[known.index_of(name)], score, box) for name, score, box in of]

    return seen


# Names


def test_every_name_of_coco_is_there_in_its_order(known):
    assert Vocabulary.coco(known).names == tuple(coco.classes())


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("Person", "person"),
        ("Girl", "person"),
        ("Van", "car"),
        ("Duck", "bird"),
        ("Brown bear", "bear"),
        ("Teddy bear", "teddy bear"),  # to Open Images a bear
        ("Computer mouse", "mouse"),
        ("Doughnut", "donut"),
    ],
)
def test_kinds_of_what_coco_names_have_its_name(known, label, told):
    id_ = known.by_index[known.index_of(label)].id

    assert Vocabulary.coco(known).labels[id_] == NAMES[told]


@pytest.mark.parametrize("label", ["Tree", "Human face", "Vehicle", "Mouse", "Clothing"])
def test_what_coco_has_no_name_for_has_none(known, label):
    id_ = known.by_index[known.index_of(label)].id

    assert id_ not in Vocabulary.coco(known).labels
    assert Vocabulary.all_labels(known).labels[id_].name == label


def test_labels_of_ones_own_keep_their_names():
    own = {1: Label("/own/forklift", "Forklift"), 2: Label("/m/0k4j", "Car"), 3: Label("/m/07j7r", "Tree")}

    vocabulary = Vocabulary.coco(LabelMap(own))

    assert vocabulary.names == ("car", "Forklift")
    assert vocabulary.include == ["/m/0k4j", "/own/forklift"]


def test_nothing_is_left_out_where_all_has_a_name():
    assert Vocabulary.coco(LabelMap({1: Label("/m/0k4j", "Car")})).include == []
    assert Vocabulary.all_labels(LabelMap({1: Label("/m/07j7r", "Tree")})).include == []


# One thing once


def test_of_one_thing_under_one_name_the_best_remains(known, seen):
    found = seen(("Man", 0.9, LEFT), ("Car", 0.8, RIGHT), ("Person", 0.7, MOSTLY_LEFT), ("Girl", 0.6, RIGHT))

    told = Vocabulary.coco(known).told(found)

    assert [each.label.name for each in told] == ["person", "car", "person"]
    assert [each.score for each in told] == pytest.approx([0.9, 0.8, 0.6])
    edges = [(box.ymin, box.xmin, box.ymax, box.xmax) for box in (each.box for each in told)]
    assert edges == [pytest.approx((box.ymin, box.xmin, box.ymax, box.xmax)) for box in (LEFT, RIGHT, RIGHT)]


def test_things_of_other_names_remain(known, seen):
    found = seen(("Man", 0.9, LEFT), ("Woman", 0.8, LEFT), ("Dog", 0.7, LEFT))

    assert [each.label.name for each in Vocabulary.coco(known).told(found)] == ["person", "dog"]


def test_what_the_model_told_apart_under_one_label_remains_apart(known, seen):
    found = seen(("Person", 0.9, LEFT), ("Person", 0.8, MOSTLY_LEFT))

    assert [each.box for each in Vocabulary.coco(known).told(found)] == [LEFT, MOSTLY_LEFT]


def test_names_of_ones_own_choice_merge_nothing(known, seen):
    found = seen(("Man", 0.9, LEFT), ("Person", 0.8, LEFT), ("Tree", 0.7, LEFT))

    assert list(Vocabulary.all_labels(known).told(found)) == found


def test_nothing_is_told_of_nothing(known):
    assert Vocabulary.coco(known).told([]) == ()


# In the service

PEOPLE = {
    1: ("/m/04yx4", "Man"),
    2: ("/m/03bt1vf", "Woman"),
    3: ("/m/0k4j", "Car"),
    4: ("/m/09ddx", "Duck"),
    5: ("/m/07j7r", "Tree"),
}


@pytest.fixture(scope="module")
def service(tiny_model, tmp_path_factory):
    """A service whose model sees men, women, ducks and trees."""
    folder = shutil.copytree(tiny_model, tmp_path_factory.mktemp("people") / "model")
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("index", "id", "name"), *((index, *label) for index, label in PEOPLE.items())])
    return build(environment(folder, COMPAT="deepstack,doods"))


def iou(one, other):
    """Of two boxes, x_min y_min x_max y_max; a little off where they were rounded."""
    width, height = (max(min(one[far], other[far]) - max(one[near], other[near]), 0) for near, far in ((0, 2), (1, 3)))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


EDGES = ("x_min", "y_min", "x_max", "y_max")


def test_trees_are_left_out_and_men_are_persons(service, noise):
    names = {"Man": "person", "Woman": "person", "Car": "car", "Duck": "bird"}
    by_detector = {
        (names[each["label"]], *(each["box"][edge.replace("_", "")] for edge in EDGES))
        for each in detections(service, noise, n="100", min_score="0.1", exclude="Tree")
    }

    sent = {"image": base64.b64encode(noise).decode(), "min_confidence": 0.1}
    answer = ask(service, "/v1/vision/detection", sent).json["predictions"]
    found = [(each["label"], *(each[edge] for edge in EDGES)) for each in answer]

    assert len(found) == len(set(found))
    assert set(found) < by_detector
    assert {label for label, *_ in found} == {"person", "bird"}
    left_out = by_detector - set(found)
    assert {label for label, *_ in left_out} == {"person"}
    assert all(any(label == "person" and iou(box, each) > 0.55 for label, *box in found) for _, *each in left_out)
    own_names = {each["label"] for each in ask(service, "/v1/vision/custom/all-labels", sent).json["predictions"]}
    assert own_names >= {"Man", "Woman", "Tree"}


def test_detectors_list_what_can_be_told(service):
    labels = {each["name"]: each["labels"] for each in ask(service, "/doods/detectors", method="GET").json["detectors"]}

    assert labels == {"default": ["person", "car", "bird"], "all-labels": ["Man", "Woman", "Car", "Duck", "Tree"]}
