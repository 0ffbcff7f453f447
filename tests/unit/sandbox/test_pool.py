"""Workers that are slow, greedy, crashing or killed, and the job after each of them."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from recognizer.sandbox import nursery, wire
from recognizer.sandbox import pool as pools
from recognizer.sandbox.pool import MAX_WORKERS, NoneFree, NoWorker, Pool
from recognizer.sandbox.wire import ConnectionLost, Wire

pytestmark = pytest.mark.enable_socket

MEMORY_BYTES = 64 * 1024 * 1024
PATIENCE_S = 30


def serve(wire):  # noqa: C901, PLR0912 - one case for each thing that can go wrong
    """What the tests' workers can do."""
    wire.tell({})
    while True:
        try:
            job, blobs = wire.hear()
        except ConnectionLost:
            return
        match job["do"]:
            case "echo":
                wire.tell({"pid": os.getpid(), "parent": os.getppid()}, *blobs)
            case "sleep":
                nursery.end_after(job["seconds"])
                time.sleep(PATIENCE_S)
            case "hold the lock":
                nursery.end_after(job["seconds"])
                sum(range(10**12))  # one call into C that never gives Python's lock back
            case "grow":
                try:
                    blob = bytearray(job["bytes"])
                except MemoryError:
                    wire.tell({"refused": True})
                else:
                    wire.tell({"refused": False, "bytes": len(blob)})
            case "abort":
                os.abort()
            case "return":
                return
            case "list files":
                wire.tell({"files": [str(Path(f"/proc/self/fd/{fd}").readlink()) for fd in range(64) if is_open(fd)]})
            case "list all files":
                wire.tell({"fds": os.listdir("/proc/self/fd")})  # noqa: PTH208 - numbers, not paths
            case "write":
                try:
                    Path(job["path"]).write_bytes(b"x")
                except OSError:
                    wire.tell({"refused": True})
            case "environment":
                wire.tell({"names": sorted(os.environ)})
            case "limits":
                wire.tell({"oom": Path("/proc/self/oom_score_adj").read_text(encoding="ascii").strip()})


def is_open(fd):
    with suppress(OSError):
        os.fstat(fd)
        return True
    return False


@pytest.fixture
def pool():
    with Pool(serve, MEMORY_BYTES) as running:
        yield running


def ask(pool, *blobs, **job):
    with pool.worker(PATIENCE_S) as wire:
        return wire.ask(job, *blobs, timeout_s=PATIENCE_S)


def test_a_job_comes_back_with_its_bytes(pool):
    content = os.urandom(3_000_000)

    document, blobs = ask(pool, content, b"", do="echo")

    assert document["pid"] != os.getpid()
    assert blobs == [content, b""]


def test_a_worker_serves_one_job_after_the_other(pool):
    assert ask(pool, do="echo")[0]["pid"] == ask(pool, do="echo")[0]["pid"]


@pytest.mark.parametrize("job", ["sleep", "hold the lock"])
def test_time_is_up_whatever_a_worker_does(pool, job):
    before = ask(pool, do="echo")[0]["pid"]

    with pytest.raises(ConnectionLost):
        ask(pool, do=job, seconds=0.2)

    assert ask(pool, do="echo")[0]["pid"] != before


def test_memory_has_an_end(pool):
    assert ask(pool, do="grow", bytes=MEMORY_BYTES // 2)[0] == {"refused": False, "bytes": MEMORY_BYTES // 2}
    assert ask(pool, do="grow", bytes=2 * MEMORY_BYTES)[0] == {"refused": True}


@pytest.mark.parametrize("job", ["abort", "return"])
def test_a_worker_that_ends_is_replaced(pool, job):
    with pytest.raises(ConnectionLost):
        ask(pool, do=job)

    assert ask(pool, do="echo")[0]["pid"]


def test_a_worker_that_died_while_idle_is_replaced(pool):
    first = ask(pool, do="echo")[0]["pid"]
    os.kill(first, signal.SIGKILL)
    wait_until_gone(first)

    assert ask(pool, do="echo")[0]["pid"] != first


def test_a_nursery_that_died_is_replaced(pool):
    document, _ = ask(pool, do="echo")
    for pid in (document["pid"], document["parent"]):
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)

    assert ask(pool, do="echo")[0]["parent"] != document["parent"]


@pytest.mark.skipif(not Path("/proc/self/maps").is_file(), reason="the system does not tell what is mapped")
def test_a_nursery_that_was_replaced_has_nothing_of_what_others_share(pool):
    with pool.worker(PATIENCE_S) as lent:
        parent = lent.ask({"do": "echo"}, timeout_s=PATIENCE_S)[0]["parent"]
        os.kill(parent, signal.SIGKILL)
        wait_until_gone(parent)
        with pool.worker(PATIENCE_S) as wire:
            nursed_by = wire.ask({"do": "echo"}, timeout_s=PATIENCE_S)[0]["parent"]
            maps = {pid: Path(f"/proc/{pid}/maps").read_text(encoding="utf-8") for pid in ("self", nursed_by)}

    assert "memfd:wire" in maps["self"]
    assert "memfd:wire" not in maps[nursed_by]


def test_a_nursery_that_gets_no_process_goes_on(monkeypatch):
    service, fork, refused = os.getpid(), nursery._fork, []

    def refused_once():
        if os.getpid() != service and not refused:
            refused.append(True)
            raise BlockingIOError
        return fork()

    monkeypatch.setattr(nursery, "_fork", refused_once)
    with Pool(serve, MEMORY_BYTES) as pool:
        nursed_by = pool._processes.nursery.pid
        refused_one = pool._new()
        with pytest.raises(ConnectionLost):
            refused_one.hear(PATIENCE_S)
        assert refused_one.is_closed_by_peer()
        refused_one.close()

        assert ask(pool, do="echo")[0]["parent"] == nursed_by


def test_a_nursery_that_was_stopped_is_replaced(pool):
    document, _ = ask(pool, do="echo")
    os.kill(document["pid"], signal.SIGKILL)
    wait_until_gone(document["pid"])
    os.kill(document["parent"], signal.SIGSTOP)
    wait_until_gone(document["parent"], states="TZ")

    assert ask(pool, do="echo")[0]["parent"] != document["parent"]
    wait_until_gone(document["parent"])


def test_a_nursery_under_which_nothing_starts_is_replaced(monkeypatch):
    """It is there, but does nothing."""
    nurse = nursery._nurse
    monkeypatch.setattr(nursery, "_nurse", lambda *_: time.sleep(PATIENCE_S))
    monkeypatch.setattr(pools, "_START_S", 0.5)
    with Pool(serve, MEMORY_BYTES) as pool:
        idle = pool._processes.nursery.pid
        monkeypatch.setattr(nursery, "_nurse", nurse)
        monkeypatch.setattr(Pool, "_replace_nursery", patiently(Pool._replace_nursery, monkeypatch))

        assert ask(pool, do="echo")[0]["parent"] != idle
        wait_until_gone(idle)


def patiently(replace, monkeypatch):
    """The next worker has all the time that it needs."""

    def replaced(pool):
        monkeypatch.setattr(pools, "_START_S", PATIENCE_S)
        replace(pool)

    return replaced


def test_a_nursery_that_was_stopped_holds_up_no_end():
    with Pool(serve, MEMORY_BYTES) as pool:
        parent = ask(pool, do="echo")[0]["parent"]
        os.kill(parent, signal.SIGSTOP)

    wait_until_gone(parent)


def test_a_worker_has_no_longer_to_start_than_its_borrower():
    with Pool(lambda wire: time.sleep(PATIENCE_S), MEMORY_BYTES) as pool:
        nursed_by = pool._processes.nursery.pid
        with pytest.raises(NoneFree), pool.worker(0, time.monotonic() + 0.2):
            pass

        assert pool._processes.nursery.pid == nursed_by


def test_a_conversation_that_was_broken_off_costs_the_worker(pool):
    first = ask(pool, do="echo")[0]["pid"]

    with pytest.raises(ConnectionLost), pool.worker(PATIENCE_S) as wire:
        wire.ask({"do": "sleep", "seconds": PATIENCE_S}, timeout_s=0.05)

    assert ask(pool, do="echo")[0]["pid"] != first


def test_an_error_between_two_messages_costs_nothing(pool):
    first = ask(pool, do="echo")[0]["pid"]

    with pytest.raises(ZeroDivisionError), pool.worker(PATIENCE_S):
        raise ZeroDivisionError

    assert ask(pool, do="echo")[0]["pid"] == first


def test_a_worker_that_was_made_ready_serves_the_first_job(pool):
    pool.make_ready()

    with pool.worker(PATIENCE_S) as wire:
        assert not wire.is_closed_by_peer()
        assert wire.ask({"do": "echo"}, timeout_s=PATIENCE_S)[0]["pid"]


def test_nothing_is_left_of_a_pool_that_nobody_holds():
    pool = Pool(serve, MEMORY_BYTES)
    document, _ = ask(pool, do="echo")

    del pool

    wait_until_gone(document["parent"])
    wait_until_gone(document["pid"])


def test_borrowers_at_the_same_time_have_workers_of_their_own(pool):
    with ThreadPoolExecutor(4) as threads, pool.worker(PATIENCE_S) as one, pool.worker(PATIENCE_S) as other:
        found = list(threads.map(lambda wire: wire.ask({"do": "echo"}, timeout_s=PATIENCE_S), [one, other]))

    assert found[0][0]["pid"] != found[1][0]["pid"]


def test_there_are_so_many_workers_and_no_more(pool):
    with ExitStack() as lent:
        for _ in range(MAX_WORKERS):
            lent.enter_context(pool.worker(0))
        with pytest.raises(NoneFree), pool.worker(0.05):
            pass

    assert ask(pool, do="echo")[0]["pid"]


def test_who_waits_gets_the_worker_that_comes_back(pool):
    with ThreadPoolExecutor(1) as threads, ExitStack() as lent:
        for _ in range(MAX_WORKERS):
            lent.enter_context(pool.worker(0))
        waiting = threads.submit(ask, pool, do="echo")
        lent.close()

        assert waiting.result(PATIENCE_S)[0]["pid"]


def test_a_job_that_fails_gives_its_worker_back(pool):
    for _ in range(2 * MAX_WORKERS):
        with pytest.raises(ZeroDivisionError), pool.worker(0):
            raise ZeroDivisionError

    assert ask(pool, do="echo")[0]["pid"]


def test_a_worker_has_nothing_open_but_its_connection(pool, tmp_path):
    with (tmp_path / "secret").open("w"):
        files = ask(pool, do="list files")[0]["files"]

    assert len([name for name in files if name.startswith("socket:")]) == 1
    assert not [name for name in files if "secret" in name]
    assert files[:3] == ["/dev/null"] * 3


def test_a_descriptor_of_any_number_is_closed(tmp_path, monkeypatch):
    """Those above what is tried where the system does not tell which are open."""
    monkeypatch.setattr(nursery, "_MAX_FDS", 100)
    with (tmp_path / "secret").open("w") as file:
        high = os.dup2(file.fileno(), 900)
        try:
            with Pool(serve, MEMORY_BYTES) as pool:
                assert str(high) not in ask(pool, do="list all files")[0]["fds"]
        finally:
            os.close(high)


def test_a_worker_has_no_file_to_write(pool, tmp_path):
    assert ask(pool, do="write", path=str(tmp_path / "file"))[0] == {"refused": True}


def test_the_system_ends_a_worker_before_the_service(pool):
    assert ask(pool, do="limits")[0] == {"oom": "1000"}


def test_nothing_is_left_of_a_pool_that_was_closed():
    with Pool(serve, MEMORY_BYTES) as pool:
        document, _ = ask(pool, do="echo")

    wait_until_gone(document["parent"])
    wait_until_gone(document["pid"])


def wait_until_gone(pid, states="Z"):
    """Until a process that is not ours to wait for has ended, or is in one of these states."""
    for _ in range(1000):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except OSError:
            return
        if state in states:
            return
        time.sleep(0.01)
    pytest.fail(f"process {pid} is still there")


def test_a_worker_has_nothing_of_the_environment(pool):
    assert ask(pool, do="environment")[0] == {"names": []}


def test_a_pool_that_was_closed_has_no_workers(pool):
    pool.close()

    with pytest.raises(NoWorker, match="closed"), pool.worker(PATIENCE_S):
        pass


@pytest.mark.parametrize("serve", [lambda wire: None, lambda wire: os.abort()])
def test_workers_that_do_not_start_are_told(serve):
    with Pool(serve, MEMORY_BYTES) as pool:
        pool.start()
        with pytest.raises(NoWorker, match="starts"):
            pool.make_ready()
        with pytest.raises(NoWorker, match="starts"), pool.worker(PATIENCE_S):
            pass


def test_a_nursery_that_died_leaves_nothing_behind(pool):
    parent = ask(pool, do="echo")[0]["parent"]
    os.kill(parent, signal.SIGKILL)
    wait_until_gone(parent)
    with pool.worker(PATIENCE_S), pool.worker(PATIENCE_S) as wire:
        assert wire.ask({"do": "echo"}, timeout_s=PATIENCE_S)

    with pytest.raises(ChildProcessError):
        os.waitpid(parent, os.WNOHANG)


def test_many_descriptors_are_no_trouble(pool):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert ask(pool, do="echo")
        assert ask(pool, do="echo")
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Messages


@pytest.fixture
def wires():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Wire(ours), theirs


def framed(document, blobs=b""):
    return len(document).to_bytes(4) + document + blobs


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\0\0",
        b"\xff\xff\xff\xff",
        framed(b"{}"),
        framed(b"[]"),
        framed(b"null"),
        framed(b"abc"),
        framed(b"[" * 200_000),
        framed(b'{"blobs":[]}'),
        framed(b'{"blobs":3,"shared":false}'),
        framed(b'{"blobs":[-1],"shared":false}'),
        framed(b'{"blobs":[1.5],"shared":false}', b"ab"),
        framed(b'{"blobs":[99999999999999],"shared":false}'),
        framed(b'{"blobs":[5],"shared":false}', b"abc"),
        framed(b'{"blobs":[1],"shared":true}', b"a"),  # this end shares no memory
        framed(b'{"blobs":{"0":1},"shared":false}', b"a"),
        framed(b'{"blobs":["1"],"shared":false}', b"a"),
        framed(json.dumps({"blobs": [0] * 17, "shared": False}).encode()),
        (1024 * 1024 + 1).to_bytes(4) + b'{"blobs":[],"shared":false}',
    ],
)
def test_what_is_no_message_is_a_lost_connection(wires, sent):
    wire, theirs = wires
    theirs.sendall(sent)
    theirs.shutdown(socket.SHUT_WR)

    with pytest.raises(ConnectionLost):
        wire.hear(PATIENCE_S)


def test_silence_is_a_lost_connection(wires):
    with pytest.raises(ConnectionLost):
        wires[0].hear(0.05)


def test_a_drip_is_a_lost_connection(wires):
    """Each byte comes soon enough, all of them do not."""
    wire, theirs = wires

    def drip():
        with suppress(OSError):
            for byte in b"\0\0\0\x0d" + b" " * 200:
                theirs.sendall(bytes([byte]))
                time.sleep(0.05)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(drip)
        with pytest.raises(ConnectionLost):
            wire.hear(0.3)
        theirs.close()


def test_an_answer_beyond_what_was_asked_for_is_a_lost_connection(wires):
    wire, theirs = wires
    theirs.sendall(framed(b'{"blobs":[3,2],"shared":false}', b"abcde"))

    with pytest.raises(ConnectionLost):
        wire.ask({}, timeout_s=PATIENCE_S, most_bytes=4)


def test_question_and_answer_have_one_time_together(wires, monkeypatch):
    """Who reads a question slowly has no time of its own for the answer."""
    asker, theirs = wires
    ends_at_s = []
    wait = Wire._wait_at_most_until
    monkeypatch.setattr(Wire, "_wait_at_most_until", lambda end, at_s: (ends_at_s.append(at_s), wait(end, at_s)))
    theirs.sendall(framed(b'{"blobs":[1],"shared":false}', b"a"))

    asker.ask({}, b"blob", timeout_s=PATIENCE_S)

    assert len(ends_at_s) == 5  # the question and its blob; the answer's length, document and blob
    assert len(set(ends_at_s)) == 1


def test_who_speaks_unasked_is_not_listened_to(wires):
    wire, theirs = wires
    assert not wire.is_closed_by_peer()

    theirs.sendall(framed(b'{"blobs":[],"shared":false}'))

    assert wire.is_closed_by_peer()


def test_nobody_to_send_to_is_a_lost_connection(wires):
    wire, theirs = wires
    theirs.close()

    with pytest.raises(ConnectionLost):
        wire.tell({}, bytes(10_000_000))


def test_blobs_beyond_what_is_shared_are_a_lost_connection():
    ours, theirs = socket.socketpair()
    fd = wire.shared_memory()
    with ours, theirs:
        end = Wire(ours, fd)
        os.close(fd)
        for lengths in ([2_097_153], [2_000_000, 2_000_000], [-1, 1], [10**30]):
            theirs.sendall(framed(json.dumps({"blobs": lengths, "shared": True}).encode()))
            with pytest.raises(ConnectionLost):
                end.hear(PATIENCE_S)


def test_what_two_ends_share_cannot_be_made_smaller():
    fd = wire.shared_memory()
    assert fd is not None
    with open(fd, "rb+") as shared, pytest.raises(PermissionError):  # noqa: PTH123 - a descriptor has no path
        shared.truncate(1)


@pytest.mark.parametrize("sizes", [[0], [2_000_000, 90_000], [1000, 0, 1000], [3_000_000]])
def test_messages_are_the_same_through_shared_memory_and_without_it(pool, monkeypatch, sizes):
    blobs = [os.urandom(size) for size in sizes]
    shared = ask(pool, *blobs, do="echo")[1]
    monkeypatch.setattr(nursery, "shared_memory", lambda: None)
    with Pool(serve, MEMORY_BYTES) as without:
        assert shared == ask(without, *blobs, do="echo")[1] == blobs
