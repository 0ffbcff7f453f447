"""What all tests share: where things lie, and an environment in which nothing is measured or traced.

The environment is set before anything of the service is imported: Powertools and TensorFlow read it as they load.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
THREADS = 2

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", POWERTOOLS_METRICS_DISABLED="true", POWERTOOLS_TRACE_DISABLED="true")

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the shared photos and models are not beside this project"
)
on_loopback = pytest.mark.allow_hosts(["127.0.0.1", "::1"])  # elsewhere sockets are blocked altogether

# Examples are not timed: on a busy machine a deadline would fail at random.
hypothesis.settings.register_profile("recognizer", deadline=None)
hypothesis.settings.load_profile("recognizer")


def pytest_collection_finish():
    """Settles TensorFlow's threads where a test module has imported it; a fixture that imports it does so itself."""
    if "tensorflow" in sys.modules:
        _settle_threads(sys.modules["tensorflow"])


def _settle_threads(tensorflow):
    """Sets what the engine sets: that is possible only before the first use in a process, whichever test that is."""
    tensorflow.config.threading.set_intra_op_parallelism_threads(THREADS)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """The folder that ``model_build`` makes of a tiny model with the published interface, for TensorFlow."""
    return _built(tmp_path_factory.mktemp("tiny"), "tensorflow")


@pytest.fixture(scope="session")
def tiny_model_of_both(tiny_model, tmp_path_factory):
    """The same model for each engine, by its name."""
    return {"tensorflow": tiny_model, "litert": _built(tmp_path_factory.mktemp("tiny"), "litert")}


@pytest.fixture(scope="session", params=["tensorflow", "litert"])
def tiny_model_of_each_engine(request, tiny_model_of_both):
    """The same model for one engine after the other."""
    return tiny_model_of_both[request.param]


def _built(folder, engine):
    import tensorflow as tf  # here: it takes seconds, which tests without a model need not pay
    from model_build.__main__ import main

    from tests.functional.tiny_model import build_tiny_model

    _settle_threads(tf)
    published = build_tiny_model(folder / "published")
    options = ("--engine", engine, "--url", published, "--output", folder / "model", "--cache", folder / "cache")
    assert main([str(option) for option in options]) == 0
    return folder / "model"
