"""The classes a model can name, and the lookups of them that a request needs.

Owns the label table (``labels.csv`` beside the model: class index, machine id, display name). Refuses a table that is
missing, empty or ambiguous: a class without its right name would be a wrong answer on every picture.
"""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recognizer.detections import Label
from recognizer.errors import InvalidParameter, ModelNotUsable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class LabelMap:
    """Class index -> label, and display name (any case) or machine id -> class index.

    Attributes:
        by_index: the label of each class index; index 0 is the background and has none.

    Raises:
        ModelNotUsable: no labels, or two classes with one id.
    """

    by_index: dict[int, Label]
    _index_by_key: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.by_index:
            raise ModelNotUsable("The label table is empty; build the model again.")
        keys: dict[str, int] = {}
        for index, label in self.by_index.items():
            keys.setdefault(label.name.casefold(), index)
            if keys.setdefault(label.id.casefold(), index) != index:
                raise ModelNotUsable(f"The label table has {label.id} twice; build the model again.")
        object.__setattr__(self, "_index_by_key", keys)

    @classmethod
    def load(cls, path: Path) -> LabelMap:
        """The table in a CSV file with the columns label, id, name.

        Raises:
            ModelNotUsable: the file is missing or not such a table.
        """
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = {int(row["label"]): Label(row["id"], row["name"]) for row in csv.DictReader(file)}
        except (OSError, KeyError, ValueError) as error:
            raise ModelNotUsable(
                f"The label table {path} cannot be read ({error!r}); build the model again."
            ) from error
        return cls(rows)

    def index_of(self, id_or_name: str) -> int | None:
        """The class index of a machine id or of a display name in any case; None if there is none."""
        return self._index_by_key.get(id_or_name.casefold())

    def wanted(self, include: Iterable[str], exclude: Iterable[str]) -> frozenset[int] | None:
        """The class indices that are left when only ``include`` counts (all, if empty) without ``exclude``.

        Returns:
            The indices, or None for all classes.

        Raises:
            InvalidParameter: a name is unknown; the message suggests the nearest one.
        """
        included = frozenset(self._require(name, "include") for name in include)
        excluded = frozenset(self._require(name, "exclude") for name in exclude)
        if not included and not excluded:
            return None
        return (included or frozenset(self.by_index)) - excluded

    def _require(self, name: str, parameter: str) -> int:
        index = self.index_of(name)
        if index is None:
            names = {label.name.casefold(): label.name for label in self.by_index.values()}
            near = difflib.get_close_matches(name.casefold(), names, n=1, cutoff=0.5)
            hint = f" Did you mean {names[near[0]]}?" if near else ""
            raise InvalidParameter(f"{name!r} is no label of this model.{hint}", parameter=parameter)
        return index
