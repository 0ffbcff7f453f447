"""A measured process, as its parent sees it.

Owns starting it, the clock from before its start to its first answer, and its end: it is gone when the ``with`` block
ends, also when it hangs. Refuses to share a process between subjects.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from benchmarks.subjects import Subject

_WORKER = Path(__file__).with_name("worker.py")
_ANSWER_WITHIN_S = 180.0


# Of the environment; the rest could change what is measured (THREADS, MODEL_DIR, PYTHONPATH).
_INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")


class SubjectFailed(RuntimeError):
    """A subject did not answer; the message ends with what it last wrote to stderr."""


@dataclass(frozen=True, slots=True)
class ColdStart:
    """From before the process existed to its first answer, in seconds.

    Attributes:
        total_s: all of it.
        interpreter_s: until Python runs.
        load_s: imports, model and warm-up: until the handler can be called.
        first_s: the first request.
    """

    total_s: float
    interpreter_s: float
    load_s: float
    first_s: float


class Process:
    """A fresh process with one subject in it, which has answered its first event; a context manager."""

    def __init__(self, subject: Subject, cpus: Sequence[int], event: Mapping[str, Any]) -> None:
        """Starts it and waits for its first answer."""
        self._name = subject.name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        began_s = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_WORKER), subject.module, ",".join(map(str, cpus))],
            cwd=subject.folder,
            env={**inherited(), **subject.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            first = self._reply_to(event)
        except BaseException:
            self.close()
            raise
        ended_s = time.monotonic()
        self.cold_start = ColdStart(
            total_s=ended_s - began_s,
            interpreter_s=first["started_s"] - began_s,
            load_s=first["imported_s"] - first["started_s"],
            first_s=first["answered_s"] - first["imported_s"],
        )

    def repeat(self, event: Mapping[str, Any], times: int) -> list[dict[str, Any]]:
        """One request after the other; milliseconds in all and by step, of each."""
        answers: list[dict[str, Any]] = self._reply_to({"do": "repeat", "event": event, "times": times})["answers"]
        return answers

    def load(self, event: Mapping[str, Any], clients: int, seconds: float) -> float:
        """Answers a second with that many clients at once."""
        per_s: float = self._reply_to({"do": "load", "event": event, "clients": clients, "seconds": seconds})["per_s"]
        return per_s

    def peak_mb(self) -> float:
        """Most memory that was resident so far, in MB (10^6 bytes)."""
        peak_mb: float = self._reply_to({"do": "memory"})["peak_mb"]
        return peak_mb

    def close(self) -> None:
        """Ends the process: at the end of its input by itself, or else by force."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018 - for mypy
        with contextlib.suppress(BrokenPipeError):  # it has ended by itself
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for mypy
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _reply_to(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None  # noqa: S101 - for mypy
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=_ANSWER_WITHIN_S)
        except (queue.Empty, BrokenPipeError):
            line = ""
        if not line:
            raise SubjectFailed(f"{self._name} gave no answer. {self._last_words()}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _last_words(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-2000:]


def inherited() -> dict[str, str]:
    """Of this process's environment, what a measured process gets."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}
