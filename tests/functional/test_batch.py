"""``python -m local.batch``: a folder on this machine's cores, stopped and continued; and through S3 on loopback."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from PIL import Image
from recognizer.build import build_worker

from local.batch import sources
from local.batch.cloud import Deployment, Timeout
from local.batch.record import Record
from tests.conftest import ROOT, on_loopback
from tests.functional import object_store
from tests.functional.object_store import ObjectStore
from tests.functional.serving import environment
from tests.functional.test_worker import RESULTS, UPLOADS, batch, message, picture

pytestmark = on_loopback

DOCUMENT = {
    "image": {"width": 100, "height": 50},
    "detections": [{"label": "Car", "score": 0.5, "box": {"xmin": 10, "ymin": 5, "xmax": 30, "ymax": 20}}],
}


def lines(folder):
    return {line["file"]: line for line in map(json.loads, (folder / "results.jsonl").read_text("utf-8").splitlines())}


@pytest.fixture
def pictures(tmp_path):
    """A folder of three pictures, a broken one and what is none."""
    folder = tmp_path / "pictures"
    (folder / "be low").mkdir(parents=True)
    for name in ("a.png", "b.PNG", "be low/ü.png"):
        (folder / name).write_bytes(picture())
    (folder / "broken.jpg").write_bytes(picture("JPEG")[:300])
    (folder / "notes.txt").write_text("no picture")
    return folder


def started(tiny_model, *arguments):
    settings = {"MODEL_DIR": str(tiny_model), "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        (sys.executable, "-m", "local.batch", *map(str, arguments)),
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_folder_becomes_lines_coco_and_annotated_pictures(tiny_model_of_both, pictures, tmp_path):
    out = tmp_path / "out"
    options = ("--out", out, "--options", "n=1&min_score=0.5", "--processes", "2")
    process = started(tiny_model_of_both["litert"], pictures, *options)
    told, errors = process.communicate(timeout=240)

    assert process.returncode == 0, errors
    found = lines(out)
    assert found.keys() == {"a.png", "b.PNG", "be low/ü.png", "broken.jpg"}
    assert found["broken.jpg"]["status"] == 422
    assert [each["label"] for each in found["be low/ü.png"]["detections"]] == ["Car"]
    assert "3 pictures with 3 objects, 1 new ones unreadable" in told
    coco = json.loads((out / "coco.json").read_text("utf-8"))
    assert [image["file_name"] for image in sorted(coco["images"], key=lambda image: image["file_name"])] == sorted(
        ["a.png", "b.PNG", "be low/ü.png"]
    )
    assert coco["categories"] == [{"id": 1, "name": "Car"}]
    with Image.open(out / "annotated" / "be low" / "ü.png.png") as drawn:
        assert drawn.size == (160, 120)

    again = started(tiny_model_of_both["litert"], pictures, *options)
    again.communicate(timeout=240)
    assert again.returncode == 0
    assert len((out / "results.jsonl").read_text("utf-8").splitlines()) == 4


def test_a_run_that_was_stopped_goes_on(tiny_model_of_both, tmp_path):
    folder, out = tmp_path / "pictures", tmp_path / "out"
    folder.mkdir()
    for index in range(200):
        (folder / f"{index:03}.png").write_bytes(picture())
    process = started(tiny_model_of_both["litert"], folder, "--out", out, "--processes", "1")
    while not (out / "results.jsonl").exists() or (out / "results.jsonl").stat().st_size == 0:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 130, errors
    assert "the same command goes on from here" in errors
    before = (out / "results.jsonl").read_text("utf-8")
    assert 0 < len(before.splitlines()) < 200

    process = started(tiny_model_of_both["litert"], folder, "--out", out, "--processes", "2")
    _, errors = process.communicate(timeout=240)

    assert process.returncode == 0, errors
    after = (out / "results.jsonl").read_text("utf-8")
    assert after.startswith(before)
    assert len(after.splitlines()) == len(lines(out)) == 200


def test_what_is_no_folder_is_named(tiny_model, tmp_path):
    process = started(tiny_model, tmp_path / "nowhere")
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "nowhere is no folder" in errors


def test_a_line_that_was_cut_off_is_written_anew(tmp_path):
    with Record(tmp_path) as record:
        record.add("one.jpg", DOCUMENT, None, "")
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write('{"file": "two.jpg", "image": {"wid')

    with Record(tmp_path) as record:
        assert record.done == {"one.jpg"}
        record.add("two.jpg", DOCUMENT, None, "")

    assert lines(tmp_path).keys() == {"one.jpg", "two.jpg"}


def test_coco_has_boxes_by_corner_and_size(tmp_path):
    with Record(tmp_path) as record:
        record.add("bad.jpg", {"status": 415}, None, "")
        record.add("one.jpg", DOCUMENT, None, "")
        assert record.write_coco() == (1, 1)

    coco = json.loads((tmp_path / "coco.json").read_text("utf-8"))
    assert coco["images"] == [{"id": 1, "file_name": "one.jpg", "width": 100, "height": 50}]
    [annotation] = coco["annotations"]
    assert (annotation["image_id"], annotation["bbox"], annotation["area"]) == (1, [10, 5, 20, 15], 300)


@pytest.mark.parametrize("name", ["../../out.jpg", "/etc/out.jpg", "a/../../../out.jpg", "..\\..\\out.jpg"])
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    folder = tmp_path / "in" / "side"
    with Record(folder) as record:
        record.add(name, DOCUMENT, b"picture", "image/jpeg")

    written = [path for path in tmp_path.rglob("*.jpeg") if path.is_file()]
    assert len(written) == 1
    assert written[0].is_relative_to(folder / "annotated")


@pytest.fixture
def store(monkeypatch):
    with ObjectStore() as running:
        object_store.use(running, monkeypatch)
        yield running


def test_a_deployment_does_it_and_nothing_is_sent_twice(store, tiny_model, pictures):
    settings = environment(tiny_model, UPLOADS_BUCKET=UPLOADS, RESULTS_BUCKET=RESULTS, UPLOADS_OPTIONS="min_score=0.5")
    worker = build_worker(settings)
    stopped = threading.Event()

    def work():
        """What the queue and Lambda do: each new version is handed to the worker."""
        seen = set()
        while not stopped.wait(0.05):
            for (bucket, key), versions in list(store.objects.items()):
                for version in versions:
                    if bucket == UPLOADS and (key, version.id) not in seen:
                        seen.add((key, version.id))
                        worker(batch(message(key, version.id)), None)

    deployed = threading.Thread(target=work)
    deployed.start()
    try:
        names = list(sources.Folder(pictures).names())
        deployment = Deployment(UPLOADS, "in/", RESULTS, {"n": "1"}, 120)
        found = {each.name: each for each in deployment.recognised(sources.Folder(pictures), names)}
        again = list(deployment.recognised(sources.Folder(pictures), names))
    finally:
        stopped.set()
        deployed.join()

    assert found.keys() == set(names)
    assert found["broken.jpg"].document["status"] == 422
    assert [each["label"] for each in found["a.png"].document["detections"]] == ["Car"]
    assert Image.open(io.BytesIO(found["a.png"].picture)).size == (160, 120)
    assert len(again) == 4
    assert all(len(versions) == 1 for (bucket, _), versions in store.objects.items() if bucket == UPLOADS)


def test_a_result_that_does_not_come_is_named(store, pictures):
    with pytest.raises(Timeout, match=r"results/in/a\.png/.*dead-letter queue"):
        list(Deployment(UPLOADS, "in/", RESULTS, {}, 0).recognised(sources.Folder(pictures), ["a.png"]))
