"""The plot of a run, as SVG: no plotting library, text that stays text, and colours for light and dark pages.

Owns the drawing. Refuses any arithmetic on the figures but their place on an axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from benchmarks.subjects import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Figures = dict[str, Any]
Series = dict[str, list[tuple[float, float]]]

_WIDTH, _HEIGHT = 960, 700
_PANEL_WIDTH, _PANEL_HEIGHT = 440, 200
_STEPS = ("download", "decode", "detect", "annotate", "encode", "rest")

_STYLE = """
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 14px; } .small { font-size: 11px; fill: #59636e; }
  .end { text-anchor: end; } .middle { text-anchor: middle; }
  .axis { stroke: #d1d9e0; stroke-width: 1; }
  .reference { fill: #818b98; stroke: #818b98; } .tensorflow { fill: #e16f24; stroke: #e16f24; }
  .litert { fill: #0969da; stroke: #0969da; }
  .line { fill: none; stroke-width: 2; } .bar { stroke: none; }
  .step0 { fill: #b6bfc9; } .step1 { fill: #54aeff; } .step2 { fill: #0969da; } .step3 { fill: #bf8700; }
  .step4 { fill: #1a7f37; } .step5 { fill: #d1d9e0; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; } .small { fill: #9198a1; } .axis { stroke: #3d444d; }
    .litert { fill: #4493f8; stroke: #4493f8; } .step2 { fill: #4493f8; } .step1 { fill: #80ccff; }
    .step0 { fill: #656c76; } .step5 { fill: #3d444d; } .step4 { fill: #3fb950; } .step3 { fill: #d29922; }
  }
"""


@dataclass(slots=True)
class _Canvas:
    """Elements so far, and where the next ones count from."""

    left: float = 0.0
    top: float = 0.0
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, css: str = "") -> None:
        self.parts.append(f'<text x="{self.left + x:.1f}" y="{self.top + y:.1f}" class="{css}">{escape(text)}</text>')

    def bar(self, x: float, y: float, width: float, height: float, css: str) -> None:
        at = f'x="{self.left + x:.1f}" y="{self.top + y:.1f}"'
        self.parts.append(f'<rect {at} width="{max(width, 0.5):.1f}" height="{height:.1f}" class="bar {css}"/>')

    def line(self, points: Sequence[tuple[float, float]], css: str) -> None:
        way = " ".join(f"{self.left + x:.1f},{self.top + y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{way}" class="{css}"/>')

    def dot(self, x: float, y: float, css: str) -> None:
        self.parts.append(f'<circle cx="{self.left + x:.1f}" cy="{self.top + y:.1f}" r="3" class="{css}"/>')


def svg(found: Figures) -> str:
    """The plot of a run's results."""
    canvas = _Canvas()
    details = found["by_subject"]
    panels: tuple[Callable[[], None], ...] = (
        lambda: _bars(canvas, "Cold start, 2 CPUs", {name: found["cold_start_s"][name] for name in NAMES}, "s"),
        lambda: _stacks(canvas, "Warm request by step, 1024 x 636, 2 CPUs", _steps(found)),
        lambda: _bars(canvas, "Peak memory, 1024 x 636", {name: found["peak_rss_mb"][name] for name in NAMES}, "MB"),
        lambda: _lines(canvas, "Peak memory by picture size", _peaks(details), ("megapixels", "MB")),
        lambda: _lines(canvas, "Warm request by picture size", _times(details, "by_megapixels"), ("megapixels", "ms")),
        lambda: _lines(canvas, "Warm request by number of objects", _times(details, "by_n"), ("n", "ms")),
    )
    for number, panel in enumerate(panels):
        canvas.left, canvas.top = 20 + 480 * (number % 2), 20 + 230 * (number // 2)
        panel()
    body = "\n".join(canvas.parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="Cold start, warm request and memory of the reference and both engines">\n'
        f"<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )


def _steps(found: Figures) -> dict[str, list[float]]:
    warm = {name: found["by_subject"][name]["warm"] for name in NAMES}
    return {name: [of[max(of)]["steps_ms"][step] for step in _STEPS] for name, of in warm.items()}


def _times(details: Figures, key: str) -> Series:
    return {name: [(float(x), of["median_ms"]) for x, of in details[name][key].items()] for name in NAMES}


def _peaks(details: Figures) -> Series:
    key = "peak_rss_mb_by_megapixels"
    return {name: [(float(x), peak) for x, peak in details[name][key].items()] for name in NAMES}


def _bars(canvas: _Canvas, title: str, values: Mapping[str, float], unit: str) -> None:
    canvas.text(0, 14, title, "title")
    scale = (_PANEL_WIDTH - 170) / max(values.values())
    for place, (name, value) in enumerate(values.items()):
        y = 40 + 45 * place
        canvas.text(0, y + 17, name)
        canvas.bar(80, y, value * scale, 25, name)
        canvas.text(86 + value * scale, y + 17, f"{_short(value)} {unit}", "small")


def _stacks(canvas: _Canvas, title: str, values: Mapping[str, Sequence[float]]) -> None:
    canvas.text(0, 14, title, "title")
    scale = (_PANEL_WIDTH - 150) / max(sum(steps) for steps in values.values())
    for place, (name, steps) in enumerate(values.items()):
        y, x = 40 + 38 * place, 80.0
        canvas.text(0, y + 17, name)
        for step, value in enumerate(steps):
            canvas.bar(x, y, value * scale, 25, f"step{step}")
            x += value * scale
        canvas.text(x + 6, y + 17, f"{_short(sum(steps))} ms", "small")
    for step, label in enumerate(_STEPS):
        x = 76.0 * step
        canvas.bar(x, 168, 10, 10, f"step{step}")
        canvas.text(x + 14, 177, label, "small")


def _lines(canvas: _Canvas, title: str, series: Series, units: tuple[str, str]) -> None:
    """Lines over two logarithmic axes."""
    canvas.text(0, 14, f"{title}, {units[1]}", "title")
    points = [point for of in series.values() for point in of]
    if not points:
        return
    left, right, top, bottom = 48, _PANEL_WIDTH - 76, 34, 165
    xs, ys = sorted({x for x, _ in points}), [y for _, y in points]
    low, high = _decade(min(ys), math.floor), _decade(max(ys), math.ceil)

    def place(x: float, y: float) -> tuple[float, float]:
        span = math.log(max(xs) / min(xs)) or 1.0
        across = math.log(x / min(xs)) / span
        return left + across * (right - left), bottom - math.log(y / low) / math.log(high / low) * (bottom - top)

    for y in _decades(low, high):
        height = place(xs[0], y)[1]
        canvas.line([(left, height), (right, height)], "axis")
        canvas.text(left - 6, height + 4, _short(y), "small end")
    for x in xs:
        canvas.text(place(x, low)[0], bottom + 16, f"{x:g}", "small middle")
    canvas.text(right + 18, bottom + 16, units[0], "small")
    ends: list[float] = []
    for name, of in series.items():
        if not of:
            continue
        canvas.line([place(x, y) for x, y in of], f"line {name}")
        for x, y in of:
            canvas.dot(*place(x, y), name)
        end = place(*of[-1])[1] + 4
        while any(abs(end - other) < 13 for other in ends):  # noqa: PLR2004 - the height of a line of text
            end += 2
        ends.append(end)
        canvas.text(right + 8, end, name, "small")


def _decade(value: float, rounded: Callable[[float], int]) -> float:
    """The next of 1, 3, 10, 30, … in the direction of rounding."""
    return _nice(rounded(math.log10(value) * 2))


def _decades(low: float, high: float) -> list[float]:
    first, last = round(math.log10(low) * 2), round(math.log10(high) * 2)
    return [_nice(exponent) for exponent in range(first, last + 1)]


def _nice(half: int) -> float:
    """10 ** (half / 2), with 3 for the root of 10."""
    return float(10.0 ** (half // 2) * (3 if half % 2 else 1))


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004
