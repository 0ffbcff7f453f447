"""What all tests share: where things lie, and an environment in which nothing is measured or traced.

The environment is set before anything of the service is imported: Powertools and TensorFlow read it as they load.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", POWERTOOLS_METRICS_DISABLED="true", POWERTOOLS_TRACE_DISABLED="true")

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the shared photos and models are not beside this project"
)
