"""Which of the service's errors stands for which exception of the libraries below.

The mapping is data, so that a test can hold it against all that requests, urllib3 and http.client declare. What is not
in it is a mistake of ours and stays what it is.
"""

from __future__ import annotations

import http.client
import ssl
from typing import Final, TypeAlias

import requests
import urllib3

from recognizer.errors import DownloadFailed, DownloadTimedOut

_Failure: TypeAlias = type[DownloadFailed | DownloadTimedOut]

_TIMED_OUT = (DownloadTimedOut, "The picture's server did not send it in time.")
_NO_CONNECTION = (DownloadFailed, "No connection to the picture's server could be made.")
_NOT_SECURE = (DownloadFailed, "The picture's server could not prove its identity, or offers no secure connection.")
_NOT_DECODED = (DownloadFailed, "The picture's server sent a body that is not in the encoding it claims.")
_BROKEN_OFF = (DownloadFailed, "The picture's server broke the connection off or did not speak HTTP.")

FAILURES: Final[dict[type[BaseException], tuple[_Failure, str]]] = {
    # The first that fits counts, so what is special stands before what is general.
    urllib3.exceptions.NewConnectionError: _NO_CONNECTION,  # which urllib3 derives from a time-out
    requests.Timeout: _TIMED_OUT,
    urllib3.exceptions.TimeoutError: _TIMED_OUT,
    TimeoutError: _TIMED_OUT,
    requests.exceptions.SSLError: _NOT_SECURE,
    urllib3.exceptions.SSLError: _NOT_SECURE,
    ssl.SSLError: _NOT_SECURE,
    requests.exceptions.ContentDecodingError: _NOT_DECODED,
    urllib3.exceptions.DecodeError: _NOT_DECODED,
    requests.RequestException: _BROKEN_OFF,
    urllib3.exceptions.HTTPError: _BROKEN_OFF,
    http.client.HTTPException: _BROKEN_OFF,
    OSError: _BROKEN_OFF,
}
LOWER: Final = tuple(FAILURES)
"""Everything that is raised for what a server or the network did."""


def named(error: BaseException) -> DownloadFailed | DownloadTimedOut:
    """The service's error for one of `LOWER`; raise it from the other."""
    failure, message = next(failure for lower, failure in FAILURES.items() if isinstance(error, lower))
    return failure(message)


def timed_out() -> DownloadTimedOut:
    """The error of a fetch whose deadline has passed, whatever else went wrong in it."""
    failure, message = _TIMED_OUT
    return failure(message)


def not_connected() -> DownloadFailed:
    """The error of a host none of whose addresses accepted a connection."""
    failure, message = _NO_CONNECTION
    return failure(message)
