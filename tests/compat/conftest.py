"""Other services' own clients against the running service.

They live in an environment of their own, which `make test` makes: they pin much that others pin otherwise. Each is
driven by a script in ``clients/``, run there with the service's address; what it prints last, as JSON, is what the
client made of the answer.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recognizer.build import build

from tests.functional.loopback import LoopbackServer
from tests.functional.serving import environment, served

CLIENTS = Path(os.environ.get("CLIENTS_VENV", Path(sys.prefix) / "clients")) / "bin" / "python"
SIDE_PX = 128


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1", "::1"]))


@pytest.fixture(scope="session")
def noise():
    """A PNG of noise, in which the tiny model finds a dozen objects."""
    pixels = np.random.default_rng(7).integers(0, 256, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def app(tiny_model):
    """The service with every dialect on."""
    return build(environment(tiny_model, COMPAT="all"))


@pytest.fixture(scope="session")
def address(app):
    """Where it is served, ending with a slash."""
    with served(app) as address:
        yield address


@pytest.fixture(scope="session")
def url(noise):
    """Where the picture can be fetched."""
    with LoopbackServer({"/noise.png": lambda exchange: exchange.answer(200, noise)}) as running:
        yield running.url("/noise.png")


@pytest.fixture(scope="session")
def client(noise, tmp_path_factory):
    """Runs a client's script with arguments, the picture's path first; what it printed last."""
    path = tmp_path_factory.mktemp("compat") / "noise.png"
    path.write_bytes(noise)
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}

    def run(script, *arguments):
        command = (CLIENTS, Path(__file__).parent / "clients" / f"{script}.py", path, *arguments)
        done = subprocess.run(
            [str(part) for part in command], env=kept, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
