"""The image: its model stage has every file that it needs, and ENGINE alone says what runs in it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

RECOGNIZER = ROOT / "src" / "Recognizer"
DOCKERFILE = (RECOGNIZER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
TEMPLATE = (ROOT / "template.yaml").read_text(encoding="utf-8")


@pytest.fixture
def stage(tmp_path):
    """A folder with what the Dockerfile copies into its model stage, but for requirements and models."""
    model_stage = DOCKERFILE.partition(" AS model")[2].partition("\nFROM ")[0]
    for *sources, destination in (line.split() for line in re.findall(r"^COPY (.*)$", model_stage, re.MULTILINE)):
        for source in sources:
            if source.endswith("/"):
                shutil.copytree(RECOGNIZER / source, tmp_path / destination)
            elif source.startswith("recognizer/"):
                (tmp_path / destination).mkdir(exist_ok=True)
                shutil.copy(RECOGNIZER / source, tmp_path / destination)
    return tmp_path


@pytest.mark.parametrize("options", [["--prepared", "{model}"], ["--url", "{model}"]], ids=["prepared", "fetched"])
def test_the_model_stage_can_build(stage, tiny_model, options, tmp_path):
    source = tiny_model if options[0] == "--prepared" else tiny_model.parent / "published"
    folders = ["--output", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    done = subprocess.run(
        [sys.executable, "-m", "model_build", *folders, *(option.format(model=source) for option in options)],
        cwd=stage,
        env={"PATH": "", "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "labels.csv").is_file()


@pytest.mark.parametrize("engine", ["tensorflow", "litert"])
def test_each_engine_has_its_requirements(engine):
    assert "AllowedValues: [tensorflow, litert]" in TEMPLATE
    assert "COPY requirements-${ENGINE}.txt" in DOCKERFILE
    assert (RECOGNIZER / f"requirements-{engine}.txt").is_file()


def test_the_engine_is_chosen_in_one_place():
    """A target that could name another engine than ENGINE would put one engine's model beside the other's code."""
    assert re.findall(r"^FROM .*", DOCKERFILE, re.MULTILINE) == ["FROM ${BASE} AS model", "FROM ${BASE}"]
    assert "ENGINE: !Ref Engine" in TEMPLATE
    assert "DockerBuildTarget" not in TEMPLATE


def test_no_instruction_is_there_twice():
    lines = [line for line in DOCKERFILE.splitlines() if re.match(r"(COPY|RUN|ENV|CMD) ", line)]

    assert len(lines) == len(set(lines)) > 10
