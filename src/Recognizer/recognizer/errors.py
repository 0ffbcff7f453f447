"""Every failure the service can name, with its HTTP status and the words the client may read.

Owns the tree of errors. How they are sent is ``responses``' concern, and how they are logged ``telemetry``'s.

    RecognizerError
    ├── RequestError                 an answer to the client, application/problem+json
    │   ├── InvalidParameter         400
    │   ├── Unauthorized             401
    │   ├── AddressNotAllowed        403
    │   ├── OriginBypassed           403
    │   ├── NotFound                 404
    │   ├── NothingDetected          404
    │   ├── MethodNotAllowed         405
    │   ├── TooLarge                 413
    │   ├── UnsupportedMediaType       415
    │   ├── BrokenPicture            422
    │   ├── PictureTooCostly         422
    │   ├── TooManyTiles             422
    │   ├── InternalError            500
    │   ├── DownloadFailed           502
    │   ├── Overloaded               503
    │   ├── DownloadTimedOut         504
    │   └── LoopDetected             508
    └── StartupError                 stops the cold start; in a part of the site, whoever asks for it gets a 500
        ├── InvalidSetting           an environment variable that cannot be right
        ├── ModelNotUsable           the model or its labels are missing or not what they must be
        └── FontNotUsable            the font is missing, damaged or none
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

_MAX_QUOTED_CHARS = 40
_SERVER_ERRORS = 500  # from this status on


def quoted(value: Any) -> str:
    """A value of the client's as a message may repeat it: as JSON, in ASCII, and short."""
    try:
        text = json.dumps(value, default=repr) if not isinstance(value, bytes) else repr(value)
    except RecursionError:  # JSON that could just be read, some calls higher up
        text = "[[…"
    return text if len(text) <= _MAX_QUOTED_CHARS else text[: _MAX_QUOTED_CHARS - 1] + "…"


class RecognizerError(Exception):
    """The root of the tree; never raised itself."""


class RequestError(RecognizerError):
    """A request that cannot be served.

    Attributes:
        status: HTTP status code of the answer.
        code: stable, machine-readable name; the last part of the problem's ``type``.
        title: the problem's short name, the same for each occurrence.
        public_message: what happened and what to change; sent to the client, so free of internals.
        log_message: the same for the log, which is to know no more of a picture's address than its host.
        parameter: the request parameter concerned, if there is one.
        upstream_status: HTTP status of the picture's own server, where it answered with an error.
        headers: response headers that belong to the status (``Allow`` for 405, ``WWW-Authenticate`` for 401).
    """

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        public_message: str,
        *,
        parameter: str | None = None,
        upstream_status: int | None = None,
        headers: dict[str, str] | None = None,
        log_message: str | None = None,
    ) -> None:
        super().__init__(public_message)
        self.public_message = public_message
        self.log_message = log_message or public_message
        self.parameter = parameter
        self.upstream_status = upstream_status
        self.headers = headers or {}

    @property
    def is_server_error(self) -> bool:
        """Whether nothing is wrong with the request, so that a later try can end otherwise (RFC 9110, 15.6)."""
        return self.status >= _SERVER_ERRORS


class InvalidParameter(RequestError):
    """A parameter that is missing, malformed or out of range."""

    status = 400
    code = "invalid-parameter"
    title = "Invalid parameter"


class Unauthorized(RequestError):
    """A request without a key, or with a wrong one, for what is only done for those who have one."""

    status = 401
    code = "unauthorized"
    title = "Unauthorized"


class AddressNotAllowed(RequestError):
    """A URL whose scheme, port, host or address may not be called."""

    status = 403
    code = "address-not-allowed"
    title = "Address not allowed"


class OriginBypassed(RequestError):
    """A request that came past the distribution that the service is behind."""

    status = 403
    code = "origin-bypassed"
    title = "Origin bypassed"


class NotFound(RequestError):
    """A path that does not exist."""

    status = 404
    code = "not-found"
    title = "Not found"


class NothingDetected(RequestError):
    """No object to cut out of the picture."""

    status = 404
    code = "nothing-detected"
    title = "Nothing detected"


class MethodNotAllowed(RequestError):
    """A path that exists, called with a method it does not have."""

    status = 405
    code = "method-not-allowed"
    title = "Method not allowed"


class TooLarge(RequestError):
    """A picture of too many bytes or pixels."""

    status = 413
    code = "too-large"
    title = "Picture too large"


class UnsupportedMediaType(RequestError):
    """Bytes that are no picture, or a picture in a format that is not read."""

    status = 415
    code = "unsupported-media-type"
    title = "Not a supported picture"


class BrokenPicture(RequestError):
    """A picture of a known format that is truncated or corrupt."""

    status = 422
    code = "broken-picture"
    title = "Broken picture"


class PictureTooCostly(RequestError):
    """A picture that takes more time or memory than there is."""

    status = 422
    code = "picture-too-costly"
    title = "Picture too costly"


class TooManyTiles(RequestError):
    """More tiles than there is time to look at."""

    status = 422
    code = "too-many-tiles"
    title = "Too many tiles"


class InternalError(RequestError):
    """Anything unforeseen; its detail is in the log only."""

    status = 500
    code = "internal-error"
    title = "Internal error"


class DownloadFailed(RequestError):
    """The picture's server could not be reached or answered with an error."""

    status = 502
    code = "download-failed"
    title = "Download failed"


class Overloaded(RequestError):
    """More pictures at a time than are worked on at a time; a moment later there is room again."""

    status = 503
    code = "overloaded"
    title = "Overloaded"


class DownloadTimedOut(RequestError):
    """The picture did not arrive in time."""

    status = 504
    code = "download-timed-out"
    title = "Download timed out"


class LoopDetected(RequestError):
    """A request of our own that came back: the picture's address leads to the service itself."""

    status = 508
    code = "loop-detected"
    title = "Loop detected"


class StartupError(RecognizerError):
    """Something the service cannot run without; the message names it and says what to do."""


class InvalidSetting(StartupError):
    """An environment variable whose value cannot be used."""


class ModelNotUsable(StartupError):
    """A model or label table that is missing or not what it must be."""


class FontNotUsable(StartupError):
    """A font that is missing, damaged or none: names in another type, or no names, would be a silent fallback."""
