"""The process under load: the handler, its clients, and what they and the kernel see of it. Run as a script.

Takes a plan on stdin (requests by name, and phases that say who asks how often), gives what was measured. Imports as
little as it can besides the handler, so that memory is the handler's.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

_EVERY_S = 0.25  # the kernel counts pages for it: more often, it would be a load of its own
_CONTEXT = SimpleNamespace(aws_request_id="torture", get_remaining_time_in_millis=lambda: 29_000)


class Sampler:
    """What the process and those it started take, four times a second."""

    def __init__(self):
        self.samples = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _run(self):
        while not self._ended.wait(_EVERY_S):
            self.samples.append(sample())


def sample():
    """Memory in bytes, without counting twice what processes share; descriptors, threads and processes."""
    workers = [pid for nursery in _children("self") for pid in (nursery, *_children(nursery))]
    return {
        "main": _pss("self"),
        "all": _pss("self") + sum(map(_pss, workers)),
        "descriptors": len(os.listdir("/proc/self/fd")) - 1,  # noqa: PTH208 - the one that lists is among them
        "threads": threading.active_count(),
        "processes": 1 + len(workers),
    }


def _children(pid):
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def _pss(pid):
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def told(answer):
    """Of an answer, all that must not change; only its timings may."""
    headers = {name: value for name, value in answer["headers"].items() if name != "Server-Timing"}
    body = hashlib.sha256(answer["body"].encode(errors="surrogatepass")).hexdigest()
    return json.dumps([answer["statusCode"], headers, body], sort_keys=True)


def run(handler, plan):
    """What happened in each phase."""
    requests, alone, phases = plan["requests"], {}, {}
    for name in plan["alone"]:
        handler(requests[name], _CONTEXT)  # the first answer of /health and the like differs
        alone[name] = told(handler(requests[name], _CONTEXT))
    for phase, shape in plan["phases"].items():
        names = random.Random(shape["seed"]).choices(  # noqa: S311 - the same each time, on purpose
            list(shape["weights"]), list(shape["weights"].values()), k=shape["requests"]
        )

        def ask(name):
            began_s = time.perf_counter()
            answer = handler(requests[name], _CONTEXT)
            seconds = time.perf_counter() - began_s
            return name, seconds, answer["statusCode"], name not in alone or told(answer) == alone[name]

        began_s = time.perf_counter()
        with Sampler() as sampler, ThreadPoolExecutor(shape["clients"]) as clients:
            answers = list(clients.map(ask, names))
        phases[phase] = {
            "seconds": time.perf_counter() - began_s,
            "answers": answers,
            "samples": sampler.samples,
        }
        time.sleep(shape.get("rest_s", 0))
        phases[phase]["after"] = sample()
    return phases


if __name__ == "__main__":
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the handler logs goes nowhere
    the_plan = json.load(sys.stdin)
    from handler import lambda_handler

    json.dump(run(lambda_handler, the_plan), results)
    results.close()
