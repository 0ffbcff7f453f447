"""Workers, lent out one at a time.

Owns which worker serves whom, how many there are, and when one is replaced: when it ended, or its conversation was
broken off. A worker serves one borrower at a time. There are as many as there are requests under way, up to a limit,
beyond which borrowers wait: each worker may take a lot of memory. Lambda never makes a second one.
"""

from __future__ import annotations

import math
import threading
import time
import weakref
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from recognizer.sandbox.nursery import new_worker, open_nursery
from recognizer.sandbox.wire import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recognizer.sandbox.nursery import Nursery, Serve
    from recognizer.sandbox.wire import Wire

MAX_WORKERS = 4
_START_S = 10.0


class NoneFree(Exception):
    """Every worker is lent out, and none came back or started in time."""


class NoWorker(Exception):
    """A worker cannot be had: none starts, or the pool is closed."""


@dataclass(slots=True)
class _Processes:
    """What a pool holds on to; apart from it, so that it can be closed when nobody holds on to the pool."""

    nursery: Nursery
    idle: list[Wire] = field(default_factory=list)
    starting: list[Wire] = field(default_factory=list)

    def close(self) -> None:
        for wires in (self.idle, self.starting):
            while wires:
                wires.pop().close()
        self.nursery.close()


class Pool:
    """Worker processes; safe to use from several threads. They end with the pool, at the latest with this process.

    Args:
        serve: what a worker does with its end of the connection, until the connection ends. The first thing it sends is
            an empty message: that it is ready.
        memory_bytes: what each worker may map beyond what it starts with.
    """

    def __init__(self, serve: Serve, memory_bytes: int) -> None:
        self._serve = serve
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(MAX_WORKERS)
        self._processes = _Processes(open_nursery(serve, memory_bytes))
        self.close = weakref.finalize(self, self._processes.close)

    @contextmanager
    def worker(self, wait_s: float, ends_at_s: float = math.inf) -> Iterator[Wire]:
        """A connection to a worker for one job; one that was broken off is not used again.

        Args:
            wait_s: how long to wait for one to be free.
            ends_at_s: until when one may take to start, by ``time.monotonic``.

        Raises:
            NoneFree: they are all lent out, or none starts in time.
            NoWorker: there is none to be had.
        """
        if not self._free.acquire(timeout=max(0.0, wait_s)):
            raise NoneFree
        try:
            wire = self._idle() or self._started(self._new(), ends_at_s) or self._started(self._new(), ends_at_s)
            if wire is None and time.monotonic() >= ends_at_s:
                raise NoneFree
            if wire is None:
                raise NoWorker("no worker process starts")
            try:
                yield wire
            finally:
                self._give_back(wire)
        finally:
            self._free.release()

    def start(self) -> None:
        """Begins to start a worker for the first job; see ``make_ready``."""
        self._processes.starting.append(self._new())

    def make_ready(self) -> None:
        """Waits until a worker can take the first job.

        Raises:
            NoWorker: it does not start.
        """
        wire = self._started(self._processes.starting.pop() if self._processes.starting else self._new())
        if wire is None:
            raise NoWorker("no worker process starts")
        self._give_back(wire)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _give_back(self, wire: Wire) -> None:
        with self._lock:
            if wire.is_in_step and self.close.alive:
                self._processes.idle.append(wire)
                return
        wire.close()

    def _idle(self) -> Wire | None:
        with self._lock:
            while self._processes.idle:
                wire = self._processes.idle.pop()
                if not wire.is_closed_by_peer():
                    return wire
                wire.close()
        return None

    def _new(self) -> Wire:
        """A connection to a worker that is starting."""
        with self._lock:
            if not self.close.alive:
                raise NoWorker("the pool is closed")
            if self._processes.nursery.is_stopped():
                self._replace_nursery()
            try:
                return new_worker(self._processes.nursery)
            except (BrokenPipeError, ConnectionResetError):  # somebody ended it
                self._replace_nursery()
                return new_worker(self._processes.nursery)

    def _started(self, wire: Wire, ends_at_s: float = math.inf) -> Wire | None:
        """The worker, once it is ready; None where it does not start, or not until then."""
        nursery = self._processes.nursery
        began_s = time.monotonic()
        try:
            wire.hear(min(_START_S, ends_at_s - began_s))
        except ConnectionLost:
            was_silent = not wire.is_closed_by_peer() and time.monotonic() - began_s >= _START_S
            wire.close()
            with self._lock:
                if was_silent and self.close.alive and self._processes.nursery is nursery:
                    self._replace_nursery()
            return None
        return wire

    def _replace_nursery(self) -> None:
        """Another one takes its place; its workers end with it. To be called with the lock held."""
        self._processes.nursery.close()
        self._processes.nursery = open_nursery(self._serve, self._memory_bytes)
