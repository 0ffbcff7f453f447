"""Connects to addresses that were checked, and to no other.

The checks sit in the connection itself: it resolves a name, has every address checked and connects to these very
addresses, so that no second look-up can answer differently and a connection that is kept alive is a checked one. The
host name stays in the URL, for the Host header, SNI and the certificate.
"""

from __future__ import annotations

import queue
import socket
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from urllib3.connection import HTTPConnection, HTTPSConnection

from recognizer.errors import DownloadFailed, RequestError
from recognizer.fetch import addresses, failures
from recognizer.fetch.response import Progress, StrictResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recognizer.fetch.addresses import Policy, Resolver
    from recognizer.fetch.deadline import Deadline
    from recognizer.fetch.urls import Target

CONNECT_TIMEOUT_S: Final = 3.05  # for one address; just over a multiple of 3, the time after which TCP sends SYN again


def resolve(host: str, port: int) -> Sequence[str]:
    """Textual addresses of a host in the system's order of preference, each once.

    Raises:
        OSError: the name cannot be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(slots=True)
class Call:
    """What a connection needs to know of the fetch that uses it; one per fetch.

    Attributes:
        policy: what may be called.
        resolver: looks names up; may block.
        deadline: when the fetch ends.
        target: what is requested just now; each redirect has its own.
        connected: whether the request under way went over a new connection.
        progress: how much has come of the answer to it.
    """

    policy: Policy
    resolver: Resolver
    deadline: Deadline
    target: Target
    connected: bool = False
    progress: Progress = field(default_factory=Progress)

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to the first address that answers, all of them checked.

        Raises:
            AddressNotAllowed: one of them may not be called.
            DownloadFailed: the name does not resolve, or no address answers.
            DownloadTimedOut: the last one did not answer in time, or the deadline has passed.
        """
        self.connected = True
        failure: OSError | None = None
        for address in addresses.permitted_addresses(self.policy, host, port, self._resolve):
            try:
                return self._connect(address, port)
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise failures.timed_out() from failure
        raise failures.not_connected() from failure

    def _connect(self, address: str, port: int) -> socket.socket:
        # Fails where the system has no IPv6, and that must not keep an IPv4 address from being tried.
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.settimeout(min(CONNECT_TIMEOUT_S, self.deadline.remaining_s()))
            sock.connect((address, port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.deadline.watch(sock)
        except (OSError, RequestError):
            sock.close()
            raise
        return sock

    def _resolve(self, host: str, port: int) -> Sequence[str]:
        # getaddrinfo knows no time-out, so it is waited for from outside; a daemon, so that no exit waits for it.
        answers: queue.SimpleQueue[Sequence[str] | OSError | UnicodeError] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self.resolver(host, port))
            except (OSError, UnicodeError) as error:
                answers.put(error)

        threading.Thread(target=look_up, name="resolver", daemon=True).start()
        try:
            answer = answers.get(timeout=self.deadline.remaining_s())
        except queue.Empty as error:
            raise failures.timed_out() from error
        if isinstance(answer, OSError | UnicodeError):
            raise DownloadFailed("The host name of the URL could not be resolved.") from answer
        return answer


CALL: ContextVar[Call] = ContextVar("CALL")
"""The fetch that runs in this thread; urllib3 offers no other way from a request to the connection that serves it."""


class CheckedConnection(HTTPConnection):
    """Connects only to addresses that the current fetch's policy allows, and obeys its deadline."""

    def response_class(self, *args: Any, **options: Any) -> StrictResponse:  # type: ignore[override]
        """What http.client reads an answer with."""
        return StrictResponse(*args, progress=CALL.get().progress, **options)

    def _new_conn(self) -> socket.socket:
        return CALL.get().connect(self.host, self.port)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, its socket watched."""
        if self.sock is not None:  # kept from an earlier fetch, or just put under TLS
            CALL.get().deadline.watch(self.sock)
        super().request(*args, **kwargs)


class CheckedTLSConnection(CheckedConnection, HTTPSConnection):
    """The same, under TLS."""
