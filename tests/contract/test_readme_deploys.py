"""What README says of deploying works on a fresh clone."""

from __future__ import annotations

import re

from tests.conftest import ROOT

DEPLOY = re.search(r"## Deploy\n(.*?)\n## ", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_commands_are_whole():
    assert DEPLOY
    text = DEPLOY[1]

    assert re.search(r"make destroy STAGE=(\w+) STACK=recognizer-\1", text)
    assert text.index("make .venv/dev") < text.index(".venv/bin/sam")
    assert "resolve-image-repos" not in text  # makes repositories of its own, beside the one above
    assert "--image-repository" in text
