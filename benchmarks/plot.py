"""The plot of a run, as SVG: the same figures give the same file, text stays text, and colours suit any background."""

from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from benchmarks.results import COLD, MEMORY, Table
from benchmarks.subjects import NAMES

_GREY = "#7d8590"
_STEPS = ("download", "decode", "detect", "annotate", "encode", "rest")
_STYLE: Any = {
    "svg.hashsalt": "recognizer",  # ids of elements would be random
    "svg.fonttype": "none",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _GREY),
}


def svg(found: dict[str, Table]) -> str:
    """The plot of a run's results."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(11, 9), layout="constrained")
        axes = iter(figure.subplots(3, 2).flat)
        _bars(next(axes), COLD, found["headline"])
        _bars(next(axes), MEMORY, found["headline"])
        _steps(next(axes), "Warm request by step, ms", found["warm"])
        _lines(next(axes), "Peak memory by megapixels, MB", found["peak_rss_mb"])
        _lines(next(axes), "Warm request by megapixels, ms", found["by_megapixels"])
        _lines(next(axes), "Warm request by number of objects, ms", found["by_n"])
        return _as_svg(figure)


def accuracy(rows: Table) -> str:
    """The plot of accuracy: AP by size of the objects for each way to look, and AP against time."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(11, 4), layout="constrained")
        by_size, by_time = figure.subplots(1, 2)
        by_model: dict[str, Table] = {}
        for name, row in rows.items():
            model, _, way = name.rpartition(", ")
            by_model.setdefault(model, {})[way] = row
        ways = next(iter(by_model.values()))
        sizes = ("AP", "AP small", "AP medium", "AP large")
        by_size.set_title("Average precision by size of the objects, %")
        for place, (way, row) in enumerate(ways.items()):
            at = [group + (place - (len(ways) - 1) / 2) * 0.8 / len(ways) for group in range(len(sizes))]
            by_size.bar(at, [row[size] for size in sizes], 0.8 / len(ways), label=way)
        by_size.set_xticks(range(len(sizes)), sizes)
        by_size.legend()
        by_time.set_title("Average precision, %, by milliseconds of a picture")
        for model, looks in by_model.items():
            by_time.plot(
                [row["ms"] for row in looks.values()], [row["AP"] for row in looks.values()], "o-", label=model
            )
        by_time.set_xlim(left=0)
        by_time.set_ylim(bottom=0)
        by_time.legend()
        return _as_svg(figure)


def _as_svg(figure: Figure) -> str:
    file = StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _bars(axes: Axes, title: str, headline: Table) -> None:
    axes.set_title(title)
    bars = axes.barh(NAMES, [headline[title][name] for name in NAMES], color=["C0", "C1", "C2"])
    axes.bar_label(bars, fmt="{:,.4g}", padding=4)
    axes.margins(x=0.15)
    axes.set_xticks([])
    axes.invert_yaxis()


def _steps(axes: Axes, title: str, rows: Table) -> None:
    axes.set_title(title)
    shown = {name: row for name, row in rows.items() if "@" not in name}
    left = [0.0] * len(shown)
    for step in _STEPS:
        axes.barh(list(shown), [row[step] for row in shown.values()], left=left, label=step)
        left = [start + row[step] for start, row in zip(left, shown.values(), strict=True)]
    axes.legend()
    axes.invert_yaxis()


def _lines(axes: Axes, title: str, rows: Table) -> None:
    axes.set_title(title)
    for name in NAMES:
        axes.loglog([float(key) for key in rows[name]], list(rows[name].values()), "o-", label=name)
    axes.minorticks_off()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xticks([float(key) for key in rows[NAMES[0]]], list(rows[NAMES[0]]))
    axes.legend()
