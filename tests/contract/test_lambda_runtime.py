"""The handler under the real Lambda runtime: awslambdaric, driven by the emulator that aws-sam-cli's wheel carries."""

from __future__ import annotations

import http.client
import importlib.util
import io
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import ROOT, THREADS, on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import reply

PHOTO = "https://upload.wikimedia.org/wikipedia/commons/3/3a/Cat03.jpg"
# With a gateway around them; invoke.json has none.
EVENTS = sorted(path for path in (ROOT / "events").glob("*.json") if path.stem != "invoke")
EXPECTED = {
    "bad-url": (403, "application/problem+json"),
    "get-filters": (200, "application/json"),
    "get-image": (200, "image/png"),
    "get-json": (200, "application/json"),
    "get-key": (200, "application/json"),
    "post-form": (200, "application/json"),
    "post-image-body": (200, "application/json"),
    "post-json-image": (200, "application/json"),
    "post-json-url": (200, "application/json"),
    "rest-v1": (200, "application/json"),
}
START_TIMEOUT_S = 120


def emulator():
    """The emulator's binary for this machine, or None: there are only Linux ones."""
    spec = importlib.util.find_spec("samcli")
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "none")
    if sys.platform != "linux" or spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "local" / "rapid" / f"aws-lambda-rie-{machine}"
    return path if path.is_file() else None


pytestmark = [on_loopback, pytest.mark.skipif(emulator() is None, reason="no Lambda emulator for this platform")]


def free_port():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return reserved.getsockname()[1]


@pytest.fixture(scope="module")
def server():
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "PNG")
    with LoopbackServer({"/photo.png": lambda exchange: exchange.answer(200, file.getvalue())}) as running:
        yield running


@pytest.fixture(scope="module")
def invoke(tiny_model_of_each_engine, tmp_path_factory):
    """Invokes the function with an event; what it returns, as API Gateway would get it."""
    folder = tmp_path_factory.mktemp("emulator")
    binary = shutil.copy(emulator(), folder / "emulator")
    binary.chmod(0o700)
    port = free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src" / "Recognizer"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_FUNCTION_NAME": "recognizer",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
        "MODEL_DIR": str(tiny_model_of_each_engine),
        "THREADS": str(THREADS),
        "ALLOW_PRIVATE_ADDRESSES": "true",
        "ALLOWED_URL_HOSTS": "127.0.0.1",
        "ALLOWED_URL_PORTS": "*",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    runtime = [sys.executable, "-m", "awslambdaric", "handler.lambda_handler"]
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    addresses += ["--runtime-api-address", f"127.0.0.1:{free_port()}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [binary, *addresses, *runtime],
            cwd=ROOT / "src" / "Recognizer",
            env=environ,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

        def call(event):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT_S)
            connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
            answer = connection.getresponse().read()
            connection.close()
            try:
                return json.loads(answer)
            except ValueError as error:
                raise AssertionError(f"{answer[:500]!r}\n{(folder / 'log').read_text()[-3000:]}") from error

        try:
            wait_for(port, process)
            yield call
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def wait_for(port, process):
    """Waits until the emulator listens."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"the emulator does not listen; its exit code is {process.poll()}")


def of_this_server(text, server):
    """An event with the loopback server's picture in the place of the one on the internet."""
    return json.loads(text.replace(PHOTO, server.url("/photo.png")))


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_an_event_of_the_folder_is_answered(invoke, server, path):
    answer = reply(invoke(of_this_server(path.read_text(encoding="utf-8"), server)))

    status, media_type = EXPECTED[path.stem]
    assert (answer.status, answer.media_type) == (status, media_type)
    if media_type == "image/png":
        assert Image.open(io.BytesIO(answer.body)).size == (256, 256)
    else:
        assert isinstance(answer.json, dict)


def test_an_event_without_a_gateway_gets_the_plain_result(invoke, server):
    answer = invoke(of_this_server((ROOT / "events" / "invoke.json").read_text(encoding="utf-8"), server))

    assert (answer["image"]["width"], answer["image"]["format"]) == (256, "PNG")
    assert isinstance(answer["detections"], list)


@pytest.mark.parametrize("event", [{}, [], "hello", None, {"Records": []}])
def test_what_is_no_event_is_answered_too(invoke, event):
    assert invoke(event)["status"] == 400


def test_the_runtimes_request_id_is_in_a_problem(invoke):
    assert len(invoke({})["request_id"]) == 36
