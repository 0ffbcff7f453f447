"""``python -m local.batch``: a folder on this machine's cores, stopped and continued; and through S3 on loopback."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from PIL import Image
from recognizer.build import build_worker, rules_of
from recognizer.errors import InvalidParameter, Overloaded
from recognizer.pipeline import Pipeline
from recognizer.settings import Settings
from recognizer.vision.model import Model

from local.batch import engines, sources
from local.batch.__main__ import _recorded
from local.batch.cloud import Deployment, NoVersions
from local.batch.engines import NotDone, Recognised
from local.batch.record import OtherRun, Record
from tests.conftest import ROOT, on_loopback
from tests.functional import object_store
from tests.functional.object_store import ObjectStore
from tests.functional.serving import environment
from tests.functional.test_worker import RESULTS, UPLOADS, batch, message, picture

pytestmark = on_loopback

ASKED = {"source": "pictures", "options": {"n": "1"}}
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


def started(tiny_model, *arguments, **more):
    settings = {"MODEL_DIR": str(tiny_model), "TF_CPP_MIN_LOG_LEVEL": "3", **more}
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
    with Record(tmp_path, ASKED) as record:
        record.add("one.jpg", DOCUMENT, None, "")
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write('{"file": "two.jpg", "image": {"wid')

    with Record(tmp_path, ASKED) as record:
        assert record.done == {"one.jpg"}
        record.add("two.jpg", DOCUMENT, None, "")

    assert lines(tmp_path).keys() == {"one.jpg", "two.jpg"}


def test_coco_has_boxes_by_corner_and_size(tmp_path):
    with Record(tmp_path, ASKED) as record:
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
    with Record(folder, ASKED) as record:
        record.add(name, DOCUMENT, b"picture", "image/jpeg")

    written = [path for path in tmp_path.rglob("*.jpeg") if path.is_file()]
    assert len(written) == 1
    assert written[0].is_relative_to(folder / "annotated")


@pytest.fixture
def store(monkeypatch):
    with ObjectStore() as running:
        object_store.use(running, monkeypatch)
        sources.s3.cache_clear()
        yield running
    sources.s3.cache_clear()


@pytest.fixture
def work(store, tiny_model):
    """Makes the results of what is uploaded, as the queue and Lambda do, once so many objects are there."""
    settings = environment(tiny_model, UPLOADS_BUCKET=UPLOADS, RESULTS_BUCKET=RESULTS, UPLOADS_OPTIONS="min_score=0.5")
    worker = build_worker(settings)

    @contextmanager
    def working(from_objects=1, leaving_out=()):
        stopped = threading.Event()

        def loop():
            seen = set()
            while not stopped.wait(0.05):
                uploaded = [(key, each) for (bucket, key), each in list(store.objects.items()) if bucket == UPLOADS]
                if len(uploaded) < from_objects:
                    continue
                for key, version in ((key, version) for key, versions in uploaded for version in versions):
                    if key not in leaving_out and (key, version.id) not in seen:
                        seen.add((key, version.id))
                        worker(batch(message(key, version.id)), None)

        deployed = threading.Thread(target=loop)
        deployed.start()
        try:
            yield
        finally:
            stopped.set()
            deployed.join()

    return working


def test_a_deployment_does_it_and_nothing_is_sent_twice(store, work, pictures):
    names = list(sources.Folder(pictures).names())
    deployment = Deployment(UPLOADS, "in/", RESULTS, {"n": "1"}, 120)
    with work():
        found = {each.name: each for each in deployment.recognised(sources.Folder(pictures), names)}
        again = list(deployment.recognised(sources.Folder(pictures), names))

    assert found.keys() == set(names)
    assert found["broken.jpg"].document["status"] == 422
    assert [each["label"] for each in found["a.png"].document["detections"]] == ["Car"]
    assert Image.open(io.BytesIO(found["a.png"].picture)).size == (160, 120)
    assert len(again) == 4
    assert all(len(versions) == 1 for (bucket, _), versions in store.objects.items() if bucket == UPLOADS)


def test_a_result_that_does_not_come_is_named(store, pictures):
    [left] = Deployment(UPLOADS, "in/", RESULTS, {}, 0).recognised(sources.Folder(pictures), ["a.png"])

    assert left.name == "a.png"
    assert left.reason.startswith("results/in/a.png/")
    assert "dead-letter queue" in left.reason


def many(folder, number):
    folder.mkdir()
    for index in range(number):
        (folder / f"{index:03}.png").write_bytes(picture())
    return sources.Folder(folder)


def test_all_are_sent_before_the_first_result_is_there(store, work, tmp_path):
    source = many(tmp_path / "many", 50)

    with work(from_objects=50):
        found = list(Deployment(UPLOADS, "", RESULTS, {}, 300).recognised(source, list(source.names())))

    assert len([each for each in found if "detections" in each.document]) == 50


def test_one_result_that_does_not_come_holds_up_no_other(store, work, tmp_path):
    source = many(tmp_path / "many", 5)

    with work(leaving_out=["000.png"]):
        recognised = Deployment(UPLOADS, "", RESULTS, {}, 300).recognised(source, list(source.names()))
        for _ in range(4):
            assert next(recognised).name != "000.png"
        store.put(
            RESULTS, f"results/000.png/{store.version(UPLOADS, '000.png').id}.json", b'{"object":{"picture":null}}'
        )
        assert [each.name for each in recognised] == ["000.png"]


def test_options_that_a_deployment_refuses_end_the_run(store, work, pictures):
    deployment = Deployment(UPLOADS, "in/", RESULTS, {"include": "Unicorn"}, 300)

    with work(), pytest.raises(InvalidParameter, match="no label"):
        list(deployment.recognised(sources.Folder(pictures), ["a.png"]))


def test_a_bucket_without_versions_is_refused(store, pictures):
    store.is_versioned = False

    with pytest.raises(NoVersions, match="keeps no versions"):
        list(Deployment(UPLOADS, "in/", RESULTS, {}, 300).recognised(sources.Folder(pictures), ["a.png"]))


def test_what_cannot_be_sent_is_left_and_the_rest_is_done(store, work, pictures):
    odd = os.fsdecode(b"caf\xe9.png")
    (pictures / odd).write_bytes(picture())

    with work():
        deployment = Deployment(UPLOADS, "", RESULTS, {}, 300)
        found = {
            each.name: each for each in deployment.recognised(sources.Folder(pictures), [odd, "a.png", "gone.png"])
        }

    assert "not UTF-8" in found[odd].reason
    assert "No such file" in found["gone.png"].reason
    assert found["a.png"].document["detections"]


def test_a_process_has_one_client(store):
    assert sources.s3() is sources.s3()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--to", "bucket", "--results", "s3://results"], "bucket is no address of a bucket, such as s3://"),
        (["--to", "s3:///key", "--results", "s3://results"], "no address of a bucket"),
        (["--to", "s3://no bucket/", "--results", "s3://results"], "no bucket"),
        (["--to", "s3://pictures/", "--results", "s3://results"], "the same command goes on from here"),
        (["--to", "s3://pictures/"], "go together"),
        (["--to", "s3://pictures/", "--results", "s3://results", "--options", f"include={'Person,' * 400}"], "2,048"),
        (["--processes", "0"], "--processes must be 1 or more"),
        (["--options", "n=500"], "n must be a whole number from 1 to 100"),
        (["--options", "include=Unicorn"], "no label of this model"),
        (["--options", "colour=red"], "no parameter"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_without_a_traceback(tiny_model, pictures, tmp_path, arguments, told):
    nobody = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": ""}
    process = started(tiny_model, pictures, "--out", tmp_path / "out", *arguments, **nobody)
    _, errors = process.communicate(timeout=120)

    assert process.returncode in {1, 2}
    assert told in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "out" / "results.jsonl").exists() or not lines(tmp_path / "out")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that cannot be read, whoever reads")
def test_an_odd_file_ends_no_run(tiny_model_of_both, pictures, tmp_path):
    odd, unreadable = os.fsdecode(b"caf\xe9.png"), "unreadable.png"
    (pictures / odd).write_bytes(picture())
    (pictures / unreadable).symlink_to("/proc/self/mem")
    out = tmp_path / "out"

    process = started(tiny_model_of_both["litert"], pictures, "--out", out, "--processes", "1")
    _, errors = process.communicate(timeout=240)

    assert process.returncode == 1
    assert "unreadable.png: Input/output error" in errors
    assert "1 not done; the same command tries them again" in errors
    assert lines(out).keys() == {"a.png", "b.PNG", "be low/ü.png", "broken.jpg", odd}
    assert (out / "annotated" / f"{odd}.png").is_file()
    assert odd in {image["file_name"] for image in json.loads((out / "coco.json").read_text())["images"]}


def test_what_only_this_moment_prevented_is_no_result(tiny_model, pictures, monkeypatch):
    def busy(content, ends_at_s):
        raise Overloaded("There are more pictures at a time than are worked on.")

    settings = Settings.from_environ(environment(tiny_model))
    model = Model.load(settings.model_dir)
    pipeline = Pipeline(fetch=None, open=busy, detect=None)
    engine = SimpleNamespace(rules=rules_of(settings, model), identity=model.identity, pipeline=pipeline, options={})
    monkeypatch.setattr(engines, "_engine", engine)

    found = engines._recognise(sources.Folder(pictures), "a.png")

    assert found == NotDone("a.png", "There are more pictures at a time than are worked on.")


def test_what_is_not_done_has_no_line(tmp_path):
    def found():
        yield NotDone("one.jpg", "busy")
        yield Recognised("two.jpg", DOCUMENT, None, "")

    with Record(tmp_path, ASKED) as record:
        tally = _recorded(record, found(), 2)

    assert lines(tmp_path).keys() == {"two.jpg"}
    assert (tally.new, tally.not_done) == (1, 1)


def test_results_of_another_run_are_not_added_to(tmp_path):
    with Record(tmp_path, ASKED):
        pass
    with Record(tmp_path, {**ASKED, "options": {}}) as record:  # nothing was done yet
        record.add("one.jpg", DOCUMENT, None, "")

    with pytest.raises(OtherRun, match="--out"):
        Record(tmp_path, ASKED)
    with Record(tmp_path, {**ASKED, "options": {}}) as record:
        assert record.done == {"one.jpg"}


@pytest.mark.parametrize("out", [".", "recognised", "deeper/recognised"])
def test_what_a_run_drew_is_no_picture_of_the_next(pictures, out):
    for name in (out, "another"):
        with Record(pictures / name, ASKED) as record:
            record.add("a.png", DOCUMENT, b"drawn", "image/png")
    (pictures / "be low" / "annotated").mkdir()
    (pictures / "be low" / "annotated" / "own.png").write_bytes(picture())

    names = list(sources.Folder(pictures).names())

    assert names == ["a.png", "b.PNG", "broken.jpg", "be low/ü.png", "be low/annotated/own.png"]


def test_a_key_longer_than_a_file_name_has_its_picture_by_its_digest(tmp_path):
    with Record(tmp_path, ASKED) as record:
        record.add("x" * 1024, DOCUMENT, b"drawn", "image/png")

    [drawn] = (tmp_path / "annotated").iterdir()
    assert (drawn.suffix, drawn.read_bytes()) == (".png", b"drawn")
