"""``python -m benchmarks``: measures everything and writes it down.

Owns the command line. Refuses to hide a bar that was missed: it is in the table, in results.json and in the exit code.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import anatomy, machine, pictures, report, results, rounds, subjects
from benchmarks.process import SubjectFailed, inherited

_MET, _MISSED, _NOT_MEASURED = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; the exit code is 0 where every line of the bar was met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures the service (Linux only).")
    parser.add_argument("--quick", action="store_true", help="one round and few requests: does it run at all?")
    parser.add_argument("--report", action="store_true", help="measure nothing; write the documents from results.json")
    parser.add_argument("--output", type=Path, help="where the results go; with it, no document is written")
    options = parser.parse_args(arguments)
    if options.report:
        report.publish(json.loads(report.RESULTS.read_text(encoding="utf-8")))
        return _MET
    if not sys.platform.startswith("linux"):
        _say("Only Linux tells what these figures need (CPU affinity, peak memory); run it in a container.")
        return _NOT_MEASURED
    try:
        found = _measured(rounds.QUICK if options.quick else rounds.FULL)
    except (subjects.NoModel, SubjectFailed, FileNotFoundError) as error:
        _say(str(error))
        return _NOT_MEASURED
    found["quick"] = options.quick
    if options.output or options.quick:
        output = options.output or Path(tempfile.gettempdir()) / "benchmark-quick.json"
        report.save(found, output)
        _say(f"Results are in {output}; the published ones are as they were.")
    else:
        report.publish(report.with_container(found))
    sys.stdout.write(report.bar_table(found) + "\n")
    return _MET if all(line["met"] for line in found["bar"]) else _MISSED


def _measured(plan: rounds.Plan) -> dict[str, Any]:
    began_s, load = time.monotonic(), machine.load()
    with tempfile.TemporaryDirectory(prefix="recognizer-bench-") as folder:
        _say("Preparing models and pictures…")
        prepared = subjects.prepare(Path(folder))
        sizes = {pictures.STANDARD_MP, *plan.memory_mp, *plan.sizes_mp}
        made = pictures.make(sorted(sizes))
        with pictures.Server(made) as server:
            samples = rounds.run(prepared, server, plan, _say)
        _say("Taking cold starts apart…")
        parts_ms = {
            of.name: anatomy.dissected(of.name, str(of.folder), {**inherited(), **of.environ})
            for of in prepared
            if of.name in subjects.ENGINES
        }
    return {
        **results.summary(samples),
        "cold_start_parts_ms": parts_ms,
        "date": machine.today(),
        "machine": machine.machine(),
        "versions": machine.versions(),
        "model_sha256": subjects.model_sha256(prepared),
        "pictures": {
            str(size_mp): {"width": made[size_mp].width, "height": made[size_mp].height, "kb": made[size_mp].kilobytes}
            for size_mp in sorted(made)
        },
        "load_before": load,
        "took_s": round(time.monotonic() - began_s),
    }


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
