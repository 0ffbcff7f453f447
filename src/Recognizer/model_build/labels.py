"""A model's classes as rows of class index, machine id and display name, and the files that they are kept in.

Owns the table of Open Images V4 (for graphs that carry none of their own), how names of COCO's and of one's own become
rows, and the format of ``labels.csv`` and ``hierarchy.csv``, which ``recognizer.labels`` reads.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from recognizer import coco
from recognizer.labels import HIERARCHY

from model_build.errors import LabelsNotUsable, NotSlimmable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model_build.label_files import Entry

    Row = tuple[int, str, str]

_OPEN_IMAGES = Path(__file__).with_name("openimages_v4_labels.csv")
_COLUMNS = ("index", "id", "name")
_HIERARCHY_COLUMNS = ("child_id", "parent_id", "parent")
_OWN = "/own/"  # what ids of one's own begin with; Open Images' begin with /m/ and the like


@dataclass(frozen=True, slots=True)
class Table:
    """The classes of a model.

    Attributes:
        rows: class index from 1, machine id, display name.
        source: where they were found.
        hierarchy: rows of child id, parent id and parent's name, on top of Open Images' own.
    """

    rows: Sequence[Row]
    source: str
    hierarchy: Sequence[tuple[str, str, str]] = field(default=())


def open_images() -> list[Row]:
    """The classes of Open Images V4."""
    with _OPEN_IMAGES.open(encoding="utf-8", newline="") as file:
        return [(int(row["index"]), row["id"], row["name"]) for row in csv.DictReader(file)]


def of_entries(entries: Sequence[Entry], source: str) -> Table:
    """The table of a label file: names of COCO's and Open Images' get the ids of Open Images, others ids of their own.

    COCO's mouse is a computer mouse, Open Images' an animal: such names are COCO's where all of COCO's are there.

    Raises:
        LabelsNotUsable: a class is a kind of itself.
    """
    known = _known_names([entry.name for entry in entries])
    ids: dict[str, tuple[str, str]] = {}  # name in lower case -> id, display name
    taken: set[str] = set()
    rows: list[Row] = []
    children: list[tuple[str, str]] = []  # id, name of its parent
    for entry in entries:
        id_, name = (entry.id, entry.name) if entry.id else known.get(entry.name.casefold(), ("", entry.name))
        id_ = id_ or _own_id(name)
        if entry.index is not None:
            id_ = _unused(id_, taken)
            rows.append((entry.index, id_, name))
        ids.setdefault(entry.name.casefold(), (id_, name))
        if entry.parent:
            children.append((id_, entry.parent))
    hierarchy = []
    for id_, parent in children:
        key = parent.casefold()
        hierarchy.append((id_, *ids.get(key, known.get(key, (_own_id(parent), parent)))))
    _require_no_circle(hierarchy, source)
    return Table(rows, source, hierarchy)


def write(folder: Path, table: Table) -> None:
    """Writes the files that the service reads."""
    _write(folder / "labels.csv", _COLUMNS, table.rows)
    if table.hierarchy:
        _write(folder / "hierarchy.csv", _HIERARCHY_COLUMNS, table.hierarchy)


def require_names(columns: int, rows: Sequence[Row]) -> None:
    """Checks that a graph's score columns, but for the background, are exactly the classes with a name.

    Raises:
        NotSlimmable: they are not.
    """
    if {index for index, _, _ in rows} != set(range(1, columns)):
        raise NotSlimmable(f"it scores {columns - 1} classes, but {len(rows)} have names")


def _require_no_circle(hierarchy: Sequence[tuple[str, str, str]], source: str) -> None:
    """Checks that nothing is a kind of itself, be it by way of Open Images' hierarchy."""
    with HIERARCHY.open(encoding="utf-8", newline="") as file:
        theirs = [(row["child_id"], row["parent_id"], row["parent"]) for row in csv.DictReader(file)]
    above: dict[str, set[str]] = {}
    for child_id, parent_id, _ in (*theirs, *hierarchy):
        above.setdefault(child_id, set()).add(parent_id)
    try:
        TopologicalSorter(above).prepare()
    except CycleError as error:
        names = {parent_id: parent for _, parent_id, parent in (*theirs, *hierarchy)}
        circle = ", a kind of ".join(names[id_] for id_ in reversed(error.args[1]))
        raise LabelsNotUsable(
            f"{source} makes a class a kind of itself: {circle}. Take out one of these parents"
        ) from error


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _known_names(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Names in lower case -> id and display name of Open Images, as a label file with these names means them."""
    classes = {id_: (id_, name) for _, id_, name in open_images()}
    by_name = {name.casefold(): (id_, name) for id_, name in classes.values()}
    of_coco = {name: classes[id_] for name, id_ in coco.classes().items()}
    is_coco = of_coco.keys() <= {name.casefold() for name in names}
    return by_name | of_coco if is_coco else of_coco | by_name


def _own_id(name: str) -> str:
    return _OWN + (re.sub(r"[^\w]+", "-", name.casefold()).strip("-") or "class")


def _unused(id_: str, taken: set[str]) -> str:
    """The id itself, or numbered where several classes have one name."""
    number, unused = 1, id_
    while unused.casefold() in taken:
        number += 1
        unused = f"{id_}-{number}"
    taken.add(unused.casefold())
    return unused
