"""results.json -> the tables of docs/performance.md, and its plot.

Owns the generated sections, between ``<!-- generated: name -->`` and ``<!-- end -->``. Refuses to touch the prose
around them.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks import plot
from benchmarks.subjects import ENGINES, NAMES, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

RESULTS = ROOT / "benchmarks" / "results.json"
DOCUMENT = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "images" / "performance.svg"

Figures = dict[str, Any]

_FIGURES = {
    "cold_start_s": ("Cold start: process start to first answer", "s"),
    "warm_ms": ("Warm request, 1024 x 636 JPEG", "ms"),
    "peak_rss_mb": ("Peak memory", "MB"),
}
_STEPS = ("download", "decode", "detect", "annotate", "encode", "rest")

# https://aws.amazon.com/lambda/pricing/, https://aws.amazon.com/api-gateway/pricing/ (us-east-1, x86)
_DOLLARS_PER_GB_S = 0.0000166667
_DOLLARS_REQUESTS = 0.20 + 1.00  # a million of Lambda's, and of the HTTP API's
_DOLLARS_PER_GB_SENT = 0.09
_MB_PER_CPU = 1769
_SHOWN_MS = 5.0


def publish(found: Figures) -> None:
    """Writes results.json, the plot and the document's generated sections."""
    save(found, RESULTS)
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    PLOT.write_text(plot.svg(found), encoding="utf-8")
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, section in _SECTIONS.items():
        pattern = re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = pattern.sub(partial(_filled, section(found)), text)
    DOCUMENT.write_text(text, encoding="utf-8")


def _filled(body: str, match: re.Match[str]) -> str:
    return f"{match[1]}\n{body}\n\n{match[2]}"


def save(found: Figures, path: Path) -> None:
    """Writes a results file."""
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def with_container(found: Figures) -> Figures:
    """A new run's results, with what the last container run measured, if there was one."""
    if not RESULTS.is_file():
        return found
    before = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {**found, "container": before["container"]} if "container" in before else found


def bar_table(found: Figures) -> str:
    """Each line of the bar: wanted, measured, met."""
    lines = [
        (
            f"{_FIGURES[line['figure']][0]}, {line['engine']}",
            f"{line['at_least_times_better']:g}x better",
            f"{line['measured']:.1f}x ({_both(found, line['figure'], line['engine'])})",
            "yes" if line["met"] else "**no**",
        )
        for line in found["bar"]
    ]
    return _table(("", "at least", "measured", "met"), [*lines, *_container_lines(found)])


def _container_lines(found: Figures) -> list[tuple[str, ...]]:
    return [
        (
            line["what"],
            f"at most {line['at_most']:g} {line['unit']}",
            f"{line['measured']:g} {line['unit']}",
            "yes" if line["met"] else "**no**",
        )
        for line in found.get("container", {}).get("bar", [])
    ]


def _headline(found: Figures) -> str:
    rows = [
        (
            label,
            *(_amount(found, figure, name) for name in NAMES),
            *(f"{found[figure]['ratio'][engine]:.1f}x" for engine in ENGINES),
        )
        for figure, (label, _) in _FIGURES.items()
    ]
    return _table(("2 CPUs", *NAMES, "tensorflow better by", "litert better by"), rows)


def _both(found: Figures, figure: str, engine: str) -> str:
    return f"{_amount(found, figure, 'reference')} → {_amount(found, figure, engine)}"


def _amount(found: Figures, figure: str, name: str) -> str:
    return f"{found[figure][name]:,.{2 if figure == 'cold_start_s' else 0}f} {_FIGURES[figure][1]}"


def _environment(found: Figures) -> str:
    versions = {name: version for name, version in found["versions"].items() if name != "git"}
    machine = found["machine"]
    return (
        f"Measured on {found['date']} in {found['took_s'] / 60:.0f} minutes: {machine['cpu']}, {machine['cpus']} CPUs, "
        f"{machine['memory_gb']} GB, {machine['system']}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f"; revision {found['versions']['git'] or 'unknown'}; load before the run {found['load_before']}."
    )


def _cold(found: Figures) -> str:
    rows = []
    for name in NAMES:
        for cpus, start in _of(found, name)["cold_start"].items():
            rows.append(
                (
                    name,
                    cpus,
                    f"{start['interpreter_s']:.2f}",
                    f"{start['load_s']:.2f}",
                    f"{start['first_request_s']:.2f}",
                    f"**{start['median_s']:.2f}**",
                    " ".join(f"{sample:.2f}" for sample in start["samples_s"]),
                )
            )
    return _table(("", "CPUs", "interpreter", "imports, model, warm-up", "first request", "all, s", "each"), rows)


def _parts(found: Figures) -> str:
    """What takes at least 5 ms, the rest in one line; one table for each engine."""
    by_engine = found.get("cold_start_parts_ms", {})
    tables = []
    for engine, parts in by_engine.items():
        shown = [(part, f"{ms:,.0f}") for part, ms in parts.items() if ms >= _SHOWN_MS]
        rest = sum(ms for ms in parts.values() if ms < _SHOWN_MS)
        tables.append(_table((engine, "ms"), [*shown, ("all that takes less than 5 ms", f"{rest:,.0f}")]))
    return "\n\n".join(tables)


def _warm(found: Figures) -> str:
    rows = []
    for name in NAMES:
        for cpus, warm in _of(found, name)["warm"].items():
            steps = (f"{warm['steps_ms'][step]:.1f}" for step in _STEPS)
            rows.append((name, cpus, *steps, f"**{warm['median_ms']:.1f}**", f"{warm['p95_ms']:.1f}"))
    return _table(("ms", "CPUs", *_STEPS, "median", "p95"), rows)


def _throughput(found: Figures) -> str:
    clients = sorted({int(key) for name in NAMES for rates in _rates(found, name).values() for key in rates})
    rows = [
        (name, cpus, *(f"{rates[str(number)]:.1f}" for number in clients))
        for name in NAMES
        for cpus, rates in _rates(found, name).items()
    ]
    heads = (f"{number} client{'s' if number > 1 else ''}" for number in clients)
    return _table(("answers a second", "CPUs", *heads), rows)


def _rates(found: Figures, name: str) -> Figures:
    rates: Figures = _of(found, name)["throughput_per_s"]
    return rates


def _by_n(found: Figures) -> str:
    return _swept(found, "by_n", "ms, n =")


def _by_size(found: Figures) -> str:
    return _swept(found, "by_megapixels", "ms, megapixels =")


def _swept(found: Figures, key: str, head: str) -> str:
    columns = list(_of(found, NAMES[0])[key])
    rows = [(name, *(f"{_of(found, name)[key][column]['median_ms']:,.0f}" for column in columns)) for name in NAMES]
    return _table((head, *columns), rows)


def _memory(found: Figures) -> str:
    key = "peak_rss_mb_by_megapixels"
    columns = list(_of(found, NAMES[0])[key])
    rows = [
        (name, f"{found['peak_rss_mb'][name]:,.0f}", *(f"{_of(found, name)[key][column]:,}" for column in columns))
        for name in NAMES
    ]
    return _table(("MB", "1024 x 636", *(f"{float(column):g} megapixels" for column in columns)), rows)


def _pictures(found: Figures) -> str:
    rows = [
        (f"{float(mp):g}", f"{of['width']} x {of['height']}", f"{of['kb']:,}") for mp, of in found["pictures"].items()
    ]
    return _table(("megapixels", "size", "KB"), rows)


def _cost(found: Figures) -> str:
    rows = []
    for name in NAMES:
        for cpus, warm in sorted(_of(found, name)["warm"].items()):
            memory_mb = _MB_PER_CPU * int(cpus)
            compute = 1e6 * warm["median_ms"] / 1000 * memory_mb / 1024 * _DOLLARS_PER_GB_S
            traffic = warm["answer_kb"] * _DOLLARS_PER_GB_SENT  # a million KB is a GB, near enough
            rows.append(
                (
                    name,
                    f"{memory_mb:,} MB",
                    f"{warm['median_ms']:.0f}",
                    f"${compute:.2f}",
                    f"${_DOLLARS_REQUESTS:.2f}",
                    f"${traffic:.2f}",
                    f"**${compute + _DOLLARS_REQUESTS + traffic:.2f}**",
                )
            )
    return _table(("", "memory", "ms", "compute", "requests", "traffic", "a million pictures"), rows)


def _container(found: Figures) -> str:
    measured = found.get("container")
    if measured is None:
        return "Not measured yet: `make bench-container`."
    rows = [
        (
            engine,
            f"{of['image_mb']:,.0f} MB",
            f"{of['first_answer_s']:.2f} s",
            f"{of['overhead_s']:.2f} s",
            f"**{of['cold_start_s']:.2f} s**",
            f"{of['warm_ms']:.0f} ms",
            f"{of['warm_p95_ms']:.0f} ms",
            f"{of['peak_mb']:,.0f} MB",
        )
        for engine, of in measured["engines"].items()
    ]
    heads = ("", "image", "docker run → first answer", "of which container", "cold start", "warm", "p95", "peak memory")
    return f"{_table(heads, rows)}\n\nMeasured on {measured['date']}, revision {measured['git'] or 'unknown'}."


def _of(found: Figures, name: str) -> Figures:
    details: Figures = found["by_subject"][name]
    return details


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    ruler = ("---", *("---:" for _ in heads[1:]))
    lines = [" | ".join(row) for row in (heads, ruler, *rows)]
    return "\n".join(f"| {line} |" for line in lines)


def _milliseconds(of: Figures) -> str:
    return f"{of['median_ms']:,.0f}"


_SECTIONS: dict[str, Callable[[Figures], str]] = {
    "headline": _headline,
    "environment": _environment,
    "bar": bar_table,
    "cold": _cold,
    "parts": _parts,
    "warm": _warm,
    "throughput": _throughput,
    "by n": _by_n,
    "by size": _by_size,
    "memory": _memory,
    "pictures": _pictures,
    "cost": _cost,
    "container": _container,
}
