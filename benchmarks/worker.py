"""The measured process: a handler, and what ``Subject.run`` orders. Run as a script, in a task root.

Owns its CPUs and its clock, and imports as little as it can before the handler: the time to the first answer is what a
Lambda instance would need. Takes a list of orders on stdin (name, arguments, where the profile goes if it is wanted),
the first of which is the cold start, and gives a list of results. What the handler prints goes nowhere.
"""

import json
import os
import sys
import time
from importlib import import_module
from types import SimpleNamespace
from typing import Any

_STARTED_S = time.monotonic()  # the same clock in all processes
_CONTEXT = SimpleNamespace(
    aws_request_id="00000000-0000-0000-0000-000000000000",
    function_name="benchmark",
    memory_limit_in_mb=0,
    invoked_function_arn="arn:aws:lambda:eu-central-1:000000000000:function:benchmark",
    get_remaining_time_in_millis=lambda: 30_000,
)


class _Worker:
    def __init__(self, module: str) -> None:
        self._module = module

    def start(self, event: Any) -> dict[str, float]:
        self._handler = import_module(self._module).lambda_handler
        imported_s = time.monotonic()
        self._ask(event)
        return {"started_s": _STARTED_S, "imported_s": imported_s, "answered_s": time.monotonic()}

    def repeat(self, event: Any, times: int) -> list[dict[str, float]]:
        return [self._ask(event) for _ in range(times)]

    def peak_mb(self, event: Any) -> list[dict[str, float]]:
        """Most memory so far, after two such requests, with what the processes that it started do not share with it.

        Its own peak is the kernel's; theirs are looked at every few milliseconds.
        """
        import threading  # noqa: PLC0415 - no part of a cold start

        done, theirs_kb = threading.Event(), [0]

        def look() -> None:
            while not done.wait(0.005):
                theirs_kb.append(sum(_private_kb(pid) for pid in _descendants("self")))

        looking = threading.Thread(target=look)
        looking.start()
        self.repeat(event, 2)
        done.set()
        looking.join()
        # Neither psutil, which has no peak on Linux, nor getrusage, whose maximum remembers the parent's memory from
        # before exec.
        (own_kb,) = (int(line.split()[1]) for line in _lines("/proc/self/status") if line.startswith("VmHWM:"))
        return [{"all": (own_kb + max(theirs_kb)) * 1024 / 1e6}]

    def answers_per_s(self, event: Any, clients: list[int], seconds: float) -> list[dict[str, float]]:
        """By number of clients, who each ask again as soon as they are answered."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - no part of a cold start

        def client(ends_s: float) -> list[float]:
            answered_s = []
            while time.monotonic() < ends_s:
                self._ask(event)
                answered_s.append(time.monotonic())
            return answered_s

        per_s = {}
        for count in clients:
            self.repeat(event, count)
            began_s = time.monotonic()
            with ThreadPoolExecutor(count) as pool:
                answered_s = [at_s for one in pool.map(client, [began_s + seconds] * count) for at_s in one]
            per_s[f"clients: {count}"] = len(answered_s) / (max(answered_s) - began_s)
        return [per_s]

    def _ask(self, event: Any) -> dict[str, float]:
        """Milliseconds by step and in all, and the size of the answer."""
        began_s = time.perf_counter()
        answer = self._handler(event, _CONTEXT)
        ms = (time.perf_counter() - began_s) * 1000
        if answer["statusCode"] != 200:  # noqa: PLR2004
            raise RuntimeError(f"the handler answered {answer['statusCode']}: {answer['body'][:500]}")
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        steps = (step.partition(";dur=") for step in headers["server-timing"].split(", "))
        steps_ms = {name: float(duration) for name, _, duration in steps}
        return {**steps_ms, "rest": ms - sum(steps_ms.values()), "all": ms, "KB": len(answer["body"]) * 3 / 4 / 1000}


def _descendants(pid: str) -> list[str]:
    tasks = [str(task) for task in os.listdir(f"/proc/{pid}/task")] if os.path.isdir(f"/proc/{pid}/task") else []  # noqa: PTH112, PTH208 - pathlib need not be loaded
    children = [
        child for task in tasks for line in _lines(f"/proc/{pid}/task/{task}/children") for child in line.split()
    ]
    return children + [below for child in children for below in _descendants(child)]


def _private_kb(pid: str) -> int:
    return sum(int(line.split()[1]) for line in _lines(f"/proc/{pid}/smaps_rollup") if line.startswith("Private_"))


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii") as file:  # noqa: PTH123 - pathlib need not be loaded
            return file.readlines()
    except OSError:  # the process has ended
        return []


def _carried_out(work: Any, arguments: dict[str, Any], profile_file: str = "") -> Any:
    if not profile_file:
        return work(**arguments)
    from cProfile import Profile  # noqa: PLC0415 - no part of a cold start

    profile = Profile()
    result = profile.runcall(work, **arguments)
    profile.dump_stats(profile_file)
    return result


if __name__ == "__main__":
    os.sched_setaffinity(0, json.loads(sys.argv[2]))
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - pathlib need not be loaded
    worker = _Worker(sys.argv[1])
    json.dump([_carried_out(getattr(worker, name), *order) for name, *order in json.load(sys.stdin)], results)
    results.close()
