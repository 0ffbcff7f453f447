"""The run: rounds in which every subject gets a fresh process and the same questions, taking turns.

Owns what is asked, how often and on which CPUs. Refuses blocks of one subject: whatever else the machine does hits all
of them alike.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.pictures import MEMORY_SIZES_MP, SIZES_MP
from benchmarks.process import ColdStart, Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.pictures import Server
    from benchmarks.subjects import Subject

LIMITS = (1, 3, 10, 30, 100)
CLIENTS = (1, 2, 4)

_CPUS = sorted(os.sched_getaffinity(0))  # that the whole run may use

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked.

    Attributes:
        rounds: fresh processes of each subject by number of CPUs.
        warm: requests one after the other in each of them, after the first.
        memory_mp: sizes of the pictures whose peak memory is measured, one for each round with most CPUs.
        sizes_mp: sizes of the pictures that are timed.
        sweeps: rounds that time pictures by size, and by number of objects.
        repeats: requests for each size and number.
        load_rounds: rounds that measure throughput.
        load_s: seconds of it for each number of clients.
    """

    rounds: dict[int, int]
    warm: int
    memory_mp: tuple[float, ...]
    sizes_mp: tuple[float, ...]
    sweeps: frozenset[int]
    repeats: int
    load_rounds: frozenset[int]
    load_s: float


FULL = Plan(
    rounds={2: 5, 1: 2},
    warm=30,
    memory_mp=MEMORY_SIZES_MP,
    sizes_mp=SIZES_MP,
    sweeps=frozenset({3, 4}),
    repeats=4,
    load_rounds=frozenset({1, 3}),
    load_s=3.0,
)
QUICK = Plan(
    rounds={2: 1},
    warm=10,
    memory_mp=(12.0,),
    sizes_mp=tuple(size_mp for size_mp in SIZES_MP if size_mp <= 12.0),  # noqa: PLR2004
    sweeps=frozenset({0}),
    repeats=2,
    load_rounds=frozenset({0}),
    load_s=1.0,
)


@dataclass(slots=True)
class Samples:
    """Everything that was measured of one subject; the first key is the number of CPUs where there is one."""

    cold: dict[int, list[ColdStart]] = field(default_factory=dict)
    warm: dict[int, list[Answer]] = field(default_factory=dict)
    per_s: dict[int, dict[int, list[float]]] = field(default_factory=dict)
    peak_mb: list[float] = field(default_factory=list)
    peak_mb_by_size: dict[float, list[float]] = field(default_factory=dict)
    by_size: dict[float, list[Answer]] = field(default_factory=dict)
    by_limit: dict[int, list[Answer]] = field(default_factory=dict)


def run(subjects: Sequence[Subject], server: Server, plan: Plan, say: Callable[[str], None]) -> dict[str, Samples]:
    """All rounds; by name of the subject."""
    samples = {subject.name: Samples() for subject in subjects}
    for cpus, number in _turns(plan):
        own, others = _placed(cpus)
        _move_this_process(others)
        for place in range(len(subjects)):
            subject = subjects[(place + number) % len(subjects)]  # nobody is always first
            say(f"{cpus} CPU{'s' if cpus > 1 else ''}, round {number + 1} of {plan.rounds[cpus]}: {subject.name}")
            _measure(subject, own, server, plan, number, samples[subject.name])
    _move_this_process(_CPUS)
    return samples


def _measure(subject: Subject, cpus: Sequence[int], server: Server, plan: Plan, number: int, samples: Samples) -> None:
    standard = server.event()
    count = len(cpus)
    most = count == max(plan.rounds)
    with Process(subject, cpus, standard) as process:
        samples.cold.setdefault(count, []).append(process.cold_start)
        samples.warm.setdefault(count, []).extend(process.repeat(standard, plan.warm))
        if most:
            samples.peak_mb.append(process.peak_mb())
        if most and number < len(plan.memory_mp):
            size_mp = plan.memory_mp[number]
            process.repeat(server.event(size_mp), 2)
            samples.peak_mb_by_size.setdefault(size_mp, []).append(process.peak_mb())
        if most and number in plan.sweeps:
            _sweep(process, server, plan, samples)
        if number in plan.load_rounds:
            by_clients = samples.per_s.setdefault(count, {})
            for clients in CLIENTS:
                by_clients.setdefault(clients, []).append(process.load(standard, clients, plan.load_s))


def _sweep(process: Process, server: Server, plan: Plan, samples: Samples) -> None:
    for limit in LIMITS:
        event = server.event(n=str(limit), min_score="0")
        samples.by_limit.setdefault(limit, []).extend(process.repeat(event, 2 * plan.repeats))
    for size_mp in plan.sizes_mp:
        samples.by_size.setdefault(size_mp, []).extend(process.repeat(server.event(size_mp), plan.repeats))


def _turns(plan: Plan) -> Iterable[tuple[int, int]]:
    for cpus, rounds in plan.rounds.items():
        if cpus <= len(_CPUS):
            for number in range(rounds):
                yield cpus, number


def _placed(cpus: int) -> tuple[list[int], list[int]]:
    """The CPUs of the measured process, and those of this one: others, where there are any."""
    own = _CPUS[-cpus:]
    return own, [cpu for cpu in _CPUS if cpu not in own] or _CPUS


def _move_this_process(cpus: Iterable[int]) -> None:
    """Every thread of it, so that the picture server's move too."""
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), cpus)
