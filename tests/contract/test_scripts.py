"""The page's scripts stand on each other in one direction: each uses only what those before it define.

They are written into one document without a build step, so their order in it is all that there is of imports.
"""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

WEB = ROOT / "src" / "Recognizer" / "web"
_COMMENT = re.compile(r"/\*.*?\*/|(?<=\s)//[^\n]*", re.DOTALL)
_GLOBAL = re.compile(r"^(?:const|let|class|(?:async )?function) (\w+)", re.MULTILINE)


def scripts_of(page):
    """The scripts that a page includes, in its order."""
    return re.findall(r'<script src="([\w-]+\.js)"></script>', page)


def out_of_order(scripts):
    """Each use of a global that an earlier script does not define: (script, global, where it is defined)."""
    code = {name: _COMMENT.sub("", text) for name, text in scripts.items()}
    home = {name: script for script, text in code.items() for name in _GLOBAL.findall(text)}
    order = list(scripts)
    return [
        (script, name, home[name])
        for script, text in code.items()
        for name in home
        if order.index(home[name]) > order.index(script) and re.search(rf"(?<![\w.\"'`-]){name}\b", text)
    ]


@pytest.fixture(scope="module")
def scripts():
    names = scripts_of((WEB / "index.html").read_text(encoding="utf-8"))
    return {name: (WEB / name).read_text(encoding="utf-8") for name in names}


def test_every_script_is_in_the_page_once(scripts):
    assert sorted(scripts) == sorted(file.name for file in WEB.glob("*.js"))


def test_every_script_but_the_last_defines_one_global(scripts):
    *others, last = scripts.values()

    assert [len(_GLOBAL.findall(text)) for text in others] == [1] * len(others)
    assert _GLOBAL.findall(last) == []


def test_no_script_uses_one_that_comes_after_it(scripts):
    assert out_of_order(scripts) == []


def test_a_circle_would_be_seen():
    scripts = {
        "a.js": "const A = (() => {\n  return () => B.b(); // as B has it\n})();",
        "b.js": "const B = (() => ({ b: () => new A.C() }))();",
    }

    assert out_of_order(scripts) == [("a.js", "B", "b.js")]


def test_what_is_only_spoken_of_is_not_used():
    scripts = {"a.js": '/* B */\nconst A = () => "B"; // B', "b.js": "class B {}"}

    assert out_of_order(scripts) == []
