"""Recognises pictures on all cores of this machine, one process a core.

Owns the processes. Each has an engine of its own with one thread: several threads on one picture wait for each other,
several pictures do not. The pixels are worked on in a further process of each (see ``isolation``), which takes turns
with it.
"""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from local.batch.sources import CannotRead

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from recognizer.http.parameters import Rules
    from recognizer.job import ModelIdentity
    from recognizer.pipeline import Pipeline

    from local.batch.sources import Source

_AHEAD = 4  # pictures for each process to choose from, so that none waits for the next one
_PICTURE_TIMEOUT_S = 120
_LIMIT_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Recognised:
    """What came of a picture.

    Attributes:
        name: which one.
        document: the JSON answer or the problem document.
        picture: the annotated picture, if there is one.
        media_type: its Content-Type.
    """

    name: str
    document: dict[str, Any]
    picture: bytes | None
    media_type: str


@dataclass(frozen=True, slots=True)
class NotDone:
    """A picture that nothing came of, by no fault of its content: another run may do it.

    Attributes:
        name: which one.
        reason: why, and what to change.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Engine:
    rules: Rules
    identity: ModelIdentity
    pipeline: Pipeline
    options: dict[str, Any]


_engine: _Engine | None = None


def check(options: dict[str, Any]) -> None:
    """Tries options on the model that they are for, before any process is there.

    Raises:
        InvalidParameter: one is malformed or out of range, or names a label that the model does not have.
        StartupError: a setting or the model cannot be used.
    """
    from recognizer.build import rules_of  # noqa: PLC0415
    from recognizer.http import stored  # noqa: PLC0415
    from recognizer.settings import Settings  # noqa: PLC0415
    from recognizer.vision.model import Model  # noqa: PLC0415

    settings = Settings.from_environ(os.environ)
    stored.request_for(options, rules_of(settings, Model.load(settings.model_dir)))


def recognised(
    source: Source, names: Iterable[str], options: dict[str, Any], processes: int
) -> Generator[Recognised | NotDone]:
    """What comes of each picture, in the order in which they are done.

    Args:
        source: what reads them.
        names: which ones.
        options: what is asked of each, as ``UPLOADS_OPTIONS`` has it, and as ``check`` lets it through.
        processes: how many at a time.
    """
    left = iter(names)
    with _pool(options, processes) as pool:
        try:
            under_way = {pool.submit(_recognise, source, name) for name in islice(left, processes * _AHEAD)}
            while under_way:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                for future in done:
                    under_way |= {pool.submit(_recognise, source, name) for name in islice(left, 1)}
                    yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def limit(processes: int) -> float:
    """Pictures a second that the engines alone get through, all at a time, on pixels that are there already."""
    with _pool({}, processes) as pool:
        list(pool.map(_infer, [1] * processes))  # every process is up
        durations_s = list(pool.map(_infer, [_LIMIT_ROUNDS] * processes))
    return sum(_LIMIT_ROUNDS / duration_s for duration_s in durations_s)


def _pool(options: dict[str, Any], processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, get_context("spawn"), _start, (options,))


def _start(options: dict[str, Any]) -> None:
    """Loads the model in a process of the pool. An interrupt is the parent's to answer."""
    global _engine  # noqa: PLW0603 - a process of a pool has nowhere else to keep what it started with
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
    from recognizer.build import recognition, rules_of  # noqa: PLC0415 - in the process that uses it
    from recognizer.settings import Settings  # noqa: PLC0415

    settings = Settings.from_environ({**os.environ, "THREADS": "1"})
    model, pipeline, _ = recognition(settings, settings.max_bytes)
    _engine = _Engine(rules_of(settings, model), model.identity, pipeline, options)


def _recognise(source: Source, name: str) -> Recognised | NotDone:
    from recognizer import verdict  # noqa: PLC0415
    from recognizer.errors import RequestError  # noqa: PLC0415

    assert _engine is not None  # noqa: S101 - `_start` came first
    ends_at_s = time.monotonic() + _PICTURE_TIMEOUT_S
    try:
        content = source.content(name)
        outcome = verdict.outcome_of(content, _engine.options, _engine.rules, _engine.pipeline, ends_at_s)
    except CannotRead as error:
        return NotDone(name, str(error))
    except RequestError as error:
        if error.is_server_error:
            return NotDone(name, error.public_message)
        return Recognised(name, verdict.document_of(error, _engine.identity), None, "")
    document = verdict.document_of(outcome, _engine.identity)
    encoded = outcome.encoded
    return Recognised(name, document, *((encoded.content, encoded.media_type) if encoded else (None, "")))


def _infer(rounds: int) -> float:
    """Seconds that the engine of this process takes for that many pictures."""
    import numpy as np  # noqa: PLC0415
    from recognizer.detections import Criteria  # noqa: PLC0415
    from recognizer.vision.view import PixelView  # noqa: PLC0415

    assert _engine is not None  # noqa: S101 - `_start` came first
    view = PixelView(np.full((300, 300, 3), 128, np.uint8))
    criteria = Criteria(limit=3, min_score=0.1)
    began_s = time.perf_counter()
    for _ in range(rounds):
        _engine.pipeline.detect(view, criteria)
    return time.perf_counter() - began_s
