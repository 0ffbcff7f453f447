"""``python -m benchmarks.accuracy``: how right the model in use is, whole and in tiles, and what that costs.

Owns the run and its document. The figures are COCO's, worked out by COCO's own code (pycocotools); the pictures are a
folder of one's own, and only classes that the model knows count: which others there are is written down. Where the
detector of most tutorials lies beside the project, it is measured too: an SSD that looks at 300 x 300 pixels and tells
ten objects, which needs tiles more than others do.
"""

import argparse
import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from benchmarks import ground_truth, plot, report, results
from benchmarks.ground_truth import Annotated
from benchmarks.subjects import ENGINES, RECOGNIZER, ROOT, SSD, NotMeasured

RESULTS = ROOT / "benchmarks" / "accuracy.json"
DOCUMENT = ROOT / "docs" / "accuracy.md"
PLOT = ROOT / "docs" / "images" / "accuracy.svg"

_PICTURES = ROOT.parent / "shared" / "photos" / "dev"
_MODELS = ROOT / ".cache" / "accuracy"
_TILES = (1, 2, 3, 4)
_FIGURES = {"AP": 0, "AP50": 1, "AP small": 3, "AP medium": 4, "AP large": 5}  # places in COCOeval.stats
_OF_THE_MODEL_IN_USE = {"MODEL_URL", "MODEL_SHA256", "LABELS_URL", "NORMALIZATION", "CLASSIFIER_URL"}
_DONE, _NOT_MEASURED = 0, 2

logger = logging.getLogger("benchmarks.accuracy")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; the exit code is 0 where at least one engine was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument(
        "--pictures", type=Path, default=os.environ.get("PICTURES") or _PICTURES, help="with ground truth (PICTURES)"
    )
    parser.add_argument("--json", action="store_true", help="write the figures to stdout, and no document")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        found = measured(Path(options.pictures))
    except NotMeasured as error:
        logger.error("%s", error)  # noqa: TRY400 - the message says it all
        return _NOT_MEASURED
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        publish(found)
        sys.stdout.write(report.table(found["accuracy"]) + "\n")
    return _DONE


def publish(found: dict[str, Any]) -> None:
    """Writes the figures, the plot and the document's generated sections."""
    report.save(found, RESULTS)
    PLOT.write_text(plot.accuracy(found["accuracy"]), encoding="utf-8")
    DOCUMENT.write_text(report.filled(DOCUMENT.read_text(encoding="utf-8"), found), encoding="utf-8")


def measured(folder: Path) -> dict[str, Any]:
    """A run: the tables of the document.

    Raises:
        NotMeasured: there are no pictures, or no engine runs the model.
    """
    if not folder.is_dir():
        raise NotMeasured(f"There is no folder {folder}; name one with ground truth: make accuracy PICTURES=…")
    pictures = ground_truth.read(folder)
    accuracy: dict[str, dict[str, float]] = {}
    facts: dict[str, str] = {}
    for engine in ENGINES:
        model = _model(engine)
        if model is not None:
            found = _figures(model, folder)
            accuracy |= {f"{engine}, {way}": row for way, row in found["accuracy"].items()}
            facts = found["facts"]
    if not accuracy:
        raise NotMeasured("No engine runs this model; `make model` says why.")
    beside = _model("litert", SSD) if SSD.is_file() else None
    if beside is not None:
        found = _figures(beside, folder)
        accuracy |= {f"SSD, litert, {way}": row for way, row in found["accuracy"].items()}
        facts["SSD"] = found["facts"]["model"]
    return {
        "accuracy": accuracy,
        "accuracy_of": {**facts, "pictures": str(len(pictures))},
        "accuracy_environment": results.circumstances(),
    }


def _figures(model: Path, folder: Path) -> dict[str, Any]:
    """``of_model`` in a process of its own.

    Raises:
        NotMeasured: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.accuracy_worker", str(model), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotMeasured(f"{model.name} failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def of_model(folder: Path, pictures: Sequence[Annotated]) -> dict[str, Any]:
    """The figures of a built model on pictures by how it looks, whole or in tiles; in the process that runs it."""
    from recognizer import pictures as files  # noqa: PLC0415 - importable only where PYTHONPATH has src/Recognizer
    from recognizer.detections import Criteria  # noqa: PLC0415
    from recognizer.vision import detector  # noqa: PLC0415
    from recognizer.vision.model import Model  # noqa: PLC0415
    from recognizer.vision.view import PixelView  # noqa: PLC0415

    model = Model.load(folder)
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    detect = detector.load(model, cpus)
    truth, unknown = _truth(pictures, model)
    views = [
        PixelView(files.pixels_of(files.read(picture.path.read_bytes(), max_pixels=100_000_000).image))
        for picture in pictures
    ]
    accuracy: dict[str, dict[str, float]] = {}
    for tiles in _TILES:
        took_ms, found = [], []
        for place, view in enumerate(views):
            began_s = time.perf_counter()
            detections = detect(view, Criteria(limit=100, min_score=0.0, tiles=tiles))
            took_ms.append((time.perf_counter() - began_s) * 1000)
            for each in detections:
                box = each.box.to_pixels(*view.size_px)
                index = model.labels.index_of(each.label.id)
                size = [box.xmin, box.ymin, box.xmax - box.xmin, box.ymax - box.ymin]
                found.append({"image_id": place, "category_id": index, "bbox": size, "score": each.score})
        way = "whole" if tiles == 1 else f"tiles={tiles}"
        ms = median(took_ms)
        accuracy[way] = {**figures(truth, found), "ms": ms, "dollars per million": results.compute_dollars(ms, cpus)}
    facts = {"model": model.identity.name, "classes left out": ", ".join(sorted(unknown)) or "none"}
    return {"accuracy": accuracy, "facts": facts}


def figures(truth: COCO, found: list[dict[str, Any]]) -> dict[str, float]:
    """COCO's figures of detections, in per cent; a size of which there is no object has 0 of it."""
    known = {category["id"] for category in truth.dataset["categories"]}
    counted = [each for each in found if each["category_id"] in known]
    if not counted:
        return dict.fromkeys(_FIGURES, 0.0)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        judge = COCOeval(truth, truth.loadRes(counted), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return {name: round(max(float(judge.stats[place]), 0.0) * 100, 2) for name, place in _FIGURES.items()}


def _truth(pictures: Sequence[Annotated], model: Any) -> tuple[COCO, set[str]]:
    """What is in the pictures, in COCO's form, and the names of classes that the model does not know."""
    annotations: list[dict[str, Any]] = []
    unknown: set[str] = set()
    for place, picture in enumerate(pictures):
        for each in picture.objects:
            index = next((at for name in each.names if (at := model.labels.index_of(name)) is not None), None)
            if index is None:
                unknown.add(each.names[-1])
                continue
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": place,
                    "category_id": index,
                    "bbox": list(each.box),
                    "area": each.area,
                    "iscrowd": int(each.is_crowd),
                }
            )
    if not annotations:
        raise NotMeasured(f"The model knows none of the classes in the pictures: {', '.join(sorted(unknown))}.")
    truth = COCO()
    categories = sorted({each["category_id"] for each in annotations})
    truth.dataset = {
        "info": {},
        "images": [{"id": place, **_size(picture)} for place, picture in enumerate(pictures)],
        "annotations": annotations,
        "categories": [{"id": category} for category in categories],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    return truth, unknown


def _size(picture: Annotated) -> dict[str, int]:
    with Image.open(picture.path) as opened:
        return {"width": opened.width, "height": opened.height}


def _model(engine: str, file: Path | None = None) -> Path | None:
    """The model in use, or the one in a file, built for an engine; None, and why, where it is not for that engine."""
    folder = _MODELS / (engine if file is None else file.stem)
    command = [sys.executable, "-m", "model_build", "--keep", "--engine", engine]
    # What the environment says is said of the model in use.
    environ = {name: value for name, value in os.environ.items() if file is None or name not in _OF_THE_MODEL_IN_USE}
    done = subprocess.run(
        [
            *command,
            *(["--allow-fallback"] if file is None else ["--url", str(file)]),
            *("--output", str(folder), "--cache", str(ROOT / ".cache" / "model")),
        ],
        cwd=RECOGNIZER,
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        logger.info("%s: %s", folder.name, done.stderr.strip().splitlines()[-1])
        return None
    return folder


if __name__ == "__main__":
    sys.exit(main())
