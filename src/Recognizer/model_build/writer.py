"""The model folder that the service reads: written whole or not at all.

Owns ``model.json`` and the report at the end of a build.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recognizer.vision.classifier import TASK
from recognizer.vision.model import FORMAT

from model_build import labels, trial
from model_build.folders import replace

if TYPE_CHECKING:
    from model_build.fetch import Fetched
    from model_build.form import Form

logger = logging.getLogger(__name__)

PUBLISHED_NAME = "openimages_v4/ssd/mobilenet_v2"


def write(form: Form, table: labels.Table, fetched: Fetched, output: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Puts a model into ``output``, replacing what was there only when all of it is ready.

    Args:
        form: the model.
        table: its classes.
        fetched: where it came from.
        output: the model folder.
        facts: what else model.json should say; overrides what is found out here.

    Returns:
        What model.json says.

    Raises:
        NotConvertible: the engine is LiteRT, and the graph cannot be brought to it.
        ModelNotUsable: the finished model does not run.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as work:
        unfinished = Path(work) / "model"
        unfinished.mkdir()
        labels.write(unfinished, table)
        found = {
            "format": FORMAT,
            "name": PUBLISHED_NAME if facts.get("requested") is None else _name_of(fetched.source),
            "source": fetched.source,
            "sha256": fetched.sha256,
            "task": "detection",
            "takes": [str(tensor) for tensor in form.described.inputs],
            "gives": [str(tensor) for tensor in form.described.outputs],
            **form.put(unfinished, Path(work), table.rows),
            "classes": len(table.rows),
            "labels": table.source,
            "built_with": {"tensorflow": getattr(sys.modules.get("tensorflow"), "__version__", None)},
            **facts,
        }
        _save(found, unfinished)
        if found["task"] == TASK:
            found["activation"] = trial.activation(unfinished)
            _save(found, unfinished)
        found["ms_per_picture"] = trial.milliseconds(unfinished)
        _save(found, unfinished)
        replace(output, unfinished, Path(work) / "old")
    return found


def report(facts: dict[str, Any]) -> str:
    """What a person wants to know of a model that was built."""
    slim = facts["graph"] if facts["graph"] == "slim" else f"{facts['graph']} ({facts.get('kept_because')})"
    lines = {
        "model": f"{facts['name']}, from {facts['source']}",
        "task": f"{facts['task']}, kind {facts['kind']}, on {facts['engine']}",
        "inputs": "; ".join(facts["takes"]),
        "outputs": "; ".join(facts["gives"]),
        "classes": str(facts["classes"]),
        "labels": facts["labels"],
        "graph": slim,
        "one picture": f"{facts['ms_per_picture']:.0f} ms",
    }
    return "\n".join(f"  {name:<12} {value}" for name, value in lines.items())


def _save(facts: dict[str, Any], folder: Path) -> None:
    (folder / "model.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _name_of(source: str) -> str:
    """What to call a model of the user's own: as its archive, file or folder is called."""
    name = source.rstrip("/").rpartition("/")[2].partition("?")[0]
    for suffix in (".tar.gz", ".tgz", ".zip", ".tflite", ".keras"):
        name = name.removesuffix(suffix)
    return name
