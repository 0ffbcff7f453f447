"""The story of a fetch: from a picture's URL to its bytes, within limits of bytes, time and redirects.

Owns which answers count as a picture, what is followed and how much is read. Which addresses are harmless is for
`addresses` to say, what the bytes are for ``pictures``. Nothing is logged: what went wrong is in the chain of the error
that is raised.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import math
import time
from typing import TYPE_CHECKING, Final, Self

import requests

from recognizer.errors import DownloadFailed, RequestError, TooLarge
from recognizer.fetch import addresses, failures, urls
from recognizer.fetch.connection import CALL, CONNECT_TIMEOUT_S, Call, resolve
from recognizer.fetch.deadline import Deadline
from recognizer.fetch.response import Progress
from recognizer.fetch.session import Session

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from recognizer.fetch.addresses import Policy, Resolver

READ_TIMEOUT_S: Final = 5.0  # without a single byte
MAX_REDIRECTS: Final = 3
CHUNK_BYTES: Final = 64 * 1024

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# 203 is a 200 that a proxy on the way has changed, and as whole: https://www.rfc-editor.org/rfc/rfc9110#section-15.3.4
_WHOLE: Final = frozenset({200, 203})
_WHY_NOT: Final = {
    204: ": it has no picture to send",
    205: ": it has no picture to send",
    206: ": only a part of the picture",
}


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
        self._session = Session(user_agent, tls)

    def fetch(self, url: str, ends_at_s: float = math.inf) -> bytes:
        """The body that a URL leads to, content decoding undone; possibly empty.

        Args:
            url: the client's own words; nothing about it needs to be checked before.
            ends_at_s: an earlier end than ``timeout_s`` has, by ``time.monotonic``.

        Returns:
            At most ``max_bytes`` bytes.

        Raises:
            InvalidParameter: the URL is malformed or not http(s).
            AddressNotAllowed: the policy forbids the URL or one it redirects to.
            TooLarge: a body is longer than ``max_bytes``.
            DownloadFailed: anything else that the server or the network did wrong.
            DownloadTimedOut: the deadline passed, or the server was silent for too long.
        """
        target = urls.parse(url)
        with Deadline(min(self._timeout_s, ends_at_s - time.monotonic())) as deadline, _named_errors(deadline):
            call = Call(self._policy, self._resolver, deadline, target)
            token = CALL.set(call)
            try:
                return self._follow(call)
            finally:
                CALL.reset(token)

    def prepare(self) -> None:
        """Load what the first https address would, which a cold start otherwise leaves to it."""
        self._session.prepare_tls()

    def close(self) -> None:
        """Close the connections that were kept; the next fetch makes its own."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _follow(self, call: Call) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            with self._send(call) as response:
                redirects = response.status_code in _REDIRECTS
                if not redirects and response.status_code not in _WHOLE:
                    raise _no_picture(response.status_code)
                # A redirect's body is read, within the same limits, so that its connection can be used again.
                content = self._read(response, call)
            if not redirects:
                return content
            call.target = urls.follow(call.target, _location(response))
        raise DownloadFailed(f"The picture's server redirects more than {MAX_REDIRECTS} times.")

    def _send(self, call: Call) -> requests.Response:
        addresses.permit(self._policy, call.target.host, call.target.port)
        request = self._session.prepared(call.target)
        while True:
            left_s = call.deadline.remaining_s()
            call.connected = False
            call.progress = Progress()
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

    def _read(self, response: requests.Response, call: Call) -> bytes:
        announced = response.raw.length_remaining
        if announced is not None and announced > self._max_bytes and "Content-Encoding" not in response.headers:
            raise self._too_large()
        content = io.BytesIO()  # not a list of chunks: a chunk of two bytes would take fifty
        # urllib3 decodes no more than a chunk at a time, so that a few kilobytes of gzip cannot become gigabytes.
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=True):
            if content.tell() + len(chunk) > self._max_bytes:
                raise self._too_large()
            content.write(chunk)
            call.progress.content_bytes = content.tell()
            call.deadline.remaining_s()
        return content.getvalue()

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The picture has more than {self._max_bytes:,} bytes.", parameter="url")


@contextlib.contextmanager
def _named_errors(deadline: Deadline) -> Iterator[None]:
    """Turn whatever the network raises into one of the service's errors; the deadline explains them all."""
    try:
        yield
    except RequestError as error:
        if isinstance(error, DownloadFailed) and deadline.passed:
            raise failures.timed_out() from error
        raise
    except failures.LOWER as error:
        raise (failures.timed_out() if deadline.passed else failures.named(error)) from error
    if deadline.passed:  # a body without a length seems complete when it is cut off
        raise failures.timed_out()


def _no_picture(status: int) -> DownloadFailed:
    # The standard's own words; the server's would be anyone's text in our answer.
    phrase = f"{status} {http.client.responses.get(status, '')}".rstrip()
    return DownloadFailed(f"The picture's server answered {phrase}{_WHY_NOT.get(status, '')}.", upstream_status=status)


def _location(response: requests.Response) -> str:
    location = response.headers.get("Location")
    if not location:
        raise DownloadFailed("The picture's server redirects without saying where to.")
    try:
        return location.encode("latin-1").decode()  # http.client reads headers as Latin-1, servers send UTF-8
    except UnicodeError:
        return location
