"""The world outside, as the address suite has it: every connection is noted and led to a server on loopback.

What a fetch does is real down to the socket. Only where the socket connects to is exchanged, in the last possible
place, so that a refused address that was called after all would be noted, and would answer.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final

from recognizer.errors import RequestError
from recognizer.fetch.addresses import Policy

from tests.functional.fetch.downloads import picture

if TYPE_CHECKING:
    from recognizer.fetch.download import Downloader

    from tests.functional.loopback import Exchange, LoopbackServer

PUBLIC: Final = "8.8.8.8"
REDIRECTING: Final = "8.8.4.4"
REDIRECTS: Final = (301, 302, 303, 307, 308)
START: Final = "http://redirecting.test/redirect"
MAX_ALIASES: Final = 8


class Wire:
    """Leads connections to a port on 127.0.0.1, and takes the system's own resolver away.

    Attributes:
        peers: the addresses and ports that clients connected to, in order.
    """

    def __init__(self, monkeypatch, port: int) -> None:
        self.peers: list[tuple[str, int]] = []
        connect = socket.socket.connect

        def led(sock: socket.socket, address: tuple[str, int]) -> None:
            self.peers.append(address[:2])
            connect(sock, ("::ffff:127.0.0.1" if sock.family == socket.AF_INET6 else "127.0.0.1", port))

        def no_look_up(host: str, *_: object, **__: object) -> None:
            raise AssertionError(f"the system was asked for {host!r}")

        for method in ("connect", "connect_ex"):
            monkeypatch.setattr(socket.socket, method, led)
        for function in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
            monkeypatch.setattr(socket, function, no_look_up)

    def taken(self) -> list[tuple[str, int]]:
        """The peers since the last call."""
        peers, self.peers = self.peers, []
        return peers


class Zone:
    """A resolver with records of its own.

    Attributes:
        records: name to an address list for each question (the last one for good), or to the name it is an alias of.
        asked: the names it was asked for, in order.
    """

    def __init__(self) -> None:
        self.records: dict[str, Any] = {
            "redirecting.test": [[REDIRECTING]],
            "public.test": [[PUBLIC]],
            "a.b.pictures.test": [[PUBLIC]],
            "localhost": [["127.0.0.1", "::1"]],
        }
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        record = self.records.get(host)
        for _ in range(MAX_ALIASES):
            if isinstance(record, str):
                record = self.records.get(record)
        if not isinstance(record, list):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return record.pop(0) if len(record) > 1 else record[0]


class World:
    """A downloader as in production, the wire below it, and a server that redirects to wherever a test says.

    Attributes:
        zone: the downloader's resolver.
    """

    def __init__(self, client: Downloader, server: LoopbackServer, wire: Wire, zone: Zone) -> None:
        self.zone = zone
        self._client = client
        self._server = server
        self._wire = wire
        self._redirect = (302, {"Location": ""})
        self._headers: dict[str, str] = {}
        server.routes = _Everywhere({"/redirect": self._redirects})

    def fetch(self, url: str, status: int | None = None, start: str = START) -> tuple[Any, list[tuple[str, int]]]:
        """Fetch a URL, or one that redirects to it.

        Returns:
            The picture or the class of the error, and the peers that were called besides the redirecting one.
        """
        try:
            if status is None:
                came: Any = self._client.fetch(url)
            else:
                # Servers send UTF-8, which http.server takes for Latin-1.
                location = url.encode(errors="surrogatepass").decode("latin-1")
                self._redirect = status, {"Location": location}
                came = self._client.fetch(start)
        except RequestError as error:
            came = type(error)
        return came, [peer for peer in self._wire.taken() if peer != (REDIRECTING, 80)]

    def allow(self, *hosts: str) -> None:
        """Let the downloader call these hosts only."""
        self._client._policy = Policy(allowed_hosts=frozenset(hosts))

    def drop_connections(self) -> None:
        """Hang up on the downloader."""
        self._server.drop_connections()

    def closes_after_redirects(self) -> None:
        """No connection is kept over a redirect, so that the same host is looked up again."""
        self._headers = {"Connection": "close"}

    def _redirects(self, exchange: Exchange) -> None:
        status, headers = self._redirect
        exchange.answer(status, b"", headers | self._headers)


class _Everywhere(dict[str, Any]):
    """Routes with a picture at every other path."""

    def get(self, path: str, default: Any = picture) -> Any:
        return super().get(path, default)
