"""A model's classes as rows of class index, machine id and display name, and the CSV file that they are kept in.

Owns the table of Open Images V4 (for graphs that carry none of their own) and the format of ``labels.csv``, which
``recognizer.labels`` reads.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from model_build.errors import NotSlimmable

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = tuple[int, str, str]

_OPEN_IMAGES = Path(__file__).with_name("openimages_v4_labels.csv")
_COLUMNS = ("index", "id", "name")


def open_images() -> list[Row]:
    """The classes of Open Images V4."""
    with _OPEN_IMAGES.open(encoding="utf-8", newline="") as file:
        return [(int(row["index"]), row["id"], row["name"]) for row in csv.DictReader(file)]


def write(path: Path, rows: Sequence[Row]) -> None:
    """Writes the file that the service reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(rows)


def require_names(columns: int, rows: Sequence[Row]) -> None:
    """Checks that a graph's score columns, but for the background, are exactly the classes with a name.

    Raises:
        NotSlimmable: they are not.
    """
    if {index for index, _, _ in rows} != set(range(1, columns)):
        raise NotSlimmable(f"it scores {columns - 1} classes, but {len(rows)} have names")
