"""``POST /uploads`` and ``GET /uploads/{id}``: a way in and out for pictures that are too large for Lambda's 6 MB.

Owns the two endpoints: a form with which a browser or ``curl`` sends a picture straight to the bucket, and the address
at which its result can be asked for, until it is there. What recognises it is ``worker``, which knows nothing of them.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from recognizer.errors import InvalidParameter, NotFound, quoted
from recognizer.http import body, parameters, responses, stored
from recognizer.http.negotiation import negotiated
from recognizer.job import PARAMETERS
from recognizer.pictures import MEDIA_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from recognizer.http.messages import Request, Response
    from recognizer.http.parameters import Rules
    from recognizer.uploads.results import Results
    from recognizer.uploads.storage import Bucket

FORM_EXPIRES_S = 600
RESULT_EXPIRES_S = 600
_RETRY_AFTER_S = 1
_FOLDER = "uploads"
_TYPE = "content_type"
_ID = re.compile(r"[0-9a-f]{32}")


class Reception:
    """Hands out forms and results.

    Args:
        rules: what options can mean here, and how large a picture may be.
        uploads: the bucket that pictures are sent to.
        results: where their results are.
    """

    def __init__(self, rules: Rules, uploads: Bucket, results: Results) -> None:
        self._rules = rules
        self._uploads = uploads
        self._results = results
        self.routes: dict[str, dict[str, Callable[[Request, Any], Response]]] = {
            "/uploads": {"POST": self.begin},
            "/uploads/{id}": {"GET": self.result},
        }

    def begin(self, request: Request, _: object) -> Response:
        """The form for one picture, and where its result will be.

        Raises:
            InvalidParameter: an option is unknown or out of range, they are more than S3 keeps with a picture, or the
                type is none of a picture that is read.
        """
        given, content = body.read(request)
        if content is not None:
            raise InvalidParameter("Ask for the form first, and send the picture with it.", parameter="image")
        asked = parameters.canonical(request.query, given, known=(*PARAMETERS, _TYPE))
        media_type = asked.pop(_TYPE, MEDIA_TYPES["JPEG"])
        if media_type not in MEDIA_TYPES.values():
            raise InvalidParameter(
                f"{_TYPE} must be one of {', '.join(MEDIA_TYPES.values())}, not {quoted(media_type)}.",
                parameter=_TYPE,
            )
        options = stored.among(asked)
        stored.request_for(options, self._rules)
        metadata = {f"{stored.METADATA}{name}": text for name, text in stored.as_metadata(options).items()}
        upload_id = secrets.token_hex(16)
        fields = {"Content-Type": media_type, **metadata}
        form = self._uploads.form(f"{_FOLDER}/{upload_id}", fields, self._rules.max_bytes, FORM_EXPIRES_S)
        result = f"{_FOLDER}/{upload_id}"
        told = {"id": upload_id, "url": form["url"], "fields": form["fields"], "result": result}
        limits = {"max_bytes": self._rules.max_bytes, "expires_in_s": FORM_EXPIRES_S}
        return responses.passing(201, told | limits, Location=result)

    def result(self, request: Request, _: object) -> Response:
        """Where the result of an upload is, or that it is not there yet.

        Raises:
            InvalidParameter: a parameter other than ``format`` is given.
            NotFound: there cannot be such an upload.
        """
        given = parameters.canonical(request.query)
        if other := given.keys() - {"format"}:
            raise InvalidParameter("The options of an upload are in its form.", parameter=min(other))
        kind = parameters.answer_kind(given, negotiated(request.header("accept"), "json").kind, ("image", "json"))
        upload_id = request.path.rpartition("/")[2]
        if not _ID.fullmatch(upload_id):
            raise NotFound("There is no such upload. POST /uploads begins one.")
        latest = self._results.latest(f"{_FOLDER}/{upload_id}")
        if latest is None:
            pending = {"id": upload_id, "status": "pending"}
            return responses.passing(202, pending, Retry_After=str(_RETRY_AFTER_S))
        document, picture = latest
        key = picture if picture is not None and kind == "image" else document
        return responses.passing(303, Location=self._results.address(key, RESULT_EXPIRES_S))
