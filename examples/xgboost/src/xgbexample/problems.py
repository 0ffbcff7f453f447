"""Every failure that a client is told of, as a problem document (RFC 9457).

Owns statuses, codes and titles; what happened and what to change is said where it is raised.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Problem(Exception):
    """A request that cannot be served; never raised itself.

    Args:
        detail: what happened and what to change; sent to the client.
        headers: response headers that belong to the status (``Allow`` for 405).
        members: further members of the document, such as the parameter and the feature concerned.

    Attributes:
        status: HTTP status code.
        code: stable, machine-readable name; the last part of the document's ``type``.
        title: the problem's short name, the same for each occurrence.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}
        self.members = members

    def document(self) -> dict[str, Any]:
        """The problem document."""
        kind = f"urn:problem-type:xgbexample:{self.code}"
        return {"type": kind, "title": self.title, "status": self.status, "detail": self.detail, **self.members}


class InvalidBody(Problem):
    """A body that is no JSON object with ``input_X``."""

    status = 400
    code = "invalid-body"
    title = "Invalid body"


class InvalidInput(Problem):
    """An ``input_X`` that the model cannot predict from."""

    status = 400
    code = "invalid-input"
    title = "Invalid input"


class NotFound(Problem):
    """A path that does not exist."""

    status = 404
    code = "not-found"
    title = "Not found"


class MethodNotAllowed(Problem):
    """A path that exists, called with a method it does not have."""

    status = 405
    code = "method-not-allowed"
    title = "Method not allowed"


class TooManyRows(Problem):
    """More rows than are predicted at a time."""

    status = 413
    code = "too-many-rows"
    title = "Too many rows"


class InternalError(Problem):
    """Anything unforeseen; its detail is in the log only."""

    status = 500
    code = "internal-error"
    title = "Internal error"
