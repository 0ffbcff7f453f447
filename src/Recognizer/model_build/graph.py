"""A SavedModel -> the best form of it that is right for the engine.

Owns the choice of the graph's form. The slim form is taken where it finds the very same objects as the published graph;
otherwise the published graph is served as it is, and model.json says why. LiteRT needs the slim form.
"""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from recognizer.vision.engine_litert import FILE_NAME
from recognizer.vision.engine_tensorflow import FOLDER_NAME
from tqdm import tqdm

from model_build import form, labels, litert, parity, saved_model, slim
from model_build.errors import NotConvertible, NotSlimmable
from model_build.form import Form
from model_build.normalisation import Normalisation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model_build.labels import Row

logger = logging.getLogger(__name__)

# As the service has it, whose parts try the finished model here: it can be set only before TensorFlow's first use.
if not tf.config.threading.get_intra_op_parallelism_threads():
    tf.config.threading.set_intra_op_parallelism_threads(os.cpu_count() or 1)
    tf.config.threading.set_inter_op_parallelism_threads(1)

PHOTOS = Path(__file__).resolve().parent.parent / "web" / "samples"  # to compare on, beside pictures that are made


def read(folder: Path, engine: str, normalisation: Normalisation | None) -> Form:
    """What a SavedModel holds.

    Args:
        folder: the SavedModel.
        engine: what will run it.
        normalisation: how pixels become the values that it takes, where the user says so.

    Raises:
        NotAModel: its file is damaged.
        WrongInterface: it does not take one picture, or is of no kind that is known.
    """
    signature = saved_model.read(folder)
    kind = form.kind_of(signature.described, "detection")
    names = {tensor.name for tensor in signature.described.outputs}
    is_hub = names.issuperset(saved_model.NAMES)
    input_ = _input(signature, normalisation, is_hub=is_hub) | kind.get("input", {})
    published = {**kind, "signature": signature.name, "input": input_}

    def put(into: Path, work: Path, rows: Sequence[Row]) -> dict[str, Any]:
        try:
            if not is_hub or normalisation is not None:
                raise NotSlimmable("only graphs in TF Hub's layout are cut")  # noqa: TRY301 - one way to keep a graph
            return _put_slim(folder, engine, into, work, rows)
        except NotSlimmable as reason:
            if engine == "litert":
                raise NotConvertible(
                    f"this model has no slim form, which LiteRT needs: {reason}. TensorFlow runs it "
                    "(ENGINE=tensorflow); for LiteRT, export it as a .tflite file."
                ) from reason
            logger.info("the published graph is served as it is: %s", reason)
            shutil.copytree(folder, into / FOLDER_NAME, copy_function=shutil.copyfile)
            return {**published, "graph": "published", "kept_because": str(reason)}

    inside = (saved_model.labels(signature.meta_graph) or labels.open_images()) if is_hub else None
    return Form(signature.described, put, rows_inside=inside)


def compared(form_: str, reference: parity.Find, candidate: parity.Find) -> dict[str, Any]:
    """The report of a comparison that was passed.

    Raises:
        NotSlimmable: it was not; the message has the first difference.
    """
    pictures = tqdm(parity.pictures(PHOTOS if PHOTOS.is_dir() else None), desc=f"comparing {form_}", unit=" pictures")
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


def _input(signature: saved_model.Signature, normalisation: Normalisation | None, *, is_hub: bool) -> dict[str, Any]:
    """TF Hub's layout takes 0..1; exports of the TF Object Detection API take pixels as they are, in floats too."""
    picture = signature.picture
    _, height, width, _ = picture.shape
    chosen = normalisation or Normalisation.named("0..1" if is_hub else "0..255")
    sizes = {"height": height, "width": width} if height and width else {"height": 0, "width": 0}
    return {"name": picture.name, **sizes, "dtype": picture.dtype, **chosen.levels()}


def _put_slim(published: Path, engine: str, folder: Path, work: Path, rows: Sequence[Row]) -> dict[str, Any]:
    logger.info("making the slim form of the graph")
    report = slim.slim(published, work / "slim")
    labels.require_names(report.parts.columns, rows)
    logger.info("loading the published graph to compare with (about 20 s)")
    reference = parity.published_rows(published)
    passed = {"slim": compared("the slim form", reference, parity.slim_rows(work / "slim"))}
    input_, outputs = {"name": "images"}, {"boxes": "boxes", "scores": "scores"}
    if engine == "litert":
        input_["name"], outputs = litert.convert(work / "slim", folder / FILE_NAME)
        passed["litert"] = compared("the LiteRT form", reference, parity.litert_rows(folder / FILE_NAME))
    else:
        (work / "slim").rename(folder / FOLDER_NAME)
    size = {"height": report.preprocessing.height, "width": report.preprocessing.width}
    return {
        "kind": "anchors",
        "outputs": outputs,
        "signature": slim.SIGNATURE,
        "input": {**input_, **size, "dtype": "float32", "scale": [1.0], "offset": [0.0]},
        "graph": "slim",
        "slim": asdict(report),
        "parity": passed,
    }
