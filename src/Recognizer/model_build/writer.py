"""The model folder that the service reads: written whole or not at all.

Owns ``model.json``, ``labels.csv`` and the graph's files. Refuses a graph without the published interface.
"""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from recognizer.model import FORMAT

from model_build import saved_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model_build.fetch import Fetched

Row = tuple[int, str, str]

PUBLISHED_NAME = "openimages_v4/ssd/mobilenet_v2"
_OPEN_IMAGES = Path(__file__).with_name("openimages_v4_labels.csv")


def open_images_labels() -> list[Row]:
    """The classes of Open Images V4: index, machine id, display name."""
    with _OPEN_IMAGES.open(encoding="utf-8", newline="") as file:
        return [(int(row["label"]), row["id"], row["name"]) for row in csv.DictReader(file)]


def write(fetched: Fetched, output: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Puts a fetched model into ``output``, replacing what was there only when all of it is ready.

    Args:
        fetched: the published graph, or one with its interface.
        output: the model folder.
        facts: what else model.json should say; overrides what is found out here.

    Returns:
        What model.json says.

    Raises:
        WrongInterface: the graph does not have the published interface.
    """
    meta_graph = saved_model.check(fetched.folder)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as work:
        unfinished = Path(work) / "model"
        shutil.copytree(fetched.folder, unfinished / "saved_model", copy_function=shutil.copyfile)
        found = {
            "format": FORMAT,
            "name": PUBLISHED_NAME,
            "source": fetched.source,
            "sha256": fetched.sha256,
            "engine": "tensorflow",
            "graph": "published",
            "tensors": _tensors(meta_graph),
            "built_with": {"tensorflow": tf.__version__},
            **facts,
        }
        _write_labels(unfinished / "labels.csv", saved_model.labels(meta_graph) or open_images_labels())
        (unfinished / "model.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        _replace(output, unfinished, Path(work) / "old")
    return found


def _tensors(meta_graph: Any) -> dict[str, str]:
    signature = meta_graph.signature_def[saved_model.SIGNATURE]
    return {name: info.name for name, info in sorted({**signature.inputs, **signature.outputs}.items())}


def _write_labels(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("label", "id", "name"))
        writer.writerows(rows)


def _replace(output: Path, new: Path, old: Path) -> None:
    """Two renames within one file system; what was there comes back if the second fails."""
    if output.exists():
        output.rename(old)
    try:
        new.rename(output)
    except OSError:
        if old.exists():
            old.rename(output)
        raise
