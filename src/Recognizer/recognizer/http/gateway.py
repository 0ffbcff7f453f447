"""Events in, responses out: which event is whose, and what its sender wants back.

Owns the table of event formats. A format is a room of its own that reads an event into a ``Request`` and writes a
``Response`` as the event's sender expects it; one more kind of event is one more room and one more line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from recognizer.http import invocation, payload_v1, payload_v2

if TYPE_CHECKING:
    from recognizer.http.messages import Request, Response


class Format(Protocol):
    """A format of events."""

    def takes(self, event: object) -> bool:
        """Whether an event is of this format."""

    def read(self, event: object) -> Request:
        """The request in an event.

        Raises:
            InvalidParameter: a part of the event is not what the format says.
        """

    def write(self, response: Response) -> object:
        """What the handler returns for a response; plain JSON values all the way down."""


# The first that takes an event has it; the last takes everything.
FORMATS: tuple[Format, ...] = (payload_v2, payload_v1, invocation)


def format_of(event: object) -> Format:
    """The format of an event."""
    return next(format_ for format_ in FORMATS if format_.takes(event))
