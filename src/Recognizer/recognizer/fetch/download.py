"""From a picture's URL to its bytes, within limits of addresses, bytes, time and redirects.

Owns the network: connections, redirects, content decoding, and the one deadline over all of it. Refuses to decide which
addresses are harmless (``destinations``) or what the bytes are (``pictures``), and logs nothing: what went wrong is in
the chain of the error that is raised.

The checks sit in the connection itself: it resolves a name, has every address checked and connects to these very
addresses, so that no second look-up can answer differently and a connection that is kept alive is a checked one. The
host name stays in the URL, for the Host header, SNI and the certificate.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import queue
import socket
import ssl
import threading
import time
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from recognizer.errors import DownloadFailed, DownloadTimedOut, RequestError, TooLarge
from recognizer.fetch import destinations

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from recognizer.fetch.destinations import Policy, Resolver, Target

CONNECT_TIMEOUT_S: Final = 3.05  # for one address; just over a multiple of 3, the time after which TCP sends SYN again
READ_TIMEOUT_S: Final = 5.0  # without a single byte
MAX_REDIRECTS: Final = 3
CHUNK_BYTES: Final = 64 * 1024

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REFUSED_BY: Final = (
    # Everything that requests, urllib3, http.client and sockets raise for what a server or the network did.
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)
_TIMED_OUT: Final = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)


def resolve(host: str, port: int) -> Sequence[str]:
    """Textual addresses of a host in the system's order of preference, each once.

    Raises:
        OSError: the name cannot be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Downloader:
    """Fetches pictures. Built once; keeps connections between calls and may be used by several threads.

    Args:
        policy: what may be called.
        max_bytes: longest body, counted after content decoding, redirects' bodies included.
        timeout_s: one deadline over a whole `fetch`, from DNS to the last byte.
        user_agent: what the service calls itself.
        resolver: looks names up; may block, the deadline holds all the same.
        tls: verifies servers; by default against certifi's authorities.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        max_bytes: int,
        timeout_s: float,
        user_agent: str,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._resolver = resolver
        self._session = _session(user_agent, tls or _default_tls())

    def fetch(self, url: str) -> bytes:
        """The body that a URL leads to, content decoding undone; possibly empty.

        Args:
            url: the client's own words; nothing about it needs to be checked before.

        Returns:
            At most ``max_bytes`` bytes.

        Raises:
            InvalidParameter: the URL is malformed or not http(s).
            AddressNotAllowed: the policy forbids the URL or one it redirects to.
            TooLarge: a body is longer than ``max_bytes``.
            DownloadFailed: anything else that the server or the network did wrong.
            DownloadTimedOut: the deadline passed, or the server was silent for too long.
        """
        target = destinations.parse(url)
        with _Deadline(self._timeout_s) as deadline, _named_errors(deadline):
            call = _Call(self._policy, self._resolver, deadline)
            token = _CALL.set(call)
            try:
                return self._follow(target, call)
            finally:
                _CALL.reset(token)

    def close(self) -> None:
        """Close the connections that were kept."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _follow(self, target: Target, call: _Call) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            with self._send(target, call) as response:
                redirects = response.status_code in _REDIRECTS
                if not redirects and not 200 <= response.status_code < 300:  # noqa: PLR2004
                    raise DownloadFailed(
                        f"The picture's server answered {_phrase(response.status_code)}.",
                        upstream_status=response.status_code,
                    )
                # A redirect's body is read, within the same limits, so that its connection can be used again.
                content = self._read(response, call)
            if not redirects:
                return content
            target = destinations.follow(target, _location(response))
        raise DownloadFailed(f"The picture's server redirects more than {MAX_REDIRECTS} times.")

    def _send(self, target: Target, call: _Call) -> requests.Response:
        destinations.permit(self._policy, target.host, target.port)
        request = self._session.prepare_request(requests.Request("GET", target.url))
        while True:
            left_s = call.deadline.remaining_s()
            call.connected = False
            try:
                return self._session.send(
                    request,
                    stream=True,
                    allow_redirects=False,
                    timeout=(min(CONNECT_TIMEOUT_S, left_s), min(READ_TIMEOUT_S, left_s)),
                )
            except requests.ConnectionError:
                # A kept connection that the server has closed in the meantime says nothing about the server, and a
                # GET may be repeated. Each turn discards one such connection, so that this ends at a fresh one.
                if call.connected or call.deadline.passed:
                    raise

    def _read(self, response: requests.Response, call: _Call) -> bytes:
        announced = response.raw.length_remaining
        if announced is not None and announced > self._max_bytes and "Content-Encoding" not in response.headers:
            raise self._too_large()
        chunks: list[bytes] = []
        length = 0
        # urllib3 decodes no more than a chunk at a time, so that a few kilobytes of gzip cannot become gigabytes.
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=True):
            length += len(chunk)
            if length > self._max_bytes:
                raise self._too_large()
            chunks.append(chunk)
            call.deadline.remaining_s()
        return b"".join(chunks)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The URL leads to more than {self._max_bytes} bytes.", parameter="url")


class _Deadline:
    """The end of a fetch, whatever it is doing then; use as a context manager.

    Socket time-outs start afresh with each byte, so a server that drips would never meet one. A timer therefore shuts
    the sockets down that the fetch uses, which wakes whoever reads from them. It shuts down duplicates of their
    descriptors, closed under a lock when the fetch ends: a late timer finds none, so it cannot hit a connection that
    went back to the pool, nor a descriptor number that was given to something else.
    """

    def __init__(self, timeout_s: float) -> None:
        self._ends_at_s = time.monotonic() + timeout_s
        self._wires: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(timeout_s, self._pass)
        self._timer.daemon = True
        self.passed = False

    def remaining_s(self) -> float:
        """Seconds left, more than 0.

        Raises:
            DownloadTimedOut: none are left.
        """
        left_s = self._ends_at_s - time.monotonic()
        if self.passed or left_s <= 0:
            raise _timed_out()
        return left_s

    def watch(self, sock: socket.socket) -> None:
        """Shut this connected socket, plain or TLS, down at the deadline."""
        wire = socket.socket(sock.family, sock.type, sock.proto, fileno=os.dup(sock.fileno()))
        with self._lock:
            self._wires.append(wire)
            if self.passed:
                _shut_down(wire)

    def _pass(self) -> None:
        with self._lock:
            self.passed = True
            for wire in self._wires:
                _shut_down(wire)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            while self._wires:
                self._wires.pop().close()


@dataclass(slots=True)
class _Call:
    """What a connection needs to know of the fetch that uses it; one per `Downloader.fetch`."""

    policy: Policy
    resolver: Resolver
    deadline: _Deadline
    connected: bool = False  # whether the request under way went over a new connection

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to the first address that answers, all of them checked."""
        self.connected = True
        failure: OSError | None = None
        for address in destinations.permitted_addresses(self.policy, host, port, self._resolve):
            sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
            try:
                sock.settimeout(min(CONNECT_TIMEOUT_S, self.deadline.remaining_s()))
                sock.connect((address, port))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.deadline.watch(sock)
            except OSError as error:
                sock.close()
                failure = error
            except RequestError:
                sock.close()
                raise
            else:
                return sock
        if isinstance(failure, TimeoutError):
            raise _timed_out() from failure
        raise DownloadFailed("No connection to the picture's server could be made.") from failure

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
            raise _timed_out() from error
        if isinstance(answer, OSError | UnicodeError):
            raise DownloadFailed("The host name of the URL could not be resolved.") from answer
        return answer


_CALL: ContextVar[_Call] = ContextVar("_CALL")
"""The fetch that runs in this thread; urllib3 offers no other way from a request to the connection that serves it."""


class _CheckedConnection(HTTPConnection):
    """Connects only to addresses that the current fetch's policy allows, and obeys its deadline."""

    def _new_conn(self) -> socket.socket:
        return _CALL.get().connect(self.host, self.port)

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # kept from an earlier fetch, or just put under TLS
            _CALL.get().deadline.watch(self.sock)
        super().request(*args, **kwargs)


class _CheckedTLSConnection(_CheckedConnection, HTTPSConnection):
    """The same, under TLS."""


class _CheckedPool(HTTPConnectionPool):
    ConnectionCls = _CheckedConnection


class _CheckedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _CheckedTLSConnection


class _Adapter(HTTPAdapter):
    """Sends through checked connections, with one TLS context for all: loading authorities each time takes longer."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _CheckedPool, "https": _CheckedTLSPool}

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(*args, **kwargs)
        return host, {"ssl_context": self._tls}

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to add: the context has the authorities and demands certificates."""


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Never: even with allow_redirects=False requests would read the whole body of what it takes for a redirect."""


def _session(user_agent: str, tls: ssl.SSLContext) -> requests.Session:
    session = _Session()
    session.trust_env = False  # no proxies, no .netrc, no other authorities
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers.clear()
    session.headers.update(
        {"User-Agent": user_agent, "Accept": "image/*,*/*;q=0.1", "Accept-Encoding": "gzip, deflate"}
    )
    adapter = _Adapter(tls)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _default_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # demands a certificate, and the right host name in it
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    return context


@contextlib.contextmanager
def _named_errors(deadline: _Deadline) -> Iterator[None]:
    """Turn whatever the network raises into one of the service's errors; the deadline explains them all."""
    try:
        yield
    except RequestError as error:
        if isinstance(error, DownloadFailed) and deadline.passed:
            raise _timed_out() from error
        raise
    except _REFUSED_BY as error:
        if deadline.passed or isinstance(error, _TIMED_OUT):
            raise _timed_out() from error
        raise DownloadFailed(_reason(error)) from error
    if deadline.passed:  # a body without a length seems complete when the timer cuts it off
        raise _timed_out()


def _reason(error: BaseException) -> str:
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError | ssl.SSLError):
        return "The picture's server could not prove its identity, or offers no secure connection."
    if isinstance(error, urllib3.exceptions.DecodeError):
        return "The picture's server sent a body that is not in the encoding it claims."
    return "The picture's server broke the connection off or did not speak HTTP."


def _timed_out() -> DownloadTimedOut:
    return DownloadTimedOut("The picture's server did not send it in time.")


def _phrase(status: int) -> str:
    # The standard's own words; the server's would be anyone's text in our answer.
    return f"{status} {http.client.responses.get(status, '')}".rstrip()


def _location(response: requests.Response) -> str:
    location = response.headers.get("Location")
    if not location:
        raise DownloadFailed("The picture's server redirects without saying where to.")
    try:
        return location.encode("latin-1").decode()  # http.client reads headers as Latin-1, servers send UTF-8
    except UnicodeError:
        return location


def _shut_down(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed by the other end already
        wire.shutdown(socket.SHUT_RDWR)
