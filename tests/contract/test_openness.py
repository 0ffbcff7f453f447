"""Nothing below ``settings`` looks at the environment, and the entry point has no logic: both read from the source."""

from __future__ import annotations

import ast

import pytest

from tests.conftest import ROOT

RECOGNIZER = ROOT / "src" / "Recognizer"
MODULES = sorted(path for path in (RECOGNIZER / "recognizer").rglob("*.py") if path.stem != "settings")
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


def looks_at_the_environment(source):
    """The line numbers at which a module does."""
    lines = []
    forgotten = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            # To forget it is not to look at it: what decodes pictures does.
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ") as environ, attr="clear")):
                forgotten.add(environ)
            case ast.Attribute() if node in forgotten:
                pass
            case ast.Attribute(value=ast.Name(id="os"), attr=attr) if attr in ENVIRONMENT:
                lines.append(node.lineno)
            case ast.ImportFrom(module="os") if ENVIRONMENT & {alias.name for alias in node.names}:
                lines.append(node.lineno)
            case ast.Import() if any(alias.name == "os" and alias.asname for alias in node.names):
                lines.append(node.lineno)
    return lines


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_does_not_look_at_the_environment(path):
    assert looks_at_the_environment(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import os\nx = os.environ['A']",
        "import os\n# os.environ.clear()\nos.environ.pop('A')",
        "import os\nos.getenv('A')",
        "from os import environ",
        "import os as quiet",
    ],
)
def test_a_look_at_the_environment_is_noticed(source):
    assert looks_at_the_environment(source)


def test_the_entry_point_has_no_logic():
    module = ast.parse((RECOGNIZER / "handler.py").read_text(encoding="utf-8"))
    (function,) = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    rest = [node for node in module.body if node is not function]

    assert function.name == "lambda_handler"
    assert all(isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.Expr) for node in rest)
    assert [type(node) for node in function.body] == [ast.Expr, ast.Return]
