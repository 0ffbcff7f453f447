"""What was fetched -> the one model in it.

Owns telling a ``.tar.gz``, a ``.zip`` and a ``.tflite`` apart by their first bytes (addresses may end in anything), and
unpacking. Refuses what would leave its folder, what is neither file nor folder, and more than a container image holds;
leaves out what macOS adds to an archive.
"""

from __future__ import annotations

import gzip
import stat
import tarfile
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from model_build.errors import NotAModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Member = tuple[str, BinaryIO]

MAX_BYTES = 8 * 1024**3  # https://docs.aws.amazon.com/lambda/latest/dg/images-create.html: an image has 10 GB at most

_CHUNK_BYTES = 1024 * 1024
_ZIP, _TFLITE = b"PK\x03\x04", b"TFL3"  # the latter from the fifth byte on


class _Refused(Exception):
    """A member that is not unpacked; the message says why."""


# zipfile says RuntimeError of what is encrypted, and NotImplementedError, one of those, of what it cannot unpack.
_UNREADABLE = (
    _Refused,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
)


def is_flatbuffer(file: Path) -> bool:
    """Whether a file is a TFLite model; one with metadata is a zip file at its end, too."""
    if file.is_dir():
        return False
    with file.open("rb") as opened:
        return opened.read(8)[4:] == _TFLITE


def is_keras(file: Path) -> bool:
    """Whether a file is a Keras model, which is a zip file with certain members.

    https://keras.io/guides/serialization_and_saving/
    """
    if file.is_dir() or not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return {"config.json", "model.weights.h5"} <= {*archive.namelist()}


def unpack(archive: Path, folder: Path) -> None:
    """Writes an archive's files below a folder, as new files of this user's own.

    Raises:
        NotAModel: it is no archive, a damaged one, or one that is refused.
    """
    with archive.open("rb") as file:
        start = file.read(len(_ZIP))
    try:
        _write(_of_zip(archive) if start == _ZIP else _of_tar(archive), folder)
    except _UNREADABLE as error:
        raise NotAModel(f"{archive.name} is no readable .tar.gz, .zip or .tflite: {error}") from error


def model_in(folder: Path) -> Path:
    """The only SavedModel folder or ``.tflite`` file at or below a folder.

    Raises:
        NotAModel: there is none, or there are several.
    """
    found = sorted(path.parent for path in folder.rglob("saved_model.pb"))
    found += sorted(path for path in (*folder.rglob("*.tflite"), *folder.rglob("*.keras")) if path.is_file())
    if len(found) != 1:
        names = ": " + ", ".join(path.relative_to(folder).as_posix() for path in found[:5]) if found else ""
        raise NotAModel(
            f"{folder.name} holds {len(found)} models, .tflite files and folders with a saved_model.pb, not one{names}"
        )
    return found[0]


def _of_tar(archive: Path) -> Iterator[Member]:
    """The files of a .tar.gz.

    Not ``extractall``: Debian 12's Python 3.11.2 has none of its filters (https://peps.python.org/pep-0706/), and a
    model needs less than the strictest of them allows: no links, no modes, no owners.
    """
    with gzip.open(archive) as file, tarfile.open(fileobj=file, mode="r:") as tar:
        for member in tar:
            if member.isdir():
                continue
            content = tar.extractfile(member) if member.isreg() else None
            if content is None:
                raise _Refused(f"{member.name} is neither a file nor a folder")
            yield member.name, content  # type: ignore[misc]
        while file.read(_CHUNK_BYTES):
            pass  # gzip's own checksum is at the very end, behind all that tar reads


def _of_zip(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.is_dir():
                continue
            if kind not in {0, stat.S_IFREG}:
                raise _Refused(f"{member.filename} is neither a file nor a folder")
            with file.open(member) as content:
                yield member.filename, content  # type: ignore[misc]


def _is_of_macos(name: str) -> bool:
    """Whether a member is metadata of another one: ``._a`` of ``a``, which in zip files lies below ``__MACOSX/``."""
    *folders, file = PurePosixPath(name).parts or ("",)
    return "__MACOSX" in folders or file.startswith("._")


def _write(members: Iterator[Member], folder: Path) -> None:
    root = folder.resolve()
    root.mkdir(parents=True)
    left_bytes = MAX_BYTES
    for name, content in members:
        target = (root / name).resolve()
        if not target.is_relative_to(root):
            raise _Refused(f"{name} would leave its folder")
        if _is_of_macos(name):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with content, target.open("xb") as file:
            while chunk := content.read(min(_CHUNK_BYTES, left_bytes + 1)):
                left_bytes -= len(chunk)
                if left_bytes < 0:
                    raise _Refused(f"it unpacks to more than {MAX_BYTES:,} bytes")
                file.write(chunk)
