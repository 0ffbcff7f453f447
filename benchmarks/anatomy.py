"""Where the time of a cold start goes: imports by package, and the parts of building the application.

Owns a second, separate kind of process: ``-X importtime`` and the clocks round the parts slow a start down a little, so
it is not the one that is measured elsewhere. Refuses to know the application: a part that is no longer there shows up
in "rest".

Run as a script, it is that process: it imports the handler and says how long the parts took.
"""

from __future__ import annotations

import functools
import json
import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REPEATS = 3
_BUILD = "rest of building the application"
# What it is called -> module and attribute that is called.
_PARTS = {
    "model.json, labels": ("recognizer.build", "Model.load"),
    "downloader, its TLS context": ("recognizer.build", "Downloader"),
    "font": ("recognizer.build", "Annotator"),
    "page": ("recognizer.build", "assets"),
    "graph, weights": ("recognizer.vision.detector", "load"),
}


def dissected(engine: str, folder: str, environ: Mapping[str, str]) -> dict[str, float]:
    """Milliseconds by part, most first; medians of a few processes. Imports are named ``import …``."""
    runs = [_dissected_once(engine, folder, environ) for _ in range(_REPEATS)]
    parts = {part for run in runs for part in run}
    median = {part: statistics.median(run.get(part, 0.0) for run in runs) for part in parts}
    return {part: round(median[part], 1) for part in sorted(parts, key=lambda part: -median[part])}


def _dissected_once(engine: str, folder: str, environ: Mapping[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", __file__, engine],
        cwd=folder,
        env=dict(environ),
        capture_output=True,
        text=True,
        check=True,
    )
    parts: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    built_ms = 0.0
    for package, own_ms in _imports(done.stderr, f"recognizer.vision.engine_{engine}"):
        if package == "handler":
            built_ms = own_ms
        else:
            parts[f"import {package}"] = parts.get(f"import {package}", 0.0) + own_ms
    within_ms = sum(ms for part, ms in parts.items() if not part.startswith("import "))
    return {**parts, _BUILD: max(0.0, built_ms - within_ms)}


def _imports(log: str, engine_module: str) -> list[tuple[str, float]]:
    """Package and own milliseconds of each import; all that the engine's module needs first counts as the engine's."""
    rows: list[tuple[int, str, float]] = []  # depth, package, milliseconds
    for line in log.splitlines():
        title, _, rest = line.partition("import time:")
        columns = rest.split("|")
        if title or len(columns) != 3 or not columns[0].strip().isdigit():  # noqa: PLR2004
            continue
        name = columns[2].strip()
        depth, own_ms = len(columns[2]) - len(columns[2].lstrip()), int(columns[0]) / 1000
        if name == engine_module:
            # Its own line comes after those of what it imports, which are further in.
            while rows and rows[-1][0] > depth:
                own_ms += rows.pop()[2]
            rows.append((depth, "the engine, with what only it needs", own_ms))
            continue
        package = name.partition(".")[0]
        rows.append((depth, "Python's own library" if package in sys.stdlib_module_names else package, own_ms))
    return [(package, own_ms) for _, package, own_ms in rows]


def _main(engine: str) -> None:
    report = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - pathlib need not be loaded before the handler
    import recognizer.build  # noqa: PLC0415 - its imports are none of the handler's own time
    import recognizer.vision.detector  # noqa: F401, PLC0415

    __import__(f"recognizer.vision.engine_{engine}")  # importlib.import_module would not be on the log
    took_ms: dict[str, float] = {}
    for part, (module, path) in _PARTS.items():
        _put_clock(sys.modules[module], path, part, took_ms)
    import handler  # type: ignore[import-not-found, unused-ignore]  # noqa: F401, PLC0415

    os.write(report, (json.dumps(took_ms) + "\n").encode())


def _put_clock(owner: Any, path: str, part: str, took_ms: dict[str, float]) -> None:
    """Replaces what is called by the same with a clock, where there is such a thing."""
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent, None)
    original: Callable[..., Any] | None = getattr(owner, name, None)
    if original is None:
        return

    @functools.wraps(original, updated=())
    def clocked(*args: Any, **kwargs: Any) -> Any:
        began_s = time.perf_counter()
        result = original(*args, **kwargs)
        took_ms[part] = took_ms.get(part, 0.0) + (time.perf_counter() - began_s) * 1000
        return result

    setattr(owner, name, clocked)


if __name__ == "__main__":
    _main(*sys.argv[1:])
