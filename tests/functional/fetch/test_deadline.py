"""Every fetch ends in time, whatever its server does; no assertion here looks at a clock."""

from __future__ import annotations

import socket
import threading

import pytest
from recognizer.errors import DownloadTimedOut
from recognizer.fetch import download
from recognizer.fetch.deadline import Deadline

from tests.functional.fetch.downloads import (
    PATIENT_S,
    PICTURE,
    SHORT_S,
    SLOW,
    downloader,
    drips_body,
    drips_headers,
    drips_without_length,
    never_answers,
    picture,
    times_out,
)
from tests.functional.loopback import Exchange, LoopbackServer

pytestmark = pytest.mark.enable_socket


@pytest.mark.parametrize("route", SLOW)
def test_the_deadline_ends_it_and_the_next_fetch_works(server, client, route):
    server.routes["/slow"] = route

    times_out(client, server.url("/slow"))
    assert client.fetch(server.url("/picture")) == PICTURE


@pytest.mark.parametrize("route", [never_answers, drips_headers, drips_body, drips_without_length])
def test_the_deadline_holds_on_kept_connections(server, client, route):
    server.routes["/slow"] = route

    client.fetch(server.url("/picture"))
    times_out(client, server.url("/slow"))
    assert server.connections == 1
    assert client.fetch(server.url("/picture")) == PICTURE


@pytest.mark.parametrize("headers", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"])
def test_silence_ends_it_before_the_deadline(server, client, headers, monkeypatch):
    def falls_silent(exchange: Exchange) -> None:
        exchange.wfile.write(headers)
        never_answers(exchange)

    monkeypatch.setattr(download, "READ_TIMEOUT_S", 0.1)
    server.routes["/silent"] = falls_silent
    with pytest.raises(DownloadTimedOut):
        client.fetch(server.url("/silent"))
    assert client.fetch(server.url("/picture")) == PICTURE


def test_one_deadline_covers_all_redirects(server):
    def slow_redirect(exchange: Exchange) -> None:
        for turn, _ in enumerate(exchange.stalls()):
            if turn == 10:
                break
        exchange.answer(302, b"", {"Location": exchange.path + "/"})

    server.routes |= {"/" + "/" * number: slow_redirect for number in range(8)}
    with downloader(timeout_s=0.5) as client, pytest.raises(DownloadTimedOut):
        client.fetch(server.url("/"))


def test_the_deadline_covers_name_resolution(server):
    released = threading.Event()

    def hangs(host: str, port: int) -> list[str]:
        released.wait(PATIENT_S)
        return ["127.0.0.1"]

    with downloader(timeout_s=0.2, resolver=hangs) as client, pytest.raises(DownloadTimedOut):
        client.fetch(server.url("/picture", host="picture.test"))
    released.set()
    assert server.connections == 0


def test_a_server_that_accepts_no_connection_times_out():
    """Its backlog is full, so that the handshake of TCP does not complete."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.settimeout(0)
            filler.connect_ex(full.getsockname())
        with downloader(timeout_s=0.3) as client, pytest.raises(DownloadTimedOut):
            client.fetch(f"http://127.0.0.1:{full.getsockname()[1]}/")


def test_many_fetches_are_watched_by_one_thread():
    before = threading.active_count()

    with Deadline(PATIENT_S), Deadline(PATIENT_S / 2), Deadline(PATIENT_S):
        assert threading.active_count() <= before + 1


def test_a_deadline_shuts_down_what_it_watches_and_nothing_after_its_end():
    """A late timer, here fired by hand, must not hit a connection that serves someone else by now."""
    kept, server_of_kept = socket.socketpair()
    stuck, server_of_stuck = socket.socketpair()
    with kept, server_of_kept, stuck, server_of_stuck:
        with Deadline(PATIENT_S) as over:
            over.watch(kept)
        over.expire()
        with Deadline(PATIENT_S) as passing:
            passing.watch(stuck)
            passing.expire()

        kept.sendall(b"alive")
        assert server_of_kept.recv(5) == b"alive"
        assert server_of_stuck.recv(5) == b""


@pytest.mark.parametrize("route", [never_answers, drips_headers, drips_body, drips_without_length])
def test_the_deadline_holds_under_tls(authority, route):
    serving, trusting = authority
    with (
        LoopbackServer({"/picture": picture, "/slow": route}, tls=serving) as server,
        downloader(tls=trusting) as client,
    ):
        for _ in range(2):  # the first over a new connection, the second over a kept one
            times_out(client, server.url("/slow"))
            assert client.fetch(server.url("/picture")) == PICTURE


def test_the_deadline_covers_the_handshake():
    """The server drips a handshake record that never ends, so no read of its own would time out."""
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
            while not stop.wait(0.02):
                try:
                    connection.sendall(b"\x00")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        try:
            with downloader(timeout_s=SHORT_S) as client, pytest.raises(DownloadTimedOut):
                client.fetch(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        finally:
            stop.set()
            thread.join()
