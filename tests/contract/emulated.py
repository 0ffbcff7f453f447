"""A handler under the real Lambda runtime: awslambdaric, driven by the emulator that aws-sam-cli's wheel carries."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
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

from tests.conftest import ROOT, THREADS

_START_TIMEOUT_S = 120


def emulator():
    """The emulator's binary for this machine, or None: there are only Linux ones."""
    spec = importlib.util.find_spec("samcli")
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "none")
    if sys.platform != "linux" or spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "local" / "rapid" / f"aws-lambda-rie-{machine}"
    return path if path.is_file() else None


@contextlib.contextmanager
def emulated(handler, settings, folder):
    """Invokes a handler with an event; what it returns, as Lambda would hand it on.

    Args:
        handler: module and name.
        settings: environment variables beside those of any function.
        folder: for the emulator and its log, whose name is ``log``.
    """
    binary = shutil.copy(emulator(), folder / "emulator")
    Path(binary).chmod(0o700)
    port = _free_port()
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src" / "Recognizer"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_FUNCTION_NAME": "recognizer",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
        "THREADS": str(THREADS),
        "POWERTOOLS_TRACE_DISABLED": "true",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **settings,
    }
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    addresses += ["--runtime-api-address", f"127.0.0.1:{_free_port()}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [binary, *addresses, sys.executable, "-m", "awslambdaric", handler],
            cwd=ROOT / "src" / "Recognizer",
            env=environ,
            stdout=log,
            stderr=subprocess.STDOUT,
        )

        def call(event):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_TIMEOUT_S)
            connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
            answer = connection.getresponse().read()
            connection.close()
            try:
                return json.loads(answer)
            except ValueError as error:
                raise AssertionError(f"{answer[:500]!r}\n{(folder / 'log').read_text()[-3000:]}") from error

        try:
            _wait_for(port, process)
            yield call
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def _free_port():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return reserved.getsockname()[1]


def _wait_for(port, process):
    """Waits until the emulator listens."""
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"the emulator does not listen; its exit code is {process.poll()}")
