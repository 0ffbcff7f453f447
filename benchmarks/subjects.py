"""What is measured: the reference and the service with each engine, laid out as in their images.

Owns the task folders (code compiled, as the Dockerfile does) and the models, which are built once for each version of
``model_build``. Refuses to measure the working tree itself: an edit during the run must not change what is measured.
"""

from __future__ import annotations

import compileall
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent
RECOGNIZER = ROOT / "src" / "Recognizer"
ENGINES = ("tensorflow", "litert")
REFERENCE = "reference"
NAMES = (REFERENCE, *ENGINES)

_TWIN = ROOT.parent / "shared" / "models" / "openimages_twin.tar.gz"
_CACHE = ROOT / ".cache" / "benchmarks"
_BUILT_WITH = (
    "labels.py",
    "detections.py",
    "job.py",
    "vision/model.py",
    "vision/nms.py",
    "vision/resize.py",
)  # of the run time
_ENVIRONMENT = {
    "ALLOW_PRIVATE_ADDRESSES": "true",
    "ALLOWED_URL_PORTS": "*",
    "POWERTOOLS_SERVICE_NAME": "recognizer",
    "POWERTOOLS_TRACE_DISABLED": "true",  # as the template has it
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


class NoModel(RuntimeError):
    """There is no model to measure with; the message says what to give."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something with a ``lambda_handler``.

    Attributes:
        name: as in results.json.
        module: what holds the handler.
        folder: where it runs, the task root.
        environ: variables on top of the benchmark's own environment.
    """

    name: str
    module: str
    folder: Path
    environ: dict[str, str]


def model_url() -> str:
    """The archive or folder to measure with.

    Raises:
        NoModel: none was given, and there is none beside the project.
    """
    given = os.environ.get("MODEL_URL")
    if given:
        return given
    if _TWIN.is_file():
        return str(_TWIN)
    raise NoModel(
        "Give the model to measure with: MODEL_URL=/path/to/1.tar.gz make bench "
        "(a URL, a .tar.gz or a folder in TF Hub layout)."
    )


def prepare(folder: Path) -> list[Subject]:
    """The three subjects, laid out in ``folder``, in the order in which they take turns.

    Raises:
        NoModel: there is no model, or it could not be built.
    """
    url = model_url()
    reference = folder / REFERENCE
    reference.mkdir()
    shutil.copy2(Path(__file__).with_name("reference.py"), reference)
    published = {"MODEL_DIR": str(_published(url))}
    subjects = [Subject(REFERENCE, "reference", reference, {**_ENVIRONMENT, **published})]
    service = folder / "service"
    service.mkdir()
    for part in ("font", "web", "recognizer"):
        shutil.copytree(RECOGNIZER / part, service / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(RECOGNIZER / "handler.py", service)
    subjects += [
        Subject(engine, "handler", service, {**_ENVIRONMENT, "MODEL_DIR": str(_built(url, engine))})
        for engine in ENGINES
    ]
    for task in (reference, service):
        if not compileall.compile_dir(task, quiet=1):
            raise NoModel(f"{task.name} does not compile; see above.")
    return subjects


def model_sha256(prepared: Iterable[Subject]) -> str:
    """The digest of the archive that the engines' models were built from."""
    litert = next(subject for subject in prepared if subject.name == "litert")
    facts = json.loads((Path(litert.environ["MODEL_DIR"]) / "model.json").read_text(encoding="utf-8"))
    return str(facts["sha256"])


def _published(url: str) -> Path:
    """The folder of the SavedModel as it was published."""
    from model_build import errors, sources  # noqa: PLC0415 - importable only where PYTHONPATH has src/Recognizer

    try:
        return sources.obtain(url, None, ROOT / ".cache" / "model").folder
    except errors.NotObtained as error:
        raise NoModel(str(error)) from error


def _built(url: str, engine: str) -> Path:
    """The model folder of an engine; kept until what builds it changes."""
    made_by = [*RECOGNIZER.glob("model_build/*.py"), *(RECOGNIZER / "recognizer" / name for name in _BUILT_WITH)]
    folder = _CACHE / f"{engine}-{_digest([url.encode(), *(file.read_bytes() for file in sorted(made_by))])}"
    if not (folder / "model.json").is_file():
        for old in _CACHE.glob(f"{engine}-*"):
            shutil.rmtree(old)
        command = [sys.executable, "-m", "model_build", "--engine", engine, "--url", url, "--output", str(folder)]
        done = subprocess.run(command, cwd=RECOGNIZER, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoModel(f"The model for {engine} could not be built:\n{done.stderr[-3000:]}")
    return folder


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]
