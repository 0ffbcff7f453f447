"""Has pictures recognised by a deployment: uploads them to its bucket and waits for their results.

Owns the way there and back. All pictures are sent without waiting for results, so that the deployment has as many at a
time as it can take, and results are kept as they come. A picture that lies in the bucket already, from a run that was
stopped, is not sent again.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from recognizer.errors import InvalidParameter
from recognizer.uploads.results import result_key
from recognizer.uploads.storage import MISSING, code_of

from local.batch.engines import NotDone, Recognised
from local.batch.sources import CannotRead, s3

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from local.batch.sources import Source

_AT_A_TIME = 32  # requests
_ASK_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class _Sent:
    name: str
    result: str
    ask_at_s: float


class NoVersions(Exception):
    """A bucket that no worker takes pictures from; the message says what to change."""


class Deployment:
    """The two buckets of a deployment.

    Args:
        uploads: its uploads bucket.
        prefix: what keys begin with.
        results: its results bucket.
        metadata: the options of each picture.
        timeout_s: how long to wait while no result comes.
    """

    def __init__(self, uploads: str, prefix: str, results: str, metadata: dict[str, str], timeout_s: float) -> None:
        self._uploads = uploads
        self._prefix = prefix
        self._results = results
        self._metadata = metadata
        self._timeout_s = timeout_s

    def recognised(self, source: Source, names: Iterable[str]) -> Generator[Recognised | NotDone]:
        """What comes of each picture, in the order in which results are found.

        Raises:
            InvalidParameter: the options cannot be, as the deployment says.
            NoVersions: the uploads bucket keeps no versions.
        """
        left = iter(names)
        waiting: deque[_Sent] = deque()  # whom to ask for next is first
        moved_s = time.monotonic()
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            try:
                while True:
                    sending = [pool.submit(self._sent, source, name) for name in islice(left, _AT_A_TIME)]
                    asked = _due(waiting)
                    for sent, found in zip(asked, pool.map(self._found, asked), strict=True):
                        if found is None:
                            waiting.append(replace(sent, ask_at_s=time.monotonic() + _ASK_AGAIN_S))
                        else:
                            moved_s = time.monotonic()
                            yield found
                    for future in sending:
                        moved_s = time.monotonic()
                        result = future.result()
                        if isinstance(result, NotDone):
                            yield result
                        else:
                            waiting.append(result)
                    if sending:
                        continue
                    if not waiting:
                        return
                    if time.monotonic() - moved_s > self._timeout_s:
                        yield from map(self._given_up, waiting)
                        return
                    time.sleep(max(0.0, waiting[0].ask_at_s - time.monotonic()))
            finally:
                pool.shutdown(cancel_futures=True)

    def _sent(self, source: Source, name: str) -> _Sent | NotDone:
        key = f"{self._prefix}{name}"
        try:
            content = source.content(name)
            version_id = self._version(key, content) or self._put(key, content)
        except CannotRead as error:
            return NotDone(name, str(error))
        except UnicodeEncodeError:
            return NotDone(name, "Its name is not UTF-8, as keys of S3 are. Give it another name.")
        return _Sent(name, result_key(key, version_id), time.monotonic())

    def _version(self, key: str, content: bytes) -> str | None:
        """The version that holds the picture already, with the same options."""
        try:
            known = s3().head_object(Bucket=self._uploads, Key=key)
        except ClientError as error:
            if code_of(error) not in MISSING:
                raise
            return None
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        is_same = known["ETag"].strip('"') == digest and known["Metadata"] == self._metadata
        return str(known["VersionId"]) if is_same and "VersionId" in known else None

    def _put(self, key: str, content: bytes) -> str:
        media_type = mimetypes.guess_type(key)[0] or "application/octet-stream"
        sent = s3().put_object(
            Bucket=self._uploads, Key=key, Body=content, ContentType=media_type, Metadata=self._metadata
        )
        if "VersionId" not in sent:
            raise NoVersions(f"The bucket {self._uploads} keeps no versions. Name the uploads bucket of a deployment.")
        return str(sent["VersionId"])

    def _found(self, sent: _Sent) -> Recognised | None:
        result = self._read(sent.result)
        if result is None:
            return None
        document = json.loads(result["Body"].read())
        if document.get("status") == InvalidParameter.status:  # no picture's fault
            raise InvalidParameter(document["detail"], parameter=document.get("parameter"))
        picture_key = document["object"]["picture"]
        picture = None if picture_key is None else self._read(picture_key)
        if picture is None:
            return Recognised(sent.name, document, None, "")
        return Recognised(sent.name, document, picture["Body"].read(), picture["ContentType"])

    def _read(self, key: str) -> Any:
        try:
            return s3().get_object(Bucket=self._results, Key=key)
        except ClientError as error:
            if code_of(error) not in MISSING:
                raise
            return None

    def _given_up(self, sent: _Sent) -> NotDone:
        return NotDone(
            sent.name,
            f"{sent.result} did not come, nor any other result for {self._timeout_s:.0f} s. Look into the dead-letter "
            "queue and the worker's log.",
        )


def _due(waiting: deque[_Sent]) -> list[_Sent]:
    """Takes out whom to ask for now."""
    now_s = time.monotonic()
    due: list[_Sent] = []
    while waiting and waiting[0].ask_at_s <= now_s and len(due) < _AT_A_TIME:
        due.append(waiting.popleft())
    return due
