"""The model folder that the service reads: written whole or not at all.

Owns ``model.json`` and the choice of the graph's form. The slim form is taken where it finds the very same objects as
the published graph; otherwise the published graph is served as it is, and model.json says why. LiteRT needs the slim
form.
"""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from recognizer.vision.model import FORMAT
from tqdm import tqdm

from model_build import labels, litert, parity, saved_model, slim
from model_build.errors import NotConvertible, NotSlimmable
from model_build.folders import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model_build.fetch import Fetched
    from model_build.labels import Row

logger = logging.getLogger(__name__)

PUBLISHED_NAME = "openimages_v4/ssd/mobilenet_v2"
_PHOTOS = Path(__file__).resolve().parent.parent / "web" / "samples"  # to compare on, beside pictures that are made


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
    rows = saved_model.labels(meta_graph) or labels.open_images()
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
                else _put_graph(fetched.folder, engine, unfinished, Path(work), rows)
            ),
            "built_with": {"tensorflow": tf.__version__},
            **facts,
        }
        labels.write(unfinished / "labels.csv", rows)
        (unfinished / "model.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        replace(output, unfinished, Path(work) / "old")
    return found


def _put_graph(published: Path, engine: str, folder: Path, work: Path, rows: Sequence[Row]) -> dict[str, Any]:
    """Writes the graph in the best form that is right for the engine; returns what model.json says of it."""
    try:
        logger.info("making the slim form of the graph")
        report = slim.slim(published, work / "slim")
        labels.require_names(report.parts.columns, rows)
        logger.info("loading the published graph to compare with (about 20 s)")
        reference = parity.published_rows(published)
        facts = {"graph": "slim", "slim": asdict(report)}
        compared = {"slim": _compared("the slim form", reference, parity.slim_rows(work / "slim"))}
        if engine == "litert":
            litert.convert(work / "slim", folder / "model.tflite")
            compared["litert"] = _compared("the LiteRT form", reference, parity.litert_rows(folder / "model.tflite"))
        else:
            (work / "slim").rename(folder / "saved_model")
    except NotSlimmable as reason:
        if engine == "litert":
            raise NotConvertible(f"this model has no slim form, which LiteRT needs: {reason}") from reason
        logger.info("the published graph is served as it is: %s", reason)
        return _keep_published(published, folder, str(reason))
    return {**facts, "parity": compared}


def _keep_published(published: Path, folder: Path, reason: str) -> dict[str, Any]:
    shutil.copytree(published, folder / "saved_model", copy_function=shutil.copyfile)
    return {"graph": "published", "kept_because": reason}


def _name_of(source: str) -> str:
    """What to call a model of the user's own: as its archive or folder is called."""
    return source.rstrip("/").rpartition("/")[2].removesuffix(".tar.gz")


def _compared(form: str, reference: parity.Find, candidate: parity.Find) -> dict[str, Any]:
    """The report of a comparison that was passed.

    Raises:
        NotSlimmable: it was not; the message has the first difference.
    """
    pictures = tqdm(parity.pictures(_PHOTOS if _PHOTOS.is_dir() else None), desc=f"comparing {form}", unit=" pictures")
    report = parity.compare(reference, candidate, pictures)
    if not report.passed:
        raise NotSlimmable(f"its slim form finds something else: {report.reason}")
    logger.info(
        "it finds the same: %d objects on %d pictures, boxes within %.1e, scores within %.1e",
        report.rows,
        report.pictures,
        report.max_box_difference,
        report.max_score_difference,
    )
    return asdict(report)
