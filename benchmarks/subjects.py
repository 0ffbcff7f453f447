"""What is measured: the baseline and the service with each engine, laid out as in their images.

Owns the task folders (code compiled, as the Dockerfile does), the models, each built by its own revision's
``model_build`` and kept until what builds it changes, and the processes: no two subjects share one. What is measured is
a copy: an edit during the run must not change it.
"""

import compileall
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Sequence
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
RECOGNIZER = ROOT / "src" / "Recognizer"
ENGINES = ("tensorflow", "litert")
BASELINE = "baseline"
NAMES = (BASELINE, *ENGINES)
NOT_CODE = shutil.ignore_patterns("__pycache__", "model", "*.tar.gz", ".*cache")

_TWIN = ROOT.parent / "shared" / "models" / "openimages_twin.tar.gz"
SSD = _TWIN.with_name("coco_ssd_mobilenet_v1_quant.tflite")  # the detector of most tutorials
# What it is, and its engine -> its file beside the twin.
_KINDS = {
    ("TF Hub, slim", "tensorflow"): "openimages_twin.tar.gz",
    ("TF Hub, slim", "litert"): "openimages_twin.tar.gz",
    ("TF Hub, as published", "tensorflow"): "coco_centernet.tar.gz",
    (".tflite", "litert"): SSD.name,
}
_CACHE = ROOT / ".cache"
_WORKER = Path(__file__).with_name("worker.py")
_DONE_WITHIN_S = 600.0
# With what running needs and nothing else, nearly as in the images; `make bench` sets it up.
_SERVED = Path(sys.prefix) / "served"
_PYTHON = _SERVED / "bin" / "python"
SITE_PACKAGES = _SERVED / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
# Of the environment; the rest could change what is measured (THREADS, MODEL_DIR, PYTHONPATH).
_INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")
_ENVIRONMENT = {
    "ALLOW_PRIVATE_ADDRESSES": "true",
    "ALLOWED_URL_PORTS": "*",
    "POWERTOOLS_SERVICE_NAME": "recognizer",
    "POWERTOOLS_TRACE_DISABLED": "true",  # as the template has it
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


Cold = dict[str, float]
Order = tuple[Any, ...]  # a method of ``worker``, its arguments, and where its profile goes if it is wanted


class NotMeasured(RuntimeError):
    """Something that is needed is missing or failed; the message says what."""


class Subject(NamedTuple):
    """Something with a ``lambda_handler``."""

    name: str  # the baseline or an engine, with ``@commit`` if it is of another revision
    module: str  # what holds the handler
    folder: Path  # where it runs, the task root
    environ: dict[str, str]  # on top of a few variables of the benchmark's own
    python: Path = Path(sys.executable)

    def run(self, cpus: Sequence[int], orders: Sequence[Order], *options: str) -> tuple[Cold, list[Any], str]:
        """Carries out orders in a fresh process on these CPUs, with these options of its interpreter.

        Returns the seconds of its cold start, which is the first order, by part and in all, from before the process
        exists; the results of the others; and what it logged.
        """
        told, began_s = json.dumps(orders).encode(), time.monotonic()
        try:
            done = subprocess.run(
                [self.python, "-P", *options, str(_WORKER), self.module, json.dumps(cpus)],
                cwd=self.folder,
                env={name: os.environ[name] for name in _INHERITED if name in os.environ} | self.environ,
                input=told,
                capture_output=True,
                check=True,
                timeout=_DONE_WITHIN_S,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            log = (error.stderr or b"").decode(errors="replace")
            raise NotMeasured(f"{self.name} failed: {log[-2000:]}") from error
        first, *results = json.loads(done.stdout)
        cold_start = {
            "interpreter": first["started_s"] - began_s,
            "imports, model, warm-up": first["imported_s"] - first["started_s"],
            "first request": first["answered_s"] - first["imported_s"],
            "all": first["answered_s"] - began_s,
        }
        return (cold_start, results, done.stderr.decode(errors="replace"))


def model_url() -> str:
    """The archive or folder to measure with: MODEL_URL, or the one that lies beside the project."""
    url = os.environ.get("MODEL_URL") or str(_TWIN)
    if url == str(_TWIN) and not _TWIN.is_file():
        raise NotMeasured("Give the model: MODEL_URL=/path/to/1.tar.gz make bench (a URL, a .tar.gz or a folder).")
    return str(Path(url).resolve()) if Path(url).exists() else url


def prepare(folder: Path, against: str | None = None) -> list[Subject]:
    """The subjects, laid out in an empty folder, in the order in which they take turns.

    Where another revision of the project is named, its service with each engine is among them.
    """
    url = model_url()
    if not (_SERVED / "ready").exists():
        raise NotMeasured(f"{_SERVED} is not ready; `make bench` sets it up.")
    trees = {"": RECOGNIZER}
    if against:
        commit = git("rev-parse", "--short", "--verify", f"{against}^{{commit}}")
        trees[f"@{commit}"] = _checked_out(commit, folder / "checkout")
    services = []
    for suffix, tree in trees.items():
        task = shutil.copytree(tree, folder / f"service{suffix}", ignore=NOT_CODE)
        services += [_subject(engine + suffix, "handler", task, _model(tree, engine, url)) for engine in ENGINES]
    from model_build import sources  # noqa: PLC0415 - importable only where PYTHONPATH has src/Recognizer

    published = sources.obtain(url, None, _CACHE / "model").path
    baseline = _subject(BASELINE, "baseline", folder / BASELINE, published)
    baseline.folder.mkdir()
    shutil.copy2(Path(__file__).with_name("baseline.py"), baseline.folder)
    compileall.compile_dir(folder, quiet=1, maxlevels=20)
    return [baseline, *services]


def of_each_kind(prepared: Sequence[Subject]) -> list[Subject]:
    """The service with a model of each kind that lies beside the project; see docs/models.md.

    Args:
        prepared: what ``prepare`` made: the same code, compiled.
    """
    services = {subject.name: subject for subject in prepared}
    made = []
    for (kind, engine), name in _KINDS.items():
        file = _TWIN.parent / name
        if file.exists():
            model = _model(RECOGNIZER, engine, str(file))
            made.append(_subject(f"{kind}, {engine}", "handler", services[engine].folder, model))
    return made


def git(*arguments: str) -> str:
    """What git says of this project."""
    done = subprocess.run(("git", *arguments), cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMeasured(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def _subject(name: str, module: str, folder: Path, model: Path) -> Subject:
    return Subject(name, module, folder, {**_ENVIRONMENT, "MODEL_DIR": str(model)}, _PYTHON)


def _model(tree: Path, engine: str, url: str) -> Path:
    """The model folder that a revision's own ``model_build`` makes for an engine."""
    folder = _CACHE / "benchmarks" / f"{engine}-{_digest(tree, url)}"
    if not (folder / "model.json").is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        options = ("--engine", engine, "--url", url, "--output", folder, "--cache", _CACHE / "model")
        command = (sys.executable, "-m", "model_build", *map(str, options))
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NotMeasured(f"The model for {engine} could not be built:\n{done.stderr[-3000:]}")
    return folder


def _digest(tree: Path, url: str) -> str:
    """Names what a model is made of: its address, all that ``model_build`` imports of the project, and the tables."""
    modules = ModuleFinder([str(tree)])  # finds imports inside functions too
    modules.run_script(str(tree / "model_build" / "__main__.py"))
    files = {Path(module.__file__) for module in modules.modules.values() if module.__file__}  # type: ignore[attr-defined]
    digest = hashlib.sha256(url.encode())
    for file in sorted(files.union(tree.glob("model_build/*.csv"), tree.glob("recognizer/*.csv"))):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _checked_out(commit: str, folder: Path) -> Path:
    """The build context as it was at a commit."""
    context = RECOGNIZER.relative_to(ROOT)
    archive = subprocess.run(("git", "archive", commit, str(context)), cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder / context
