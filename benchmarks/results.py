"""Samples -> results.json, in the shape of the tables that are made of it: row -> column -> figure.

Owns the arithmetic, the bar, and what the figures depend on (never host names, users or paths: results are published).
Every sample counts.
"""

import math
import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.subjects import BASELINE, SITE_PACKAGES, git

Table = dict[str, dict[str, Any]]
Samples = dict[str, dict[str, list[dict[str, float]]]]  # table -> row -> samples of some of its columns

COLD, WARM, MEMORY = "Cold start, s", "Warm request, ms", "Peak memory, MB"
CROWD = 100  # objects
_DRAWING = f"Drawing {CROWD} objects, ms"

# How many times better than the baseline the engines have to be in one run.
_TIMES_BETTER = {
    COLD: {"tensorflow": 10.0, "litert": 70.0},
    WARM: {"tensorflow": 2.5, "litert": 4.0},
    MEMORY: {"tensorflow": 2.1, "litert": 6.5},
}
_AT_MOST = {"image, MB": 400, "docker run → first answer, s": 1.5}  # of LiteRT's container

# https://aws.amazon.com/lambda/pricing/, https://aws.amazon.com/api-gateway/pricing/ (us-east-1, x86)
_DOLLARS_PER_GB_S, _DOLLARS_PER_GB_SENT = 0.0000166667, 0.09
_DOLLARS_REQUESTS = 0.20 + 1.00  # a million of Lambda's, and of the HTTP API's
_MB_PER_CPU = 1769

_PACKAGES = {"tensorflow", "tensorflow-cpu", "ai-edge-litert", "numpy", "pillow", "aws-lambda-powertools", "requests"}


def tables(samples: Samples) -> dict[str, Table]:
    """The tables of a run; headline, bar and what is set against another revision are of most CPUs."""
    found: dict[str, Table] = {
        # Another revision last: it is asked less, and a table has the columns of its first row.
        table: {row: medians(rows[row]) for row in sorted(rows, key=lambda row: "@" in row)}
        for table, rows in samples.items()
    }
    for row, answers in samples["warm"].items():
        found["warm"][row]["p95"] = p95([answer["all"] for answer in answers])
    for row, starts in samples["cold_start"].items():
        found["cold_start"][row]["each"] = [round(start["all"], 3) for start in starts]
    cpus = max(row.partition(", ")[2] for row in found["warm"])
    headline: Table = {COLD: {}, WARM: {}, MEMORY: {}}
    for name in found["peak_rss_mb"]:
        headline[COLD][name] = found["cold_start"][f"{name}, {cpus}"]["all"]
        headline[WARM][name] = found["warm"][f"{name}, {cpus}"]["all"]
        headline[MEMORY][name] = next(iter(found["peak_rss_mb"][name].values()))
    cost = {row: _cost(of["all"], of["KB"], int(row.split()[1])) for row, of in found["warm"].items()}
    drawing = {name: of[str(CROWD)] for name, of in found.get("annotate_by_n", {}).items()}
    return {
        "headline": headline,
        "bar": bar(headline),
        "against": _against({**headline, _DRAWING: drawing}),
        **found,
        "cost": cost,
    }


def bar(headline: Table) -> Table:
    """Each line of the bar: how many times better than the baseline."""
    lines = {}
    for figure, by_engine in _TIMES_BETTER.items():
        for engine, wanted in by_engine.items():
            times = round(headline[figure][BASELINE] / headline[figure][engine], 2)
            line = {"at least": wanted, "measured": times, "met": times >= wanted}
            lines[f"{figure}, {engine}: times better than the baseline"] = line
    return lines


def container_bar(litert: Mapping[str, float]) -> Table:
    """The same of LiteRT's container."""
    return {
        figure: {"at most": most, "measured": litert[figure], "met": litert[figure] <= most}
        for figure, most in _AT_MOST.items()
    }


def _against(figures: Table) -> Table:
    """Then and now, where another revision was measured in the same run."""
    return {
        f"{figure}, {name.partition('@')[0]}": {name.partition("@")[2]: then, "now": now, "now / then": now / then}
        for figure, of in figures.items()
        for name, then in of.items()
        if (now := of[name.partition("@")[0]]) and "@" in name
    }


def compute_dollars(ms: float, cpus: int) -> float:
    """Dollars for a million times so many milliseconds of a function with that many CPUs."""
    return 1e6 * ms / 1000 * _MB_PER_CPU * cpus / 1024 * _DOLLARS_PER_GB_S


def _cost(ms: float, answer_kb: float, cpus: int) -> dict[str, float]:
    """Dollars for a million pictures."""
    memory_mb = _MB_PER_CPU * cpus
    dollars = {
        "compute": compute_dollars(ms, cpus),
        "requests": _DOLLARS_REQUESTS,
        "traffic": answer_kb * _DOLLARS_PER_GB_SENT,  # a million KB is a GB, near enough
    }
    return {"MB": memory_mb, **dollars, "all": sum(dollars.values())}


def medians(samples: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of each column, over the samples that have it."""
    columns = dict.fromkeys(column for sample in samples for column in sample)
    return {column: round(median(sample[column] for sample in samples if column in sample), 4) for column in columns}


def p95(values: Sequence[float]) -> float:
    """The least value that 95 of 100 do not exceed."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def circumstances() -> dict[str, str]:
    """The date in UTC, the revision (with ``+`` where it was changed), the machine, how busy it was, versions."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory_gb = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)
    packages = metadata.distributions(path=[str(SITE_PACKAGES)])
    installed = {of.name.lower().replace("_", "-"): of.version for of in packages}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "revision": git("describe", "--always", "--dirty=+", "--exclude=*"),
        "machine": f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} CPUs, {memory_gb} GB",
        "load before the run": str(round(os.getloadavg()[0], 2)),
        "python": platform.python_version(),
        **{name: version for name, version in sorted(installed.items()) if name in _PACKAGES},
    }
