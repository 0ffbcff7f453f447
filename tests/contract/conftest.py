"""What tests of commands share: programs that stand in for others."""

from __future__ import annotations

import pytest


@pytest.fixture
def program(tmp_path):
    """Writes a shell script under a name into the test's ``bin``, for a PATH of its own."""
    (tmp_path / "bin").mkdir()

    def write(name, script):
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    return write
