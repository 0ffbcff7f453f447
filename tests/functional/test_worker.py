"""Messages of the queue, S3 on loopback, a tiny model: what is in the bucket afterwards, whatever comes in between."""

from __future__ import annotations

import io
import json
import logging
import random

import pytest
from PIL import Image
from recognizer import telemetry
from recognizer.build import build_worker
from recognizer.errors import InvalidSetting
from recognizer.uploads.results import folder_of

from tests.conftest import on_loopback
from tests.functional import object_store
from tests.functional.object_store import ObjectStore
from tests.functional.serving import environment

pytestmark = on_loopback

UPLOADS, RESULTS = "pictures", "pictures-results"


def picture(image_format="PNG", size=(160, 120)):
    """A red area on a dark ground, which the tiny model takes for a car."""
    image = Image.new("RGB", size)
    image.paste("red", (size[0] // 4, size[1] // 4, size[0] * 5 // 8, size[1] * 5 // 8))
    file = io.BytesIO()
    image.save(file, image_format)
    return file.getvalue()


@pytest.fixture(scope="module")
def store():
    with ObjectStore() as running:
        yield running


@pytest.fixture(autouse=True)
def _buckets(store, monkeypatch):
    object_store.use(store, monkeypatch)


@pytest.fixture(scope="module")
def settings(tiny_model):
    return environment(tiny_model, UPLOADS_BUCKET=UPLOADS, RESULTS_BUCKET=RESULTS, UPLOADS_OPTIONS="n=5&min_score=0.5")


@pytest.fixture(scope="module")
def worker(settings):
    return build_worker(settings)


@pytest.fixture
def log():
    """The fields and the text of each line that is logged."""
    lines = []

    class Kept(logging.Handler):
        def emit(self, record):
            lines.append(record)

    handler = Kept()
    logging.getLogger(telemetry.logger.name).addHandler(handler)
    yield lines
    logging.getLogger(telemetry.logger.name).removeHandler(handler)


def message(key, version_id, sequencer="01", bucket=UPLOADS, size=1):
    stored = {"key": key, "size": size, "version-id": version_id, "sequencer": sequencer}
    detail = {"bucket": {"name": bucket}, "object": stored}
    return json.dumps({"detail-type": "Object Created", "detail": detail})


def batch(*bodies):
    return {"Records": [{"messageId": str(index), "body": body} for index, body in enumerate(bodies)]}


def failed(answer):
    return [int(item["itemIdentifier"]) for item in answer["batchItemFailures"]]


def result(store, key, version_id):
    return json.loads(store.content(RESULTS, f"{folder_of(key)}/{version_id}.json"))


def latest(store, key):
    return json.loads(store.content(RESULTS, f"{folder_of(key)}/latest.json"))["version_id"]


KEYS = [
    "cat.jpg",
    "a b.jpg",
    "1+1.jpg",
    "100%.jpg",
    "日本/café 🐈.jpg",
    "deep/er/and//deeper.png",
    "x" * 1024,
    "é" * 500,
]
KEYS += ["results/cat.jpg/latest.json", ".hidden", "trailing/", "quote\"'<>&.jpg", "semi;colon?query#hash.jpg", "~"]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: ascii(key[:20]))
def test_an_object_of_any_key_gets_its_result(worker, store, key):
    content = picture()
    version = store.put(UPLOADS, key, content)

    assert failed(worker(batch(message(key, version, size=len(content))), None)) == []

    document = result(store, key, version)
    assert {found["label"] for found in document["detections"]} == {"Car"}
    assert document["object"]["key"] == key
    assert document["object"]["version_id"] == latest(store, key) == version
    assert (document["image"]["width"], document["image"]["url"]) == (160, None)
    drawn = Image.open(io.BytesIO(store.content(RESULTS, document["object"]["picture"])))
    assert drawn.size == (160, 120)
    assert drawn.tobytes() != Image.open(io.BytesIO(content)).tobytes()
    assert all(len(written.encode()) <= 1024 for written in store.keys(RESULTS))


def test_the_log_has_one_line_a_picture(worker, store, log):
    version = store.put(UPLOADS, "car.png", picture())

    worker(batch(message("car.png", version)), None)

    [line] = log
    found = result(store, "car.png", version)["detections"][0]
    assert line.getMessage() == f"score={found['score']:.2f} classid={found['id']} human=Car"
    assert (line.key, line.version_id, line.status) == ("car.png", version, 200)


BAD = {
    "text": (b"just a text", 415, "unsupported-media-type"),
    "empty": (b"", 415, "unsupported-media-type"),
    "truncated": (picture()[:-40], 422, "broken-picture"),
    "too many pixels": (picture("GIF", (9000, 9000)), 413, "too-large"),
    "too many bytes": (b"\0" * (20 * 1024 * 1024 + 1), 413, "too-large"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_ends_as_a_result_that_says_so(worker, store, log, name):
    content, status, code = BAD[name]
    version = store.put(UPLOADS, "bad", content)

    assert failed(worker(batch(message("bad", version, size=len(content))), None)) == []

    document = result(store, "bad", version)
    assert (document["status"], document["type"]) == (status, f"urn:problem-type:recognizer:{code}")
    assert document["object"]["picture"] is None
    assert store.version(RESULTS, f"results/bad/{version}.json").headers["Content-Type"] == "application/problem+json"
    assert latest(store, "bad") == version
    assert [line.getMessage() for line in log] == [f"no picture: {code}"]


def test_options_of_an_object_go_before_those_of_the_bucket(worker, store):
    metadata = {"x-amz-meta-draw": "none", "x-amz-meta-n": "1", "x-amz-meta-min_score": "0", "x-amz-meta-mtime": "17"}
    version = store.put(UPLOADS, "car.png", picture(), **metadata)

    worker(batch(message("car.png", version)), None)

    document = result(store, "car.png", version)
    assert len(document["detections"]) == 1
    drawn = Image.open(io.BytesIO(store.content(RESULTS, document["object"]["picture"])))
    assert drawn.tobytes() == Image.open(io.BytesIO(picture())).tobytes()


@pytest.mark.parametrize("include", ["Car", '["Car"]', "Person,Car", '["Person", "Car"]', "=?UTF-8?B?Q2Fy?="])
def test_labels_are_text_json_or_encoded_as_s3_does_it(worker, store, include):
    metadata = {"x-amz-meta-include": include, "x-amz-meta-min_score": '{"*": 1, "Car": 0.5}'}
    version = store.put(UPLOADS, "car.png", picture(), **metadata)

    worker(batch(message("car.png", version)), None)

    assert {found["label"] for found in result(store, "car.png", version)["detections"]} == {"Car"}


def test_what_s3_encodes_is_told_of_as_it_was_sent(worker, store):
    version = store.put(UPLOADS, "car.png", picture(), **{"x-amz-meta-include": "Käse"})

    worker(batch(message("car.png", version)), None)

    assert result(store, "car.png", version)["detail"].startswith(r'"K\u00e4se" is no label')


def test_options_that_cannot_be_are_told_of_in_the_result(worker, store):
    version = store.put(UPLOADS, "car.png", picture(), **{"x-amz-meta-n": "many"})

    assert failed(worker(batch(message("car.png", version)), None)) == []

    document = result(store, "car.png", version)
    assert (document["status"], document["parameter"]) == (400, "n")


def test_a_message_that_comes_again_changes_nothing(worker, store):
    version = store.put(UPLOADS, "car.png", picture())
    worker(batch(message("car.png", version)), None)
    before = dict(store.objects)
    written = {key: len(versions) for key, versions in before.items()}

    answer = worker(batch(*[message("car.png", version)] * 3), None)

    assert failed(answer) == []
    assert {key: len(versions) for key, versions in store.objects.items()} == written


@pytest.mark.parametrize("seed", range(5))
def test_the_newest_version_is_the_latest_in_whichever_order_they_come(worker, store, seed):
    versions = [store.put(UPLOADS, "car.png", picture(size=(40 + index, 40))) for index in range(4)]
    messages = [message("car.png", version, f"0{index}") for index, version in enumerate(versions)] * 2
    random.Random(seed).shuffle(messages)  # noqa: S311 - the same order each time

    assert failed(worker(batch(*messages), None)) == []

    assert latest(store, "car.png") == versions[-1]
    assert [result(store, "car.png", version)["image"]["width"] for version in versions] == [40, 41, 42, 43]


def test_a_pointer_that_moves_meanwhile_is_not_moved_back(worker, store):
    older, newer = (store.put(UPLOADS, "car.png", picture()) for _ in range(2))
    moved = []

    def meanwhile(bucket, key):
        """Another worker is done with the newer version while this one is about to point at the older."""
        if key.endswith("latest.json") and not moved:
            moved.append(key)
            pointer = {"version_id": newer, "sequencer": "02", "result": f"results/car.png/{newer}.json"}
            store.put(RESULTS, key, json.dumps(pointer).encode())

    store.before_put = meanwhile

    assert failed(worker(batch(message("car.png", older, "01")), None)) == []

    assert moved
    assert latest(store, "car.png") == newer


def test_a_pointer_that_is_deleted_meanwhile_is_made_anew(worker, store):
    older, newer = (store.put(UPLOADS, "car.png", picture()) for _ in range(2))
    worker(batch(message("car.png", older, "01")), None)
    gone = []

    def meanwhile(bucket, key):
        """The bucket's own rule deletes old results."""
        if key.endswith("latest.json") and not gone:
            gone.append(store.objects.pop((bucket, key)))

    store.before_put = meanwhile

    assert failed(worker(batch(message("car.png", newer, "02")), None)) == []

    assert gone
    assert latest(store, "car.png") == newer


def test_a_write_that_meets_another_of_the_same_moment_is_tried_again(worker, store):
    version = store.put(UPLOADS, "car.png", picture())
    store.conflicts = {f"results/car.png/{version}.json": 2, "results/car.png/latest.json": 4}

    assert failed(worker(batch(message("car.png", version)), None)) == []

    assert set(store.conflicts.values()) == {0}
    assert latest(store, "car.png") == version


def test_a_write_that_meets_others_again_and_again_stays_in_the_queue(worker, store):
    version = store.put(UPLOADS, "car.png", picture())
    store.conflicts = {"results/car.png/latest.json": 5}

    assert failed(worker(batch(message("car.png", version)), None)) == [0]
    assert failed(worker(batch(message("car.png", version)), None)) == []


def test_of_two_workers_with_the_same_message_one_writes_the_result(worker, store, log):
    version = store.put(UPLOADS, "car.png", picture())
    name = f"results/car.png/{version}.json"

    def meanwhile(bucket, key):
        if key == name and not store.version(RESULTS, name):
            store.put(RESULTS, name, b'{"the": "other"}')

    store.before_put = meanwhile

    assert failed(worker(batch(message("car.png", version)), None)) == []

    assert store.content(RESULTS, name) == b'{"the": "other"}'
    assert latest(store, "car.png") == version
    assert [line.getMessage() for line in log] == ["known already"]


@pytest.mark.parametrize("stopped_before", [".png", ".json", "latest.json"])
def test_what_a_stopped_worker_left_is_completed(worker, store, stopped_before):
    version = store.put(UPLOADS, "car.png", picture())

    def stop(bucket, key):
        if key.endswith(stopped_before):
            raise ConnectionAbortedError  # the connection closes without an answer, as often as it is tried

    store.before_put = stop
    store.handle_error = lambda *_: None
    assert failed(worker(batch(message("car.png", version)), None)) == [0]
    store.before_put = lambda bucket, key: None

    assert failed(worker(batch(message("car.png", version)), None)) == []

    assert result(store, "car.png", version)["detections"]
    assert latest(store, "car.png") == version
    assert len(store.objects[RESULTS, f"results/car.png/{version}.json"]) == 1


def test_what_others_may_mend_stays_in_the_queue_and_nothing_else(worker, store, log):
    good, throttled = (store.put(UPLOADS, key, picture()) for key in ("good.png", "throttled.png"))
    store.failing.add("throttled.png")

    answer = worker(
        batch(
            message("throttled.png", throttled),
            "no event",
            message("good.png", good),
            message("car.png", "v1", bucket="another"),
            message("car.png", "v1", bucket=RESULTS),
            message("car.png", "null"),
        ),
        None,
    )

    assert failed(answer) == [0, 1, 3, 4, 5]
    assert {key.split("/")[1] for key in store.keys(RESULTS)} == {"good.png"}
    assert [line.levelname for line in log].count("ERROR") == 5
    assert all(line.exc_info for line in log if line.levelname == "ERROR")

    store.failing.clear()
    assert failed(worker(batch(message("throttled.png", throttled)), None)) == []
    assert result(store, "throttled.png", throttled)["detections"]


def test_a_version_that_was_deleted_is_no_failure(worker, store, log):
    assert failed(worker(batch(message("gone.png", "v1"), message("folder/", "v1", size=0)), None)) == []

    assert store.keys(RESULTS) == []
    assert [line.getMessage() for line in log] == ["deleted since", "a folder"]


def test_a_picture_that_there_is_no_time_for_stays_in_the_queue(worker, store):
    class Context:
        aws_request_id = "id"

        def get_remaining_time_in_millis(self):
            return 10_000

    version = store.put(UPLOADS, "car.png", picture())

    assert failed(worker(batch(message("car.png", version)), Context())) == [0]
    assert store.keys(RESULTS) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"UPLOADS_OPTIONS": "n=many"}, "UPLOADS_OPTIONS"),
        ({"UPLOADS_OPTIONS": "url=https://example.com/cat.jpg"}, "cannot be said of a picture that is uploaded"),
        ({"UPLOADS_OPTIONS": "n=1&n=2"}, "given twice"),
        ({"UPLOADS_BUCKET": "", "RESULTS_BUCKET": ""}, "are not set"),
        ({"RESULTS_BUCKET": ""}, "two different buckets"),
        ({"RESULTS_BUCKET": UPLOADS}, "would be taken for an upload"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(settings, changed, told):
    with pytest.raises(InvalidSetting, match=told):
        build_worker(settings | changed)
