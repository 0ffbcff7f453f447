"""Pictures as files, and a classifier that was trained on some of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    from examples.own_classifier import digits

    folder = tmp_path_factory.mktemp("digits")
    assert digits.write(folder) == {"train": 1347, "test": 450}
    return folder


@pytest.fixture(scope="session")
def classifier(pictures, tmp_path_factory):
    """The folder that the command writes; in a process of its own, as TensorFlow is set up once in a process."""
    folder = tmp_path_factory.mktemp("classifier")
    done = subprocess.run(
        (sys.executable, "-m", "examples.own_classifier.train", pictures, folder, "--name", "digits"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "digits.tflite: 9" in done.stderr
    return folder
