"""The fallback's network in the form that both engines run, checked against its complete graph.

Owns writing it into a model folder, and the comparison of what the service finds with it and what the graph finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recognizer.detections import Criteria
from recognizer.job import ModelIdentity
from recognizer.labels import LabelMap
from recognizer.vision import detector
from recognizer.vision.engine_litert import FILE_NAME
from recognizer.vision.engine_tensorflow import FOLDER_NAME
from recognizer.vision.model import Model
from recognizer.vision.network import Input
from recognizer.vision.nms import MAX_DETECTIONS
from recognizer.vision.view import PixelView

from model_build import centernet, fallback, graph, labels, litert, parity, saved_model, slim, trial
from model_build.errors import NotConvertible, NotSlimmable
from model_build.form import Form

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from model_build.labels import Row

_OUTPUTS = ("peaks", "reach")


def read(complete: Path, work_dir: Path, engine: str) -> Form:
    """The fallback.

    Args:
        complete: the SavedModel that ``fallback.build`` wrote, which has the published interface.
        work_dir: where its package is kept.
        engine: what will run it.
    """
    rows = fallback.openimages_classes(labels.open_images())

    def put(folder: Path, work: Path, _rows: Sequence[Row]) -> dict[str, Any]:
        centernet.save_network(fallback.network_graph(work_dir), work / "network")
        input_name, outputs = "images", {name: name for name in _OUTPUTS}
        if engine == "litert":
            input_name, outputs = litert.convert(work / "network", folder / FILE_NAME)
        else:
            (work / "network").rename(folder / FOLDER_NAME)
        facts = {
            "kind": "centernet",
            "outputs": outputs,
            "class_indices": [index for index, _, _ in rows],
            "signature": slim.SIGNATURE,
            "input": {
                "name": input_name,
                "height": centernet.SIDE_PX,
                "width": centernet.SIDE_PX,
                "dtype": "float32",
                "scale": [1.0],
                "offset": [0.0],
                "half_pixel": True,
                "letterbox": True,
            },
            "graph": "slim",
        }
        try:
            passed = graph.compared("the network alone", parity.published_rows(complete), _found(folder, engine, facts))
        except NotSlimmable as error:
            raise NotConvertible(str(error)) from error
        return {**facts, "parity": {"slim": passed}}

    return Form(saved_model.read(complete).described, put, rows_inside=rows)


def _found(folder: Path, engine: str, facts: dict[str, Any]) -> parity.Find:
    """What the service finds with the model in a folder."""
    table = LabelMap.load(folder / "labels.csv")
    identity = ModelIdentity("", engine, "", "")
    model = Model(folder, identity, table, facts["kind"], Input.from_json(facts["input"]), facts["outputs"], 0.0, facts)
    detect = detector.load(model, trial.threads(engine))
    everything = Criteria(MAX_DETECTIONS, 0.0)
    return lambda pixels: detect.rows(PixelView(pixels), everything)
