"""The service in its image, as Lambda runs it: one CPU, 1,769 MB, read-only, with a user of its own.

Owns the image and the container that the load is put on. The container has the host's network, so that all traffic
stays on loopback. Needs Docker and the Lambda base image, as ``make e2e`` does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from tests.torture import load

MEMORY_MB = 1769
_TAG = "recognizer-torture"
_LIMITS = ("--read-only", "--tmpfs", "/tmp:size=512m", "--user", "993:990", "--cpus", "1", "--memory", f"{MEMORY_MB}m")
_SWAP = ("--memory-swap", f"{MEMORY_MB}m")
_CODE = load.ROOT / "src" / "Recognizer"


@contextmanager
def image(model):
    """The tag of the LiteRT image with the model that is in a folder."""
    with tempfile.TemporaryDirectory(prefix="recognizer-torture-") as folder:
        context = shutil.copytree(
            _CODE, Path(folder) / "context", ignore=shutil.ignore_patterns("model", "__pycache__", "*.tar.gz")
        )
        shutil.copytree(model, context / "model")
        _docker("build", "--quiet", "--tag", _TAG, "--build-arg", "ENGINE=litert", str(context))
    try:
        yield _TAG
    finally:
        _docker("image", "rm", "--force", _TAG)


def command(tag, settings, *arguments):
    """Runs Python in the image as Lambda would."""
    environ = settings | {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB)}
    given = [part for name, value in environ.items() for part in ("--env", f"{name}={value}")]
    folder = Path(__file__).parent
    options = ("--rm", "--init", "--interactive", "--network", "host", "--volume", f"{folder}:/torture:ro")
    return ["docker", "run", *options, *_LIMITS, *_SWAP, *given, "--entrypoint", "python", tag, *arguments]


def process(tag):
    """Asks a container of the image; see ``load.process``."""

    def ask(plan, settings):
        done = subprocess.run(
            command(tag, settings | {"PYTHONPATH": "/var/task"}, "-P", "/torture/subject.py"),
            input=plan,
            capture_output=True,
            timeout=load.WITHIN_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"the container ended with {done.returncode}: {done.stderr[-2000:].decode()}")
        return json.loads(done.stdout)

    return ask


def _docker(*arguments):
    # The Dockerfile needs no BuildKit, and the base image may be one that only this machine has.
    environ = {**os.environ, "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(("docker", *arguments), env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"docker {arguments[0]} failed:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
    return done.stdout.strip()
