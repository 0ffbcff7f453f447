"""What came of each picture: JSON lines as they come, and COCO of all of them.

Owns the files of a run. A picture is done when its line is there; a line that was cut off, by a full disk or a switch,
is no line, and is written anew. All lines of a folder are of one source and of the same options.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

from recognizer.http.exports import coco

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LINES = "results.jsonl"
ANNOTATED = "annotated"
_ASKED = "run.json"
_MAX_NAME_BYTES = 255  # of a file, where most systems end


class OtherRun(Exception):
    """A folder with the results of something else; the message says of what."""


class Record:
    """The folder that a run writes to; also a context manager that closes it."""

    def __init__(self, folder: Path, asked: Mapping[str, Any]) -> None:
        """Opens a folder, and goes on where an earlier run stopped.

        Args:
            folder: made where it is not there.
            asked: the source and the options, as JSON's values; what an earlier run was asked must be the same.

        Raises:
            OtherRun: it was not.
        """
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / LINES
        self.done = self._mended()
        self._begin(asked)
        self._file = self._path.open("a", encoding="utf-8")

    def add(self, name: str, document: dict[str, Any], picture: bytes | None, media_type: str) -> None:
        """Keeps what came of a picture: the annotated one first, then its line.

        Args:
            name: the picture's, relative to its source.
            document: the JSON answer, or the problem document.
            picture: the annotated picture, if there is one.
            media_type: its Content-Type.
        """
        if picture is not None:
            path = self.folder / ANNOTATED / _relative(f"{name}.{media_type.partition('/')[2]}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture)
        # In ASCII, as the name of a file need not be UTF-8.
        self._file.write(f"{json.dumps({'file': name, **document})}\n")
        self._file.flush()
        self.done.add(name)

    def write_coco(self) -> tuple[int, int]:
        """Writes coco.json of every line; how many pictures and objects are in it."""
        found = [line for line in self._lines() if "detections" in line]
        names = sorted({each["label"] for line in found for each in line["detections"]})
        written = coco(((line["file"], line) for line in found), {name: number for number, name in enumerate(names)})
        (self.folder / "coco.json").write_text(json.dumps(written), encoding="utf-8")
        return len(written["images"]), len(written["annotations"])

    def _lines(self) -> Iterator[dict[str, Any]]:
        with self._path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)

    def _mended(self) -> set[str]:
        """The names of all whole lines; what follows the last of them is cut off."""
        if not self._path.exists():
            return set()
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            self._path.write_bytes(whole)
        return {json.loads(line)["file"] for line in whole.splitlines()}

    def _begin(self, asked: Mapping[str, Any]) -> None:
        path = self.folder / _ASKED
        known = json.loads(path.read_bytes()) if path.exists() else None
        if self.done and known != asked:
            raise OtherRun(
                f"{self.folder} has results of {'another run' if known is None else json.dumps(known)}, not of "
                f"{json.dumps(asked)}. Name another folder with --out."
            )
        path.write_text(json.dumps(asked), encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _relative(name: str) -> Path:
    """A path that stays below its folder, whatever the name: keys of a bucket can be ``../../etc/passwd``."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in {"/", "..", "."}]
    return Path(*map(_short, parts))


def _short(part: str) -> str:
    """A name that a file can have; one too long by its digest: keys of a bucket can have 1,024 bytes."""
    if len(os.fsencode(part)) <= _MAX_NAME_BYTES:
        return part
    return hashlib.sha256(os.fsencode(part)).hexdigest() + PurePosixPath(part).suffix[:10]
