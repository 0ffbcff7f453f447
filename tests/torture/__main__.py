"""``make torture``: everything hostile that is known, tried on the service, and what happened written down.

The short form (``TORTURE=short``, for CI) sends some thousand damaged pictures and some hundred requests, and says what
came of it. The full form runs the suites of hostile input, 200,000 damaged pictures, and 10,000 requests each to a
process and to a container with one CPU and 1,769 MB, and rewrites the generated sections of docs/reliability.md; named
parts (``python -m tests.torture pictures load``) rewrite theirs alone. ``TORTURE_KEEP`` names a folder for pictures
that fail.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from benchmarks.report import table
from tests.torture import container, large, load, pictures

ROOT = load.ROOT
DOCUMENT = ROOT / "docs" / "reliability.md"

# What is attacked -> where the attacks are; a suite reads TORTURE where it has more than ``make test`` waits for.
SUITES = {
    "addresses": ("tests/functional/fetch/test_addresses.py", "tests/unit/fetch"),
    "servers": ("tests/functional/fetch",),
    "pictures": ("tests/functional/test_isolation.py", "tests/functional/test_pictures.py", "tests/unit/pictures"),
    "secrets": ("tests/functional/test_secrets.py",),
    "requests": ("tests/functional/test_requests.py", "tests/unit/http"),
    "faults": ("tests/functional/test_faults.py", "tests/unit/sandbox"),
}


def main():
    form = os.environ.get("TORTURE") or "short"
    if form not in load.REQUESTS:
        sys.exit(f"TORTURE is {form!r}; it must be {' or '.join(load.REQUESTS)}.")
    missing = [path for paths in SUITES.values() for path in paths if not (ROOT / path).exists()]
    if missing:
        sys.exit(f"SUITES names what is not there: {', '.join(missing)}")
    parts = sys.argv[1:] or (PARTS if form == "full" else ("pictures", "load"))
    found, failed = {}, []
    with tempfile.TemporaryDirectory(prefix="recognizer-torture-") as folder:
        for part in parts:
            sys.stderr.write(f"{part}…\n")
            tables, broken = PARTS[part](form, Path(folder))
            found |= tables
            failed += broken
    found["environment"] = _environment()
    sys.stdout.write("\n\n".join(f"{name}\n\n{table(rows)}" for name, rows in found.items()))
    if form == "full":
        document = DOCUMENT.read_text(encoding="utf-8")
        for name, rows in found.items():
            document = written(document, name, rows)
        DOCUMENT.write_text(document, encoding="utf-8")
    sys.stdout.write("\n".join(["\n", *failed[:20]]) if failed else "\n\nNothing gave way.\n")
    return 1 if failed else 0


def written(document, name, rows):
    """The document with one of its generated sections made anew."""
    start, end = f"<!-- generated: {name} -->\n", "<!-- end -->"
    before, found, rest = document.partition(start)
    if not found:
        raise LookupError(f"docs/reliability.md has no place for {name}")
    return f"{before}{start}\n{table(rows)}\n\n{end}{rest.partition(end)[2]}"


def _suites(_, folder):
    rows = {name: _suite(name, paths, folder) for name, paths in SUITES.items()}
    return {"suites": rows}, [f"{name}: {row['failed']} tests" for name, row in rows.items() if row["failed"] != "0"]


def _pictures(form, _):
    keep = os.environ.get("TORTURE_KEEP")
    return pictures.run(form, Path(keep) if keep else None)


def _load(form, folder):
    model = _model(folder)
    with (folder / "log").open("wb") as log:
        return load.run(form, load.process(model, log))


def _container(form, folder):
    with container.image(_model(folder)) as image:
        tables, failed = load.run(form, container.process(image))
    return {f"{name} in a container": rows for name, rows in tables.items()}, failed


def _large(_, folder):
    """With the service's own limits of time and size."""
    settings = {name: value for name, value in load.SETTINGS.items() if not name.endswith("_TIMEOUT")}
    with container.image(_model(folder)) as image:
        ask = container.process(image)
        return large.run(lambda requests: ask(json.dumps(large.plan(requests)).encode(), settings))


PARTS = {"suites": _suites, "pictures": _pictures, "load": _load, "container": _container, "large": _large}


def _suite(name, paths, folder):
    """Runs a suite; says how many tests it has, and how long they took."""
    sys.stderr.write(f"{name}…\n")
    report = folder / f"{name}.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *paths]
    subprocess.run(command, cwd=ROOT, check=False, stdout=sys.stderr)
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 - written by pytest just now
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    return {"tests": f"{int(suite.get('tests')):,}", "failed": str(failed), "seconds": float(suite.get("time"))}


def _model(folder):
    """The model folder to load: MODEL_DIR's, or a tiny model's."""
    if os.environ.get("MODEL_DIR"):
        return Path(os.environ["MODEL_DIR"])
    made = folder / "model"
    if made.exists():
        return made
    # In processes of their own: TensorFlow's threads and memory are not to be in this one's way, nor in one another's.
    tiny = "import pathlib, sys; from tests.functional.tiny_model import *; build_tiny_model(pathlib.Path(sys.argv[1]))"
    paths = os.pathsep.join([str(ROOT / "src" / "Recognizer"), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"}
    published = str(folder / "published")
    options = ["--engine", "litert", "--url", published, "--output", str(made), "--cache", str(folder / "cache")]
    for command in (["-c", tiny, published], ["-m", "model_build", *options]):
        subprocess.run([sys.executable, *command], env=environment, capture_output=True, check=True)
    return made


def _environment():
    from importlib.metadata import version

    packages = {name: version(name) for name in ("Pillow", "numpy", "ai-edge-litert", "urllib3")}
    return {
        "Python": platform.python_version(),
        **packages,
        "on": f"{len(os.sched_getaffinity(0))} CPUs, {platform.system()}",
    }


if __name__ == "__main__":
    sys.exit(main())
