"""What came of each picture: JSON lines as they come, and COCO of all of them.

Owns the files of a run. A picture is done when its line is there; a line that was cut off, by a full disk or a switch,
is no line, and is written anew. COCO's format: https://cocodataset.org/#format-results and #format-data.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

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
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        categories: dict[str, int] = {}
        for line in self._lines():
            if "detections" not in line:
                continue
            size = {"width": line["image"]["width"], "height": line["image"]["height"]}
            images.append({"id": len(images) + 1, "file_name": line["file"], **size})
            for found in line["detections"]:
                box = found["box"]
                width, height = box["xmax"] - box["xmin"], box["ymax"] - box["ymin"]
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": len(images),
                        "category_id": categories.setdefault(found["label"], len(categories) + 1),
                        "bbox": [box["xmin"], box["ymin"], width, height],
                        "area": width * height,
                        "iscrowd": 0,
                        "score": found["score"],
                    }
                )
        named = [{"id": number, "name": name} for name, number in categories.items()]
        coco = {"images": images, "annotations": annotations, "categories": named}
        (self.folder / "coco.json").write_text(json.dumps(coco, ensure_ascii=False), encoding="utf-8")
        return len(images), len(annotations)

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
