"""Where the result of an object lies, and that each version has exactly one.

    results/<key>/<version>.json    the result, written once: whoever comes second leaves it as it is
    results/<key>/<version>.jpeg    the annotated picture, where there is one; written before the result
    results/<key>/latest.json       which version is the newest that has a result; it only ever moves forward

Owns these names and the order of writing, in which a worker can be stopped at any point: what it left is completed by
whoever gets the message next. There is no table beside the bucket.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from recognizer.uploads.events import is_later

if TYPE_CHECKING:
    from recognizer.uploads.events import ObjectCreated
    from recognizer.uploads.storage import Bucket

_PREFIX = "results"
_JSON = "application/json"
# S3 ends keys at 1,024 bytes; a prefix, a version and a suffix come to the uploaded one.
_MAX_KEY_BYTES = 900
_MAX_MOVES = 20


class PointerContended(Exception):
    """Others moved the pointer again and again; a later try will do."""


def folder_of(key: str) -> str:
    """Where the results of an uploaded key lie; a key too long to be repeated stands there by its digest."""
    encoded = key.encode()
    if len(encoded) > _MAX_KEY_BYTES:
        return f"{_PREFIX}/sha256/{hashlib.sha256(encoded).hexdigest()}"
    return f"{_PREFIX}/{key}"


def result_key(key: str, version_id: str) -> str:
    """Where the result of a version of an uploaded key lies."""
    return f"{folder_of(key)}/{version_id}.json"


class Results:
    """The results in a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        """Takes the bucket, which is not the one that the objects are in."""
        self._bucket = bucket

    def is_there(self, created: ObjectCreated) -> bool:
        """Whether a version has its result."""
        return self._bucket.has(result_key(created.key, created.version_id))

    def keep(self, created: ObjectCreated, document: dict[str, Any], media_type: str) -> bool:
        """Writes the result of a version; False where there is one, which stays.

        Args:
            created: the version.
            document: the result, as JSON's values.
            media_type: its Content-Type.
        """
        key = result_key(created.key, created.version_id)
        return self._bucket.put(key, _dumped(document), media_type, IfNoneMatch="*")

    def keep_picture(self, created: ObjectCreated, content: bytes, media_type: str) -> str:
        """Writes the annotated picture of a version, before its result; the key where it lies."""
        key = f"{folder_of(created.key)}/{created.version_id}.{media_type.partition('/')[2]}"
        self._bucket.put(key, content, media_type)
        return key

    def advance(self, created: ObjectCreated) -> bool:
        """Points at a version that has its result, unless at the same one or a later one already; whether it moved.

        Raises:
            PointerContended: others moved it in between, too often.
        """
        key = _latest_key(created.key)
        result = result_key(created.key, created.version_id)
        pointer = {"version_id": created.version_id, "sequencer": created.sequencer, "result": result}
        for _ in range(_MAX_MOVES):
            known = self._bucket.get(key)
            if known is not None and not is_later(created.sequencer, json.loads(known.content)["sequencer"]):
                return False
            condition = {"IfNoneMatch": "*"} if known is None else {"IfMatch": known.etag}
            if self._bucket.put(key, _dumped(pointer), _JSON, **condition):
                return True
        raise PointerContended(f"{key} was moved {_MAX_MOVES} times meanwhile.")

    def latest(self, key: str) -> tuple[str, str | None] | None:
        """The keys of the newest result of an uploaded key and of its picture; None where there is no result yet."""
        pointer = self._bucket.get(_latest_key(key))
        if pointer is None:
            return None
        document = str(json.loads(pointer.content)["result"])
        result = self._bucket.get(document)
        picture = json.loads(result.content)["object"]["picture"] if result is not None else None
        return document, picture

    def address(self, key: str, expires_s: int) -> str:
        """See ``Bucket.address``."""
        return self._bucket.address(key, expires_s)


def _latest_key(key: str) -> str:
    return f"{folder_of(key)}/latest.json"


def _dumped(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
