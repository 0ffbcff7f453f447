"""Workers, lent out one at a time.

Owns which worker serves whom, and when one is replaced: when it ended, or its conversation was broken off. A worker
serves one borrower at a time, so there are as many as there are requests under way; Lambda never makes a second one.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from recognizer.sandbox.nursery import new_worker, open_nursery
from recognizer.sandbox.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recognizer.sandbox.nursery import Serve

_MAX_IDLE = 4


class Pool:
    """Worker processes; safe to use from several threads.

    Args:
        serve: what a worker does with its end of the connection, until the connection ends.
        memory_bytes: what each worker may map beyond what it starts with.
    """

    def __init__(self, serve: Serve, memory_bytes: int) -> None:
        self._serve = serve
        self._memory_bytes = memory_bytes
        self._lock = threading.Lock()
        self._idle: list[Wire] = []
        self._nursery = open_nursery(serve, memory_bytes)

    @contextmanager
    def worker(self) -> Iterator[Wire]:
        """A connection to a worker for one job; one that was broken off is not used again.

        Raises:
            OSError: there is no worker to be had.
        """
        wire = self._taken()
        try:
            yield wire
        finally:
            self._give_back(wire)

    def make_ready(self) -> None:
        """Has a worker wait for the first job, so that this does not have to wait for the worker."""
        self._give_back(self._taken())

    def close(self) -> None:
        """Ends the nursery and the workers that are idle; those at work end with their job."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._nursery.close()
        for wire in idle:
            wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _give_back(self, wire: Wire) -> None:
        with self._lock:
            if wire.is_in_step and len(self._idle) < _MAX_IDLE:
                self._idle.append(wire)
                return
        wire.close()

    def _taken(self) -> Wire:
        with self._lock:
            while self._idle:
                wire = self._idle.pop()
                if not wire.is_closed_by_peer():
                    return wire
                wire.close()
            try:
                return Wire(new_worker(self._nursery))
            except OSError:  # somebody ended it: another one takes its place
                self._nursery.close()
                self._nursery = open_nursery(self._serve, self._memory_bytes)
                return Wire(new_worker(self._nursery))
