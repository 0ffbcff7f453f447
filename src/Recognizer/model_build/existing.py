"""Model folders that are there already: what they hold, whether that is what is asked for, and copying one.

Owns which files make up a model.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from recognizer.vision.model import CLASSIFIER, Model

from model_build.folders import replace

_FILES_OF_A_MODEL = ("model.json", "labels.csv", "hierarchy.csv", "model.tflite", "saved_model", CLASSIFIER)


def facts_in(folder: Path) -> dict[str, Any] | None:
    """What a folder's model.json says; None where there is none that can be read."""
    try:
        facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def fits(facts: dict[str, Any] | None, wanted: dict[str, Any]) -> bool:
    """Whether a model is what is wanted of it."""
    return facts is not None and all(facts.get(key) == value for key, value in wanted.items())


def copy(source: Path, output: Path) -> None:
    """Copies a model, whole or not at all; what else lies in its folder stays there.

    Raises:
        ModelNotUsable: it is not a model that this version reads.
    """
    Model.load(source)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as work:
        unfinished = Path(work) / "model"
        unfinished.mkdir()
        for name in _FILES_OF_A_MODEL:
            if (source / name).is_dir():
                shutil.copytree(source / name, unfinished / name)
            elif (source / name).is_file():
                shutil.copyfile(source / name, unfinished / name)
        replace(output, unfinished, Path(work) / "old")
