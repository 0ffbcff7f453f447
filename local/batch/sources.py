"""Where pictures come from: a folder of this machine, or what lies below ``s3://bucket/prefix``.

Owns finding and reading them. A folder is searched for files that are called like pictures, but for those that a run
drew itself; of a bucket every object is taken that is not empty.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from local.batch.record import ANNOTATED, LINES

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif"}
# What S3 says of one object; all else is of the bucket, the credentials or the network.
_OF_ONE_OBJECT = {"NoSuchKey", "AccessDenied", "InvalidObjectState"}
_CONNECTIONS = 32


class CannotRead(Exception):
    """A source, or one picture of it, that cannot be read; the message says why."""


class Source(Protocol):
    """Pictures by name."""

    def names(self) -> Iterator[str]:
        """The name of each picture, always in the same order."""

    def content(self, name: str) -> bytes:
        """The file of a picture.

        Raises:
            CannotRead: it cannot be read, others may.
        """


@dataclass(frozen=True)
class Folder:
    """The pictures in a folder, and in the folders below it."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def names(self) -> Iterator[str]:
        """See ``Source``."""
        for folder, below, files in os.walk(self.path):
            if LINES in files and ANNOTATED in below:  # what an earlier run, or this one, wrote
                below.remove(ANNOTATED)
            below.sort()
            for path in (Path(folder, file) for file in sorted(files)):
                if path.suffix.lower() in _SUFFIXES and path.is_file():
                    yield path.relative_to(self.path).as_posix()

    def content(self, name: str) -> bytes:
        """See ``Source``."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise CannotRead(error.strerror or str(error)) from error


@dataclass(frozen=True)
class Prefix:
    """The objects of a bucket whose keys begin so."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def names(self) -> Iterator[str]:
        """See ``Source``."""
        pages = s3().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        for page in pages:
            yield from (entry["Key"] for entry in page.get("Contents", ()) if entry["Size"])

    def content(self, name: str) -> bytes:
        """See ``Source``."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - only for buckets
        from recognizer.uploads.storage import code_of  # noqa: PLC0415

        try:
            content: bytes = s3().get_object(Bucket=self.bucket, Key=name)["Body"].read()
        except ClientError as error:
            if code_of(error) not in _OF_ONE_OBJECT:
                raise
            raise CannotRead(str(error)) from error
        return content


def source_of(text: str) -> Folder | Prefix:
    """The source that an argument names.

    Raises:
        CannotRead: there is no such folder.
    """
    if text.startswith("s3://"):
        return Prefix(*bucket_and_prefix(text))
    path = Path(text)
    if not path.is_dir():
        raise CannotRead(f"{text} is no folder. Give a folder of pictures, or s3://bucket/prefix.")
    return Folder(path.resolve())


def bucket_and_prefix(address: str) -> tuple[str, str]:
    """The bucket, and what follows it, of ``s3://bucket/prefix``.

    Raises:
        CannotRead: it is no such address.
    """
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    if not address.startswith("s3://") or not bucket:
        raise CannotRead(f"{address} is no address of a bucket, such as s3://bucket/prefix.")
    return bucket, prefix


@functools.cache
def s3() -> Any:
    """This process's client of S3, for all its threads, with the credentials of the environment."""
    import botocore.session  # noqa: PLC0415 - only for buckets
    from botocore.config import Config  # noqa: PLC0415

    config = Config(max_pool_connections=_CONNECTIONS, retries={"mode": "standard", "max_attempts": 10})
    return botocore.session.Session().create_client("s3", config=config)
