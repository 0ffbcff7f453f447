"""results.json -> the tables of docs/performance.md, and its plot.

Owns the generated sections, between ``<!-- generated: name -->`` and ``<!-- end -->``; the prose around them is not
touched.
"""

import json
import re
from pathlib import Path
from typing import Any

from benchmarks import plot
from benchmarks.subjects import ROOT

RESULTS = ROOT / "benchmarks" / "results.json"
DOCUMENT = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "images" / "performance.svg"

Found = dict[str, dict[str, Any]]


def load() -> Found:
    """The published results."""
    found: Found = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def save(found: Found, path: Path) -> None:
    """Writes a results file."""
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def publish(found: Found) -> None:
    """Writes results.json, the plot and the document's generated sections."""
    save(found, RESULTS)
    PLOT.write_text(plot.svg(found), encoding="utf-8")
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8"), found), encoding="utf-8")


def filled(document: str, found: Found) -> str:
    """The document with each section made anew; ``KeyError`` for one that is not among the results."""
    pattern = re.compile(r"(<!-- generated: (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda match: f"{match[1]}\n{table(found[match[2]])}\n\n{match[3]}", document)


def table(rows: dict[str, Any]) -> str:
    """In Markdown, with the columns of the first row; mere facts as a line."""
    first = next(iter(rows.values()), None)
    if first is None:
        return "Not measured in this run."
    if not isinstance(first, dict):
        return ", ".join(f"{name} {fact}" for name, fact in rows.items())
    lines = [["", *first], ["---", *("---:" for _ in first)]]
    lines += [[name, *(_shown(row.get(column, "")) for column in first)] for name, row in rows.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: Any) -> str:
    """Numbers to about three digits, large ones to the unit."""
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    if isinstance(value, list):
        return " ".join(map(_shown, value))
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004
