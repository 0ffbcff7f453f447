"""What breaks around the service: its files, disk, processes and clock. It starts with all it needs or says what it
lacks; what breaks later costs the request that is under way, at most, and the next one works.
"""

from __future__ import annotations

import base64
import gc
import io
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from PIL import Image
from recognizer import telemetry
from recognizer.build import build
from recognizer.drawing import annotate
from recognizer.drawing.lettering import OPEN_SANS
from recognizer.errors import FontNotUsable, ModelNotUsable

from tests.conftest import ROOT, on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import Context, event, reply
from tests.functional.serving import environment

pytestmark = [on_loopback, pytest.mark.enable_socket]

PATIENCE_S = 20


def picture(size=(320, 240), image_format="PNG"):
    file = io.BytesIO()
    image = Image.new("RGB", size)
    image.paste("red", (80, 60, 200, 150))
    image.save(file, image_format)
    return file.getvalue()


@pytest.fixture(scope="module")
def server():
    with LoopbackServer({"/car.png": lambda exchange: exchange.answer(200, picture())}) as running:
        yield running


def environ(model):
    return environment(model, PICTURE_TIMEOUT=str(PATIENCE_S))


@pytest.fixture
def model(tiny_model_of_each_engine, tmp_path):
    """A model folder to damage."""
    return shutil.copytree(tiny_model_of_each_engine, tmp_path / "model")


def graphs(model):
    """The files that the engine reads."""
    return [path for path in model.rglob("*") if path.suffix in {".tflite", ".pb", ".index"} or ".data-" in path.name]


# What it starts with


@pytest.mark.parametrize("lost", ["model.json", "labels.csv", "graphs", "all"])
def test_a_model_that_lacks_a_part_stops_the_start(model, lost):
    if lost == "all":
        shutil.rmtree(model)
    else:
        for path in graphs(model) if lost == "graphs" else [model / lost]:
            path.unlink()

    with pytest.raises(ModelNotUsable, match=str(model)):
        build(environ(model))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.999])
def test_a_model_that_is_cut_short_stops_the_start(model, share):
    for path in graphs(model):
        if ".data-" not in path.name or share < 0.3:
            path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    with pytest.raises(ModelNotUsable, match=str(model)):
        build(environ(model))


@pytest.mark.parametrize("score", ["NaN", "Infinity", "-1", '"0.1"', "null"])
def test_a_default_minimum_score_that_is_none_stops_the_start(model, score):
    facts = (model / "model.json").read_text(encoding="utf-8")
    (model / "model.json").write_text(facts.replace("{", f'{{"default_min_score": {score},', 1), encoding="utf-8")

    with pytest.raises(ModelNotUsable, match="default_min_score"):
        build(environ(model))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[:-1], "labels.csv names 4 classes, but the model scores 5"),
        (lambda rows: rows[:2], "labels.csv names 1 classes, but the model scores 5"),
        (lambda rows: [*rows, "6,/m/06,Six"], "labels.csv names 6 classes, but the model scores 5"),
        (lambda rows: [*rows[:-1], "9,/m/06,Six"], "labels.csv names 5 classes, but the model scores 5"),
        (lambda rows: rows[:1], "The label table is empty"),
    ],
)
def test_labels_of_other_classes_than_the_models_stop_the_start(model, change, says):
    rows = (model / "labels.csv").read_text(encoding="utf-8").splitlines()
    (model / "labels.csv").write_text("\n".join(change(rows)) + "\n", encoding="utf-8")

    with pytest.raises(ModelNotUsable, match=says):
        build(environ(model))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.45, 0.99])
def test_a_damaged_font_stops_the_start(tiny_model, tmp_path, monkeypatch, share):
    content = OPEN_SANS.read_bytes()
    (tmp_path / "Cut.ttf").write_bytes(content[: int(share * len(content))])
    monkeypatch.setattr(annotate, "OPEN_SANS", tmp_path / "Cut.ttf")

    with pytest.raises(FontNotUsable, match=r"Cut\.ttf"):
        build(environ(tiny_model))


def test_a_missing_part_of_the_site_is_missed_by_whoever_asks_for_it_alone(tiny_model, server, tmp_path, monkeypatch):
    web = shutil.copytree(ROOT / "src" / "Recognizer" / "web", tmp_path / "web")
    monkeypatch.setattr("recognizer.build._WEB", web)
    app = build(environ(tiny_model))
    (web / "page.css").unlink()

    assert [reply(app(event(path=path), Context())).status for path in ("/", "/openapi.json", "/no")] == [500, 500, 404]
    assert reply(app(event(query={"url": server.url("/car.png")}), Context())).status == 200


# What it runs on

_DRIVER = """
import json, os, resource, sys
answers = os.fdopen(int(sys.argv[1]), "w")
if sys.argv[2] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # no file, wherever it is, can grow
opened = []
def note(what, arguments):
    if what == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        opened.append(str(arguments[0]))
sys.addaudithook(note)
from handler import lambda_handler
def say(what):
    print(json.dumps(what), file=answers, flush=True)
say({"ready": True})
for line in sys.stdin:
    say(opened if line == "opened" + chr(10) else lambda_handler(json.loads(line), None))
"""


class Service:
    """The handler in a process of its own."""

    def __init__(self, process, answers):
        self.process = process
        self._answers = answers
        assert json.loads(self._answers.readline()) == {"ready": True}

    def ask(self, asked):
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return reply(json.loads(self._answers.readline()))

    def opened(self):
        """What was opened for writing."""
        self.process.stdin.write("opened\n")
        self.process.stdin.flush()
        return json.loads(self._answers.readline())

    def descendants(self):
        """The processes that were started, nursery and workers."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def running(model, folder, disk="", output=subprocess.DEVNULL):
    ours, theirs = os.pipe()
    settings = environ(model) | {
        "PYTHONPATH": str(ROOT / "src" / "Recognizer"),
        "TMPDIR": str(folder),
        "HOME": str(folder),
        "POWERTOOLS_METRICS_DISABLED": "false",
        "POWERTOOLS_SERVICE_NAME": "recognizer",
        "PYTHONDONTWRITEBYTECODE": "1",  # as in the image, whose code is compiled
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _DRIVER, str(theirs), disk],
        cwd=folder,
        env=os.environ | settings,
        pass_fds=[theirs],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        text=True,
    )
    os.close(theirs)
    with process, os.fdopen(ours) as answers:
        try:
            yield Service(process, answers)
        finally:
            process.kill()


@pytest.fixture
def litert(tiny_model_of_both):
    """The engine that starts fast, as these tests start many processes."""
    return tiny_model_of_both["litert"]


def sent(content, media_type):
    made = event(method="POST", headers={"Content-Type": media_type, "Accept": "image/*"})
    return made | {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}


def form(content):
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    return head + content + b"\r\n--b--\r\n"


def test_nothing_is_written_and_a_full_read_only_disk_changes_nothing(litert, server, tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    large = picture((2500, 1500), "BMP")

    with running(litert, folder, disk="full") as service:
        answers = [
            service.ask(event(query={"url": server.url("/car.png")})),
            service.ask(sent(large[:4_000_000], "image/bmp")),
            service.ask(sent(form(picture((1000, 700), "BMP")), "multipart/form-data; boundary=b")),
            service.ask(event(query={"url": server.url("/car.png"), "image_format": "gif", "draw": "blur"})),
        ]
        opened = service.opened()

    assert [answer.status for answer in answers] == [200, 422, 200, 200]
    assert set(opened) <= {os.devnull, "/proc/self/oom_score_adj"}
    assert not list(folder.iterdir())


def test_a_log_that_takes_no_more_changes_nothing(litert, server, tmp_path):
    with Path("/dev/full").open("w") as full, running(litert, tmp_path, output=full) as service:
        asked = event(query={"url": server.url("/car.png")})

        assert [service.ask(each).status for each in (asked, event(path="/nowhere"), asked)] == [200, 404, 200]


def test_half_a_surrogate_pair_does_not_keep_a_request_out_of_the_log(litert, tmp_path):
    with (tmp_path / "log").open("w") as log, running(litert, tmp_path, output=log) as service:
        service.ask(event(path="/\ud800", method="P\ud800T"))
        service.ask(event(path="/\ud800"))
        service.ask(event(path="/health", method="P\ud800T"))

    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith('{"level')]
    assert [line["status"] for line in lines] == [404, 404, 405]


# What it runs with


def workers_of(service):
    """The processes that the nursery has forked."""
    (nursery,) = psutil.Process(service.process.pid).children()
    return nursery.children()


@contextmanager
def held_up(service):
    """A request to a service whose worker makes no progress."""
    (worker,) = workers_of(service)
    worker.suspend()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(service.ask, sent(picture(), "image/png"))
        time.sleep(0.3)  # it may be under way already or not: the worker is stopped all the same
        yield worker, asked


def test_a_worker_that_is_killed_in_the_middle_costs_its_request_alone(litert, server, tmp_path):
    with running(litert, tmp_path) as service:
        with held_up(service) as (worker, asked):
            worker.kill()
            first = asked.result(PATIENCE_S)
        second = service.ask(event(query={"url": server.url("/car.png")}))

    assert (first.status, first.json["title"]) == (422, "Picture too costly")
    assert second.status == 200


def test_a_nursery_that_is_killed_in_the_middle_costs_its_request_alone(litert, server, tmp_path):
    with running(litert, tmp_path) as service:
        with held_up(service) as (worker, asked):
            worker.parent().kill()
            first = asked.result(PATIENCE_S)
        second = service.ask(event(query={"url": server.url("/car.png")}))

    assert first.status == 422
    assert second.status == 200


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_end_in_the_middle_of_a_request_leaves_no_process_behind(litert, tmp_path, end):
    with running(litert, tmp_path) as service, ThreadPoolExecutor(1) as pool:
        started = service.descendants()
        (worker,) = workers_of(service)
        worker.suspend()
        asked = pool.submit(service.ask, sent(picture(), "image/png"))
        time.sleep(0.3)
        service.process.send_signal(end)
        code = service.process.wait(PATIENCE_S)
        _, alive = psutil.wait_procs(started, timeout=PATIENCE_S)
        asked.exception()

    assert code == -end
    assert len(started) == 2
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_what_was_downloaded_for_a_request_that_failed_does_not_wait_for_the_garbage_collector(tiny_model, server):
    app = build(environ(tiny_model) | {"MAX_BYTES": "100"})
    gc.collect()
    gc.disable()
    try:
        answer = reply(app(event(query={"url": server.url("/car.png")}), Context()))
        left = [found for found in gc.get_objects() if isinstance(found, telemetry.Record)]
    finally:
        gc.enable()

    assert answer.status == 413
    assert not left


def test_a_clock_that_jumps_changes_no_answer(tiny_model, server, monkeypatch):
    app = build(environ(tiny_model))
    queries = [{"url": server.url("/car.png")}, {"url": server.url("/car.png"), "format": "json"}, {"url": "nothing"}]

    def answers():
        replies = [reply(app(event(query=query), Context())) for query in queries]
        return [(each.status, each.headers.get("etag"), each.body) for each in replies]

    before = answers()
    now = time.time()
    jumps = itertools.cycle([0.0, now + 10**8, now - 10**9, 2.0**33, now])
    monkeypatch.setattr(time, "time", lambda: next(jumps))

    assert [answers() for _ in range(3)] == [before] * 3
