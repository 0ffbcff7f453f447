"""SnapStart under the real runtime client: awslambdaric calls the hooks round a snapshot, and what follows is as new.

Lambda's emulator knows no snapshots, so the runtime's own API is served here: the client asks for the end of the
restore as it does in Lambda, and goes on when it is answered. Whether it was frozen and copied in between, it cannot
tell.
"""

from __future__ import annotations

import io
import json
import os
import queue
import subprocess
import sys
import time

import psutil
import pytest
from PIL import Image
from recognizer import snapshot
from recognizer.errors import StartupError

from tests.conftest import ROOT, THREADS, on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import event, reply

pytestmark = on_loopback

API = "/2018-06-01/runtime"
PATIENCE_S = 120


def picture():
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "PNG")
    return file.getvalue()


class Runtime:
    """Lambda's runtime API, and the runtime client with the service behind it.

    Attributes:
        asked: what the client asked for, in order.
        fetched_over: the connection of each fetch of the picture, by its port.
    """

    def __init__(self, folder, model, **environ):
        self.asked, self.fetched_over = [], []
        self._restored, self._events, self._answers = queue.Queue(), queue.Queue(), queue.Queue()
        self._restoring = queue.Queue()
        routes = {
            f"{API}/restore/next": self._restore,
            f"{API}/invocation/next": self._next,
            f"{API}/invocation/1/response": self._answer,
            f"{API}/init/error": self._failed,
            f"{API}/restore/error": self._failed,
            "/photo.png": self._photo,
        }
        self.server = LoopbackServer(routes)
        self.log = folder / "log"
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src" / "Recognizer"), str(ROOT / "tests" / "contract")]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.port}",
            "AWS_LAMBDA_FUNCTION_NAME": "recognizer",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
            "MODEL_DIR": str(model),
            "THREADS": str(THREADS),
            "ALLOW_PRIVATE_ADDRESSES": "true",
            "ALLOWED_URL_PORTS": "*",
            "POWERTOOLS_TRACE_DISABLED": "true",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "EVENT_BEFORE": json.dumps(self.detection()),
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "awslambdaric", "watched_handler.lambda_handler"],
                env=environment | environ,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def detection(self):
        return event(query={"url": self.server.url("/photo.png"), "format": "json"})

    def snapshot(self):
        """Waits until the client is where Lambda takes the snapshot."""
        self._come(self._restoring)

    def restore(self):
        self._restored.put("restored")

    def invoke(self, made):
        self._events.put(made)
        return json.loads(self._come(self._answers))

    def workers(self):
        """The processes that pictures are decoded in: those that have no children."""
        return [child for child in psutil.Process(self.process.pid).children(recursive=True) if not child.children()]

    def close(self):
        self._restored.put("")
        self._events.put(None)
        self.process.kill()
        self.process.wait(PATIENCE_S)
        self.server.close()

    def _come(self, answers):
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            try:
                return answers.get(timeout=0.2)
            except queue.Empty:
                assert self.process.poll() is None, self.log.read_text()[-3000:]
        pytest.fail(self.log.read_text()[-3000:])

    def _restore(self, exchange):
        self.asked.append("restore")
        self._restoring.put("asked")
        if self._restored.get():
            exchange.answer(200, b"{}")

    def _next(self, exchange):
        self.asked.append("next")
        made = self._events.get()
        if made is not None:
            headers = {
                "Lambda-Runtime-Aws-Request-Id": "1",
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 29) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:local:0:function:recognizer",
                "Content-Type": "application/json",
            }
            exchange.answer(200, json.dumps(made).encode(), headers)

    def _answer(self, exchange):
        self._answers.put(exchange.rfile.read(int(exchange.headers["Content-Length"])))
        exchange.answer(202, b"{}")

    def _photo(self, exchange):
        self.fetched_over.append(exchange.client_address[1])
        exchange.answer(200, picture())

    def _failed(self, exchange):
        self.asked.append("error")
        exchange.answer(202, b"{}")


def is_there(process):
    """Whether a process has not ended; one that ended stays in the list until its parent looks, which may be never."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def runtime(tiny_model_of_each_engine, tmp_path):
    running = Runtime(tmp_path, tiny_model_of_each_engine)
    yield running
    running.close()


def test_a_restored_instance_is_as_new_and_its_workers_go_on(runtime):
    runtime.snapshot()
    assert runtime.asked == ["restore"]
    before = {worker.pid for worker in runtime.workers()}
    runtime.restore()

    first = runtime.invoke(event(path="/health"))
    assert (reply(first).status, first["seen"]) == (200, {"before": 200, "same_random": False})
    assert reply(first).json["warm"] is False
    assert reply(runtime.invoke(event(path="/health"))).json["warm"] is True
    assert reply(runtime.invoke(runtime.detection())).status == 200

    assert "error" not in runtime.asked
    assert {worker.pid for worker in runtime.workers()} == before != set()
    assert len(set(runtime.fetched_over)) == 2


def test_a_worker_that_did_not_outlive_the_snapshot_is_replaced(runtime):
    runtime.snapshot()
    ended = runtime.workers()
    for worker in ended:
        worker.kill()
    deadline_s = time.monotonic() + PATIENCE_S
    while any(is_there(worker) for worker in ended):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    runtime.restore()

    assert reply(runtime.invoke(runtime.detection())).status == 200


def test_without_a_snapshot_nothing_is_asked_for_or_made_anew(tiny_model, tmp_path):
    running = Runtime(tmp_path, tiny_model, AWS_LAMBDA_INITIALIZATION_TYPE="on-demand")
    try:
        answer = running.invoke(event(path="/health"))
        assert (answer["seen"]["same_random"], reply(answer).json["warm"]) == (True, True)
        assert reply(running.invoke(running.detection())).status == 200
        assert (len(running.fetched_over), len(set(running.fetched_over))) == (2, 1)
        assert running.asked[0] == "next"
    finally:
        running.close()


@pytest.fixture
def hooks(monkeypatch):
    """What was registered with the runtime client's library, before and after."""
    library = pytest.importorskip("snapshot_restore_py")
    before, after = [], []
    monkeypatch.setattr(library, "_before_snapshot_registry", before)
    monkeypatch.setattr(library, "_after_restore_registry", after)
    return before, after


def test_hooks_are_called_in_their_order(hooks):
    from awslambdaric import lambda_runtime_hooks_runner as runner

    called = []
    snapshot.register(
        before=[lambda: called.append("a"), lambda: called.append("b")],
        after=[lambda: called.append("c"), lambda: called.append("d")],
    )
    runner.run_before_snapshot()
    runner.run_after_restore()

    assert called == ["a", "b", "c", "d"]


def test_without_the_runtime_clients_library_the_start_stops_and_says_why(monkeypatch):
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)

    with pytest.raises(StartupError, match="snapshot_restore_py"):
        snapshot.register(before=[], after=[])
