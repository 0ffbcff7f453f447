"""Messages of a queue -> results in a bucket: the other way, beside HTTP, that a picture comes in.

Owns what becomes of an object: a result that says what is in the picture; a result that says what is wrong with it,
which no retry would mend; or a failure, after which the queue hands the message out again, and in the end puts it aside
into its dead-letter queue. Messages come more than once and in any order: the result of a version is made once, and an
earlier version never takes the place of a later one (see ``uploads.results``).
"""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from recognizer import telemetry, verdict
from recognizer.errors import InternalError, InvalidParameter, InvalidSetting, RequestError
from recognizer.http import responses, stored
from recognizer.telemetry import Record
from recognizer.uploads.events import objects_in

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

    from recognizer.detections import Detection
    from recognizer.http.parameters import Rules
    from recognizer.job import ModelIdentity
    from recognizer.pipeline import Pipeline
    from recognizer.settings import Settings
    from recognizer.uploads.events import ObjectCreated
    from recognizer.uploads.results import Results
    from recognizer.uploads.storage import Bucket, Stored

_TO_STORE_S = 5.0  # to read an object and to write its result


class NotDone(Exception):
    """A message that the queue is to keep; the text says why."""


class Worker:
    """What the queue's messages are handed to: ``worker(event, context)``.

    Args:
        settings: the options of every upload, and how long a picture may take.
        rules: what options can mean here.
        identity: the model that answers.
        pipeline: what recognises.
        uploads: the bucket that the messages tell of; an event of any other one fails.
        results: where results go.

    Raises:
        InvalidSetting: the options of every upload cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        identity: ModelIdentity,
        pipeline: Pipeline,
        uploads: Bucket,
        results: Results,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._identity = identity
        self._pipeline = pipeline
        self._uploads = uploads
        self._results = results
        self._is_cold = True
        try:
            self._options = stored.in_query(settings.uploads_options)
            stored.request_for(self._options, rules)
        except InvalidParameter as error:
            raise InvalidSetting(
                f"The environment variable UPLOADS_OPTIONS is {settings.uploads_options!r}: {error.public_message}"
            ) from error

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        """Which messages of an SQS event failed; the queue forgets the others.

        https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
        """
        remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
        ends_at_s = time.monotonic() + remaining_ms() / 1000 if callable(remaining_ms) else math.inf
        return process_partial_response(
            event=event,
            record_handler=partial(
                self._take, request_id=getattr(context, "aws_request_id", None), ends_at_s=ends_at_s
            ),
            processor=BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False),
        )

    def _take(self, record: SQSRecord, *, request_id: str | None, ends_at_s: float) -> None:
        """Does what one message asks for; raises what the queue is to try again."""
        try:
            for created in objects_in(record.body):
                self._take_object(created, request_id, ends_at_s)
        except Exception as error:
            failed = Record(request_id, self._is_cold)
            failed.error = InternalError("The message stays in the queue.")
            failed.error.__cause__ = error
            telemetry.report(failed, failed.error.status, "the message failed", message_id=record.message_id)
            raise

    def _take_object(self, created: ObjectCreated, request_id: str | None, ends_at_s: float) -> None:
        record = Record(request_id, self._is_cold)
        self._is_cold = False
        facts = {"bucket": created.bucket, "key": created.key, "version_id": created.version_id}
        if created.bucket != self._uploads.name:
            raise NotDone(f"The event is of the bucket {created.bucket}, not of {self._uploads.name}.")
        if created.is_folder:
            telemetry.report(record, 204, "a folder", **facts)
            return
        if self._results.is_there(created):
            self._results.advance(created)
            telemetry.report(record, 208, "known already", **facts)
            return
        # A verdict that lacked time would stay for ever.
        if time.monotonic() + self._settings.picture_timeout_s + _TO_STORE_S > ends_at_s:
            raise NotDone("There is too little of Lambda's time left for one more picture.")
        found: Stored | None = None
        try:
            found = self._uploads.get(created.key, created.version_id, self._settings.max_bytes)
            if found is None:
                telemetry.report(record, 404, "deleted since", **facts)
                return
            options = self._options | stored.in_metadata(found.metadata)
            record.outcome = verdict.outcome_of(found.content, options, self._rules, self._pipeline, ends_at_s)
        except RequestError as error:
            if error.is_server_error:
                raise
            record.error = error
        was_new = self._keep(created, found, record, request_id)
        self._results.advance(created)
        status = record.error.status if record.error else 200
        telemetry.report(record, status, _said(record) if was_new else "known already", **facts)
        # As in `app`: its traceback leads back to this frame, a circle that would keep the picture.
        record.error = None

    def _keep(self, created: ObjectCreated, found: Stored | None, record: Record, request_id: str | None) -> bool:
        """Writes the picture and then the result; whether the result is new."""
        reached = record.outcome or record.error
        assert reached is not None  # noqa: S101 - one of the two came before
        picture = None
        if record.outcome is not None and record.outcome.encoded is not None:
            encoded = record.outcome.encoded
            picture = self._results.keep_picture(created, encoded.content, encoded.media_type)
        document = verdict.document_of(reached, self._identity, request_id)
        document["object"] = {
            "bucket": created.bucket,
            "key": created.key,
            "version_id": created.version_id,
            "sequencer": created.sequencer,
            "size": created.size_bytes,
            "etag": None if found is None else found.etag.strip('"'),
            "last_modified": None if found is None else found.modified,
            "picture": picture,
        }
        return self._results.keep(created, document, responses.JSON if record.outcome else responses.PROBLEM)


def _said(record: Record) -> str:
    """The line of the log: the best object, as the first service of this kind had it."""
    if record.outcome is None:
        return f"no picture: {record.error.code}" if record.error else ""
    best: Detection | None = next(iter(record.outcome.detections), None)
    if best is None:
        return "nothing detected"
    return f"score={best.score:.2f} classid={best.label.id} human={best.label.name}"
