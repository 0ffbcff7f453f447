"""Hugging Face's client finds what ``/detector`` finds."""

from __future__ import annotations

import hashlib

import pytest
from recognizer.build import build

from tests.compat.asking import ask, detections
from tests.functional.serving import environment


@pytest.fixture(scope="module")
def answers(client, address):
    return client("huggingface", address)


def expected(app, noise, min_score):
    return [(found["label"], found["box"]) for found in detections(app, noise, n="100", min_score=str(min_score))]


def test_a_threshold_is_a_least_score(answers, app, noise):
    found = [(each["label"], each["box"]) for each in answers["all"]]

    assert found == expected(app, noise, 0.1)
    assert all(each["score"] >= 0.1 for each in answers["all"])


def test_without_one_it_is_theirs(answers, app, noise):
    found = [(each["label"], each["box"]) for each in answers["default"]]

    assert found == expected(app, noise, 0.5)
    assert len(found) < len(answers["all"])


def test_bytes_are_sent_without_a_type(answers):
    assert answers["bytes"] == answers["default"]


def test_curl_sends_a_picture_as_a_form(app, noise, answers):
    answer = ask(app, "/hf/models/detr", noise, Content_Type="application/x-www-form-urlencoded")

    assert answer.json == answers["default"]


def test_an_error_has_their_shape(answers):
    status, document = answers["error"]

    assert status == 415
    assert document.keys() == {"error"}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"inputs": "", "parameters": {"box_threshold": 1}}, "box_threshold"),
        ({"image": ""}, "image"),
        ({"inputs": "aGVsbG8=", "parameters": [1]}, "parameters"),
        ({"inputs": "aGVsbG8=", "parameters": {"threshold": 2}}, "threshold"),
        ({"inputs": "aGVsbG8=", "parameters": {"threshold": {"Car": 0.5}}}, "threshold"),
        ({"inputs": "no base64"}, "inputs"),
        ({"inputs": 5}, "inputs"),
        ({"inputs": ""}, "inputs"),
        ({}, "inputs"),
    ],
    ids=str,
)
def test_what_is_not_known_is_refused(app, body, named):
    answer = ask(app, "/hf/models/detr", body)

    assert answer.status == 400
    assert named in answer.json["error"]


@pytest.mark.parametrize(("headers", "status"), [({"Authorization": "Bearer hf_key"}, 200), ({}, 401)])
def test_the_token_is_the_key(tiny_model, noise, headers, status):
    digest = hashlib.sha256(b"hf_key").hexdigest()
    guarded = build(environment(tiny_model, COMPAT="huggingface", ACCESS="KEY", ACCESS_KEY_SHA256=digest))

    answer = ask(guarded, "/hf/models/facebook/detr-resnet-50", noise, Content_Type="image/png", **headers)

    assert answer.status == status
    assert ("error" in answer.json) == (status == 401)
