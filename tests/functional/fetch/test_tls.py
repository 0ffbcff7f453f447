"""Servers that go wrong in TLS, before it or under it: each fetch ends with the right error, and the next one works."""

from __future__ import annotations

import socket
import ssl
import struct

import pytest
from recognizer.errors import DownloadFailed

from tests.functional.fetch.downloads import PICTURE, downloader, picture, times_out
from tests.functional.fetch.servers import RawServer, says
from tests.functional.loopback import LoopbackServer

pytestmark = pytest.mark.enable_socket

HELLO = b"\x16\x03\x03"  # the head of a handshake record, before its length
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"  # fatal: handshake failure
WARNING = b"\x15\x03\x03\x00\x02\x01\x5a"  # user canceled


def sends(*parts: bytes):
    """Answers a client's first words with these, and closes."""

    def handle(connection, closing) -> None:
        connection.recv(65_536)
        for part in parts:
            connection.sendall(part)

    return handle


def floods(head: bytes, unit: bytes):
    """Answers with the head, and then with the unit without end."""

    def handle(connection, closing) -> None:
        connection.recv(65_536)
        connection.sendall(head)
        while not closing.is_set():
            connection.sendall(unit * 1000)

    return handle


def falls_silent(*parts: bytes):
    """Answers with these, and then with nothing while the connection stays open."""

    def handle(connection, closing) -> None:
        for part in parts:
            connection.sendall(part)
        closing.wait()

    return handle


def resets(connection, closing) -> None:
    connection.recv(65_536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half_closes(connection, closing) -> None:
    connection.shutdown(socket.SHUT_WR)
    closing.wait()


HANDSHAKES = {
    "closes at once": lambda connection, closing: None,
    "closes after the hello": sends(),
    "resets": resets,
    "half closes": half_closes,
    "speaks HTTP": sends(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "speaks SSH": sends(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "speaks nonsense": sends(bytes(range(256))),
    "refuses": sends(ALERT),
    "sends half a record": sends(HELLO + b"\x40\x00\x02"),
    "sends a record of nothing": sends(HELLO + b"\x00\x00" * 100),
    "sends a hello of nonsense": sends(HELLO + b"\x00\x04\x02\x00\x00\x00"),
    "announces a message of 16 MB": floods(
        HELLO + b"\x40\x00\x0b\xff\xff\xff" + bytes(16_380), HELLO + b"\x40\x00" + bytes(16_384)
    ),
    "floods with zeros": floods(b"", bytes(16)),
    "floods with warnings": floods(b"", WARNING),
    "floods with empty records": floods(b"", HELLO + b"\x00\x00"),
    "floods with data in clear": floods(b"", b"\x17\x03\x03\x00\x05hello"),
}


@pytest.mark.parametrize("handle", HANDSHAKES.values(), ids=HANDSHAKES.keys())
def test_a_handshake_that_fails_is_a_failed_download(server, client, handle):
    with RawServer(handle) as broken, pytest.raises(DownloadFailed):
        client.fetch(f"https://127.0.0.1:{broken.port}/")
    assert client.fetch(server.url("/picture")) == PICTURE


@pytest.mark.parametrize(
    "sent", [b"", HELLO, HELLO + b"\x40\x00\x02\x00\x3f\xfc"], ids=["nothing", "a head", "a hello"]
)
def test_a_handshake_that_stalls_ends_at_the_deadline(server, client, sent):
    with RawServer(falls_silent(sent)) as silent:
        times_out(client, f"https://127.0.0.1:{silent.port}/")
    assert client.fetch(server.url("/picture")) == PICTURE


@pytest.mark.parametrize(
    ("first_day", "last_day", "hosts"),
    [
        (-9, -1, ("127.0.0.1",)),
        (1, 9, ("127.0.0.1",)),
        (-1, 1, ("picture.test",)),
        (-1, 1, ("127.0.0.2", "127.0.0.1.test")),
    ],
    ids=["expired", "not yet valid", "for a name", "for other hosts"],
)
def test_a_certificate_that_is_not_valid_is_refused(issue, first_day, last_day, hosts):
    """Although its authority is trusted."""
    path = issue(first_day, last_day, hosts)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    trusting = ssl.create_default_context(cafile=path)
    with LoopbackServer({"/picture": picture}, tls=serving) as server, downloader(tls=trusting) as client:
        with pytest.raises(DownloadFailed, match="identity"):
            client.fetch(server.url("/picture"))
        assert server.requests == []


def test_a_certificate_that_signed_itself_is_refused(authority):
    with LoopbackServer({"/picture": picture}, tls=authority[0]) as server, downloader() as client:
        with pytest.raises(DownloadFailed, match="identity"):
            client.fetch(server.url("/picture"))
        assert server.requests == []


def test_a_server_that_wants_to_know_who_we_are_is_not_told(certificate, authority):
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    serving.load_verify_locations(certificate)
    serving.verify_mode = ssl.CERT_REQUIRED
    with LoopbackServer({"/picture": picture}, tls=serving) as server, downloader(tls=authority[1]) as client:
        with pytest.raises(DownloadFailed):
            client.fetch(server.url("/picture"))
        assert server.requests == []


def in_clear(exchange) -> None:
    """Goes on without TLS in the middle of an answer."""
    exchange.hang_up()
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    socket.socket.send(exchange.connection, b"defghi" * 10)


def cut_off(exchange) -> None:
    """Closes without the farewell of TLS, as someone on the way can."""
    exchange.hang_up()
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    socket.socket.shutdown(exchange.connection, socket.SHUT_RDWR)


@pytest.mark.parametrize("route", [in_clear, cut_off, says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")])
def test_an_answer_that_breaks_off_under_tls_fails(authority, route):
    serving, trusting = authority
    with (
        LoopbackServer({"/picture": picture, "/broken": route}, tls=serving) as server,
        downloader(tls=trusting) as client,
    ):
        with pytest.raises(DownloadFailed):
            client.fetch(server.url("/broken"))
        assert client.fetch(server.url("/picture")) == PICTURE
