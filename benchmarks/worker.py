"""The measured process: a handler, and the requests that ``process.Process`` asks it to make.

Owns its CPUs and its clock. Refuses to import anything before the handler but what the interpreter has loaded anyway:
the time to the first answer is what a Lambda instance would need. Run as a script, from a folder laid out like the
image's; not imported.

Speaks lines of JSON: on stdin first an event, which is the cold start, then orders; on stdout one reply to each. What
the handler itself prints (logs and metrics) goes nowhere.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

_STARTED_S = time.monotonic()  # the same clock in all processes

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


class _Context:
    aws_request_id = "00000000-0000-0000-0000-000000000000"
    function_name = "benchmark"
    memory_limit_in_mb = 0
    invoked_function_arn = "arn:aws:lambda:eu-central-1:000000000000:function:benchmark"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def _main(module: str, cpus: str) -> None:
    os.sched_setaffinity(0, [int(cpu) for cpu in cpus.split(",")])
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - pathlib need not be loaded

    def reply(**values: Any) -> None:
        replies.write(json.dumps(values) + "\n")
        replies.flush()

    event = json.loads(sys.stdin.readline())
    handler: Handler = import_module(module).lambda_handler
    imported_s = time.monotonic()
    first = _ask(handler, event)
    reply(started_s=_STARTED_S, imported_s=imported_s, answered_s=time.monotonic(), **first)
    for line in sys.stdin:
        order = json.loads(line)
        match order.pop("do"):
            case "repeat":
                reply(answers=_repeat(handler, **order))
            case "load":
                reply(per_s=_load(handler, **order))
            case "memory":
                reply(peak_mb=_peak_mb(), now_mb=_status_mb("VmRSS"))


def _ask(handler: Handler, event: dict[str, Any]) -> dict[str, Any]:
    """Milliseconds of one request in all and by step, and the size of its answer."""
    began_s = time.perf_counter()
    answer = handler(event, _Context())
    ms = (time.perf_counter() - began_s) * 1000
    if answer["statusCode"] != 200:  # noqa: PLR2004
        raise RuntimeError(f"the handler answered {answer['statusCode']}: {answer['body'][:500]}")
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    steps = (step.partition(";dur=") for step in headers["server-timing"].split(", "))
    return {
        "ms": ms,
        "steps_ms": {name: float(duration) for name, _, duration in steps},
        "body_bytes": len(answer["body"]) * 3 // 4,
        "detections": int(headers["x-detection-count"]),
        "reduced": headers.get("x-image-reduced", ""),
    }


def _repeat(handler: Handler, event: dict[str, Any], times: int) -> list[dict[str, Any]]:
    return [_ask(handler, event) for _ in range(times)]


def _load(handler: Handler, event: dict[str, Any], clients: int, seconds: float) -> float:
    """Answers a second, with so many clients who each ask again as soon as they are answered."""
    import threading  # noqa: PLC0415 - no part of a cold start

    answered: list[float] = []

    def client() -> None:
        while time.perf_counter() < ends_s:
            _ask(handler, event)
            answered.append(time.perf_counter())

    for _ in range(clients):
        handler(event, _Context())
    began_s = time.perf_counter()
    ends_s = began_s + seconds
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(answered) / (max(answered) - began_s)


def _peak_mb() -> float:
    # Not getrusage: its maximum remembers the parent's memory from before exec.
    return _status_mb("VmHWM")


def _status_mb(field: str) -> float:
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib need not be loaded
        line = next(line for line in status if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    _main(*sys.argv[1:])
