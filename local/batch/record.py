"""What came of each picture: JSON lines as they come, and COCO of all of them.

Owns the files of a run. A picture is done when its line is there; a line that was cut off, by a full disk or a switch,
is no line, and is written anew.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

from recognizer.http.exports import coco

if TYPE_CHECKING:
    from collections.abc import Iterator


class Record:
    """The folder that a run writes to; also a context manager that closes it."""

    def __init__(self, folder: Path) -> None:
        """Opens a folder, and goes on where an earlier run stopped."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "results.jsonl"
        self.done = self._mended()
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
            path = self.folder / "annotated" / _relative(f"{name}.{media_type.partition('/')[2]}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture)
        self._file.write(f"{json.dumps({'file': name, **document}, ensure_ascii=False)}\n")
        self._file.flush()
        self.done.add(name)

    def write_coco(self) -> tuple[int, int]:
        """Writes coco.json of every line; how many pictures and objects are in it."""
        found = [line for line in self._lines() if "detections" in line]
        names = sorted({each["label"] for line in found for each in line["detections"]})
        written = coco(((line["file"], line) for line in found), {name: number for number, name in enumerate(names)})
        (self.folder / "coco.json").write_text(json.dumps(written, ensure_ascii=False), encoding="utf-8")
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _relative(name: str) -> Path:
    """A path that stays below its folder, whatever the name: keys of a bucket can be ``../../etc/passwd``."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in {"/", "..", "."}]
    return Path(*parts)
