"""What is sent, and over what: the headers of every request, the pools of connections, TLS.

Takes nothing from the environment: no proxies, no .netrc, no other authorities. Keeps no cookies and writes no log.
"""

from __future__ import annotations

import logging
import ssl
import threading
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from recognizer.fetch.connection import CALL, CheckedConnection, CheckedTLSConnection
from recognizer.job import LOOP_HEADER, LOOP_TOKEN

if TYPE_CHECKING:
    from recognizer.fetch.urls import Target


class Session(requests.Session):
    """Sends through checked connections; `CALL` must be set.

    Args:
        user_agent: what the service calls itself.
        tls: verifies servers; by default against certifi's authorities.
    """

    def __init__(self, user_agent: str, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        _silence()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.headers.clear()
        self.headers.update(
            {
                "User-Agent": user_agent,
                "Accept": "image/*,*/*;q=0.1",
                "Accept-Encoding": "gzip, deflate",
                LOOP_HEADER: LOOP_TOKEN,
            }
        )
        self._adapter = _Adapter(tls)
        self.mount("http://", self._adapter)
        self.mount("https://", self._adapter)
        self._prepared = self.prepare_request(requests.Request("GET", "http://host.invalid/"))

    def prepare_tls(self) -> None:
        """Load the authorities before the first https URL asks for them."""
        self._adapter.context()

    def prepared(self, target: Target) -> requests.PreparedRequest:
        """A GET of a target, its URL as it was checked: requests would read it once more, in a way of its own."""
        request = self._prepared.copy()
        request.url = target.url
        return request

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Never: even with allow_redirects=False requests would read the whole body of what it takes for a redirect."""


class _CheckedPool(HTTPConnectionPool):
    ConnectionCls = CheckedConnection


class _CheckedTLSPool(HTTPSConnectionPool):
    ConnectionCls = CheckedTLSConnection


class _Adapter(HTTPAdapter):
    """Hands requests to pools of checked connections, with one TLS context for all of them.

    The context is made for the first https URL: to load the authorities takes some 16 ms, which is too long for each
    connection, and for a cold start that may not need them.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._lock = threading.Lock()
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _CheckedPool, "https": _CheckedTLSPool}

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:  # noqa: ARG002
        """Which pool: the one of the target that was checked, not of what requests makes of its URL."""
        target = CALL.get().target
        host = {"scheme": target.scheme, "host": target.host, "port": target.port}
        return host, {"ssl_context": self.context()} if target.scheme == "https" else {}

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to add: the context has the authorities and demands certificates."""

    def context(self) -> ssl.SSLContext:
        """The context of all connections."""
        with self._lock:
            if self._tls is None:
                self._tls = _default_context()
            return self._tls


def _default_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # demands a certificate, and the right host name in it
    try:
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    except OSError as error:  # which would pass for a failure of the picture's server
        raise RuntimeError(f"The authorities in {DEFAULT_CA_BUNDLE_PATH} cannot be read.") from error
    return context


def _silence() -> None:
    """Nothing of urllib3's goes to the log, at any level.

    It writes whole addresses, in which a signature may stand, and the server's own words where a header is malformed
    (https://github.com/urllib3/urllib3/pull/642). What went wrong is in the errors that are raised. The level of the
    package's logger rules all loggers below it, whichever handlers and level the root logger has.
    """
    logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)
