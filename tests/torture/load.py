"""Load: some thousand requests by six clients in one process, and what came of it.

Owns the plan and its reading. Each answer to a good or a bad request is compared with the answer to the same request
alone; hostile ones only must not end in a 500, or later than all the time there is. Where more is asked than can be
done, whoever waits too long is turned away with 503.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.torture import traffic

ROOT = Path(__file__).resolve().parents[2]
SUBJECT = Path(__file__).with_name("subject.py")
CLIENTS = 6
LIMIT_S = 4.0  # for a download, and for a picture: with 10 and 15 s, hostile requests would take half a day
WITHIN_S = 3600
SETTINGS = {
    "ALLOW_PRIVATE_ADDRESSES": "true",
    "ALLOWED_URL_PORTS": "*",
    "DOWNLOAD_TIMEOUT": str(LIMIT_S),
    "PICTURE_TIMEOUT": str(LIMIT_S),
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "recognizer",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
MB = 1e6
OVERLOAD = "32 clients, half of them hostile"
MANY_CLIENTS = 32
REQUESTS = {"short": 500, "full": 10_000}
_HOSTILE = 0.04
_BAD = 0.25


def run(form, ask):
    """Loads a service; gives its tables by name, and what failed.

    Args:
        form: short or full.
        ask: plan, settings -> what the subject has measured; see ``process``.
    """
    count = REQUESTS[form]
    with traffic.served() as server:
        phases = _ask(_plan(server, count), ask)
    failed = [
        f"{phase}: {name} was answered with {status} in {seconds:.1f} s, and not as it is alone"
        for phase, found in phases.items()
        for name, seconds, status, is_same in found["answers"]
        if status == 500 or not (is_same or (phase == OVERLOAD and status == 503))
    ]
    if form == "full" and not any(status == 503 for *_, status, _ in phases[OVERLOAD]["answers"]):
        failed.append(f"{OVERLOAD}: nobody was turned away, so it was no overload")
    return {
        "load": {phase: _row(found) for phase, found in phases.items()},
        "memory": {phase: _memory(found) for phase, found in phases.items()},
        "hostile": _outcomes(phases["6 clients, hostile among them"]),
    }, failed


def _plan(server, count):
    good, bad, nasty = traffic.good(server), traffic.bad(server), traffic.nasty(server)
    weights = _weights(good, 1 - _BAD) | _weights(bad, _BAD)
    rest = dict.fromkeys(weights, 0) | {name: weight * (1 - _HOSTILE) for name, weight in weights.items()}
    return {
        "requests": good | bad | nasty,
        "alone": [*good, *bad],
        "good": list(good),
        "phases": {
            "1 client": {"seed": 1, "clients": 1, "requests": count // 5, "weights": weights},
            "6 clients": {"seed": 2, "clients": CLIENTS, "requests": count * 2 // 5, "weights": weights},
            "6 clients, hostile among them": {
                "seed": 3,
                "clients": CLIENTS,
                "requests": count * 2 // 5,
                "weights": rest | _weights(nasty, _HOSTILE),
                "rest_s": LIMIT_S,
            },
            OVERLOAD: {
                "seed": 4,
                "clients": MANY_CLIENTS,
                "requests": count // 25,
                "weights": _weights(good, 0.5) | {name: 0.5 / len(traffic.SLOW) for name in traffic.SLOW},
                "rest_s": LIMIT_S,
            },
        },
    }


def _weights(requests, share):
    return dict.fromkeys(requests, share / len(requests))


def _ask(plan, ask):
    phases = ask(json.dumps(plan).encode(), SETTINGS)
    known = {*plan["alone"]}
    for found in phases.values():
        found["good"] = {*plan["good"]}
        found["hostile"] = {*plan["requests"]} - known
    return phases


def process(model, log):
    """Asks a process of this machine that has the model in a folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "MALLOC_ARENA_MAX") if name in os.environ}
    kept |= {"MODEL_DIR": str(model), "PYTHONPATH": str(ROOT / "src" / "Recognizer")}
    command = [sys.executable, "-P", str(SUBJECT)]

    def ask(plan, settings):
        done = subprocess.run(
            command, env=kept | settings, input=plan, stdout=subprocess.PIPE, stderr=log, timeout=WITHIN_S, check=True
        )
        return json.loads(done.stdout)

    return ask


def _row(found):
    """Of a phase: how many answers, how many as they should be, and how long the good ones took."""
    answers = found["answers"]
    ms = sorted(seconds * 1000 for name, seconds, status, _ in answers if name in found["good"] and status == 200)
    cuts = statistics.quantiles(ms, n=100, method="inclusive")
    return {
        "requests": f"{len(answers):,}",
        "hostile": f"{sum(name in found['hostile'] for name, *_ in answers):,}",
        "as alone": f"{sum(is_same for name, _, _, is_same in answers if name not in found['hostile']):,}",
        "503": f"{sum(status == 503 for _, _, status, _ in answers):,}",
        "500": f"{sum(status == 500 for _, _, status, _ in answers):,}",
        "a second": len(answers) / found["seconds"],
        "p50 ms": cuts[49],
        "p95 ms": cuts[94],
        "p99 ms": cuts[98],
        "longest s": max(seconds for _, seconds, *_ in answers),
    }


def _memory(found):
    """Of a phase: the median of its second and its last fifth, and the most; the end, when all is at rest."""
    samples = found["samples"]
    fifth = max(1, len(samples) // 5)
    early, late = samples[fifth : 2 * fifth] or samples, samples[-fifth:]
    return {
        "service MB, early": _median(early, "main") / MB,
        "late": _median(late, "main") / MB,
        "with workers MB, early": _median(early, "all") / MB,
        "late ": _median(late, "all") / MB,
        "peak": max(sample["all"] for sample in samples) / MB,
        "at rest": found["after"]["all"] / MB,
        "descriptors": f"{min(_all(samples, 'descriptors'))} to {max(_all(samples, 'descriptors'))}",
        "threads": f"{min(_all(samples, 'threads'))} to {max(_all(samples, 'threads'))}",
        "processes": f"{min(_all(samples, 'processes'))} to {max(_all(samples, 'processes'))}",
    }


def _median(samples, name):
    return statistics.median(_all(samples, name))


def _all(samples, name):
    return [sample[name] for sample in samples]


def _outcomes(found):
    """By hostile request: its statuses, and the longest that it took."""
    rows = {}
    for name in sorted(found["hostile"]):
        mine = [(status, seconds) for asked, seconds, status, _ in found["answers"] if asked == name]
        if mine:
            statuses = Counter(status for status, _ in mine)
            said = ", ".join(f"{status} ({times}x)" for status, times in sorted(statuses.items()))
            rows[name] = {"statuses": said, "longest s": max(seconds for _, seconds in mine)}
    return rows
