"""A small process that forks the workers, and the limits that each of them gets.

Owns forking. A fork copies one thread only, so a process that runs an engine's threads must not do it: a lock that
another thread held would be held for ever. The nursery is forked before the engine is there, does nothing but fork
again when it is asked to, and so each worker starts as fresh as the first.

Owns the limits too. They are the kernel's: a timer whose signal ends the process, and the most memory it can map. No
decoder can hold them off, not one that keeps Python's lock for a minute and not one that calls ``abort``. One that was
taken over can stop the timer, but it is on a leash: the nursery holds one end of a connection, whoever borrows the
worker the other, and when that is closed, the nursery ends the worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import socket
import time
import warnings
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from recognizer.sandbox.wire import Wire, shared_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Serve = Callable[[Wire], None]

_STDERR: Final = 2
_MAX_FDS: Final = 65_536  # where the system does not tell which are open
_FDS: Final = 3  # a leash, a connection, shared memory
_ENDS_WITHIN_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.002
_KILL_FIRST: Final = "1000"
_PR_SET_PDEATHSIG: Final = 1


class Nursery(NamedTuple):
    """The process that forks workers.

    Attributes:
        pid: its number.
        requests: to ask it for workers with; it ends when this is closed.
    """

    pid: int
    requests: socket.socket

    def close(self) -> None:
        """Ends it and its workers, and waits until it has ended: by itself, or, where that takes long, by force."""
        self.requests.close()
        ends_at_s = time.monotonic() + _ENDS_WITHIN_S
        with contextlib.suppress(ChildProcessError, ProcessLookupError):  # somebody else waited for it
            os.kill(self.pid, signal.SIGCONT)  # a worker that was taken over may have stopped it
            while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                if time.monotonic() > ends_at_s:
                    os.kill(self.pid, signal.SIGKILL)
                time.sleep(_LOOK_EVERY_S)

    def is_stopped(self) -> bool:
        """Whether it has been stopped since this was last asked, or has ended."""
        try:
            return os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED) != (0, 0)
        except ChildProcessError:
            return True


def open_nursery(serve: Serve, memory_bytes: int) -> Nursery:
    """Forks the nursery.

    Args:
        serve: what a worker does with its end of a connection; when it returns, the worker ends.
        memory_bytes: what a worker may map beyond what it starts with.
    """
    ours, theirs = socket.socketpair()
    pid = _fork()
    if pid == 0:
        _run(partial(_nurse, theirs, serve, memory_bytes), keep=[theirs.fileno()])
    theirs.close()
    return Nursery(pid, ours)


def new_worker(nursery: Nursery) -> Wire:
    """A connection to a worker that has just been forked.

    Raises:
        BrokenPipeError: the nursery is gone.
        ConnectionResetError: likewise.
        OSError: this process has no descriptors left.
    """
    with ExitStack() as until_sent, ExitStack() as unless_sent:
        ours, theirs = socket.socketpair()
        until_sent.enter_context(theirs)
        unless_sent.enter_context(ours)
        leash, held = socket.socketpair()
        until_sent.enter_context(held)
        unless_sent.enter_context(leash)
        fds = [held.fileno(), theirs.fileno()]
        shared_fd = shared_memory()
        if shared_fd is not None:
            until_sent.callback(os.close, shared_fd)
            fds.append(shared_fd)
        wire = Wire(ours, shared_fd, leash)
        socket.send_fds(nursery.requests, [bytes([len(fds)])], fds)
        unless_sent.pop_all()
    return wire


def end_after(seconds: float) -> None:
    """Ends this process after that time, whatever it is doing then; 0 takes it back."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _nurse(requests: socket.socket, serve: Serve, memory_bytes: int) -> None:
    nursery = os.getpid()
    workers: dict[int, int] = {}  # the leash of each -> its number, which nobody else gets before we have waited for it
    events = select.poll()
    events.register(requests, select.POLLIN)
    while True:
        for fd, _ in events.poll():
            if fd in workers:
                events.unregister(fd)
                os.close(fd)
                _end_worker(workers.pop(fd))
                continue
            asked, fds, _, _ = socket.recv_fds(requests, 1, _FDS)
            if not asked:
                for worker in workers.values():
                    _end_worker(worker)
                return
            held, given = fds[:1], fds[1:]
            if len(fds) == asked[0]:  # as many as were sent: there was room for all of them
                with contextlib.suppress(OSError):  # no process is to be had: who asked sees the connection closed
                    worker = _fork()
                    if worker == 0:
                        _run(partial(_work, given, serve, memory_bytes, nursery), keep=given)
                    workers[held[0]] = worker
                    events.register(held.pop(), select.POLLIN)
            for each in (*held, *given):
                os.close(each)


def _end_worker(worker: int) -> None:
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)


def _work(fds: list[int], serve: Serve, memory_bytes: int, nursery: int) -> None:
    _end_with(nursery)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    mapped_bytes = _mapped_bytes() + memory_bytes
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most != resource.RLIM_INFINITY:
        mapped_bytes = min(mapped_bytes, most)
    resource.setrlimit(resource.RLIMIT_DATA, (mapped_bytes, mapped_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it has no files to write
    with contextlib.suppress(OSError):  # where memory runs out all the same, not the service itself is to be ended
        Path("/proc/self/oom_score_adj").write_text(_KILL_FIRST, encoding="ascii")
    os.environ.clear()  # a decoder needs none of it; what the kernel shows of it below /proc stays: SECURITY.md
    connection, *shared = fds
    wire = Wire(socket.socket(fileno=connection), shared[0] if shared else None)
    for fd in shared:
        os.close(fd)
    serve(wire)


def _run(work: Callable[[], None], keep: Iterable[int]) -> None:
    """The whole life of a forked process: nothing of its parent's is left open, and it never returns."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent; we end with it
        _say_nothing()
        _close_all_but(keep)
        work()
        code = 0
    finally:
        os._exit(code)


def _end_with(parent: int) -> None:
    """Has the kernel end this process when its parent is gone, even in the middle of a picture (Linux alone can)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:  # it went before we could ask
            os._exit(1)


def _say_nothing() -> None:
    """A decoder has no business in the log, nor with whoever reads what this process would have written."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in range(_STDERR + 1):
        os.dup2(nothing, fd)


def _close_all_but(kept: Iterable[int]) -> None:
    try:
        there = [int(fd) for fd in os.listdir("/proc/self/fd")]  # noqa: PTH208 - numbers, not paths
    except OSError:
        there = list(range(_MAX_FDS))
    for fd in {*there} - {*kept} - {*range(_STDERR + 1)}:
        with contextlib.suppress(OSError):
            os.close(fd)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 warns where there are threads, NumPy's own among them, or an engine's where a nursery is opened
        # again. What a nursery and its workers do afterwards takes none of their locks.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _mapped_bytes() -> int:
    """What counts against RLIMIT_DATA so far; 0 where the system does not tell (the limit is Linux's alone)."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData:")), 0)
