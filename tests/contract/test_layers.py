"""Imports go down only, as pyproject.toml says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("config", "path"),
    [("pyproject.toml", "src/Recognizer"), ("examples/xgboost/pyproject.toml", "examples/xgboost/src")],
    ids=["recognizer", "xgbexample"],
)
def test_the_layers_are_kept(config, path):
    """The command is beside the interpreter: its own name is on no one's path in a virtual environment."""
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", config],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout
