"""Modules become one script that does the same; what cannot be joined is refused."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from recognizer.errors import StartupError
from recognizer.site.modules import joined

WEB = Path(__file__).parents[3] / "src" / "Recognizer" / "web"


def written(folder, **modules):
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_the_script_does_what_the_modules_do(tmp_path):
    page = """\
import { add, One } from "./math.js";
import {
  two,
} from "./two.js";
console.log(add(new One().value, two));
"""
    math = """\
import { two } from "./two.js";
export class One { value = two - 1; }
export function add(a, b) { return a + b; }
"""
    written(tmp_path, page=page, math=math, two="export const two = 2;\nconst hidden = 1;\n")

    done = subprocess.run(["node", "-e", joined(tmp_path, "page.js")], capture_output=True, text=True, check=True)

    assert done.stdout == "3\n"


def test_each_module_is_there_once(tmp_path):
    page = 'import { b } from "./b.js";\nimport { c } from "./c.js";\nb(c);\n'
    written(tmp_path, page=page, b='import { c } from "./c.js";\nexport const b = c;\n', c="export const c = 1;\n")

    assert joined(tmp_path, "page.js").count("const c = 1;") == 1


def test_a_circle_is_named(tmp_path):
    modules = {
        name: f'import {{ x }} from "./{other}.js";\nexport const x = 1;\n' for name, other in ("ab", "bc", "cb")
    }

    with pytest.raises(StartupError, match=re.escape("in a circle: b imports c imports b.")):
        joined(written(tmp_path, **modules), "a.js")


def test_a_module_that_is_missing_is_named(tmp_path):
    with pytest.raises(StartupError, match=r"gone\.js"):
        joined(written(tmp_path, page='import { x } from "./gone.js";\n'), "page.js")


def test_a_name_that_is_not_exported_is_told(tmp_path):
    with pytest.raises(StartupError, match=r"imports \['y'\], not exported by other\.js"):
        joined(written(tmp_path, page='import { y } from "./other.js";\n', other="export const x = 1;\n"), "page.js")


@pytest.mark.parametrize(
    "line", ['import "./other.js";', 'import * as x from "./other.js";', "export default 1;", "export let x = 1;"]
)
def test_what_is_not_read_here_is_told_instead_of_left_out(tmp_path, line):
    with pytest.raises(StartupError, match="not understood"):
        joined(written(tmp_path, page=f"{line}\n", other="export const x = 1;\n"), "page.js")


def test_every_module_of_the_page_is_used():
    script = joined(WEB, "page.js")
    alone = {"reference.js", "labels-page.js"}

    assert all(f"const ${file.stem} = (" in script for file in WEB.glob("*.js") if file.name not in alone)
