"""Where the time goes: of a cold start imports by package and what is called, of a warm request what is called.

Owns processes apart from those that are measured elsewhere: ``-X importtime`` and the profiler slow what they look at.
The parts are whatever the files that tell the story call, so none can be forgotten; a file that is gone is an error.
"""

import pstats
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.pictures import Event
from benchmarks.results import Table
from benchmarks.subjects import NotMeasured, Subject

STORY = tuple(f"{part}.py" for part in ("build", "app", "pipeline", "vision/detector"))

_REPEATS, _REQUESTS = 3, 20

Parts = dict[str, float]  # milliseconds


def dissected(subject: Subject, cpus: Sequence[int], event: Event) -> tuple[Parts, Parts]:
    """The parts of a cold start and of a warm request, medians of a few processes."""
    story = {str(subject.folder / "recognizer" / file) for file in STORY}
    if gone := [file for file in story if not Path(file).is_file()]:
        raise NotMeasured(f"There is no {gone[0]} to look into; mend STORY in benchmarks/anatomy.py.")
    start, repeat = {"event": event}, {"event": event, "times": _REQUESTS}
    colds, warms = [], []
    for _ in range(_REPEATS):
        started, _, log = subject.run(cpus, [("start", start)], "-X", "importtime")
        imports_ms = imported(log, f"recognizer.vision.engine_{subject.name}")
        with tempfile.TemporaryDirectory() as folder:
            cold, warm = f"{folder}/cold", f"{folder}/warm"
            orders = [("start", start, cold), ("repeat", repeat), ("repeat", repeat, warm)]
            _, (usual, _), _ = subject.run(cpus, orders)
            colds.append(_whole({**imports_ms, **called(pstats.Stats(cold), story)}, started["all"] * 1000))
            warm_ms = {part: ms / _REQUESTS for part, ms in called(pstats.Stats(warm), story).items()}
            warms.append(_whole(warm_ms, median(answer["all"] for answer in usual)))
    return _medians(colds), _medians(warms)


def table(parts_ms: Mapping[str, Parts], shown_ms: float) -> Table:
    """A row for each part that takes at least so long with any engine, and one for the others."""
    order = {part: max(of.get(part, 0.0) for of in parts_ms.values()) for of in parts_ms.values() for part in of}
    large = [part for part in sorted(order, key=lambda part: -order[part]) if order[part] >= shown_ms]
    rows = {part: {name: round(of.get(part, 0.0), 1) for name, of in parts_ms.items()} for part in large}
    rest = {
        name: round(sum(of.values()) - sum(of.get(part, 0.0) for part in large), 1) for name, of in parts_ms.items()
    }
    return {**rows, f"what takes less than {shown_ms:g} ms": rest}


def called(stats: Any, story: set[str]) -> Parts:
    """What the story calls that is no part of it, without imports."""
    parts_ms: Parts = {}
    for (file, _line, name), (*_counts, callers) in stats.stats.items():
        if file not in story and "importlib" not in file:
            part = f"{Path(file).stem}.{name}".removeprefix("~.")  # built-in functions are of the file ~
            for caller, (*_, spent_s) in callers.items():
                if caller[0] in story:
                    parts_ms[part] = parts_ms.get(part, 0.0) + spent_s * 1000
    return parts_ms


def imported(log: str, engine_module: str) -> Parts:
    """Own time of imports by package, from a log of ``-X importtime``; without the handler's, which builds everything.

    All that the engine's module needs first counts as the engine's.
    """
    rows: list[tuple[int, str, float]] = []  # depth, part, milliseconds
    for own_us, indent, name in re.findall(r"^import time: +(\d+) \| +\d+ \|( +)(\S+)$", log, re.MULTILINE):
        own_ms, package = int(own_us) / 1000, name.partition(".")[0]
        part = "import " + ("Python's own library" if package in sys.stdlib_module_names else package)
        if name == engine_module:
            part = "import the engine, with what only it needs"
            while rows and rows[-1][0] > len(indent):  # its own line comes after those of what it imports
                own_ms += rows.pop()[2]
        rows.append((len(indent), part, own_ms))
    return {part: sum(ms for _, other, ms in rows if other == part) for _, part, _ in rows if part != "import handler"}


def _whole(parts_ms: Parts, whole_ms: float) -> Parts:
    return {**parts_ms, "all else": max(0.0, whole_ms - sum(parts_ms.values()))}


def _medians(runs: Sequence[Parts]) -> Parts:
    return {part: median(run.get(part, 0.0) for run in runs) for one in runs for part in one}
