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
TABULAR = ROOT / "examples" / "xgboost"
LOCKS = [
    *sorted((ROOT / "requirements").glob("*.txt")),
    *sorted(IMAGES.glob("requirements-*.txt")),
    *sorted([*TABULAR.glob("requirements*.txt"), *TABULAR.glob("src/requirements*.txt")]),
]
# What is imported by a folder's modules -> whose group must name it. The engines' own modules import theirs.
FOLDERS = {
    IMAGES / "recognizer": (ROOT, "service"),
    IMAGES / "model_build": (ROOT, "build"),
    ROOT / "local": (ROOT, "run"),
    ROOT / "deploy": (ROOT, "dev"),
    ROOT / "examples" / "own_classifier": (ROOT, "dev"),
    TABULAR / "src" / "xgbexample": (TABULAR, "service"),
    TABULAR / "src": (TABULAR, "build"),
}
OF_AN_ENGINE = {"tensorflow", "ai_edge_litert"}
OF_THE_RUNTIME = {"snapshot_restore_py"}  # Lambda's own base image has it, beside the runtime client that calls it
OWN = {"recognizer", "model_build", "local", "deploy", "handler", "xgbexample", "examples", "tests"}
# Each runs by itself, in an environment of its own.
APART = {"uv", "sbom", "cloud", "scan", "clients"}


def pinned(lock):
    """Name and version of each package of a lock; a package may have several versions, for several Pythons."""
    return set(re.findall(r"^([a-z0-9.-]+)==([^ \\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def declared(project, group):
    """The packages of a group of the pyproject.toml in a folder."""
    groups = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    names = set()
    for entry in groups[group]:
        if isinstance(entry, dict):
            names |= declared(project, entry["include-group"])
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


def undeclared(source, project, group):
    """What a module imports that no package of the group delivers."""
    delivered = packages_distributions() | {"google.protobuf": ["protobuf"]}
    return {
        name
        for name in imported(source) - OWN - OF_THE_RUNTIME - (OF_AN_ENGINE if group == "service" else set())
        if name not in sys.stdlib_module_names
        and not {normalised(package) for package in delivered.get(name, [])} & declared(project, group)
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_what_is_imported_is_declared(folder):
    missing = {
        path.name: undeclared(path.read_text(encoding="utf-8"), *FOLDERS[folder]) for path in folder.rglob("*.py")
    }

    assert len(missing) > 1
    assert not {name: names for name, names in missing.items() if names}


def test_what_is_not_declared_is_noticed():
    assert undeclared("import json, numpy, certifi\nfrom google.protobuf import message", ROOT, "service") == {
        "certifi",
        "google.protobuf",
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_no_lock_names_a_registry(lock):
    text = lock.read_text(encoding="utf-8")

    assert "--hash=sha256:" in text
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


@pytest.mark.parametrize(
    "lock", [lock for lock in LOCKS if lock.stem not in APART], ids=lambda lock: str(lock.relative_to(ROOT))
)
def test_every_lock_has_the_versions_that_the_tests_run_with(lock):
    assert pinned(lock) <= pinned(ROOT / "requirements" / "dev.txt")


def test_running_needs_less_than_developing():
    names = {name for name, _ in pinned(ROOT / "requirements" / "run.txt")}

    assert {"werkzeug", "requests"} <= names
    assert not {"pytest", "ruff", "aws-sam-cli", "matplotlib", "uv"} & names
