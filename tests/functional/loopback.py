"""A real HTTP server on loopback whose routes are functions of the test.

Owns the server's threads and sockets: when the ``with`` block ends, all are gone, also those of handlers that stall on
purpose. Refuses to imitate the network: what a client gets went through a socket.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import ssl
    from email.message import Message


@dataclass(frozen=True, slots=True)
class Request:
    """What the server was asked for."""

    path: str
    headers: Message


class Exchange(BaseHTTPRequestHandler):
    """One request and its answer, which a route gives with `answer` or writes byte by byte to ``wfile``."""

    protocol_version = "HTTP/1.1"
    server: LoopbackServer

    def do_GET(self) -> None:
        """Run the route of this path."""
        self.server.requests.append(Request(self.path, self.headers))
        route = self.server.routes.get(self.path.partition("?")[0])
        if route is None:
            self.answer(404, b"no such route")
        else:
            route(self)

    do_POST = do_PUT = do_GET  # noqa: N815

    def answer(self, status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Send a whole response; Content-Length is right unless the headers say otherwise."""
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | dict(headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        """Close the connection after this answer without having announced it."""
        self.close_connection = True

    def stalls(self, every_s: float = 0.02) -> Iterator[None]:
        """Iterate slowly until the server closes: the clock of a handler that drips or never answers."""
        while not self.server.closing.wait(every_s):
            yield

    def log_message(self, *args: Any) -> None:
        """Say nothing; tests look at ``server.requests``."""


Route = Callable[[Exchange], None]


class LoopbackServer(ThreadingHTTPServer):
    """Serves ``routes`` (path without query to function) on 127.0.0.1 from the moment it is built.

    Attributes:
        requests: everything asked for so far, in order.
        connections: how many connections were accepted.
        closing: set when the server stops; stalling handlers wait for it.
        port: where it listens.
    """

    daemon_threads = False  # close() waits for every handler, so that none outlives its test

    def __init__(self, routes: Mapping[str, Route] | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.routes: dict[str, Route] = dict(routes or {})
        self.requests: list[Request] = []
        self.connections = 0
        self.closing = threading.Event()
        self.port: int = self.server_address[1]
        self._scheme = "https" if tls else "http"
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._mistakes: list[BaseException | None] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """The address of a route, under any name that leads to this server."""
        return f"{self._scheme}://{host}:{self.port}{path}"

    def drop_connections(self) -> None:
        """Hang up on everyone, as servers do with connections that were idle for long."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    # Past SSLSocket's own shutdown, which pulls the TLS state from under its reader.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop serving, wait until every handler has ended, and raise what a route raised."""
        self.closing.set()
        self.shutdown()
        self._thread.join()
        self.drop_connections()
        self.server_close()
        if self._mistakes:
            raise AssertionError("a route failed") from self._mistakes[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count the connection and hand it to a thread."""
        self.connections += 1
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, its TLS handshake included."""
        if self._tls:
            try:
                secured = self._tls.wrap_socket(request, server_side=True)
            except OSError:  # the client did not like the certificate
                self.shutdown_request(request)
                return
            with self._lock:
                self._open.discard(request)
                self._open.add(secured)
            request = secured
        super().process_request_thread(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection and close it."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up, which many tests are about; keep a route's own mistakes for `close`."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self._mistakes.append(error)
