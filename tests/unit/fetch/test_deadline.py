"""Deadlines pass by the clock, and one watchdog lets all of them expire; nothing here measures time."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
from recognizer.errors import DownloadTimedOut
from recognizer.fetch import deadline
from recognizer.fetch.deadline import Deadline, Watchdog

PATIENT_S = 30.0


class Watched:
    """A deadline that notes that it expired."""

    def __init__(self, timeout_s: float, names: list[str] | None = None, name: str = "") -> None:
        self.ends_at_s = time.monotonic() + timeout_s
        self.expired = threading.Event()
        self._names, self._name = names if names is not None else [], name

    def expire(self) -> None:
        self._names.append(self._name)
        self.expired.set()


def asleep(watchdog: Watchdog) -> None:
    """Wait until its thread waits for the first deadline, so that only a notice or the time can wake it."""
    while not watchdog._changed._waiters:
        time.sleep(0.001)


@pytest.fixture
def clock(monkeypatch):
    """The module's clock, which can be set forward."""
    clock = SimpleNamespace(ahead_s=0.0)
    monkeypatch.setattr(deadline, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + clock.ahead_s))
    return clock


def test_there_is_time_until_there_is_none(clock):
    with Deadline(PATIENT_S) as running:
        assert not running.passed
        assert 0 < running.remaining_s() <= PATIENT_S

        clock.ahead_s = PATIENT_S
        assert running.passed
        with pytest.raises(DownloadTimedOut):
            running.remaining_s()


def test_an_expired_deadline_has_passed_whatever_the_clock_says():
    with Deadline(PATIENT_S) as running:
        running.expire()

        assert running.passed
        with pytest.raises(DownloadTimedOut):
            running.remaining_s()


def test_a_sooner_deadline_does_not_wait_for_a_later_one():
    watchdog, late, soon = Watchdog(), Watched(PATIENT_S * 10), Watched(0.1)

    watchdog.watch(late)
    asleep(watchdog)
    watchdog.watch(soon)

    assert soon.expired.wait(PATIENT_S)
    assert not late.expired.is_set()


def test_deadlines_expire_in_their_order():
    names = []
    watchdog, late, soon = Watchdog(), Watched(0.2, names, "late"), Watched(0.1, names, "soon")

    watchdog.watch(late)
    watchdog.watch(soon)

    assert late.expired.wait(PATIENT_S)
    assert names == ["soon", "late"]


def test_the_thread_ends_with_the_last_deadline_and_the_next_one_starts_another():
    watchdog = Watchdog()
    for _ in range(2):
        watched = Watched(0.0)
        watchdog.watch(watched)
        thread = watchdog._thread
        assert watched.expired.wait(PATIENT_S)
        if thread is not None:
            thread.join(PATIENT_S)
            assert not thread.is_alive()


def test_a_thread_that_is_gone_is_replaced():
    """As after a fork: the child has the queue, but none of the parent's threads."""
    watchdog, watched = Watchdog(), Watched(0.0)
    watchdog._thread = threading.Thread()

    watchdog.watch(watched)

    assert watched.expired.wait(PATIENT_S)


def test_a_deadline_that_passed_while_the_process_was_frozen_expires_at_the_next_fetch(clock):
    """Whether the wait of a frozen thread counts the time is up to the system; the next fetch wakes it in any case."""
    watchdog, frozen = Watchdog(), Watched(PATIENT_S * 10)
    watchdog.watch(frozen)
    asleep(watchdog)

    clock.ahead_s = PATIENT_S * 100
    thawed = Watched(PATIENT_S * 100 + 0.1)
    watchdog.watch(thawed)

    assert frozen.expired.wait(PATIENT_S)
    assert thawed.expired.wait(PATIENT_S)
