"""What a dialect may have done for one request.

Owns the way from a dialect's wishes to an outcome: by the parameters, rules and limits of our own API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from recognizer.http.negotiation import Negotiated
from recognizer.http.parameters import Rules, canonical, validated

if TYPE_CHECKING:
    from collections.abc import Callable

    from recognizer.job import DetectRequest, Labelling, ModelIdentity, Outcome

_JSON = Negotiated("json", None)


class Desk(NamedTuple):
    """Takes wishes for as long as one request may take: however many there are, they have one deadline.

    Attributes:
        identity: the model that detects.
        rules: what parameters can mean for it, and how large a picture may be.
        run: has a detection done; raises whatever ``RequestError`` the work raises.
        label: has a whole picture labelled, likewise.
        labelling: what labels it, loaded when it is first asked for.
    """

    identity: ModelIdentity
    rules: Rules
    run: Callable[[DetectRequest], Outcome]
    label: Callable[[DetectRequest, Labelling], Outcome]
    labelling: Callable[[], Labelling]

    def detect(self, content: bytes | None = None, **wanted: Any) -> Outcome:
        """What is seen of a picture.

        Args:
            content: the picture's file, where it was sent as such.
            wanted: parameters of ``/detector``; without ``format`` the outcome has no picture.

        Raises:
            InvalidParameter: a parameter is missing, malformed or out of range.
            TooLarge: the picture has too many bytes.
        """
        return self.run(_request(self.rules, content, wanted))

    def classify(self, content: bytes | None = None, **wanted: Any) -> Outcome:
        """The labels of a whole picture: parameters of ``/classifier``, errors as for ``detect``."""
        by = self.labelling()
        rules = Rules(by.labels, by.default_min_score, self.rules.max_bytes)
        return self.label(_request(rules, content, wanted), by)


def _request(rules: Rules, content: bytes | None, wanted: dict[str, Any]) -> DetectRequest:
    return validated(canonical(wanted), rules, _JSON, content)
