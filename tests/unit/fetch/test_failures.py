"""Everything that the libraries below may raise has its error, also what their next versions add."""

from __future__ import annotations

import http.client
import socket
import ssl

import pytest
import requests.exceptions
import urllib3.exceptions
from recognizer.errors import DownloadFailed, DownloadTimedOut
from recognizer.fetch import failures
from recognizer.fetch.failures import FAILURES, LOWER


def declared(module) -> list[type[BaseException]]:
    """Exceptions that a module declares itself; warnings are none."""
    classes = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Exception)]
    return [one for one in classes if one.__module__ == module.__name__ and not issubclass(one, Warning)]


# There are no proxies.
NEVER = {urllib3.exceptions.ProxySchemeUnsupported}
RAISED = [
    *(one for module in (requests.exceptions, urllib3.exceptions, http.client) for one in declared(module)),
    *(one for one in declared(ssl) if issubclass(one, OSError)),
    *(socket.gaierror, socket.herror, ConnectionResetError, ConnectionRefusedError, BrokenPipeError, TimeoutError),
]


@pytest.mark.parametrize(
    "lower", sorted(set(RAISED) - NEVER, key=str), ids=lambda lower: f"{lower.__module__}.{lower.__name__}"
)
def test_every_lower_exception_is_mapped(lower):
    error = failures.named(lower.__new__(lower))

    assert issubclass(lower, LOWER)
    if issubclass(lower, TimeoutError) or lower.__name__ in {"Timeout", "ConnectTimeout", "ReadTimeout"}:
        assert type(error) is DownloadTimedOut
    else:
        assert type(error) in {DownloadFailed, DownloadTimedOut}
    assert error.public_message.endswith(".")


@pytest.mark.parametrize(
    ("lower", "failure", "words"),
    [
        (requests.ConnectTimeout, DownloadTimedOut, "in time"),
        (requests.ReadTimeout, DownloadTimedOut, "in time"),
        (urllib3.exceptions.ConnectTimeoutError, DownloadTimedOut, "in time"),
        (urllib3.exceptions.ReadTimeoutError, DownloadTimedOut, "in time"),
        (socket.timeout, DownloadTimedOut, "in time"),
        (urllib3.exceptions.NewConnectionError, DownloadFailed, "No connection"),
        (urllib3.exceptions.NameResolutionError, DownloadFailed, "No connection"),
        (requests.exceptions.SSLError, DownloadFailed, "identity"),
        (urllib3.exceptions.SSLError, DownloadFailed, "identity"),
        (ssl.SSLCertVerificationError, DownloadFailed, "identity"),
        (requests.exceptions.ContentDecodingError, DownloadFailed, "encoding"),
        (urllib3.exceptions.DecodeError, DownloadFailed, "encoding"),
        (requests.exceptions.ChunkedEncodingError, DownloadFailed, "broke the connection off"),
        (requests.ConnectionError, DownloadFailed, "broke the connection off"),
        (urllib3.exceptions.ProtocolError, DownloadFailed, "broke the connection off"),
        (http.client.BadStatusLine, DownloadFailed, "broke the connection off"),
        (ConnectionResetError, DownloadFailed, "broke the connection off"),
    ],
)
def test_what_happened_is_told(lower, failure, words):
    error = failures.named(lower.__new__(lower))

    assert type(error) is failure
    assert words in error.public_message


def test_no_entry_hides_behind_a_more_general_one():
    entries = list(FAILURES)

    hidden = [(one, other) for place, one in enumerate(entries) for other in entries[:place] if issubclass(one, other)]
    assert hidden == []


@pytest.mark.parametrize("mistake", [ValueError, KeyError, RuntimeError, AssertionError, KeyboardInterrupt])
def test_mistakes_of_ours_are_no_failed_downloads(mistake):
    assert not issubclass(mistake, LOWER)
