"""Real containers: the image as `sam build` makes it, run by `sam local` and by `docker run`.

Everything happens in a copy of the project with a tiny model in the build context, and goes again afterwards. Needs a
Docker engine and the Lambda base image (pulled, or stood in).
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "src" / "Recognizer" / "web" / "samples"
HOST = "host.docker.internal"
TO_HOST = f"{HOST}:host-gateway"
SAM = Path(sys.executable).with_name("sam")
_ENVIRONMENT = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1", "DOCKER_BUILDKIT": "0"}
# `sam local` looks for credentials; these open nothing.
_ENVIRONMENT |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("container")
            item.add_marker("enable_socket")


def run(*command, cwd=None, check=True, timeout_s=900):
    """A finished command; its output is in the failure message if it failed."""
    done = subprocess.run(
        command, cwd=cwd, env=_ENVIRONMENT, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0 or not check, f"{command}:\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    return done


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url, headers=None, data=None):
    """Status, headers and body of a request; an error status is an answer like any other."""
    request = urllib.request.Request(url, data=data, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, dict(response.headers), response.read()
    except HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def wait_for(url, process, log):
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            get(url)
        except (URLError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"{url} did not come up:\n{log.read_text()}")


@contextmanager
def serving(url, log, *command, cwd=None):
    """A server that runs meanwhile, and already answers at its address."""
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=cwd, env=_ENVIRONMENT, stdout=output, stderr=output)
    try:
        wait_for(url, process, log)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def start_api(project, log, *options):
    """Address of a project under `sam local start-api`."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with serving(f"{address}/", log, SAM, "local", "start-api", "--port", str(port), *options, cwd=project):
        yield address


@contextmanager
def as_lambda_runs(image, log, *options):
    """Where to post events to an image that runs as in Lambda: read-only, unprivileged, one CPU, 1,769 MB."""
    port = free_port()
    limits = ("--read-only", "--tmpfs", "/tmp:size=512m", "--user", "993:990", "--cpus", "1", "--memory", "1769m")
    command = ("docker", "run", "--rm", "--init", *limits, *options, "-p", f"127.0.0.1:{port}:8080", image)
    with serving(f"http://127.0.0.1:{port}/", log, *command):
        yield f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"


@pytest.fixture(scope="session", autouse=True)
def docker():
    """A Docker engine that answers; its images are afterwards what they were before."""
    if shutil.which("docker") is None or run("docker", "info", check=False).returncode:
        pytest.fail("no Docker engine answers; `make e2e` needs one")
    before, untagged_before = _images()
    yield
    after, untagged = _images()
    for tag, image in after.items():
        if tag in before and before[tag] != image:
            run("docker", "tag", before[tag], tag)
        elif tag not in before and tag.startswith(("recognizer:", "xgbexample:")):
            run("docker", "image", "rm", "--force", tag, check=False)
    for image in untagged - untagged_before:
        run("docker", "image", "rm", image, check=False)  # not those that tagged ones are built on


def _images():
    """Docker's images: the id of each tag, and the ids of those without one."""
    lines = run("docker", "images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}").stdout.splitlines()
    images = [line.split() for line in lines]
    tagged = {tag: image for tag, image in images if "<none>" not in tag}
    return tagged, {image for tag, image in images if "<none>" in tag}


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A copy of the project, without what git ignores, with a tiny model's archive in the build context."""
    from tests.functional.tiny_model import build_tiny_model  # imports TensorFlow

    folder = tmp_path_factory.mktemp("project")
    names = run("git", "ls-files", "-co", "--exclude-standard", "-z", cwd=ROOT).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    model = tmp_path_factory.mktemp("model") / "tiny"
    build_tiny_model(model)
    with tarfile.open(folder / "src" / "Recognizer" / "tiny.tar.gz", "w:gz") as archive:
        archive.add(model, arcname=".")
    return folder


@pytest.fixture(scope="session")
def built(project):
    """The project after `sam build`, with the real template."""
    run(SAM, "build", cwd=project)
    return project


@pytest.fixture(scope="session")
def pictures():
    """Address of a server with the sample pictures, as seen from inside a container."""
    handler = functools.partial(_QuietFiles, directory=SAMPLES)
    with ThreadingHTTPServer(("0.0.0.0", 0), handler) as server:  # a container reaches no loopback but its own
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def open_environment(tmp_path_factory):
    """An --env-vars file that lets the function fetch from this machine."""
    file = tmp_path_factory.mktemp("env") / "env.json"
    file.write_text(json.dumps({"Recognizer": {"ALLOW_PRIVATE_ADDRESSES": "true", "ALLOWED_URL_PORTS": "*"}}))
    return file


@pytest.fixture(scope="session")
def api(built, open_environment, tmp_path_factory):
    """Address of `sam local start-api`."""
    log = tmp_path_factory.mktemp("sam") / "log"
    with start_api(built, log, "--env-vars", open_environment, "--add-host", TO_HOST) as address:
        yield address


class _QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
