"""PyDOODS finds what ``/detector`` finds, by DOODS's rules."""

from __future__ import annotations

import base64
import hashlib

import pytest
from recognizer.build import build

from tests.compat.asking import ask, detections
from tests.functional.serving import environment

DETECT = "/doods/detect"
KEY = "a key"
SIDE_PX = 128  # of the picture


@pytest.fixture(scope="module")
def answers(client, address):
    return client("doods", address, KEY)


@pytest.fixture(scope="module")
def found(app, noise):
    """What ``/detector`` finds, as DOODS would tell it: label, confidence, edges in pixels."""
    return [told(each) for each in detections(app, noise, n="100", min_score="0")]


def told(found):
    edges = tuple(found["box"][edge] for edge in ("ymin", "xmin", "ymax", "xmax"))
    return found["label"].lower(), found["score"] * 100, edges


def seen(answer):
    """The detections of an answer, likewise."""
    return [
        (
            each["label"],
            each["confidence"],
            tuple(round(each[edge] * SIDE_PX) for edge in ("top", "left", "bottom", "right")),
        )
        for each in answer["detections"]
    ]


def same(some, others):
    return [(label, edges) for label, _, edges in some] == [(label, edges) for label, _, edges in others]


def detect(app, picture, **wanted):
    return ask(app, DETECT, {"data": base64.b64encode(picture).decode(), **wanted})


# The client


def test_there_is_a_detector_for_coco_and_one_for_all_labels(answers):
    detectors = {each["name"]: each for each in answers["detectors"]}

    assert detectors["default"]["labels"] == ["person", "bicycle", "car", "cat", "dog"]  # COCO's order
    assert sorted(detectors["all-labels"]["labels"]) == ["Bicycle", "Car", "Cat", "Dog", "Person"]
    # Home Assistant reads these of each.
    assert all({"name", "labels", "width", "height"} <= each.keys() for each in detectors.values())


def test_any_label_counts_from_its_confidence_on(answers, found):
    assert same(seen(answers["any"]), [each for each in found if each[1] >= 50])
    assert all(50 <= confidence <= 100 for _, confidence, _ in seen(answers["any"]))
    assert answers["any"]["id"] == ""


def test_labels_that_are_not_named_do_not_count(answers, found):
    least = {"bicycle": 40, "person": 20}

    assert same(seen(answers["some"]), [each for each in found if each[1] >= least.get(each[0], 101)])
    assert {label for label, _, _ in seen(answers["some"])} == {"bicycle", "person"}
    assert answers["some"]["id"] == "garage"


def test_all_labels_are_the_models_own(answers):
    assert [label.lower() for label, _, _ in seen(answers["all labels"])] == [
        label for label, _, _ in seen(answers["any"])
    ]
    assert {label for label, _, _ in seen(answers["all labels"])} <= {"Bicycle", "Car", "Cat", "Dog", "Person"}


def test_without_rules_all_counts(answers, found):
    assert same(seen(answers["no rules"]), [each for each in found if each[1] >= 10])


def test_an_error_has_their_shape(answers):
    status, document = answers["error"]

    assert status == 415
    assert document.keys() == {"detections", "error"}
    assert document["detections"] == []


# Rules, as doods.py of snowzach/doods2 has them


def rules_of_doods(found, detect, regions):
    """``Doods.filter_detections``, in pixels: which count, and in which region."""
    counted = []
    for label, confidence, (top, left, bottom, right) in found:
        if confidence >= detect.get(label, detect.get("*", 101)):
            counted.append((label, None))
            continue
        for region in regions:
            edges = [round(region[edge] * SIDE_PX) for edge in ("top", "left", "bottom", "right")]
            if region.get("covers"):
                inside = edges[0] <= top and edges[1] <= left and edges[2] >= bottom and edges[3] >= right
            else:
                inside = top <= edges[2] and left <= edges[3] and bottom >= edges[0] and right >= edges[1]
            if inside and confidence >= region["detect"].get(label, region["detect"].get("*", 101)):
                counted.append((label, region.get("id")))
                break
    return counted


HALF = {"top": 0, "left": 0, "bottom": 1, "right": 0.5}
CORNER = {"top": 0.51, "left": 0.51, "bottom": 1, "right": 1}


@pytest.mark.parametrize(
    ("rules", "regions"),
    [
        ({"*": 25, "bicycle": 40}, []),
        ({"bicycle": 50}, [{**HALF, "detect": {"*": 25}, "id": "left"}]),
        ({}, [{**HALF, "detect": {"person": 10}, "covers": True, "id": "inside"}]),
        ({}, [{**HALF, "detect": {"cat": 10}}, {**CORNER, "detect": {"cat": 90, "*": 20}, "id": "corner"}]),
        ({"dog": 30}, [{**CORNER, "detect": {"dog": 26, "person": 12}, "covers": True}]),
        ({"*": 100}, []),
    ],
    ids=str,
)
def test_regions_have_rules_of_their_own(app, noise, found, rules, regions):
    answer = detect(app, noise, detect=rules, regions=regions).json

    expected = rules_of_doods(found, rules, regions)
    assert [(each["label"], each.get("region_id")) for each in answer["detections"]] == expected


def test_the_cases_above_tell_regions_apart(found):
    """Else they would show nothing."""
    regions = [{**HALF, "detect": {"*": 20}, "id": "left"}]
    everywhere = rules_of_doods(found, {"*": 20}, [])

    assert 0 < len(rules_of_doods(found, {}, regions)) < len(everywhere)
    inside = rules_of_doods(found, {}, [{**regions[0], "covers": True}])
    assert 0 < len(inside) < len(rules_of_doods(found, {}, regions))


def test_a_picture_can_be_fetched(app, url, found):
    answer = ask(app, DETECT, {"data": url, "detect": {"*": 50}})

    assert same(seen(answer.json), [each for each in found if each[1] >= 50])


def test_a_place_without_a_picture_is_an_error(app, url):
    answer = ask(app, DETECT, {"data": f"{url}.none", "detect": {"*": 50}})

    assert answer.status == 502
    assert answer.json.keys() == {"detections", "error"}


# Refusals


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"detect": {"*": 101}}, "detect.*"),
        ({"detect": {"*": -1}}, "detect.*"),
        ({"detect": {"*": float("nan")}}, "detect.*"),
        ({"detect": {"*": None}}, "detect.*"),
        ({"detect": {"bycicle": 50}}, "bicycle"),
        ({"detect": {"Tree": 50}}, "Tree"),
        ({"detect": ["*"]}, "detect"),
        ({"detector_name": "tensorflow"}, "all-labels"),
        ({"detector_name": 5}, "detector_name"),
        ({"id": 5}, "id"),
        ({"image": "jpeg"}, "/detector"),
        ({"preprocess": ["grayscale"]}, "preprocess"),
        ({"file": "/etc/passwd"}, "file"),
        ({"regions": {"top": 0}}, "regions"),
        ({"regions": [5]}, "regions[0]"),
        ({"regions": [{}]}, "regions[0].top"),
        ({"regions": [{**HALF, "top": "NaN"}]}, "regions[0].top"),
        ({"regions": [{**HALF, "right": -0.0, "left": 0.1}]}, "left <= right"),
        ({"regions": [{**HALF, "covers": 1}]}, "regions[0].covers"),
        ({"regions": [{**HALF, "detect": {"tree": 1}}]}, "tree"),
        ({"regions": [{**HALF, "colour": "red"}]}, "colour"),
        ({"regions": [HALF] * 101}, "100"),
        ({"data": ""}, "data"),
        ({"data": 5}, "data"),
        ({"data": None}, "data"),
        ({"data": "no base64"}, "data"),
        ({"data": "rtsp://127.0.0.1/stream"}, "http"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused(app, noise, wanted, named):
    answer = detect(app, noise, **wanted)

    assert answer.status in {400, 403}
    assert answer.json.keys() == {"detections", "error"}
    assert named in answer.json["error"]


def test_a_picture_as_the_body_is_refused(app, noise):
    answer = ask(app, DETECT, noise, Content_Type="image/png")

    assert answer.status == 415
    assert "data" in answer.json["error"]


def test_what_means_nothing_to_doods_means_nothing_here(app, noise):
    assert detect(app, noise, throttle=5, image="", preprocess=[], regions=None, detect=None).status == 200


# Keys


@pytest.mark.parametrize(("key", "status"), [(KEY, 200), ("another", 401), (None, 401)])
def test_the_key_is_where_their_client_has_it(tiny_model, noise, key, status):
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    guarded = build(environment(tiny_model, COMPAT="doods", ACCESS="KEY", ACCESS_KEY_SHA256=digest))
    headers = {} if key is None else {"doods_auth_key": key}
    body = {"data": base64.b64encode(noise).decode(), "detect": {"*": 50}}

    assert ask(guarded, "/doods/detectors", method="GET").status == 200
    assert ask(guarded, DETECT, body, **headers).status == status
    assert ask(guarded, DETECT, body, Authorization=f"Bearer {KEY}", **headers).status == (
        200 if key is None else status
    )
