"""Label files -> entries: text lines, label maps (``.pbtxt``) and CSV.

Owns how each of them says which class has which index. Indices here are those of ``labels.csv``: from 1, 0 being no
class. A text file has a line for each class in order; where its first line is a background (``???``), that line is 0.
Lines such as ``n/a`` stand for classes that nobody uses.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model_build.errors import LabelsNotUsable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_BACKGROUND = {"???", "background", "__background__"}
_UNUSED = {"", "n/a", "???", "-"}
_NUMBERED = re.compile(r"(\d+)(?:\s*[:,]\s*|\s+)(\S.*)")
_ITEM = re.compile(r"\bitem\s*\{([^}]*)\}")
_FIELD = re.compile(r"\b(id|name|display_name)\s*:\s*(?:(\d+)|\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)')")
_SUFFIXES = {".txt", ".pbtxt", ".csv"}
_MAX_BYTES = 16 * 1024**2
_CSV_COLUMNS = {"index", "id", "name", "parent"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A class, or a group of classes.

    Attributes:
        index: its class index, from 1; None for a group.
        name: its display name.
        id: its id; empty where the file has none.
        parent: name of what it is a kind of; empty for none.
    """

    index: int | None
    name: str
    id: str = ""
    parent: str = ""


def read(content: bytes, name: str) -> list[Entry]:
    """The classes in a label file.

    Args:
        content: of the file.
        name: its name; ``.pbtxt`` and ``.csv`` say which kind it is, all others are lines.

    Raises:
        LabelsNotUsable: it is none, or names no class.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelsNotUsable(f"{name} is no label file: {error}") from error
    if name.endswith(".pbtxt"):
        entries = _label_map(text)
    elif name.endswith(".csv"):
        entries = _table(text, name)
    else:
        entries = of_lines(text.splitlines())
    indices = [entry.index for entry in entries if entry.index is not None]
    if not indices:
        raise LabelsNotUsable(f"{name} names no class; it should be lines of names, a .pbtxt label map or a .csv table")
    if len(indices) != len({*indices}):
        raise LabelsNotUsable(f"{name} names {len(indices)} classes, but some have the same index")
    return entries


def beside(model: Path, folder: Path) -> Path | None:
    """The label file that belongs to a model: ``labels.txt``, ``labelmap.txt``, ``<model>.txt`` or the like.

    What stands before ``label`` in its name must begin the model's, so that files of several models may lie together.
    The longest such name is taken.

    Raises:
        LabelsNotUsable: several files have equal claims.
    """
    stem = model.stem.casefold() if model.is_file() else ""
    claims: dict[int, list[Path]] = {}
    for path in sorted(folder.rglob("*") if model.is_dir() or folder != model.parent else folder.iterdir()):
        if path.suffix.casefold() not in _SUFFIXES or not path.is_file() or _is_part_of(path, model):
            continue
        name = path.stem.casefold()
        prefix, word, _ = name.partition("label")
        begun = prefix.rstrip("_- ")
        if name == stem or (word and (not stem or stem.startswith(begun))):
            claims.setdefault(len(stem) + 1 if name == stem else len(begun), []).append(path)
    if not claims:
        return None
    best = claims[max(claims)]
    if len(best) > 1:
        names = ", ".join(path.name for path in best)
        raise LabelsNotUsable(f"{names} could all be its labels; say which: LABELS_URL=…")
    return best[0]


def of_file(path: Path) -> list[Entry]:
    """``read`` of a file on disk.

    Raises:
        LabelsNotUsable: it cannot be read, or is no label file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise LabelsNotUsable(f"the labels {path} cannot be read: {error.strerror}") from error
    if len(content) > _MAX_BYTES:
        raise LabelsNotUsable(f"{path.name} is no label file: it has more than {_MAX_BYTES:,} bytes")
    return read(content, path.name)


def _is_part_of(path: Path, model: Path) -> bool:
    """Whether a file is one of TensorFlow's own in a SavedModel; its assets may well be labels."""
    return model.is_dir() and path.is_relative_to(model / "variables")


def of_lines(lines: Sequence[str]) -> list[Entry]:
    """The classes of a text file with a line for each; ``3  cat`` in every line gives each its own number."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    names = [line.strip() for line in lines]
    numbered = [_NUMBERED.fullmatch(name) for name in names if name]
    if all(numbered) and numbered:
        pairs = [(int(match[1]), match[2]) for match in numbered if match]
    else:
        pairs = list(enumerate(names))
    first = 0 if pairs and pairs[0][1].casefold() in _BACKGROUND else 1
    return [
        Entry(place + first, name) for place, name in pairs if name.casefold() not in _UNUSED and (place + first > 0)
    ]


def _label_map(text: str) -> list[Entry]:
    """The classes of a StringIntLabelMap, a protocol buffer in text form.

    https://github.com/tensorflow/models/blob/master/research/object_detection/protos/string_int_label_map.proto
    """
    entries = []
    for item in _ITEM.findall(text):
        fields = {key: number or double or single for key, number, double, single in _FIELD.findall(item)}
        name, id_ = fields.get("display_name") or fields.get("name", ""), fields.get("name", "")
        if fields.get("id", "").isdigit() and int(fields["id"]) > 0 and name.casefold() not in _UNUSED:
            entries.append(Entry(int(fields["id"]), name, id_ if id_.startswith("/") else ""))
    return entries


def _table(text: str, name: str) -> list[Entry]:
    """A CSV file with the column ``name``, and ``index``, ``id`` and ``parent`` where there are any.

    Without indices its rows are counted; a row whose index is empty is a group.
    """
    reader = csv.DictReader(io.StringIO(text))
    columns = {*(reader.fieldnames or ())}
    if "name" not in columns:
        raise LabelsNotUsable(
            f"{name} has the columns {', '.join(sorted(columns)) or 'of an empty file'}; expected are name and, if "
            f"there are any, {', '.join(sorted(_CSV_COLUMNS - {'name'}))}"
        )
    entries = []
    for place, row in enumerate(reader, start=1):
        given = {column: (row.get(column) or "").strip() for column in _CSV_COLUMNS}
        index = given["index"] if "index" in columns else str(place)
        if index and not (index.isascii() and index.isdigit() and int(index) > 0):
            raise LabelsNotUsable(f"row {place} of {name} has the index {index!r}; indices are numbers from 1 on")
        if given["name"]:
            entries.append(Entry(int(index) if index else None, given["name"], given["id"], given["parent"]))
    return entries
