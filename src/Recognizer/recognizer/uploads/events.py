"""A message of the queue -> the objects that it says were created.

Owns the two forms in which S3 tells of an object: its own notification, whose keys are URL-encoded with ``+`` for a
blank, and the event of EventBridge, whose keys are not encoded. Both arrive at least once, in any order.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

_CREATED = "ObjectCreated:"
_CREATED_BY_EVENTBRIDGE = "Object Created"
_REPLACEABLE = "null"  # the version of what was stored while the bucket kept no versions: the next one takes its place


class UnreadableMessage(ValueError):
    """A message that is no event of S3; the text says what it lacks."""


@dataclass(frozen=True, slots=True)
class ObjectCreated:
    """One version of an object that was created.

    Attributes:
        bucket: its bucket's name.
        key: its key, as S3 takes it.
        version_id: which version of the object it is.
        sequencer: hexadecimal; of two events of one key the later one has the greater (see ``is_later``).
        size_bytes: how large it is.
    """

    bucket: str
    key: str
    version_id: str
    sequencer: str
    size_bytes: int

    @property
    def is_folder(self) -> bool:
        """Whether it is what consoles make to show a folder: an empty object whose key ends in a slash."""
        return self.size_bytes == 0 and self.key.endswith("/")


def objects_in(message: str) -> tuple[ObjectCreated, ...]:
    """The objects that a message tells of; none for S3's test message and for events of other kinds.

    Raises:
        UnreadableMessage: it is no event of S3, or the bucket has no versions, or none any more.
    """
    try:
        event = json.loads(message)
        if event.get("Event") == "s3:TestEvent":
            return ()
        return tuple(_of_eventbridge(event) if "detail-type" in event else _of_notification(event))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableMessage(
            "The message is no event of a versioned S3 bucket (a notification, or EventBridge's Object Created): "
            f"{type(error).__name__} {error}"
        ) from error


def is_later(sequencer: str, than: str) -> bool:
    """Whether an event came after another one of the same key; they are compared from the left, as if equally long.

    https://repost.aws/knowledge-center/s3-duplicate-sqs-messages
    """
    length = max(len(sequencer), len(than))
    return sequencer.upper().ljust(length, "0") > than.upper().ljust(length, "0")


def _of_notification(event: dict[str, Any]) -> Iterator[ObjectCreated]:
    for record in event["Records"]:
        if record["eventName"].removeprefix("s3:").startswith(_CREATED):
            stored = record["s3"]["object"]
            yield _created(
                record["s3"]["bucket"], stored, unquote_plus(stored["key"], errors="strict"), stored["versionId"]
            )


def _of_eventbridge(event: dict[str, Any]) -> Iterator[ObjectCreated]:
    if event["detail-type"] == _CREATED_BY_EVENTBRIDGE:
        stored = event["detail"]["object"]
        yield _created(event["detail"]["bucket"], stored, stored["key"], stored["version-id"])


def _created(bucket: dict[str, Any], stored: dict[str, Any], key: str, version_id: str) -> ObjectCreated:
    if version_id == _REPLACEABLE:
        raise ValueError("the version is null: switch the bucket's versioning on, and store the object again")
    return ObjectCreated(
        str(bucket["name"]), str(key), str(version_id), str(stored["sequencer"]), int(stored.get("size", 0))
    )
