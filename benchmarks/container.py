"""``python -m benchmarks.container``: both images as Lambda runs them, one CPU and 1,769 MB.

Owns building the images from a copy of the build context with the model's archive in it, and the containers. Refuses
to leave anything behind: containers and images of its own are gone afterwards, also after a failure.

Time counts from ``docker run`` to the first answer. The part of it that any function pays (container, emulator, Python
runtime) is measured beside it, with the same image and a handler that does nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine, pictures, report, subjects

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HOST = "host.docker.internal"
CPUS, MEMORY_MB = 1, 1769
MAX_IMAGE_MB = 400
MAX_COLD_START_S = 1.5

_ROUNDS, _WARM = 5, 40
_SCRATCH = "/tmp"  # noqa: S108 - of the container
_ANSWER_WITHIN_S = 120.0
_MET, _MISSED, _NOT_MEASURED = 0, 1, 2
_NOTHING = "def lambda_handler(event, context):\n    return {'statusCode': 200}\n"
_RUN = (
    *("docker", "run", "--detach", "--rm", "--read-only", "--tmpfs", f"{_SCRATCH}:size=512m", "--user", "993:990"),
    *("--cpus", str(CPUS), "--memory", f"{MEMORY_MB}m", "--add-host", f"{HOST}:host-gateway"),
    *("--env", "ALLOW_PRIVATE_ADDRESSES=true", "--env", "ALLOWED_URL_PORTS=*"),
    *("--env", "POWERTOOLS_TRACE_DISABLED=true", "--env", f"AWS_LAMBDA_FUNCTION_MEMORY_SIZE={MEMORY_MB}"),
)


class DockerFailed(RuntimeError):
    """A Docker command, or a container, did not do its work; the message ends with what it said."""


@dataclass(slots=True)
class _Samples:
    """Seconds and milliseconds of one image."""

    first_s: list[float] = field(default_factory=list)
    nothing_s: list[float] = field(default_factory=list)
    warm_ms: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)


def main() -> int:
    """Runs the command; the exit code is 0 where both lines of the bar were met."""
    try:
        measured = _measured()
    except (subjects.NoModel, DockerFailed, FileNotFoundError) as error:
        _say(str(error))
        return _NOT_MEASURED
    if report.RESULTS.is_file():
        report.publish({**json.loads(report.RESULTS.read_text(encoding="utf-8")), "container": measured})
    else:
        _say("There is no benchmarks/results.json to add this to; `make bench` first.")
    sys.stdout.write(json.dumps(measured, indent=2) + "\n")
    return _MET if all(line["met"] for line in measured["bar"]) else _MISSED


def _measured() -> dict[str, Any]:
    url = subjects.model_url()
    samples = {engine: _Samples() for engine in subjects.ENGINES}
    made = pictures.make([pictures.STANDARD_MP])
    with (
        _images(url) as sizes_mb,
        tempfile.TemporaryDirectory() as folder,
        pictures.Server(made, host=HOST, bind="0.0.0.0") as server,  # noqa: S104 - a container reaches no loopback
    ):
        nothing = Path(folder) / "nothing.py"
        nothing.write_text(_NOTHING, encoding="ascii")
        Path(folder).chmod(0o755)
        for number in range(_ROUNDS):
            for engine, of in samples.items():
                _say(f"round {number + 1} of {_ROUNDS}: {engine}")
                _one_round(engine, server.event(), nothing, of)
    return _summary(samples, sizes_mb)


def _one_round(engine: str, event: Mapping[str, Any], nothing: Path, samples: _Samples) -> None:
    extra = ("--volume", f"{nothing}:/var/task/nothing.py:ro")
    with _container(engine, {}, extra, "nothing.lambda_handler") as container:
        samples.nothing_s.append(container.first_s)
    with _container(engine, event) as container:
        samples.first_s.append(container.first_s)
        for _ in range(_WARM):
            began_s = time.perf_counter()
            container.ask(event)
            samples.warm_ms.append((time.perf_counter() - began_s) * 1000)
        samples.peak_mb.append(container.peak_mb())


def _summary(samples: Mapping[str, _Samples], sizes_mb: Mapping[str, float]) -> dict[str, Any]:
    engines = {
        engine: {
            "image_mb": round(sizes_mb[engine]),
            "first_answer_s": round(statistics.median(of.first_s), 2),
            "overhead_s": round(statistics.median(of.nothing_s), 2),
            "cold_start_s": round(statistics.median(of.first_s) - statistics.median(of.nothing_s), 2),
            "first_answers_s": [round(value, 2) for value in of.first_s],
            "warm_ms": round(statistics.median(of.warm_ms), 1),
            "warm_p95_ms": round(sorted(of.warm_ms)[int(0.95 * len(of.warm_ms))], 1),
            "peak_mb": round(statistics.median(of.peak_mb)),
        }
        for engine, of in samples.items()
    }
    litert = engines["litert"]
    return {
        "date": machine.today(),
        "git": machine.revision(),
        "cpus": CPUS,
        "memory_mb": MEMORY_MB,
        "engines": engines,
        "bar": [
            _line("LiteRT image", litert["image_mb"], MAX_IMAGE_MB, "MB"),
            _line(
                f"LiteRT, docker run to first answer, {CPUS} CPU, {MEMORY_MB} MB",
                litert["first_answer_s"],
                MAX_COLD_START_S,
                "s",
            ),
        ],
    }


def _line(what: str, measured: Any, at_most: float, unit: str) -> dict[str, Any]:
    return {"what": what, "measured": measured, "at_most": at_most, "unit": unit, "met": measured <= at_most}


class _Running:
    """A container that has answered once.

    Attributes:
        first_s: from before ``docker run`` to its first answer.
    """

    def __init__(self, name: str, port: int) -> None:
        self._name = name
        self._address = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self.first_s = 0.0

    def ask(self, event: Mapping[str, Any]) -> None:
        """One invocation; anything but a 200 is a failure."""
        request = urllib.request.Request(self._address, json.dumps(event).encode())  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=_ANSWER_WITHIN_S) as response:  # noqa: S310
            answer = json.load(response)
        if answer.get("statusCode") != 200:  # noqa: PLR2004
            raise DockerFailed(f"{self._name} answered {str(answer)[:2000]}")

    def ask_first(self, event: Mapping[str, Any], began_s: float) -> None:
        """The same, as soon as the emulator listens."""
        while True:
            try:
                self.ask(event)
            except (urllib.error.URLError, ConnectionError) as error:
                if time.perf_counter() - began_s > _ANSWER_WITHIN_S:
                    raise DockerFailed(f"{self._name} does not answer: {error}") from error
                time.sleep(0.01)
            else:
                self.first_s = time.perf_counter() - began_s
                return

    def peak_mb(self) -> float:
        """Most memory that its largest process had resident, in MB."""
        command = "cat /proc/[0-9]*/status"
        status = _docker("exec", "--user", "0", self._name, "sh", "-c", command)
        return max(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024 / 1e6


@contextlib.contextmanager
def _container(engine: str, event: Mapping[str, Any], extra: tuple[str, ...] = (), *command: str) -> Iterator[_Running]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    name = f"benchmark-recognizer-{engine}-{port}"
    running = _Running(name, port)
    publish = ("--name", name, "--publish", f"127.0.0.1:{port}:8080")
    try:
        began_s = time.perf_counter()
        _output(*_RUN, *publish, *extra, _tag(engine), *command)
        running.ask_first(event, began_s)
        yield running
    finally:
        subprocess.run(("docker", "rm", "--force", name), capture_output=True, check=False)


@contextlib.contextmanager
def _images(url: str) -> Iterator[dict[str, float]]:
    """Both images, and the size of each in MB (10^6 bytes)."""
    local = Path(url).expanduser()
    if local.is_dir():
        raise subjects.NoModel("An image is built from an archive: give MODEL_URL as a .tar.gz or a URL.")
    try:
        with tempfile.TemporaryDirectory(prefix="recognizer-bench-") as folder:
            context = Path(folder) / "context"
            left_out = shutil.ignore_patterns("__pycache__", "model", "*.tar.gz", ".*cache")
            shutil.copytree(subjects.RECOGNIZER, context, ignore=left_out)
            arguments: tuple[str, ...] = ("--build-arg", f"MODEL_URL={url}")
            if local.is_file():
                shutil.copy2(local, context / "model.tar.gz")
                arguments = ()
            for engine in subjects.ENGINES:
                _say(f"Building {_tag(engine)}…")
                target = ("--target", engine, "--build-arg", f"ENGINE={engine}", "--tag", _tag(engine))
                _docker("build", *target, *arguments, str(context))
        yield {
            engine: int(_docker("image", "inspect", "--format", "{{.Size}}", _tag(engine))) / 1e6
            for engine in subjects.ENGINES
        }
    finally:
        for engine in subjects.ENGINES:
            subprocess.run(("docker", "image", "rm", "--force", _tag(engine)), capture_output=True, check=False)


def _tag(engine: str) -> str:
    return f"benchmark-recognizer:{engine}"


def _docker(*arguments: str) -> str:
    return _output("docker", *arguments)


def _output(*command: str) -> str:
    # The Dockerfile needs no BuildKit, and Lambda refuses the manifests that BuildKit adds.
    environ = {"DOCKER_BUILDKIT": "0", **os.environ}
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise DockerFailed("There is no docker command here.") from error
    if done.returncode != 0:
        raise DockerFailed(f"{' '.join(command[:3])} failed:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
    return done.stdout.strip()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
