"""Where pictures come from: a folder of this machine, or what lies below ``s3://bucket/prefix``.

Owns finding and reading them. A folder is searched for files that are called like pictures; of a bucket every object is
taken that is not empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif"}


class CannotRead(Exception):
    """A source that is none; the message says what to change."""


class Source(Protocol):
    """Pictures by name."""

    def names(self) -> Iterator[str]:
        """The name of each picture, always in the same order."""

    def content(self, name: str) -> bytes:
        """The file of a picture."""


@dataclass(frozen=True)
class Folder:
    """The pictures in a folder, and in the folders below it."""

    path: Path

    def names(self) -> Iterator[str]:
        """See ``Source``."""
        for path in sorted(self.path.rglob("*")):
            if path.suffix.lower() in _SUFFIXES and path.is_file():
                yield path.relative_to(self.path).as_posix()

    def content(self, name: str) -> bytes:
        """See ``Source``."""
        return (self.path / name).read_bytes()


@dataclass(frozen=True)
class Prefix:
    """The objects of a bucket whose keys begin so."""

    bucket: str
    prefix: str

    def names(self) -> Iterator[str]:
        """See ``Source``."""
        pages = s3().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        for page in pages:
            yield from (entry["Key"] for entry in page.get("Contents", ()) if entry["Size"])

    def content(self, name: str) -> bytes:
        """See ``Source``."""
        content: bytes = s3().get_object(Bucket=self.bucket, Key=name)["Body"].read()
        return content


def source_of(text: str) -> Folder | Prefix:
    """The source that an argument names.

    Raises:
        CannotRead: there is no such folder.
    """
    parts = urlsplit(text)
    if parts.scheme == "s3":
        return Prefix(parts.netloc, parts.path.removeprefix("/"))
    path = Path(text)
    if not path.is_dir():
        raise CannotRead(f"{text} is no folder. Give a folder of pictures, or s3://bucket/prefix.")
    return Folder(path)


def s3() -> Any:
    """A client of S3 with the credentials of the environment; each thread may have one of its own."""
    import botocore.session  # noqa: PLC0415 - only for buckets

    return botocore.session.Session().create_client("s3")
