"""The classes a model can name, how they cover one another, and the lookups that a request needs.

Owns the label table (``labels.csv`` beside the model: class index, machine id, display name) and the hierarchy of Open
Images V4 (``hierarchy.csv`` beside this module: a Car is a Land vehicle is a Vehicle; parts are not children), to which
a ``hierarchy.csv`` beside the model adds. A table
that is missing, empty or ambiguous stops the cold start: a class without its right name would be a wrong answer on
every picture.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from recognizer.detections import Label
from recognizer.errors import InvalidParameter, ModelNotUsable, quoted
from recognizer.suggestions import suggestions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# "Subcategory" relations of https://storage.googleapis.com/openimages/2018_04/bbox_labels_600_hierarchy.json
HIERARCHY = Path(__file__).with_name("hierarchy.csv")


@dataclass(frozen=True)
class LabelMap:
    """Class index -> label, and display name (any case) or machine id -> class index.

    Attributes:
        by_index: the label of each class index; index 0 is the background and has none.
        groups: classes that cover others: machine id -> (display name, indices of the model's classes below it). A
            model need not know the group itself: one of 80 classes has Car and Bus, but no Vehicle.

    Raises:
        ModelNotUsable: no labels, or two classes with one id.
    """

    by_index: dict[int, Label]
    groups: Mapping[str, tuple[str, frozenset[int]]] = field(default_factory=dict)
    _index_by_key: dict[str, int] = field(init=False, repr=False)
    _covered_by_key: dict[str, frozenset[int]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.by_index:
            raise ModelNotUsable("The label table is empty; build the model again.")
        keys: dict[str, int] = {}
        covered: dict[str, frozenset[int]] = {}
        for index, label in self.by_index.items():
            keys.setdefault(label.name.casefold(), index)
            if keys.setdefault(label.id.casefold(), index) != index:
                raise ModelNotUsable(f"The label table has {label.id} twice; build the model again.")
            for key in (label.name.casefold(), label.id.casefold()):
                covered[key] = covered.get(key, frozenset()) | {index}
        for id_, (name, below) in self.groups.items():
            for key in (id_.casefold(), name.casefold()):
                covered[key] = covered.get(key, frozenset()) | below
        object.__setattr__(self, "_index_by_key", keys)
        object.__setattr__(self, "_covered_by_key", covered)

    @classmethod
    def load(cls, path: Path, hierarchy_path: Path = HIERARCHY) -> LabelMap:
        """The table in a CSV file with the columns index, id, name, placed in Open Images' hierarchy.

        A ``hierarchy.csv`` beside the table adds to that hierarchy.

        Raises:
            ModelNotUsable: a file is missing or not such a table; the message names it.
        """
        try:
            rows = {int(index): (id_, name) for index, id_, name in _rows(path, "index", "id", "name")}
        except (OSError, ValueError, csv.Error) as error:
            raise ModelNotUsable(
                f"The label table {path} cannot be read ({error!r}); build the model again."
            ) from error
        own_path = path.with_name(HIERARCHY.name)
        try:
            files = [hierarchy_path, *([own_path] if own_path.is_file() else [])]
            hierarchy = [row for file in files for row in _rows(file, "child_id", "parent_id", "parent")]
        except (OSError, ValueError, csv.Error) as error:
            raise ModelNotUsable(
                f"The hierarchy of labels {hierarchy_path} or {own_path} cannot be read ({error!r}); "
                "install the service and build the model again."
            ) from error
        names = {parent_id: parent for _, parent_id, parent in hierarchy}
        parents: dict[str, dict[str, None]] = {}  # in their order, each once
        for child_id, parent_id, _ in hierarchy:
            parents.setdefault(child_id, {})[parent_id] = None
        ancestors_of = functools.cache(partial(_ancestors, parents))  # shared by all children of the same parents
        labels: dict[int, Label] = {}
        below: dict[str, set[int]] = {}
        for index, (id_, name) in rows.items():
            ancestors = [ancestor for ancestor in ancestors_of(tuple(parents.get(id_, ()))) if ancestor != id_]
            labels[index] = Label(id_, name, tuple(names[ancestor] for ancestor in ancestors))
            for ancestor in ancestors:
                below.setdefault(ancestor, set()).add(index)
        return cls(labels, {id_: (names[id_], frozenset(indices)) for id_, indices in below.items()})

    def index_of(self, id_or_name: str) -> int | None:
        """The class index of a machine id or of a display name in any case; None if there is none.

        Of several classes of one name it is the first; ``covered_by`` knows them all.
        """
        return self._index_by_key.get(id_or_name.casefold())

    @property
    def listed(self) -> list[Label]:
        """All labels by name, in any case; who numbers classes numbers them in this order."""
        return sorted(self.by_index.values(), key=lambda label: label.name.casefold())

    def wanted(self, include: Iterable[str], exclude: Iterable[str]) -> frozenset[int] | None:
        """The class indices that are left when only ``include`` counts (all, if empty) without ``exclude``.

        Each name stands for its class and all that it covers: ``Vehicle`` for Car, Bus, Truck and the rest.

        Returns:
            The indices, or None for all classes.

        Raises:
            InvalidParameter: a name is unknown; the message suggests up to three labels.
        """
        included = frozenset[int]().union(*(self.covered_by(name, "include") for name in include))
        excluded = frozenset[int]().union(*(self.covered_by(name, "exclude") for name in exclude))
        if not included and not excluded:
            return None
        return (included or frozenset(self.by_index)) - excluded

    def covered_by(self, name: str, parameter: str) -> frozenset[int]:
        """The indices of a class, or of all classes of that name, and of all that they cover.

        Raises:
            InvalidParameter: the name is unknown; the message names the parameter and suggests up to three labels.
        """
        covered = self._covered_by_key.get(name.casefold())
        if covered is None:
            names = [label.name for label in self.by_index.values()] + [group for group, _ in self.groups.values()]
            near = suggestions(name, names)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise InvalidParameter(f"{quoted(name)} is no label of this model.{hint}", parameter=parameter)
        return covered


def _rows(path: Path, *columns: str) -> list[tuple[str, ...]]:
    """The values of these columns, none of an empty file.

    Not by ``csv.DictReader``: its dictionary for each row would be a hundredth of a cold start.

    Raises:
        ValueError: a column or a value is missing.
        csv.Error: it is no such file.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [*columns])
        missing = {*columns} - {*header}
        if missing:
            raise ValueError(f"there is no column {' or '.join(sorted(missing))}")
        places = [header.index(column) for column in columns]
        try:
            return [tuple(row[place] for place in places) for row in rows if row]
        except IndexError as error:
            raise ValueError(f"line {rows.line_num} has too few values") from error


def _ancestors(parents: Mapping[str, Iterable[str]], level: Sequence[str]) -> list[str]:
    """Classes and all that cover them, nearest first, each once; a class can have several parents.

    What was found is not looked at again, so that a circle, which the build refuses, does not go on for ever.
    """
    found: list[str] = []
    while level:
        found += level
        above = dict.fromkeys(parent for child in level for parent in parents.get(child, ()))
        level = [parent for parent in above if parent not in found]
    return found
