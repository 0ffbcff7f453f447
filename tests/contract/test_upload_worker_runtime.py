"""The queue's worker under the real Lambda runtime: every event of events/uploads, with S3 on loopback."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from tests.conftest import ROOT, on_loopback
from tests.contract.emulated import emulated, emulator
from tests.functional.object_store import ObjectStore

UPLOADS, RESULTS = "recognizer-dev-uploads", "recognizer-dev-results"
EVENTS = {path.stem: path for path in sorted((ROOT / "events" / "uploads").glob("*.json"))}
DOG = "photos/My dog + café.jpg"
# What of the buckets an event tells of: key, version -> what of results there is afterwards. And which messages failed.
STORED = {
    (DOG, "L4kqtJlcpXroDTDmpUMLUo"): "picture",
    (DOG, "7nJ0SlIDdqQ0ls8gCX2Vb1"): "picture",
    ("photos/first.jpg", "UIORUnfnd89493jJFJ00001"): "picture",
    ("photos/text.jpg", "UIORUnfnd89493jJFJ00002"): "text",
}
EXPECTED = {
    "notification": ([(DOG, "L4kqtJlcpXroDTDmpUMLUo", 200)], 0),
    "eventbridge": ([(DOG, "7nJ0SlIDdqQ0ls8gCX2Vb1", 200)], 0),
    "test-event": ([], 0),
    "deleted-object": ([], 0),
    "removal": ([], 0),
    "folder": ([], 0),
    "batch": (
        [("photos/first.jpg", "UIORUnfnd89493jJFJ00001", 200), ("photos/text.jpg", "UIORUnfnd89493jJFJ00002", 415)],
        1,
    ),
}

pytestmark = [on_loopback, pytest.mark.skipif(emulator() is None, reason="no Lambda emulator for this platform")]


@pytest.fixture(scope="module")
def store():
    with ObjectStore() as running:
        yield running


@pytest.fixture(scope="module")
def invoke(tiny_model_of_both, store, tmp_path_factory):
    settings = {
        "MODEL_DIR": str(tiny_model_of_both["litert"]),
        "UPLOADS_BUCKET": UPLOADS,
        "RESULTS_BUCKET": RESULTS,
        "AWS_ENDPOINT_URL": store.url,
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with emulated("upload_handler.lambda_handler", settings, tmp_path_factory.mktemp("worker")) as call:
        yield call


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_of_the_folder_becomes_results(invoke, store, name):
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "JPEG")
    store.objects.clear()
    for (key, version_id), kind in STORED.items():
        store.put(UPLOADS, key, file.getvalue() if kind == "picture" else b"just a text.", version_id)

    answer = invoke(json.loads(EVENTS[name].read_text(encoding="utf-8")))

    results, failures = EXPECTED[name]
    assert len(answer["batchItemFailures"]) == failures
    written = set(store.keys(RESULTS))
    for key, version_id, status in results:
        document = json.loads(store.content(RESULTS, f"results/{key}/{version_id}.json"))
        written -= {f"results/{key}/{version_id}.json", f"results/{key}/latest.json", document["object"]["picture"]}
        assert document["object"]["version_id"] == version_id
        assert document.get("status", 200) == status
        if status == 200:
            picture = store.content(RESULTS, document["object"]["picture"])
            assert Image.open(io.BytesIO(picture)).size == (256, 256)
            assert document["image"]["width"] == 256
    assert not written
