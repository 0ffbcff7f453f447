"""The run: rounds in which every subject gets a fresh process and the same questions, taking turns.

Owns what is asked, how often and on which CPUs. Never blocks of one subject: whatever else the machine does hits all
of them alike.
"""

import logging
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from benchmarks import pictures
from benchmarks.pictures import STANDARD_MP
from benchmarks.results import COLD, CROWD, MEMORY, WARM, Samples, Table, medians
from benchmarks.subjects import BASELINE, NAMES, Order, Subject

logger = logging.getLogger("benchmarks")

CPUS = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []  # that the whole run may use

_LIMITS = (1, 3, 10, 30, CROWD)
_CLIENTS = (1, 2, 4)
_WARM = 10
# Each round starts every service this often, in turns: a start is short, so other work on the machine distorts it, or a
# large process that is just ending.
_STARTS = 5


class Round(NamedTuple):
    """What every subject is asked in a fresh process, in this order."""

    cpus: int
    warm: int = 30  # requests for the standard picture
    memory_mp: float | None = None  # size of the pictures whose peak memory is measured
    load_s: float = 0.0  # seconds of throughput for each number of clients
    sizes_mp: tuple[float, ...] = ()  # of the pictures that are timed, after the numbers of objects
    repeats: int = 4  # requests for each of those


_SIZES_MP = (0.3, STANDARD_MP, 2.0, 12.0, 24.0, 50.0)
FULL = (
    Round(2, memory_mp=1.0),
    Round(2, memory_mp=12.0, load_s=3.0),
    Round(2, memory_mp=50.0),
    Round(2, load_s=3.0, sizes_mp=_SIZES_MP),
    Round(2, sizes_mp=_SIZES_MP),
    Round(1),
    Round(1, load_s=3.0),
)
QUICK = (Round(2, warm=10, memory_mp=12.0, load_s=1.0, sizes_mp=_SIZES_MP[:4], repeats=2),)


def run(subjects: Sequence[Subject], rounds: Sequence[Round]) -> Samples:
    """All rounds."""
    samples: Samples = defaultdict(lambda: defaultdict(list))
    services = [subject for subject in subjects if subject.name != BASELINE]
    for number, asked in enumerate(rounds):
        cpus = CPUS[-asked.cpus :]
        os.sched_setaffinity(0, set(CPUS) - set(cpus) or CPUS)  # the server's threads inherit it
        with pictures.served() as event:
            for place in range(len(subjects)):
                subject = subjects[(place + number) % len(subjects)]  # nobody is always first
                row = _row(subject, cpus)
                logger.info("Round %s of %s: %s", number + 1, len(rounds), row)
                wanted = list(_wanted(asked, row, event, is_all=subject.name in NAMES))
                orders = [("start", {"event": event()}), *(order for *_, order in wanted)]
                cold_start, results, _ = subject.run(cpus, orders)
                samples["cold_start"][row].append(cold_start)
                for (table, of, column, _), answers in zip(wanted, results, strict=True):
                    samples[table][of] += [{column: one["all"]} if column else one for one in answers]
                    if table == "by_n":
                        samples["annotate_by_n"][of] += [{column: one["annotate"]} for one in answers]
            for turn in range(_STARTS - 1):
                for subject in services[turn:] + services[:turn]:
                    cold_start, _, _ = subject.run(cpus, [("start", {"event": event()})])
                    samples["cold_start"][_row(subject, cpus)].append(cold_start)
    os.sched_setaffinity(0, CPUS)
    return samples


def of_each_kind(subjects: Sequence[Subject], times: int) -> Table:
    """Cold start, warm request and memory of each, medians of fresh processes that take turns."""
    samples: dict[str, list[dict[str, float]]] = defaultdict(list)
    with pictures.served() as event:
        for _ in range(times):
            for subject in subjects:
                logger.info("Kind: %s", subject.name)
                orders = [
                    ("start", {"event": event()}),
                    ("repeat", {"event": event(), "times": _WARM}),
                    ("peak_mb", {"event": event()}),
                ]
                cold, (warm, (memory,)), _ = subject.run(CPUS, orders)
                warm_ms = medians([{"all": one["all"]} for one in warm])["all"]
                samples[subject.name].append({COLD: cold["all"], WARM: warm_ms, MEMORY: memory["all"]})
    return {name: medians(of) for name, of in samples.items()}


def _row(subject: Subject, cpus: Sequence[int]) -> str:
    return f"{subject.name}, {len(cpus)} CPU"


def _wanted(
    asked: Round, row: str, event: Callable[..., pictures.Event], *, is_all: bool
) -> Iterable[tuple[str, str, str, Order]]:
    """Table, row, column if it is only one, and order; of another revision only what is compared."""
    name = row.partition(",")[0]
    yield "warm", row, "", ("repeat", {"event": event(), "times": asked.warm})
    yield "peak_rss_mb", name, f"{STANDARD_MP:g}", ("peak_mb", {"event": event()})
    if is_all and asked.memory_mp:
        yield "peak_rss_mb", name, f"{asked.memory_mp:g}", ("peak_mb", {"event": event(asked.memory_mp)})
    if is_all and asked.load_s:
        arguments = {"event": event(), "clients": _CLIENTS, "seconds": asked.load_s}
        yield "throughput", row, "", ("answers_per_s", arguments)
    if asked.sizes_mp:
        for n in map(str, _LIMITS if is_all else [CROWD]):
            yield "by_n", name, n, ("repeat", {"event": event(n=n, min_score="0"), "times": 2 * asked.repeats})
    if is_all:
        for mp in asked.sizes_mp:
            yield "by_megapixels", name, f"{mp:g}", ("repeat", {"event": event(mp), "times": asked.repeats})
