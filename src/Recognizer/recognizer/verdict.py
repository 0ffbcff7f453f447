"""A picture that nobody waits for -> its document: what is in it, or what is wrong with it.

Owns how a picture is asked about and what its document says. A failure of the picture's own is final, and its document
says so; any other is raised, as a later try can end otherwise. Where pictures come from and where documents go is known
to ``worker``, for a bucket, and to ``local.batch``, for a folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recognizer.errors import RequestError
from recognizer.http import responses, stored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.http.parameters import Rules
    from recognizer.job import ModelIdentity, Outcome
    from recognizer.pipeline import Pipeline


def outcome_of(
    content: bytes, options: Mapping[str, Any], rules: Rules, pipeline: Pipeline, ends_at_s: float
) -> Outcome:
    """What a picture came to.

    Args:
        content: its file.
        options: what is asked of it; see ``stored``.
        rules: what options can mean here.
        pipeline: what recognises.
        ends_at_s: when it must be over, by ``time.monotonic``.

    Raises:
        RequestError: whatever a step raises; see ``RequestError.is_server_error``.
    """
    request = stored.request_for(options, rules, content)
    return pipeline.run(request, pipeline.source(request, ends_at_s), ends_at_s)


def document_of(
    reached: Outcome | RequestError, identity: ModelIdentity, request_id: str | None = None
) -> dict[str, Any]:
    """The JSON of an outcome, or the problem document of a failure."""
    if isinstance(reached, RequestError):
        return responses.problem_document(reached, request_id)
    return responses.detections_document(reached, identity)
