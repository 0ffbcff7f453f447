"""The model folder that the service reads: written whole or not at all.

Owns ``model.json``, ``labels.csv`` and the choice of the graph's form. The slim form is taken where it finds the very
same objects as the published graph; otherwise the published graph is kept, slow but right, and model.json says why.
Refuses a graph without the published interface, and LiteRT where there is no slim form.
"""

from __future__ import annotations

import csv
import json
import logging
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from recognizer.vision.model import FORMAT

from model_build import litert, parity, saved_model, slim
from model_build.folders import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model_build.fetch import Fetched

Row = tuple[int, str, str]

logger = logging.getLogger("model_build")

PUBLISHED_NAME = "openimages_v4/ssd/mobilenet_v2"
_PHOTOS = Path(__file__).resolve().parent.parent / "web" / "samples"  # to compare on, beside pictures that are made
_OPEN_IMAGES = Path(__file__).with_name("openimages_v4_labels.csv")


def open_images_labels() -> list[Row]:
    """The classes of Open Images V4: index, machine id, display name."""
    with _OPEN_IMAGES.open(encoding="utf-8", newline="") as file:
        return [(int(row["label"]), row["id"], row["name"]) for row in csv.DictReader(file)]


def write(fetched: Fetched, output: Path, engine: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Puts a fetched model into ``output``, replacing what was there only when all of it is ready.

    Args:
        fetched: the published graph, or one with its interface.
        output: the model folder.
        engine: what will run it, ``tensorflow`` or ``litert``.
        facts: what else model.json should say; overrides what is found out here.

    Returns:
        What model.json says.

    Raises:
        WrongInterface: the graph does not have the published interface.
        NotConvertible: the engine is LiteRT, and the graph cannot be brought to it.
    """
    meta_graph = saved_model.check(fetched.folder)
    labels = saved_model.labels(meta_graph) or open_images_labels()
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as work:
        unfinished = Path(work) / "model"
        unfinished.mkdir()
        found = {
            "format": FORMAT,
            "name": PUBLISHED_NAME if facts.get("requested") is None else _name_of(fetched.source),
            "source": fetched.source,
            "sha256": fetched.sha256,
            "engine": engine,
            **(
                _keep_published(fetched.folder, unfinished, "the fallback is another network, without a slim form")
                if facts.get("fallback")
                else _put_graph(fetched.folder, engine, unfinished, Path(work), labels)
            ),
            "built_with": {"tensorflow": tf.__version__},
            **facts,
        }
        _write_labels(unfinished / "labels.csv", labels)
        (unfinished / "model.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        replace(output, unfinished, Path(work) / "old")
    return found


def _put_graph(published: Path, engine: str, folder: Path, work: Path, labels: Sequence[Row]) -> dict[str, Any]:
    """Writes the graph in the best form that is right for the engine; returns what model.json says of it."""
    try:
        report = slim.slim(published, work / "slim")
        _require_names(report.parts.columns, labels)
        reference = parity.published_rows(published)
        facts = {"graph": "slim", "slim": asdict(report)}
        compared = {"slim": _compared(reference, parity.slim_rows(work / "slim"))}
        if engine == "litert":
            litert.convert(work / "slim", folder / "model.tflite")
            compared["litert"] = _compared(reference, parity.litert_rows(folder / "model.tflite"))
        else:
            (work / "slim").rename(folder / "saved_model")
    except slim.NotSlimmable as reason:
        if engine == "litert":
            raise litert.NotConvertible(f"this model has no slim form, which LiteRT needs: {reason}") from reason
        logger.warning("the published graph is kept, slow but right: %s", reason)
        return _keep_published(published, folder, str(reason))
    return {**facts, "parity": compared}


def _keep_published(published: Path, folder: Path, reason: str) -> dict[str, Any]:
    shutil.copytree(published, folder / "saved_model", copy_function=shutil.copyfile)
    return {"graph": "published", "kept_because": reason}


def _name_of(source: str) -> str:
    """What to call a model of the user's own: as its archive or folder is called."""
    return source.rstrip("/").rpartition("/")[2].removesuffix(".tar.gz")


def _require_names(columns: int, labels: Sequence[Row]) -> None:
    """Refuses a graph whose score columns, but for the background, are not exactly the classes with a name."""
    if {index for index, _, _ in labels} != set(range(1, columns)):
        raise slim.NotSlimmable(f"it scores {columns - 1} classes, but {len(labels)} have names")


def _compared(reference: parity.Find, candidate: parity.Find) -> dict[str, Any]:
    """The report of a comparison that was passed.

    Raises:
        NotSlimmable: it was not; the message has the first difference.
    """
    report = parity.compare(reference, candidate, parity.pictures(_PHOTOS if _PHOTOS.is_dir() else None))
    if not report.passed:
        raise slim.NotSlimmable(f"its slim form finds something else: {report.reason}")
    logger.info(
        "parity: %d rows on %d pictures, boxes within %.1e, scores within %.1e",
        report.rows,
        report.pictures,
        report.max_box_difference,
        report.max_score_difference,
    )
    return asdict(report)


def _write_labels(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("label", "id", "name"))
        writer.writerows(rows)
