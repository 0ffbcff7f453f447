"""COCO's 80 classes, which most detectors and their clients name, and the classes of Open Images that these are.

Owns that table (``coco_to_openimages.csv`` beside this module).
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("coco_to_openimages.csv")


@cache
def classes() -> dict[str, str]:
    """COCO's names, in lower case and in COCO's order -> machine ids of Open Images."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {row["coco"]: row["openimages_id"] for row in csv.DictReader(file)}
