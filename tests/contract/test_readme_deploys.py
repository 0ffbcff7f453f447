"""What README says of deploying works on a fresh clone."""

from __future__ import annotations

import re
import tomllib

from tests.conftest import ROOT

DEPLOY = re.search(r"## Deploy\n(.*?)\n## ", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_commands_are_whole():
    assert DEPLOY
    text = DEPLOY[1]

    assert re.search(r"make destroy STAGE=(\w+) STACK=recognizer-\1", text)
    assert text.index("make .venv/dev") < text.index(".venv/bin/sam")
    assert "resolve-image-repos" not in text  # makes repositories of its own, beside the one above
    assert "--image-repository" in text


def test_a_classifier_is_deployed_with_an_engine_that_runs_it():
    readme = (ROOT / "examples" / "own_classifier" / "README.md").read_text(encoding="utf-8")
    environments = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    known = environments["default"]["global"]["parameters"]["parameter_overrides"]
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)]

    engines = {block["ClassifierUrl"].rpartition(".")[2]: block["Engine"] for block in blocks}
    assert engines == {"tflite": "litert", "keras": "tensorflow"}
    assert all(block.keys() <= known.keys() for block in blocks)
    assert "--parameter-overrides" not in readme  # would replace all that samconfig.toml says
