"""One bucket of S3: reading, writing under conditions, and addresses that open one object for a while.

Owns what is asked of S3 and what its answers mean: a missing object is None, a condition that does not hold is False,
and everything else that goes wrong is raised as botocore raises it, after its own retries. Botocore is imported when
the first bucket is used: that takes a third of a second, which the start of the detector does not pay.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recognizer.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

MISSING = {"NoSuchKey", "NoSuchVersion", "404"}
_DELETED = "MethodNotAllowed"  # what reading a delete marker by its version answers
# The last is for If-Match where there is nothing:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
_CONDITION_FAILED = {"PreconditionFailed", "412", "NoSuchKey"}
_CONFLICT = {"ConditionalRequestConflict", "409"}
_TRIES = 5  # of a write that meets a deletion of the same key


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it was read.

    Attributes:
        content: its bytes.
        metadata: what its sender said of it, names in lower case without ``x-amz-meta-``.
        etag: S3's tag of the content.
        modified: when it was stored, in ISO 8601.
    """

    content: bytes
    metadata: Mapping[str, str]
    etag: str
    modified: str


class Bucket:
    """A bucket; safe to use from several threads."""

    def __init__(self, name: str) -> None:
        """Takes its name; nothing is asked of S3 yet."""
        self.name = name

    def get(self, key: str, version_id: str | None = None, max_bytes: int | None = None) -> Stored | None:
        """An object, or one version of it; None where it does not exist, or no longer.

        Raises:
            TooLarge: it has more than ``max_bytes``; nothing of it is read.
        """
        version = {} if version_id is None else {"VersionId": version_id}
        found = self._asked("get_object", MISSING | {_DELETED}, Key=key, **version)
        if found is None:
            return None
        with found["Body"] as body:
            if max_bytes is not None and found["ContentLength"] > max_bytes:
                raise TooLarge(f"The picture has more than {max_bytes:,} bytes.")
            return Stored(body.read(), found["Metadata"], found["ETag"], found["LastModified"].isoformat())

    def has(self, key: str) -> bool:
        """Whether there is an object of that key."""
        return self._asked("head_object", MISSING, Key=key) is not None

    def put(self, key: str, content: bytes, media_type: str, **conditions: str) -> bool:
        """Writes an object; False where a condition (``IfMatch``, ``IfNoneMatch``) does not hold."""
        written = {"Key": key, "Body": content, "ContentType": media_type, **conditions}
        for _ in range(_TRIES - 1):
            try:
                return self._asked("put_object", _CONDITION_FAILED, **written) is not None
            except Exception as error:
                if code_of(error) not in _CONFLICT:
                    raise
        return self._asked("put_object", _CONDITION_FAILED, **written) is not None

    def form(self, key: str, fields: Mapping[str, str], max_bytes: int, expires_s: int) -> dict[str, Any]:
        """A form with which anybody can store one object for a while: ``url``, and the ``fields`` to send before it.

        Args:
            key: the only key that it stores.
            fields: Content-Type and metadata, each exactly so.
            max_bytes: largest object; an empty one is refused too.
            expires_s: how long it can be used.
        """
        conditions = [*({name: value} for name, value in fields.items()), ["content-length-range", 1, max_bytes]]
        form: dict[str, Any] = _client().generate_presigned_post(
            self.name, key, Fields=dict(fields), Conditions=conditions, ExpiresIn=expires_s
        )
        return form

    def address(self, key: str, expires_s: int) -> str:
        """An address that anybody can read one object at for a while."""
        return str(
            _client().generate_presigned_url(
                "get_object", Params={"Bucket": self.name, "Key": key}, ExpiresIn=expires_s
            )
        )

    def _asked(self, operation: str, expected: set[str], **arguments: Any) -> dict[str, Any] | None:
        """What S3 answers; None where it is one of the errors that are expected."""
        try:
            answer: dict[str, Any] = getattr(_client(), operation)(Bucket=self.name, **arguments)
        except Exception as error:
            if code_of(error) in expected:
                return None
            raise
        return answer


def code_of(error: Exception) -> str:
    """The code of an error that S3 answered with; empty for any other error."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


@functools.cache
def _client() -> Any:
    import botocore.session  # noqa: PLC0415 - see above
    from botocore.config import Config  # noqa: PLC0415

    # The bucket in the host name and the region's own endpoint: else an address for a new bucket is redirected, and a
    # browser does not send a form again. Where another endpoint is set, its host has no names below it.
    session = botocore.session.Session()
    style: Any = "path" if session.get_config_variable("endpoint_url") else "virtual"
    regional: Any = "regional"
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": style, "us_east_1_regional_endpoint": regional},
        retries={"mode": "standard", "max_attempts": 4},
        connect_timeout=5,
        read_timeout=20,
    )
    return session.create_client("s3", config=config)
