"""Cloud Vision's client finds what ``/detector`` and ``/classifier`` find."""

from __future__ import annotations

import base64
import hashlib

import pytest
from recognizer.build import build

from tests.compat.asking import HOSTILE, ask, detections
from tests.functional.serving import environment

PATH = "/v1/images:annotate"
OBJECTS = {"type": "OBJECT_LOCALIZATION"}


@pytest.fixture(scope="module")
def answers(client, address, url):
    return client("google_vision", address, url)


@pytest.fixture(scope="module")
def image(noise):
    return {"content": base64.b64encode(noise).decode()}


def one(image, **more):
    return {"requests": [{"image": image, "features": [OBJECTS], **more}]}


def objects(found):
    return [
        (each["mid"], each["name"], round(each["score"], 4), corners(each["bounding_poly"]["normalized_vertices"]))
        for each in found["localized_object_annotations"]
    ]


def corners(vertices, side_px=128):
    return [(round(vertex.get("x", 0) * side_px), round(vertex.get("y", 0) * side_px)) for vertex in vertices]


def expected(app, picture, n):
    return [
        (found["id"], found["label"], found["score"], clockwise(**found["box"]))
        for found in detections(app, picture, n=str(n), min_score="0.5")
    ]


def clockwise(xmin, ymin, xmax, ymax):
    return [(xmin, ymin), (xmax, ymin), (xmax, ymax), (xmin, ymax)]


def labels_by_our_api(app, picture, n):
    answer = ask(app, "/classifier", picture, query={"n": str(n), "min_score": "0.5"}, Content_Type="image/png")
    return [(found["id"], found["label"], found["score"]) for found in answer.json["labels"]]


def labels(found):
    return [
        (each["mid"], each["description"], round(each["score"], 4))
        for each in found["label_annotations"]
        if each["score"] == each["topicality"]
    ]


def test_objects_are_those_of_the_detector(answers, app, noise):
    found = expected(app, noise, 100)

    assert len(found) > 2
    assert objects(answers["batch"][0]) == found
    assert objects(answers["helper"]) == found[:10]
    assert objects(answers["with key"][0]) == found


def test_labels_are_those_of_the_classifier(answers, app, noise):
    assert labels(answers["batch"][0]) == labels_by_our_api(app, noise, 100)
    assert labels(answers["label helper"]) == labels_by_our_api(app, noise, 3)
    assert labels(answers["label helper"])


def test_a_picture_that_cannot_be_seen_leaves_the_others_theirs(answers, app, noise):
    seen, broken, missing, linked = answers["batch"]

    assert "error" not in seen
    assert (broken["error"]["code"], missing["error"]["code"]) == (3, 14)
    assert broken["error"]["message"]
    assert "404" in missing["error"]["message"]
    assert objects(linked) == expected(app, noise, 100)


def test_what_is_not_here_is_refused(answers):
    assert answers["text"][0] == "BadRequest"
    assert "OBJECT_LOCALIZATION" in answers["text"][1]
    assert answers["parent"][0] == "BadRequest"
    assert "parent" in answers["parent"][1]


def test_names_may_be_written_either_way(app, url):
    camel = {"requests": [{"image": {"source": {"imageUri": url}}, "features": [{**OBJECTS, "maxResults": 2}]}]}
    snake = {"requests": [{"image": {"source": {"image_uri": url}}, "features": [{"type": 19, "max_results": 2}]}]}

    assert ask(app, PATH, camel).json == ask(app, PATH, snake).json
    assert len(ask(app, PATH, camel).json["responses"][0]["localizedObjectAnnotations"]) == 2


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "requests"),
        ({"requests": []}, "requests"),
        ({"requests": [{}] * 17}, "16"),
        ({"requests": [{}]}, "requests[0].features"),
        ({"requests": [{"features": [OBJECTS]}]}, "requests[0].image"),
        (one({"source": {"gcsImageUri": "gs://bucket/cat.jpg"}}), "storage.googleapis.com"),
        (one({"source": {"imageUri": "gs://bucket/cat.jpg"}}), "storage.googleapis.com"),
        (one({"source": {"imageUri": "https://example.com/a.jpg"}, "content": "AAAA"}), "either"),
        (one({"content": "AAAA"}, imageContext={"languageHints": ["en"]}), "imageContext"),
        (one({"content": "AAAA"}, features=[OBJECTS, OBJECTS]), "twice"),
        (one({"content": "AAAA"}, features=[{**OBJECTS, "model": "mine"}]), "model"),
        (one({"content": "AAAA"}, features=[{**OBJECTS, "maxResults": -1}]), "maxResults"),
        (one({"content": "AAAA"}, features=[{"type": "FACE_DETECTION"}]), "FACE_DETECTION"),
        (one({"content": "AAAA"}, features=[{"type": 1}]), "type"),
        ({**one({"content": "AAAA"}), "labels": {"team": "a"}}, "labels"),
    ],
    ids=str,
)
def test_a_request_of_the_wrong_shape_is_refused_as_a_whole(app, body, named):
    answer = ask(app, PATH, body)

    assert (answer.status, answer.json["error"]["code"], answer.json["error"]["status"]) == (
        400,
        400,
        "INVALID_ARGUMENT",
    )
    assert named in answer.json["error"]["message"]


def test_what_their_clients_add_to_the_address_is_accepted_by_name(app, image):
    added = {"$alt": "json;enum-encoding=int", "key": "any", "prettyPrint": "false"}

    assert ask(app, PATH, one(image), query=added).status == 200
    assert ask(app, PATH, one(image), query={"fields": "responses.error"}).status == 400


def test_the_key_is_where_their_clients_have_it(tiny_model, image):
    digest = hashlib.sha256(b"AIzaKEY").hexdigest()
    app = build(environment(tiny_model, COMPAT="vision", ACCESS="KEY", ACCESS_KEY_SHA256=digest))

    assert ask(app, PATH, one(image), X_Goog_Api_Key="AIzaKEY").status == 200
    assert ask(app, PATH, one(image), Authorization="Bearer AIzaKEY").status == 200
    assert ask(app, PATH, one(image), query={"key": "AIzaKEY"}).status == 200
    refused = ask(app, PATH, one(image), query={"key": "another"})
    assert (refused.status, refused.json["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert "www-authenticate" in refused.headers


@pytest.mark.parametrize("file", [b"no picture", b"\x89PNG\r\n\x1a\n", b"GIF89a"], ids=repr)
def test_bytes_that_are_no_picture_are_its_own_error(app, file):
    answer = ask(app, PATH, one({"content": base64.b64encode(file).decode()}))

    assert (answer.status, answer.json["responses"][0]["error"]["code"]) == (200, 3)


def test_an_address_that_may_not_be_fetched_is_its_own_error(tiny_model):
    app = build(environment(tiny_model, COMPAT="vision", ALLOWED_URL_HOSTS="pictures.example"))
    answer = ask(app, PATH, one({"source": {"imageUri": "http://elsewhere.example/a.jpg"}}))

    assert (answer.status, answer.json["responses"][0]["error"]["code"]) == (200, 7)


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
@pytest.mark.parametrize(
    "place",
    [
        "requests",
        "request",
        "image",
        "content",
        "source",
        "imageUri",
        "features",
        "feature",
        "type",
        "maxResults",
        "model",
    ],
)
def test_no_value_breaks_it(app, image, place, value):
    feature = {**OBJECTS, **({place: value} if place in {"type", "maxResults", "model"} else {})}
    given = {"content": {"content": value}, "source": {"source": value}, "imageUri": {"source": {"imageUri": value}}}
    request = {
        "image": value if place == "image" else given.get(place, image),
        "features": value if place == "features" else [value if place == "feature" else feature],
    }
    answer = ask(app, PATH, {"requests": value if place == "requests" else [value if place == "request" else request]})

    assert answer.status in {200, 400}
    if answer.status == 200:
        for each in answer.json["responses"]:
            assert each.get("error", {"message": "seen"})["message"]
    else:
        assert answer.json["error"]["message"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff", b'"', b"[" * 100_000, b'{"requests": [], "requests": []}'], ids=repr
)
def test_no_body_breaks_it(app, body):
    answer = ask(app, PATH, body, Content_Type="application/json")

    assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT")
