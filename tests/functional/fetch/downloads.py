"""What the tests of downloads share: a downloader, a resolver with a table, and routes that answer well or slowly.

No assertion about time looks at a clock; a fetch that did not end would hang instead.
"""

from __future__ import annotations

import gzip
import socket
from typing import TYPE_CHECKING

import pytest
from recognizer.errors import DownloadTimedOut
from recognizer.fetch.addresses import Policy
from recognizer.fetch.connection import resolve
from recognizer.fetch.download import Downloader

if TYPE_CHECKING:
    from tests.functional.loopback import Exchange


LOCAL = Policy(allowed_ports=None, allow_private=True)
PICTURE = bytes(range(256)) * 400
MAX_BYTES = 200_000
PATIENT_S = 30.0
SHORT_S = 0.4


class Resolver:
    """Answers from a table, one answer list per call (the last one for good), and notes what it was asked."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): list(lists) for name, lists in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        lists = self.answers[host]
        return lists.pop(0) if len(lists) > 1 else lists[0]


def downloader(policy: Policy = LOCAL, *, timeout_s: float = PATIENT_S, resolver=resolve, **options) -> Downloader:
    return Downloader(
        policy,
        max_bytes=MAX_BYTES,
        timeout_s=timeout_s,
        user_agent="recognizer-test/1 (+https://example.com)",
        resolver=resolver,
        **options,
    )


def times_out(client: Downloader, url: str) -> None:
    """Fetch with a short deadline; what comes before and after keeps its patience, however slow the machine is."""
    client._timeout_s = SHORT_S
    with pytest.raises(DownloadTimedOut):
        client.fetch(url)
    client._timeout_s = PATIENT_S


def picture(exchange: Exchange) -> None:
    exchange.answer(200, PICTURE, {"Content-Type": "image/png"})


def redirect(location: str, status: int = 302, body: bytes = b""):
    return lambda exchange: exchange.answer(status, body, {"Location": location})


def chunked(exchange: Exchange, chunks, ending: bytes = b"0\r\n\r\n", **headers: str) -> None:
    exchange.send_response(200)
    exchange.send_header("Transfer-Encoding", "chunked")
    for name, value in headers.items():
        exchange.send_header(name.replace("_", "-"), value)
    exchange.end_headers()
    for chunk in chunks:
        exchange.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    exchange.wfile.write(ending)


def never_answers(exchange: Exchange) -> None:
    for _ in exchange.stalls():
        pass


def drips_headers(exchange: Exchange) -> None:
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in exchange.stalls():
        exchange.wfile.write(b"X")


def drips_header_lines(exchange: Exchange) -> None:
    """Cut off between two lines, this passes for a complete answer without a body."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in exchange.stalls():
        exchange.wfile.write(b"X: x\r\n")


def drips_continues(exchange: Exchange) -> None:
    for _ in exchange.stalls(every_s=0.1):  # so slowly that their number is no matter
        exchange.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def drips_hint_lines(exchange: Exchange) -> None:
    exchange.wfile.write(b"HTTP/1.1 103 Early Hints\r\n")
    for _ in exchange.stalls():
        exchange.wfile.write(b"Link: </style.css>\r\n")


def drips_body(exchange: Exchange) -> None:
    exchange.send_response(200)
    exchange.send_header("Content-Length", "100000")
    exchange.end_headers()
    for _ in exchange.stalls():
        exchange.wfile.write(b"x")


def drips_without_length(exchange: Exchange) -> None:
    exchange.hang_up()
    exchange.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
    for _ in exchange.stalls():
        exchange.wfile.write(b"x")


def drips_chunks(exchange: Exchange) -> None:
    chunked(exchange, (b"x" for _ in exchange.stalls()))


def drips_redirect(exchange: Exchange) -> None:
    exchange.hang_up()
    exchange.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /picture\r\n\r\n")
    for _ in exchange.stalls():
        exchange.wfile.write(b"x")


def drips_nothing_in_gzip(exchange: Exchange) -> None:
    """Empty gzip members: bytes arrive, but none ever comes out of the decoder."""
    exchange.hang_up()
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    for _ in exchange.stalls():
        exchange.wfile.write(gzip.compress(b""))


def drips_trailers(exchange: Exchange) -> None:
    """The picture is there, but the lines after its last chunk never end."""
    exchange.hang_up()
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
    for _ in exchange.stalls():
        exchange.wfile.write(b"X: x\r\n")


SLOW = [
    never_answers,
    drips_headers,
    drips_header_lines,
    drips_continues,
    drips_hint_lines,
    drips_body,
    drips_without_length,
    drips_chunks,
    drips_redirect,
    drips_nothing_in_gzip,
    drips_trailers,
]
