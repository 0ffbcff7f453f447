"""``make torture``: everything hostile that is known, tried on the service, and what happened written down.

The short form (``TORTURE=short``, for CI) sends some thousand damaged pictures and some hundred requests, and says what
came of it. The full form runs the suites of hostile input, 200,000 damaged pictures and 10,000 requests, and rewrites
the generated sections of docs/reliability.md. ``TORTURE_KEEP`` names a folder for pictures that fail.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from benchmarks.report import filled, table
from tests.torture import load, pictures

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
    found, failed = {}, []
    missing = [path for paths in SUITES.values() for path in paths if not (ROOT / path).exists()]
    if missing:
        sys.exit(f"SUITES names what is not there: {', '.join(missing)}")
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="recognizer-torture-") as folder:
        if form == "full":
            found["suites"] = {name: _suite(name, paths, Path(folder)) for name, paths in SUITES.items()}
            failed += [f"{name}: {row['failed']} tests" for name, row in found["suites"].items() if row["failed"]]
        sys.stderr.write("damaged pictures…\n")
        tables, broken = pictures.run(
            form, Path(os.environ["TORTURE_KEEP"]) if os.environ.get("TORTURE_KEEP") else None
        )
        found |= tables
        failed += broken
        sys.stderr.write("load…\n")
        model, described = _model(Path(folder))
        with (Path(folder) / "log").open("wb") as log:
            tables, broken = load.run(form, model, log)
        found |= tables
        failed += broken
        found["environment"] = _environment(described, time.monotonic() - began_s)
    sys.stdout.write("\n\n".join(f"{name}\n\n{table(rows)}" for name, rows in found.items()))
    if form == "full":
        DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8"), found), encoding="utf-8")
    sys.stdout.write("\n".join(["\n", *failed[:20]]) if failed else "\n\nNothing gave way.\n")
    return 1 if failed else 0


def _suite(name, paths, folder):
    """Runs a suite; says how many tests it has, and how long they took."""
    sys.stderr.write(f"{name}…\n")
    report = folder / f"{name}.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *paths]
    subprocess.run(command, cwd=ROOT, check=False, stdout=sys.stderr)
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 - written by pytest just now
    failed = int(suite.get("failures")) + int(suite.get("errors"))
    return {"tests": f"{int(suite.get('tests')):,}", "failed": failed, "seconds": float(suite.get("time"))}


def _model(folder):
    """The model folder to load: MODEL_DIR's, or a tiny model's; and what to call it."""
    if os.environ.get("MODEL_DIR"):
        return Path(os.environ["MODEL_DIR"]), "the model in MODEL_DIR"
    # In a process of its own: TensorFlow's threads and memory are not to be in this one's way.
    script = (
        "import sys, pathlib; from model_build.__main__ import main; from tests.functional.tiny_model import *\n"
        "made = build_tiny_model(pathlib.Path(sys.argv[1]) / 'published')\n"
        "sys.exit(main(['--engine', 'litert', '--url', str(made), '--output', sys.argv[1] + '/model',"
        " '--cache', sys.argv[1] + '/cache']))"
    )
    paths = os.pathsep.join([str(ROOT / "src" / "Recognizer"), str(ROOT)])
    environment = os.environ | {"PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", script, str(folder)], env=environment, capture_output=True, check=True)
    return folder / "model", "a tiny model with LiteRT"


def _environment(model, seconds):
    from importlib.metadata import version

    packages = {name: version(name) for name in ("Pillow", "numpy", "ai-edge-litert", "urllib3")}
    return {
        "Python": platform.python_version(),
        **packages,
        "with": model,
        "on": f"{len(os.sched_getaffinity(0))} CPUs, {platform.system()} {platform.release()}",
        "in": f"{seconds:.0f} s",
    }


if __name__ == "__main__":
    sys.exit(main())
