"""The end of a fetch, whatever it is doing then.

Socket time-outs start afresh with each byte, so a server that drips would never meet one. A watchdog therefore shuts
down the sockets that a fetch uses when its time is over, which wakes whoever reads from them.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import socket
import threading
import time
from typing import Final, Self

from recognizer.fetch import failures


class Deadline:
    """The time a fetch has; use as a context manager.

    What is shut down are duplicates of the sockets' descriptors, closed under a lock when the fetch ends: a late
    watchdog finds none, so it cannot hit a connection that went back to the pool, nor a descriptor number that was
    given to something else.

    Args:
        timeout_s: seconds from now to its end.
    """

    def __init__(self, timeout_s: float) -> None:
        self.ends_at_s = time.monotonic() + timeout_s
        self._wires: list[socket.socket] = []
        self._lock = threading.Lock()
        self._passed = False

    @property
    def passed(self) -> bool:
        """Whether the time is over, be it by the clock or because the sockets were shut down."""
        return self._passed or time.monotonic() >= self.ends_at_s

    def remaining_s(self) -> float:
        """Seconds left, more than 0.

        Raises:
            DownloadTimedOut: none are left.
        """
        left_s = self.ends_at_s - time.monotonic()
        if self._passed or left_s <= 0:
            raise failures.timed_out()
        return left_s

    def watch(self, sock: socket.socket) -> None:
        """Shut this connected socket, plain or TLS, down at the deadline."""
        wire = socket.socket(sock.family, sock.type, sock.proto, fileno=os.dup(sock.fileno()))
        with self._lock:
            self._wires.append(wire)
            if self._passed:
                _shut_down(wire)

    def expire(self) -> None:
        """Shut down whatever is watched; nothing after the end of the fetch."""
        with self._lock:
            self._passed = True
            for wire in self._wires:
                _shut_down(wire)

    def __enter__(self) -> Self:
        _WATCHDOG.watch(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._lock:
            while self._wires:
                self._wires.pop().close()


class Watchdog:
    """Lets deadlines expire: one thread for all of the process, where a timer each would cost more than the rest.

    A deadline stays in the queue until its time, also when its fetch has ended long before: to take it out would wake
    the thread for each fetch. The thread ends with the last of them, and the next fetch starts another.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: list[tuple[float, int, Deadline]] = []
        self._numbers = itertools.count()  # of two deadlines at the same time the older one is first
        self._thread: threading.Thread | None = None

    def watch(self, deadline: Deadline) -> None:
        """Call its `expire` when its time has come."""
        with self._changed:
            heapq.heappush(self._queue, (deadline.ends_at_s, next(self._numbers), deadline))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif self._queue[0][2] is deadline or self._queue[0][0] <= time.monotonic():
                # It is sooner than what the thread waits for, or the thread has slept too long: Lambda freezes the
                # process between requests, and not every system counts that time for a thread that waits.
                self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while self._queue:
                ends_at_s, _, deadline = self._queue[0]
                left_s = ends_at_s - time.monotonic()
                if left_s > 0:
                    self._changed.wait(left_s)
                else:
                    heapq.heappop(self._queue)
                    deadline.expire()
            self._thread = None


_WATCHDOG: Final = Watchdog()


def _shut_down(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed by the other end already
        wire.shutdown(socket.SHUT_RDWR)
