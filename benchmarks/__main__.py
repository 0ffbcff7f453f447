"""``python -m benchmarks``: measures everything and writes it down.

Owns the command line. A bar that was missed is in the table, in the document and in the exit code.
"""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import anatomy, pictures, report, results, rounds, subjects

logger = logging.getLogger("benchmarks")

_MET, _MISSED, _NOT_MEASURED = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; the exit code is 0 where every line of the bar was met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures the service (Linux only).")
    parser.add_argument("--quick", action="store_true", help="one round and few requests: does it run at all?")
    parser.add_argument("--against", metavar="REV", help="measure the service as it was at a commit in the same run")
    parser.add_argument("--report", action="store_true", help="measure nothing; write the documents from results.json")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.report:
        report.publish(report.load())
        return _MET
    if not sys.platform.startswith("linux"):
        logger.info("Only Linux tells what these figures need (CPU affinity, peak memory); run it in a container.")
        return _NOT_MEASURED
    try:
        found = _measured(rounds.QUICK if options.quick else rounds.FULL, options.against)
    except subjects.NotMeasured as error:
        logger.error("%s", error)  # noqa: TRY400 - the message says it all
        return _NOT_MEASURED
    if options.quick:
        output = Path(tempfile.gettempdir()) / "benchmark-quick.json"
        report.save(found, output)
        logger.info("Results are in %s; the published ones are as they were.", output)
    else:
        kept = {name: of for name, of in report.load().items() if name.startswith("container")}
        report.publish({**found, **kept})
    sys.stdout.write("\n\n".join(report.table(found[name]) for name in ("headline", "bar", "against")) + "\n")
    return _MET if all(line["met"] for line in found["bar"].values()) else _MISSED


def _measured(plan: tuple[rounds.Round, ...], against: str | None) -> dict[str, Any]:
    circumstances, began_s = results.circumstances(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="recognizer-bench-") as folder, pictures.served() as event:
        logger.info("Preparing models and pictures…")
        prepared = subjects.prepare(Path(folder), against)
        samples = rounds.run(prepared, plan)
        kinds = rounds.of_each_kind(subjects.of_each_kind(prepared), 1 if plan is rounds.QUICK else 3)
        logger.info("Taking them apart…")
        services = [subject for subject in prepared if subject.name in subjects.ENGINES]
        apart = {subject.name: anatomy.dissected(subject, rounds.CPUS, event()) for subject in services}
    return {
        "environment": {**circumstances, "seconds": round(time.monotonic() - began_s)},
        **results.tables(samples),
        "kinds": kinds,
        "cold_parts_ms": anatomy.table({engine: cold for engine, (cold, _) in apart.items()}, 5),
        "warm_parts_ms": anatomy.table({engine: warm for engine, (_, warm) in apart.items()}, 0.1),
    }


if __name__ == "__main__":
    sys.exit(main())
