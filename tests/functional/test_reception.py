"""POST /uploads and GET /uploads/{id}, through the whole service with S3 on loopback."""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import urlsplit

import pytest
from recognizer.build import build, build_worker

from tests.conftest import on_loopback
from tests.functional import object_store
from tests.functional.object_store import ObjectStore
from tests.functional.proxy_events import Context, event, reply
from tests.functional.serving import environment
from tests.functional.test_worker import RESULTS, UPLOADS, batch, message, picture

pytestmark = on_loopback


@pytest.fixture(scope="module")
def store():
    with ObjectStore() as running:
        yield running


@pytest.fixture(autouse=True)
def _bucket(store, monkeypatch):
    object_store.use(store, monkeypatch)


@pytest.fixture(scope="module")
def settings(tiny_model, store):
    return environment(tiny_model, UPLOADS_BUCKET=UPLOADS, RESULTS_BUCKET=RESULTS, AWS_ENDPOINT_URL=store.url)


@pytest.fixture(scope="module")
def app(settings):
    return build(settings)


@pytest.fixture(scope="module")
def worker(settings):
    return build_worker(settings)


def begin(app, body=None, query=None, **headers):
    headers = {"Content-Type": "application/json", **headers}
    asked = event(path="/uploads", method="POST", query=query, headers=headers)
    return reply(app({**asked, "body": json.dumps(body or {})}, Context()))


def ask(app, upload_id, query=None, method="GET", **headers):
    return reply(app(event(path=f"/uploads/{upload_id}", method=method, query=query, headers=headers), Context()))


def policy(form):
    return json.loads(base64.b64decode(form["fields"]["policy"]))["conditions"]


def test_a_form_takes_one_picture_of_one_type_and_a_size_for_ten_minutes(app):
    answer = begin(app, {"content_type": "image/webp", "n": 7, "include": ["Car", "Person"]})

    form = answer.json
    assert (answer.status, answer.headers["cache-control"]) == (201, "no-store")
    assert answer.headers["location"] == form["result"] == f"uploads/{form['id']}"
    assert form["expires_in_s"] == 600
    conditions = policy(form)
    assert ["content-length-range", 1, form["max_bytes"]] in conditions
    assert {"key": f"uploads/{form['id']}"} in conditions
    assert {"bucket": UPLOADS} in conditions
    assert {"Content-Type": "image/webp"} in conditions
    assert {"x-amz-meta-n": "7"} in conditions
    assert {"x-amz-meta-include": '["Car", "Person"]'} in conditions
    assert form["fields"]["x-amz-meta-include"] == '["Car", "Person"]'


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({"n": 1, "min_score": {"*": 1, "Car": 0.5}, "crop": False}, None),
        ({"n": 1.0, "min_score": {"*": 1.0, "Car": 0.5}, "include": ["Car", "Person"], "region": [0, 0, 1, 1]}, None),
        ({"min_score": {"*": 1, "Car": 0.5}, "tiles": 1}, {"n": "1", "include": "Car,Person"}),
        ({"n_predictions": 1, "min_score": {"*": 1, "Car": 0.5}, "exclude": None, "crop": 0}, None),
    ],
)
def test_an_upload_is_asked_as_the_detector_is(app, worker, store, body, query):
    form = begin(app, body, query).json
    metadata = {name: text for name, text in form["fields"].items() if name.startswith("x-amz-meta-")}
    version = store.put(UPLOADS, form["fields"]["key"], picture(), **metadata)
    worker(batch(message(form["fields"]["key"], version)), None)

    found = json.loads(store.content(RESULTS, f"results/{form['fields']['key']}/{version}.json"))["detections"]

    asked = event(path="/detector", method="POST", query=query, headers={"Content-Type": "application/json"})
    sent = {**body, "image": base64.b64encode(picture()).decode()}
    assert found == reply(app({**asked, "body": json.dumps(sent)}, Context())).json["detections"]
    assert [each["label"] for each in found] == ["Car"]


def test_what_a_query_and_a_body_both_say_is_refused(app):
    answer = begin(app, {"n": 5}, {"n": "3"})

    assert (answer.status, answer.json["parameter"]) == (400, "n")


def test_more_options_than_s3_keeps_with_a_picture_are_refused(app):
    answer = begin(app, {"n": 5, "include": ["Person"] * 600})

    assert (answer.status, answer.json["parameter"]) == (400, "include")
    assert "2,048 bytes" in answer.json["detail"]
    fitting = begin(app, {"include": ["Person"] * 180})
    assert fitting.status == 201
    assert object_store.metadata_bytes(fitting.json["fields"]) <= object_store.MAX_METADATA_BYTES


def test_scores_by_label_are_told_as_metadata_too(app, worker, store):
    form = begin(app, {"n": 100, "min_score": {"*": 1, "Car": 0.5}}).json
    metadata = {name: text for name, text in form["fields"].items() if name.startswith("x-amz-meta-")}
    version = store.put(UPLOADS, form["fields"]["key"], picture(), **metadata)
    worker(batch(message(form["fields"]["key"], version)), None)

    found = json.loads(store.content(RESULTS, f"results/{form['fields']['key']}/{version}.json"))["detections"]
    assert any(one["score"] < 1 for one in found)
    assert {one["label"] for one in found if one["score"] < 1} == {"Car"}
    assert all(one["score"] >= 0.5 for one in found)


def test_every_upload_has_an_id_of_its_own(app):
    assert len({begin(app).json["id"] for _ in range(5)}) == 5


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"content_type": "text/html"}, "content_type"),
        ({"content_type": ["image/png"]}, "content_type"),
        ({"n": 0}, "n"),
        ({"n": 2.5}, "n"),
        ({"draw": ["blur"]}, "draw"),
        ({"min_score": "{"}, "min_score"),
        ({"min_score": {"Unicorn": 0.5}}, "min_score"),
        ({"include": "Unicorn"}, "include"),
        ({"url": "https://example.com/cat.jpg"}, "url"),
        ({"format": "json"}, "format"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_the_upload(app, body, parameter):
    answer = begin(app, body)

    assert (answer.status, answer.json["parameter"]) == (400, parameter)


def test_the_picture_itself_is_sent_with_the_form(app):
    asked = event(path="/uploads", method="POST", headers={"Content-Type": "image/png"})

    answer = reply(app({**asked, "body": base64.b64encode(picture()).decode(), "isBase64Encoded": True}, Context()))

    assert (answer.status, answer.json["parameter"]) == (400, "image")


def test_a_result_is_asked_for_until_it_is_there(app, worker, store):
    form = begin(app, {"n": 1, "min_score": 0.5}).json
    waiting = ask(app, form["id"])
    assert (waiting.status, waiting.headers["retry-after"]) == (202, "1")
    assert waiting.json == {"id": form["id"], "status": "pending"}

    key = form["fields"]["key"]
    metadata = {name: text for name, text in form["fields"].items() if name.startswith("x-amz-meta-")}
    version = store.put(UPLOADS, key, picture(), **metadata)
    assert worker(batch(message(key, version)), None) == {"batchItemFailures": []}

    answers = {kind: ask(app, form["id"], {"format": kind}) for kind in ("json", "image")}
    assert {kind: answer.status for kind, answer in answers.items()} == {"json": 303, "image": 303}
    assert all(answer.body == b"" for answer in answers.values())
    assert all("X-Amz-Signature" in answer.headers["location"] for answer in answers.values())
    paths = {kind: urlsplit(answer.headers["location"]).path for kind, answer in answers.items()}
    assert paths == {
        "json": f"/{RESULTS}/results/{key}/{version}.json",
        "image": f"/{RESULTS}/results/{key}/{version}.png",
    }
    assert ask(app, form["id"], Accept="image/*").headers["location"].partition("?")[0].endswith(".png")
    assert ask(app, form["id"]).headers["location"].partition("?")[0].endswith(".json")
    assert json.loads(store.content(RESULTS, f"results/{key}/{version}.json"))["detections"][0]["label"] == "Car"


def test_a_bad_picture_has_no_picture_for_an_answer(app, worker, store):
    form = begin(app).json
    version = store.put(UPLOADS, form["fields"]["key"], b"no picture")
    worker(batch(message(form["fields"]["key"], version)), None)

    answer = ask(app, form["id"], {"format": "image"})

    assert urlsplit(answer.headers["location"]).path.endswith(f"{version}.json")


@pytest.mark.parametrize("upload_id", ["", "x", "0" * 31, "0" * 33, "../secret", "0" * 31 + "G"])
def test_there_are_no_uploads_of_other_names(app, upload_id):
    assert ask(app, upload_id).status == 404


def test_options_belong_into_the_form(app):
    answer = ask(app, "0" * 32, {"n": "5"})

    assert (answer.status, answer.json["parameter"]) == (400, "n")


@pytest.mark.parametrize(("path", "allowed"), [("/uploads", "POST, OPTIONS"), ("/uploads/1", "HEAD, GET, OPTIONS")])
def test_the_methods_are_those_of_the_routes(app, path, allowed):
    answer = reply(app(event(path=path, method="DELETE"), Context()))

    assert (answer.status, answer.headers["allow"]) == (405, allowed)


def test_the_page_may_talk_to_the_buckets(app, store):
    policies = reply(app(event(path="/"), Context())).headers["content-security-policy"].split("; ")

    assert f"connect-src 'self' {store.url}" in policies


def test_without_buckets_there_are_no_such_routes(tiny_model):
    app = build(environment(tiny_model))

    assert begin(app).status == 404
    assert ask(app, "0" * 32).status == 404
    policies = reply(app(event(path="/"), Context())).headers["content-security-policy"].split("; ")
    assert "connect-src 'self'" in policies


def test_what_is_answered_is_what_is_described(app):
    """The form and the waiting, by the schemas of the very service."""
    from jsonschema import Draft202012Validator

    description = reply(app(event(path="/openapi.json"), Context())).json
    form = begin(app, {"n": 3}).json

    for answer, schema in ((form, "UploadForm"), (ask(app, form["id"]).json, "UploadPending")):
        reference = {"$ref": f"#/components/schemas/{schema}", "components": description["components"]}
        Draft202012Validator(reference).validate(answer)
        assert answer.keys() == set(description["components"]["schemas"][schema]["properties"])


def test_a_form_is_asked_for_with_a_key_and_a_result_by_its_id(settings):
    digest = hashlib.sha256(b"key").hexdigest()
    app = build(settings | {"ACCESS": "KEY", "ACCESS_KEY_SHA256": digest})

    assert begin(app).status == 401
    form = begin(app, Authorization="Bearer key")
    assert form.status == 201
    assert ask(app, form.json["id"]).status == 202
