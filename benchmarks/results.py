"""Samples -> results.json: medians, ratios, and whether the bar is met.

Owns the arithmetic and the shape of the file. Refuses to choose: every sample counts.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from benchmarks.subjects import ENGINES, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from benchmarks.rounds import Answer, Samples

Figures = dict[str, Any]

# What one run must show: (key of the results, engine, least ratio of the reference's figure to the engine's).
BAR: tuple[tuple[str, str, float], ...] = (
    ("cold_start_s", "tensorflow", 5.0),
    ("cold_start_s", "litert", 30.0),
    ("warm_ms", "tensorflow", 1.8),
    ("warm_ms", "litert", 3.0),
    ("peak_rss_mb", "tensorflow", 1 / 0.7),
    ("peak_rss_mb", "litert", 1 / 0.2),
)


def summary(samples: Mapping[str, Samples]) -> Figures:
    """The figures of a run; the first three are of the most CPUs and the standard picture."""
    cpus = max(samples[REFERENCE].cold)
    figures: Figures = {
        "cold_start_s": _compared(samples, lambda of: _median(start.total_s for start in of.cold[cpus]), 3),
        "warm_ms": _compared(samples, lambda of: _median(answer["ms"] for answer in of.warm[cpus]), 1),
        "peak_rss_mb": _compared(samples, lambda of: _median(of.peak_mb), 0),
        "by_subject": {name: _detailed(of) for name, of in samples.items()},
    }
    return {**figures, "bar": bar(figures)}


def bar(figures: Figures) -> list[Figures]:
    """Each line of the bar, with what was measured and whether that meets it."""
    return [
        {
            "figure": figure,
            "engine": engine,
            "at_least_times_better": round(wanted, 2),
            "measured": figures[figure]["ratio"][engine],
            "met": figures[figure]["ratio"][engine] >= round(wanted, 2),
        }
        for figure, engine, wanted in BAR
    ]


def _compared(samples: Mapping[str, Samples], figure: Callable[[Samples], float], digits: int) -> Figures:
    values = {name: figure(of) for name, of in samples.items()}
    ratios = {engine: round(values[REFERENCE] / values[engine], 2) for engine in ENGINES}
    return {**{name: round(value, digits) for name, value in values.items()}, "ratio": ratios}


def _detailed(of: Samples) -> Figures:
    return {
        "cold_start": {
            str(cpus): {
                "median_s": round(_median(start.total_s for start in starts), 3),
                "samples_s": [round(start.total_s, 3) for start in starts],
                "interpreter_s": round(_median(start.interpreter_s for start in starts), 3),
                "load_s": round(_median(start.load_s for start in starts), 3),
                "first_request_s": round(_median(start.first_s for start in starts), 3),
            }
            for cpus, starts in of.cold.items()
        },
        "warm": {str(cpus): timed(answers) for cpus, answers in of.warm.items()},
        "throughput_per_s": {
            str(cpus): {str(clients): round(_median(rates), 1) for clients, rates in by_clients.items()}
            for cpus, by_clients in of.per_s.items()
        },
        "by_n": {str(limit): timed(answers) for limit, answers in of.by_limit.items()},
        "by_megapixels": {str(size_mp): timed(answers) for size_mp, answers in of.by_size.items()},
        "peak_rss_mb_by_megapixels": {
            str(size_mp): round(_median(peaks)) for size_mp, peaks in of.peak_mb_by_size.items()
        },
    }


def timed(answers: list[Answer]) -> Figures:
    """Median and 95th percentile, the median of each step, and the size of the answer."""
    ms = sorted(answer["ms"] for answer in answers)
    steps = {step: _median(answer["steps_ms"][step] for answer in answers) for step in answers[0]["steps_ms"]}
    rest = _median(answer["ms"] - sum(answer["steps_ms"].values()) for answer in answers)
    return {
        "median_ms": round(statistics.median(ms), 1),
        "p95_ms": round(ms[math.ceil(0.95 * len(ms)) - 1], 1),
        "samples": len(ms),
        "steps_ms": {step: round(value, 1) for step, value in {**steps, "rest": rest}.items()},
        "answer_kb": round(_median(answer["body_bytes"] for answer in answers) / 1000),
        "detections": answers[-1]["detections"],
        "reduced": answers[-1]["reduced"],
    }


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)
