"""Has pictures recognised by a deployment: uploads them to its bucket and waits for their results.

Owns the way there and back. A picture that lies in the bucket already, from a run that was stopped, is not sent again.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from recognizer.uploads.results import folder_of

from local.batch.engines import Recognised
from local.batch.sources import s3

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from local.batch.sources import Source

_AT_A_TIME = 32
_ASK_AGAIN_S = 1.0
_MISSING = {"404", "NoSuchKey"}


class Timeout(Exception):
    """A result that did not come; the message says which."""


class Deployment:
    """The two buckets of a deployment.

    Args:
        uploads: its uploads bucket.
        prefix: what keys begin with.
        results: its results bucket.
        options: metadata for each picture.
        timeout_s: how long to wait for one result.
    """

    def __init__(self, uploads: str, prefix: str, results: str, options: dict[str, str], timeout_s: float) -> None:
        self._uploads = uploads
        self._prefix = prefix
        self._results = results
        self._options = options
        self._timeout_s = timeout_s
        self._of_thread = threading.local()

    def recognised(self, source: Source, names: Iterable[str]) -> Iterator[Recognised]:
        """What comes of each picture.

        Raises:
            Timeout: a result did not come; its message is in the dead-letter queue, or the queue is long.
        """
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            try:
                yield from pool.map(lambda name: self._one(source, name), names)
            finally:
                pool.shutdown(cancel_futures=True)

    def _one(self, source: Source, name: str) -> Recognised:
        key = f"{self._prefix}{name}"
        version_id = self._sent(key, source.content(name))
        document = json.loads(self._awaited(f"{folder_of(key)}/{version_id}.json"))
        picture_key = document["object"]["picture"]
        if picture_key is None:
            return Recognised(name, document, None, "")
        found = self._client.get_object(Bucket=self._results, Key=picture_key)
        return Recognised(name, document, found["Body"].read(), found["ContentType"])

    def _sent(self, key: str, content: bytes) -> str:
        """The version that holds the picture."""
        try:
            known = self._client.head_object(Bucket=self._uploads, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise
        else:
            digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
            if known["ETag"].strip('"') == digest and known["Metadata"] == self._options:
                return str(known["VersionId"])
        media_type = mimetypes.guess_type(key)[0] or "application/octet-stream"
        sent = self._client.put_object(
            Bucket=self._uploads, Key=key, Body=content, ContentType=media_type, Metadata=self._options
        )
        return str(sent["VersionId"])

    def _awaited(self, key: str) -> bytes:
        ends_at_s = time.monotonic() + self._timeout_s
        while True:
            try:
                content: bytes = self._client.get_object(Bucket=self._results, Key=key)["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] not in _MISSING:
                    raise
            else:
                return content
            if time.monotonic() > ends_at_s:
                raise Timeout(
                    f"{key} did not come within {self._timeout_s:.0f} s. Look into the dead-letter queue and the "
                    "worker's log; the same command goes on from here."
                )
            time.sleep(_ASK_AGAIN_S)

    @property
    def _client(self) -> Any:
        if not hasattr(self._of_thread, "client"):
            self._of_thread.client = s3()
        return self._of_thread.client
