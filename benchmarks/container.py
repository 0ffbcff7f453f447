"""``python -m benchmarks.container``: both images as Lambda runs them, one CPU and 1,769 MB.

Owns building the images from a copy of the build context with the model's archive in it, and the containers; both are
gone afterwards, also after a failure. Time counts from ``docker run`` to the first answer. The part of it that any
function pays (container, emulator, Python runtime) is measured beside it, in the same image with a handler that does
nothing.
"""

import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import requests

from benchmarks import pictures, report, results, subjects
from benchmarks.subjects import ENGINES, NotMeasured

logger = logging.getLogger("benchmarks")

_ROUNDS, _WARM = 5, 40
_HOST, _PORT = "host.docker.internal", 9180
_INVOCATIONS = f"http://127.0.0.1:{_PORT}/2015-03-31/functions/function/invocations"
_ANSWER_WITHIN_S = 120.0
_DOES_NOTHING = "operator.is_"  # of the standard library: takes an event and a context, and answers false
_TAG = "benchmark-recognizer"
_RUN = f"""run --detach --read-only --tmpfs /tmp:size=512m --user 993:990 --cpus 1 --memory 1769m
    --publish 127.0.0.1:{_PORT}:8080 --add-host {_HOST}:host-gateway
    --env ALLOW_PRIVATE_ADDRESSES=true --env ALLOWED_URL_PORTS=* --env POWERTOOLS_TRACE_DISABLED=true
    --env AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769""".split()


def main() -> int:
    """Runs the command; the exit code is 0 where every line of the bar was met."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        circumstances, measured = results.circumstances(), _measured()
    except (NotMeasured, requests.RequestException) as error:
        logger.error("%s", error)  # noqa: TRY400 - the message says it all
        return 2
    bar = results.container_bar(measured["litert"])
    here: report.Found = {"container": measured, "container_bar": bar, "container_environment": circumstances}
    report.publish({**report.load(), **here})
    sys.stdout.write(f"{report.table(measured)}\n\n{report.table(bar)}\n")
    return 0 if all(line["met"] for line in bar.values()) else 1


def _measured() -> results.Table:
    samples: dict[str, list[dict[str, float]]] = {engine: [] for engine in ENGINES}
    with _images(), pictures.served(_HOST, bind="0.0.0.0") as event:  # noqa: S104 - for the containers
        for number in range(_ROUNDS):
            for engine, of in samples.items():
                logger.info("Round %s of %s: %s", number + 1, _ROUNDS, engine)
                with _started(engine, {}, _DOES_NOTHING) as (_, nothing_s):
                    pass
                with _started(engine, event()) as (container, first_s):
                    warm_s = [_asked(event()) for _ in range(_WARM)]
                    status = _docker("exec", "--user", "0", container, "sh", "-c", "cat /proc/[0-9]*/status")
                of.append(
                    {
                        "image, MB": int(_docker("image", "inspect", "--format", "{{.Size}}", f"{_TAG}:{engine}"))
                        / 1e6,
                        "docker run → first answer, s": first_s,
                        "of which container, s": nothing_s,
                        "cold start, s": first_s - nothing_s,
                        "warm, ms": median(warm_s) * 1000,
                        "p95, ms": results.p95(warm_s) * 1000,
                        "peak memory, MB": max(map(int, re.findall(r"VmHWM:\s+(\d+)", status))) * 1024 / 1e6,
                    }
                )
    return {engine: results.medians(of) for engine, of in samples.items()}


@contextmanager
def _started(engine: str, event: pictures.Event, *command: str) -> Iterator[tuple[str, float]]:
    """A fresh container that has answered once, and after how many seconds."""
    began_s = time.perf_counter()
    container = _docker(*_RUN, f"{_TAG}:{engine}", *command)
    try:
        while True:  # until the emulator listens
            try:
                _asked(event)
                break
            except requests.ConnectionError:
                if time.perf_counter() - began_s > _ANSWER_WITHIN_S:
                    raise
        yield container, time.perf_counter() - began_s
    finally:
        _docker("rm", "--force", container)


def _asked(event: pictures.Event) -> float:
    """Seconds of one invocation."""
    began_s = time.perf_counter()
    answer = requests.post(_INVOCATIONS, json=event, timeout=_ANSWER_WITHIN_S).json()
    if event and answer.get("statusCode") != requests.codes.ok:
        raise NotMeasured(f"The container answered {str(answer)[:2000]}")
    return time.perf_counter() - began_s


@contextmanager
def _images() -> Iterator[None]:
    url = subjects.model_url()
    try:
        with tempfile.TemporaryDirectory(prefix="recognizer-bench-") as folder:
            context = shutil.copytree(subjects.RECOGNIZER, Path(folder) / "context", ignore=subjects.NOT_CODE)
            if Path(url).is_file():
                shutil.copy2(url, context / "model.tar.gz")
                url = ""
            for engine in ENGINES:
                logger.info("Building %s:%s…", _TAG, engine)
                arguments = ("--build-arg", f"MODEL_URL={url}", "--build-arg", f"ENGINE={engine}")
                _docker("build", "--tag", f"{_TAG}:{engine}", *arguments, str(context))
        yield
    finally:
        tags = [f"{_TAG}:{engine}" for engine in ENGINES]
        subprocess.run(("docker", "image", "rm", "--force", *tags), capture_output=True, check=False)


def _docker(*arguments: str) -> str:
    # The Dockerfile needs no BuildKit, and Lambda refuses the manifests that BuildKit adds.
    environ = {"DOCKER_BUILDKIT": "0", **os.environ}
    done = subprocess.run(("docker", *arguments), env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMeasured(f"docker {arguments[0]} failed:\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
