"""What is in the images is written down: licences as committed, bills of materials as `make sbom` makes them."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

ENGINES = ["tensorflow", "litert"]


def script():
    spec = importlib.util.spec_from_file_location("licences", ROOT / "requirements" / "licences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def locked(engine):
    text = (ROOT / "src" / "Recognizer" / f"requirements-{engine}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9.-]+)==([^ \\]+)", text, re.MULTILINE))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_licences_are_those_of_the_locked_versions(engine):
    """`make licences` after `make lock`."""
    rows = re.findall(
        r"^\| ([^ ]+) \| ([^ ]+) \| [^|]+ \| ([^|]+) \|$", (ROOT / "docs" / "licences.md").read_text(), re.MULTILINE
    )
    listed = {(name, version) for name, version, images in rows if engine in images.split(", ")}

    assert listed == set(script().installed(engine).items())
    assert len(listed) > 15


def test_what_a_lock_has_for_other_systems_is_not_in_the_image():
    elsewhere = {"colorama", "httpx2-jsfetch", "pywin32"}

    assert {name for name, _ in locked("litert")} - set(script().installed("litert")) == elsewhere


def test_a_licence_is_taken_from_the_package():
    assert (script().licence("pillow"), script().licence("jmespath")) == ("MIT-CMU", "MIT License")
    assert script().licence("no-such-package") == "not installed where this was written"


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")
@pytest.mark.skipif(not os.environ.get("CI"), reason="it installs what makes bills of materials, over the network")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_bill_of_materials_has_all_that_is_locked(engine, tmp_path):
    for name in ("Makefile", "pyproject.toml", "README.md", "src", "requirements"):
        (tmp_path / name).symlink_to(ROOT / name)
    installed = f"VENV={Path(sys.prefix)}"

    subprocess.run(["make", "-o", f"{sys.prefix}/uv", installed, "sbom"], cwd=tmp_path, check=True, timeout=200)

    bill = json.loads((tmp_path / "sbom" / f"{engine}.cdx.json").read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "recognizer"
    assert {(part["name"], part["version"]) for part in bill["components"]} == locked(engine)
    assert all(part["externalReferences"][0]["hashes"] for part in bill["components"])
