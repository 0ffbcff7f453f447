"""The locks: what is imported is declared, what runs is what was tested, and nobody's registry is named."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.conftest import ROOT

IMAGES = ROOT / "src" / "Recognizer"
LOCKS = [*sorted((ROOT / "requirements").glob("*.txt")), *sorted(IMAGES.glob("requirements-*.txt"))]
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
# What is imported by a folder's modules -> the group that must name it. The engines' own modules import theirs.
FOLDERS = {IMAGES / "recognizer": "service", IMAGES / "model_build": "build", ROOT / "local": "run"}
OF_AN_ENGINE = {"tensorflow", "ai_edge_litert"}
OF_THE_RUNTIME = {"snapshot_restore_py"}  # Lambda's own base image has it, beside the runtime client that calls it
OWN = {"recognizer", "model_build", "local", "handler"}


def pinned(lock):
    """Name and version of each package of a lock; a package may have several versions, for several Pythons."""
    return set(re.findall(r"^([a-z0-9.-]+)==([^ \\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def declared(group):
    names = set()
    for entry in GROUPS[group]:
        if isinstance(entry, dict):
            names |= declared(entry["include-group"])
        else:
            names.add(normalised(re.match(r"[\w.-]+", entry)[0]))
    return names


def normalised(name):
    """See https://packaging.python.org/en/latest/specifications/name-normalization/."""
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(source):
    """Top-level names that a module imports, but for its own package's."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module)
    return {"google.protobuf" if name.startswith("google.protobuf") else name.partition(".")[0] for name in names}


def undeclared(source, group):
    """What a module imports that no package of the group delivers."""
    delivered = packages_distributions() | {"google.protobuf": ["protobuf"]}
    return {
        name
        for name in imported(source) - OWN - OF_THE_RUNTIME - (OF_AN_ENGINE if group == "service" else set())
        if name not in sys.stdlib_module_names
        and not {normalised(package) for package in delivered.get(name, [])} & declared(group)
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_imported_is_declared(folder):
    missing = {
        path.name: undeclared(path.read_text(encoding="utf-8"), FOLDERS[folder]) for path in folder.rglob("*.py")
    }

    assert len(missing) > 1
    assert not {name: names for name, names in missing.items() if names}


def test_what_is_not_declared_is_noticed():
    assert undeclared("import json, numpy, certifi\nfrom google.protobuf import message", "service") == {
        "certifi",
        "google.protobuf",
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_no_lock_names_a_registry(lock):
    text = lock.read_text(encoding="utf-8")

    assert "--hash=sha256:" in text
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


# uv and what makes bills of materials run by themselves.
@pytest.mark.parametrize(
    "lock", [lock for lock in LOCKS if lock.stem not in {"uv", "sbom"}], ids=lambda lock: lock.name
)
def test_every_lock_has_the_versions_that_the_tests_run_with(lock):
    assert pinned(lock) <= pinned(ROOT / "requirements" / "dev.txt")


def test_running_needs_less_than_developing():
    names = {name for name, _ in pinned(ROOT / "requirements" / "run.txt")}

    assert {"werkzeug", "requests"} <= names
    assert not {"pytest", "ruff", "aws-sam-cli", "matplotlib", "uv"} & names
