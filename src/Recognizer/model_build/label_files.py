"""Label files -> entries: text lines, label maps (``.pbtxt``) and CSV.

Owns how each of them says which class has which index. Indices here are those of ``labels.csv``: from 1, 0 being no
class. A text file has a line for each class in order; where its first line is a background (``???``), that line is 0.
Lines such as ``n/a`` stand for classes that nobody uses. Whether a model has a class of its own for what is called
background, as some classifiers do, is told by the model, not here.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from model_build.errors import LabelsNotUsable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BACKGROUND = 0  # the index of what stands for no class, where it is called so

_BACKGROUND = {"???", "background", "__background__"}
_UNUSED = {"", "n/a", "???"}
_NUMBERED = re.compile(r"(\d+)(?:\s*[:,]\s*|\s+)(\S.*)")
# https://github.com/tensorflow/models/blob/master/research/object_detection/protos/string_int_label_map.proto, of which
# only what is read is described.
_LABEL_MAP = """
name: "label_map.proto"
message_type {
  name: "Item"
  field { name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "id" number: 2 type: TYPE_INT32 label: LABEL_OPTIONAL }
  field { name: "display_name" number: 3 type: TYPE_STRING label: LABEL_OPTIONAL }
}
message_type {
  name: "LabelMap"
  field { name: "item" number: 1 type: TYPE_MESSAGE type_name: "Item" label: LABEL_REPEATED }
}
"""
_SUFFIXES = {".txt", ".pbtxt", ".csv"}
_MAX_BYTES = 16 * 1024**2
_CSV_COLUMNS = {"index", "id", "name", "parent"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A class, or a group of classes.

    Attributes:
        index: its class index, from 1; 0 for what is called background; None for a group.
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
        name: its name; ``.pbtxt`` and ``.csv``, in any case, say which kind it is, all others are lines.

    Raises:
        LabelsNotUsable: it is none, or names no class.
    """
    text = _text(content, name)
    match PurePath(name).suffix.casefold():
        case ".pbtxt":
            entries = _label_map(text, name)
        case ".csv":
            entries = _table(text, name)
        case _:
            entries = _of_lines(text.splitlines())
    return _usable(entries, name)


def of_lines(lines: Sequence[str], name: str) -> list[Entry]:
    """The classes of a text file with a line for each; ``3  cat`` in every line gives each its own number.

    Raises:
        LabelsNotUsable: they name no class.
    """
    return _usable(_of_lines(lines), name)


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


def _usable(entries: list[Entry], name: str) -> list[Entry]:
    indices = [entry.index for entry in entries if entry.index is not None]
    if not any(indices):
        raise LabelsNotUsable(f"{name} names no class; it should be lines of names, a .pbtxt label map or a .csv table")
    if len(indices) != len({*indices}):
        raise LabelsNotUsable(f"{name} names {len(indices)} classes, but some have the same index")
    return entries


def _of_lines(lines: Sequence[str]) -> list[Entry]:
    names = [line.strip() for line in lines]
    while names and not names[-1]:
        names.pop()
    pairs = _numbered(names) or list(enumerate(names))
    if not pairs:
        return []
    first, name = pairs[0]
    shift = (BACKGROUND if name.casefold() in _BACKGROUND else 1) - first
    return [Entry(number + shift, name) for number, name in pairs if name.casefold() not in _UNUSED]


def _numbered(names: Sequence[str]) -> list[tuple[int, str]]:
    """Number and name of each line, where these are numbers of classes; else nothing.

    ``2 of clubs`` is a name, and so are ``1 cent`` and ``2 cent``: numbers of classes begin with 0 or 1, increase, and
    what follows them differs.
    """
    found = [_NUMBERED.fullmatch(name) for name in names if name]
    pairs = [(int(match[1]), match[2]) for match in found if match]
    if not pairs or len(pairs) < len(found) or pairs[0][0] not in {0, 1}:
        return []
    if any(number <= before for (before, _), (number, _) in pairwise(pairs)):
        return []
    return pairs if len(pairs) == 1 or len({name for _, name in pairs}) > 1 else []


def _text(content: bytes, name: str) -> str:
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelsNotUsable(f"{name} is no label file: {error}. If it is text, save it as UTF-8") from error
    if "\0" in text:
        raise LabelsNotUsable(f"{name} is no label file: it has bytes of 0. If it is text, save it as UTF-8")
    return text


def _label_map(text: str, name: str) -> list[Entry]:
    """The classes of a StringIntLabelMap, a protocol buffer in text form.

    That id 0 is the background's is the rule of the Object Detection API's ``label_map_util.py``.
    """
    from google.protobuf import text_format  # noqa: PLC0415 - label maps alone need it

    try:
        items = text_format.Parse(text, _label_map_type()(), allow_unknown_field=True).item
    except text_format.ParseError as error:
        raise LabelsNotUsable(f"{name} is no label map: {error}") from error
    entries = []
    for item in items:
        shown = item.display_name or item.name
        if item.id < BACKGROUND or (item.id == BACKGROUND and shown.casefold() not in _BACKGROUND):
            raise LabelsNotUsable(f"{name} gives {shown!r} the id {item.id}; ids of classes are numbers from 1 on")
        if shown.casefold() not in _UNUSED:
            entries.append(Entry(item.id, shown, item.name if item.name.startswith("/") else ""))
    return entries


@cache
def _label_map_type() -> Any:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format  # noqa: PLC0415

    pool = descriptor_pool.DescriptorPool()
    pool.Add(text_format.Parse(_LABEL_MAP, descriptor_pb2.FileDescriptorProto()))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("LabelMap"))


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
