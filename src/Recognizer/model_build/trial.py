"""A finished model, tried as the service would run it: does it run, and how long does a picture take?

Owns the picture, and the number of threads where TensorFlow has run in this process already.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from recognizer.detections import Criteria
from recognizer.vision import classifier, detector
from recognizer.vision.model import Model
from recognizer.vision.view import PixelView

from model_build import noise

if TYPE_CHECKING:
    from collections.abc import Callable

    from recognizer.job import View

_PICTURE = Path(__file__).resolve().parent.parent / "web" / "samples" / "cat.jpg"
_TIMES = 5


def milliseconds(folder: Path) -> float:
    """What the model in a folder takes for a picture, at best.

    Raises:
        ModelNotUsable: it does not run.
    """
    with noise.left_out():
        model = Model.load(folder)
        load = classifier.load if model.kind == classifier.TASK else detector.load
        find: Callable[[View, Criteria], object] = load(model, threads(model.identity.engine))
        view = _views()[-1]
        took_s = []
        for _ in range(_TIMES):
            began_s = time.perf_counter()
            find(view, Criteria(limit=3, min_score=0.0))
            took_s.append(time.perf_counter() - began_s)
    return round(min(took_s) * 1000, 1)


def activation(folder: Path) -> str:
    """What makes probabilities of a classifier's scores: ``softmax`` where they are logits, else ``none``."""
    with noise.left_out():
        model = Model.load(folder)
        network = detector.network_of(model, threads(model.identity.engine))
        scores = [network(model.input.of(view)[0])["scores"] for view in _views()]
    return "none" if all(one.min() >= 0 and one.max() <= 1 for one in scores) else "softmax"


def _views() -> list[PixelView]:
    random = np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    with Image.open(_PICTURE) as picture:
        return [PixelView(random), PixelView(np.asarray(picture.convert("RGB")))]


def threads(engine: str) -> int:
    """As many as there are CPUs; TensorFlow, once it has run, can no longer be told another number."""
    if engine == "tensorflow":
        return int(sys.modules["tensorflow"].config.threading.get_intra_op_parallelism_threads())
    return os.cpu_count() or 1
