"""Servers that mean harm, as routes: floods, lies, bombs and broken connections, each with what is to come of it."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import socket
import struct
import threading
import zlib
from typing import TYPE_CHECKING, Any, Final, Self

from recognizer.errors import DownloadFailed, DownloadTimedOut, TooLarge

from tests.functional.fetch.downloads import MAX_BYTES, PICTURE, redirect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.functional.loopback import Exchange, Route

OK: Final = b"HTTP/1.1 200 OK\r\n"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MOVED: Final = b"HTTP/1.1 302 Found\r\nLocation: /picture\r\n"
LONG: Final = b"x" * 65_000
END: Final = b"Content-Length: 0\r\n\r\n"


def says(*parts: bytes) -> Route:
    """A route that sends these bytes for an answer, and closes."""

    def route(exchange: Exchange) -> None:
        exchange.hang_up()
        for part in parts:
            exchange.wfile.write(part)

    return route


def floods(head: bytes, *units: bytes) -> Route:
    """A route that sends the head, and then the units in turn as fast as they go, without end."""
    many = [unit * (1 + 32_000 // len(unit)) for unit in units]

    def route(exchange: Exchange) -> None:
        exchange.hang_up()
        exchange.wfile.write(head)
        for unit in itertools.cycle(many):
            if exchange.server.closing.is_set():
                break
            exchange.wfile.write(unit)

    return route


def falls_silent(*parts: bytes) -> Route:
    """A route that sends these bytes, and then nothing while the connection stays open."""

    def route(exchange: Exchange) -> None:
        for part in parts:
            exchange.wfile.write(part)
        for _ in exchange.stalls():
            pass

    return route


def resets(*parts: bytes) -> Route:
    """A route that sends these bytes, and then resets the connection instead of closing it."""

    def route(exchange: Exchange) -> None:
        exchange.hang_up()
        for part in parts:
            exchange.wfile.write(part)
        exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        exchange.connection.close()

    return route


def half_closes(*parts: bytes, how: int = socket.SHUT_WR) -> Route:
    """A route that closes one direction of the connection, sends what it still can, and keeps the rest open."""

    def route(exchange: Exchange) -> None:
        if how == socket.SHUT_RD:
            exchange.connection.shutdown(how)
        for part in parts:
            exchange.wfile.write(part)
        if how == socket.SHUT_WR:
            exchange.connection.shutdown(how)
            for _ in exchange.stalls():
                pass

    return route


def encoded(body: bytes, encoding: str, head: bytes = OK) -> Route:
    return says(head, b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (encoding.encode(), len(body)), body)


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def layered(content: bytes, *packers: Callable[[bytes], bytes]) -> bytes:
    for pack in packers:
        content = pack(content)
    return content


SMALL_CHUNKS: Final = CHUNKED + b"8\r\n8 bytes.\r\n" * (MAX_BYTES // 8) + b"0\r\n\r\n"
CUT_OFF: Final = gzip.compress(PICTURE)[:200]
ZEROS: Final = bytes(50_000_000)
NAMED_MEMBER: Final = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"  # a gzip member whose file name follows, up to a zero
EMPTY_BLOCK: Final = b"\0\0\0\xff\xff"
EARLY_HINTS: Final = b"HTTP/1.1 103 Early Hints\r\n"
GZIP: Final = b"Content-Encoding: gzip\r\n"
DEFLATE: Final = b"Content-Encoding: deflate\r\n"

FLOODS: Final[dict[str, tuple[Route, Any]]] = {
    "an endless status line": (floods(b"HTTP/1.1 200 ", b"x"), DownloadFailed),
    "an endless line that is no HTTP": (floods(b"", b"x"), DownloadFailed),
    "endless empty lines": (floods(b"", b"\r\n"), DownloadFailed),
    "endless zeros": (floods(b"", b"\0"), DownloadFailed),
    "an endless header line": (floods(OK, b"x"), DownloadFailed),
    "endless short headers": (floods(OK, b"X: x\r\n"), DownloadFailed),
    "endless long headers": (floods(OK, b"X: %b\r\n" % LONG), DownloadFailed),
    "an endless folded header": (floods(OK + b"X: x\r\n", b" x\r\n"), DownloadFailed),
    "as many long headers as may be, then a flood": (
        floods(OK + b"X: %b\r\n" % LONG * 98 + b"\r\n", b"x"),
        DownloadFailed,
    ),
    "endless continues": (floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), DownloadFailed),
    "endless early hints": (floods(b"", EARLY_HINTS + b"Link: x\r\n\r\n"), DownloadFailed),
    "early hints with endless headers": (floods(EARLY_HINTS, b"Link: x\r\n"), DownloadFailed),
    "early hints with long headers": (floods(b"", EARLY_HINTS + b"X: %b\r\n" % LONG * 98 + b"\r\n"), DownloadFailed),
    "endless redirect headers": (floods(MOVED, b"Location: /picture\r\n"), DownloadFailed),
    "an endless location": (floods(MOVED[:-2], b"x"), DownloadFailed),
    "an endless redirect body": (floods(MOVED + b"\r\n", b"x"), TooLarge),
    "an endless body in a redirect of a length": (
        floods(MOVED + b"Content-Length: 99999999999\r\n\r\n", b"x"),
        TooLarge,
    ),
    "an endless body of an error": (floods(b"HTTP/1.1 500 No\r\n\r\n", b"x"), DownloadFailed),
    "an endless chunk size": (floods(CHUNKED, b"0"), DownloadFailed),
    "an endless chunk extension": (floods(CHUNKED + b"1;", b"x"), DownloadFailed),
    "an endless extension of the last chunk": (floods(CHUNKED + b"1\r\nx\r\n0;", b"x"), DownloadFailed),
    "endless long chunk extensions": (floods(CHUNKED, b"1;%b\r\nx\r\n" % LONG), DownloadFailed),
    "an endless trailer line": (floods(CHUNKED + b"1\r\nx\r\n0\r\n", b"x"), DownloadFailed),
    "endless long trailers": (floods(CHUNKED + b"1\r\nx\r\n0\r\n", b"X: %b\r\n" % LONG), DownloadFailed),
    "an endless chunk": (floods(CHUNKED + b"fffffffffffffff\r\n", b"x"), TooLarge),
    "an endless chunk of 5,000 digits": (floods(CHUNKED + b"f" * 5000 + b"\r\n", b"x"), TooLarge),
    "endless tiny chunks": (floods(CHUNKED, b"2\r\nxy\r\n"), TooLarge),
    "an endless gzip file name": (floods(OK + GZIP + b"\r\n" + NAMED_MEMBER, b"x"), DownloadFailed),
    "endless empty gzip members": (floods(OK + GZIP + b"\r\n", gzip.compress(b"")), DownloadFailed),
    "endless garbage after gzip": (floods(OK + GZIP + b"\r\n" + gzip.compress(b"x"), b"x"), DownloadFailed),
    "endless empty deflate blocks": (floods(OK + DEFLATE + b"\r\n\x78\x9c", EMPTY_BLOCK), DownloadFailed),
    "endless empty raw deflate blocks": (floods(OK + DEFLATE + b"\r\n", EMPTY_BLOCK), DownloadFailed),
    "endless garbage after deflate": (floods(OK + DEFLATE + b"\r\n" + zlib.compress(b"x"), b"x"), DownloadFailed),
    "endless empty deflate blocks in chunks": (
        floods(CHUNKED[:-2] + DEFLATE + b"\r\n2\r\n\x78\x9c\r\n", b"3e8\r\n%b\r\n" % (EMPTY_BLOCK * 200)),
        DownloadFailed,
    ),
    "endless empty members in a redirect": (floods(MOVED + GZIP + b"\r\n", gzip.compress(b"")), DownloadFailed),
}

LIES: Final[dict[str, tuple[Route, Any]]] = {
    "a huge length": (falls_silent(OK + b"Content-Length: 99999999999999999999999\r\n\r\n"), TooLarge),
    "a length of 5,000 digits": (says(OK, b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", PICTURE), PICTURE),
    "a length below zero": (says(OK, b"Content-Length: -1\r\n\r\n", PICTURE), PICTURE),
    "a length below zero, and a flood": (floods(OK + b"Content-Length: -1\r\n\r\n", b"x"), TooLarge),
    "a length that is none": (says(OK, b"Content-Length: many\r\n\r\n", PICTURE), PICTURE),
    "different lengths in one header": (says(OK, b"Content-Length: 3, 4\r\n\r\nabcd"), DownloadFailed),
    "a length too long": (says(OK, b"Content-Length: 1000\r\n\r\n", b"x" * 999), DownloadFailed),
    "a length too long, and silence": (falls_silent(OK, b"Content-Length: 9\r\n\r\nx"), DownloadTimedOut),
    "a huge length of gzip": (falls_silent(OK, GZIP, b"Content-Length: %d\r\n\r\n" % 10**20), DownloadTimedOut),
    "a chunk too long, and silence": (falls_silent(CHUNKED, b"ffffffffffff\r\nx"), DownloadTimedOut),
    "a chunk too long, and the end": (says(CHUNKED, b"ffffffffffff\r\nx"), DownloadFailed),
    "a chunk without a size": (says(CHUNKED, b"\r\nx\r\n0\r\n\r\n"), DownloadFailed),
    "no last chunk, and silence": (falls_silent(CHUNKED, b"1\r\nx\r\n"), DownloadTimedOut),
    "no end of the trailers": (falls_silent(CHUNKED, b"1\r\nx\r\n0\r\nX: x\r\n"), DownloadTimedOut),
    "chunks that are none": (says(OK, b"Transfer-Encoding: chunked\r\n\r\n", PICTURE), DownloadFailed),
    "gzip that is deflate": (encoded(zlib.compress(PICTURE), "gzip"), DownloadFailed),
    "gzip that is plain": (encoded(PICTURE, "gzip"), DownloadFailed),
    "deflate that is gzip": (encoded(gzip.compress(PICTURE), "deflate"), DownloadFailed),
    "gzip with a wrong sum": (encoded(gzip.compress(PICTURE)[:-8] + bytes(8), "gzip"), DownloadFailed),
    # What came out of it is the picture decoder's to judge, as with any body that is cut off where it has no length.
    "gzip that is cut off": (encoded(CUT_OFF, "gzip"), zlib.decompressobj(31).decompress(CUT_OFF)),
    "gzip twice that is gzip once": (encoded(gzip.compress(PICTURE), "gzip, gzip"), DownloadFailed),
    "gzip in an encoding that is none": (encoded(gzip.compress(PICTURE), "gzip, magic"), DownloadFailed),
    "more encodings than there are": (encoded(PICTURE, ", ".join(["gzip"] * 1000)), DownloadFailed),
    "HTTP/2": (says(b"HTTP/2 200\r\n\r\n"), DownloadFailed),
    "HTTP/9.9": (says(b"HTTP/9.9 200 OK\r\n\r\n"), DownloadFailed),
    "frames of HTTP/2": (says(b"\0\0\x12\x04\0\0\0\0\0" + bytes(18)), DownloadFailed),
    "status 1000": (says(b"HTTP/1.1 1000 OK\r\n\r\n"), DownloadFailed),
    "status -200": (says(b"HTTP/1.1 -200 OK\r\n\r\n"), DownloadFailed),
    "status 99": (says(b"HTTP/1.1 99 OK\r\n\r\n"), DownloadFailed),
    "another answer after this one": (
        says(OK, b"Content-Length: 3\r\n\r\nabc", OK, b"Content-Length: 4\r\n\r\nevil"),
        b"abc",
    ),
}

_BOMBS = {
    "gzip": [gzip.compress],
    "deflate": [zlib.compress],
    "deflate, raw": [raw_deflate],
    "gzip, gzip": [gzip.compress] * 2,
    "gzip, deflate": [gzip.compress, zlib.compress],
    "deflate, gzip, deflate": [zlib.compress, gzip.compress, zlib.compress],
    "gzip, gzip, gzip, gzip, gzip": [gzip.compress] * 5,
}
BOMBS: Final[dict[str, tuple[Route, Any]]] = {
    f"a bomb of {name}, {how}": (encoded(layered(ZEROS, *packers), name.removesuffix(", raw"), head), TooLarge)
    for name, packers in _BOMBS.items()
    for how, head in {"a picture": OK, "a redirect": MOVED}.items()
}

BROKEN: Final[dict[str, tuple[Route, Any]]] = {
    "a reset before any byte": (resets(), DownloadFailed),
    "a reset in the status": (resets(b"HTTP/1.1 2"), DownloadFailed),
    "a reset in the headers": (resets(OK, b"X: x\r\n"), DownloadFailed),
    "a reset in the body": (resets(OK, b"Content-Length: 9\r\n\r\nabc"), DownloadFailed),
    "a reset in a chunk": (resets(CHUNKED, b"9\r\nabc"), DownloadFailed),
    "a reset in a redirect": (resets(MOVED, b"Content-Length: 9\r\n\r\nabc"), DownloadFailed),
    "half closed before any byte": (half_closes(), DownloadFailed),
    "half closed in the status": (half_closes(b"HTTP/1.1 2"), DownloadFailed),
    "half closed in the body": (half_closes(OK, b"Content-Length: 9\r\n\r\nabc"), DownloadFailed),
    "half closed in a chunk": (half_closes(CHUNKED, b"9\r\nabc"), DownloadFailed),
    "no more ears, but an answer": (half_closes(OK, b"Content-Length: 3\r\n\r\nabc", how=socket.SHUT_RD), b"abc"),
    "silence before the headers": (falls_silent(OK), DownloadTimedOut),
    "silence in a header": (falls_silent(OK, b"X: "), DownloadTimedOut),
    "silence in gzip": (falls_silent(OK, GZIP, b"\r\n", gzip.compress(PICTURE)[:100]), DownloadTimedOut),
    "silence in a redirect": (falls_silent(MOVED, b"Content-Length: 9\r\n\r\nabc"), DownloadTimedOut),
}

REDIRECTS: Final[dict[str, tuple[Route, Any]]] = {
    "to itself": (lambda exchange: redirect(exchange.path)(exchange), DownloadFailed),
    "in a circle": (
        lambda exchange: redirect("/hostile?" if exchange.path == "/hostile" else "/hostile")(exchange),
        DownloadFailed,
    ),
    "ever deeper": (lambda exchange: redirect(exchange.path + "?x")(exchange), DownloadFailed),
    "to a very long address": (says(MOVED[:-2], b"x" * 60_000, b"\r\n", END), DownloadFailed),
    "to many addresses": (says(MOVED * 1, b"Location: http://127.0.0.1:1/\r\n" * 50, END), DownloadFailed),
    "to nowhere": (says(b"HTTP/1.1 302 Found\r\n", END), DownloadFailed),
    "to zeros": (says(b"HTTP/1.1 302 Found\r\nLocation: \0\0\r\n", END), DownloadFailed),
    "to no UTF-8": (says(b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe/\r\n", END), DownloadFailed),
    "not modified": (says(b"HTTP/1.1 304 Not Modified\r\n\r\n"), DownloadFailed),
    "multiple choices": (says(b"HTTP/1.1 300 Multiple Choices\r\nLocation: /picture\r\n", END), DownloadFailed),
    "use a proxy": (says(b"HTTP/1.1 305 Use Proxy\r\nLocation: http://127.0.0.1:1/\r\n", END), DownloadFailed),
}


class RawServer:
    """Gives each connection to a function of the test, before any byte of TLS or HTTP.

    Args:
        handle: what to do with a connection; `closing` is set when it has to end.
    """

    def __init__(self, handle: Callable[[socket.socket, threading.Event], None]) -> None:
        self.closing = threading.Event()
        self._handle = handle
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the listener or the connection is closed
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    self._handle(connection, self.closing)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
