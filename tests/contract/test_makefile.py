"""`make` finds a Python that works, and says what it needs where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")


def make(*arguments, path=None):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))
    }
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env=environment | ({"PATH": path} if path else {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def chosen(path):
    return make("--eval", "show: ; @echo '[$(PYTHON)]'", "show", path=path).stdout.strip()


def test_a_shim_that_does_not_start_is_passed_over(program):
    program("python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    folder = program("python3.12", f'exec "{sys.executable}" "$@"').parent

    assert chosen(f"{folder}:/usr/bin:/bin") == "[python3.12]"


def test_the_tests_get_the_clients_that_they_call():
    recipes = make("--dry-run", "--always-make", "test").stdout.splitlines()

    [installing] = [line for line in recipes if "requirements/clients.txt" in line]
    [testing] = [line for line in recipes if "-m pytest" in line]
    assert "--python .venv/clients/bin/python" in installing
    assert recipes.index(installing) < recipes.index(testing)


def test_a_python_that_is_named_is_not_searched_for(program):
    assert make("--eval", "show: ; @echo '$(PYTHON)'", "show", "PYTHON=/my/own").stdout.strip() == "/my/own"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'pyenv: version not installed' >&2; exit 127", "pyenv: version not installed"),
        ("echo 'it is Python 3.10.13' >&2; exit 1", "it is Python 3.10.13"),
    ],
)
def test_a_python_that_is_named_and_cannot_be_used_is_refused_with_the_reason(program, tmp_path, script, why):
    python = program("python", script)

    done = make(f"VENV={tmp_path}/venv", f"PYTHON={python}", f"{tmp_path}/venv/uv")

    assert done.returncode != 0
    assert f"PYTHON={python} cannot be used: {why}. Recognizer needs Python 3.11 to 3.13" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(
    ("version", "usable"), [((3, 10, 13), False), ((3, 11, 2), True), ((3, 13, 9), True), ((3, 14, 0), False)]
)
def test_the_check_is_of_the_minor_version(version, usable):
    """Debian 12 has 3.11.2."""
    line = make("--eval", "show: ; @echo '$(USABLE)'", "show").stdout.strip()
    pretended = f"import sys; sys.version_info = {version}; sys.version = 'pretended'; {line}"

    done = subprocess.run([sys.executable, "-c", pretended], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode == 0) is usable
    assert usable or "it is Python pretended" in done.stderr


def test_without_any_python_it_says_what_to_install(tmp_path):
    for name in ("bash", "make", "sed", "column", "tail"):
        (tmp_path / name).symlink_to(shutil.which(name))

    done = make(f"VENV={tmp_path}/venv", f"{tmp_path}/venv/uv", path=str(tmp_path))

    assert done.returncode != 0
    assert "apt install python3 python3-venv" in done.stderr


@pytest.mark.parametrize(
    ("digest", "code"),
    [("public.ecr.aws/lambda/python@sha256:" + "ab" * 32, 0), ("", 2), ("public.ecr.aws/lambda/python:3.13", 2)],
)
def test_the_base_image_is_pinned_by_its_digest_where_it_has_one(program, tmp_path, digest, code):
    docker = program("docker", f'[ "$1" = image ] && echo "{digest}"; true')
    dockerfile = tmp_path / "src" / "Recognizer" / "Dockerfile"
    dockerfile.parent.mkdir(parents=True)
    before = (ROOT / "src" / "Recognizer" / "Dockerfile").read_text(encoding="utf-8")
    dockerfile.write_text(before, encoding="utf-8")

    for _ in range(2):
        done = make(
            "-C", str(tmp_path), "-f", str(ROOT / "Makefile"), "pin-base", path=f"{docker.parent}:{os.environ['PATH']}"
        )
        assert done.returncode == code, done.stderr

    pinned = f"ARG BASE=public.ecr.aws/lambda/python:3.13@sha256:{'ab' * 32}"
    expected = before.replace("ARG BASE=public.ecr.aws/lambda/python:3.13", pinned) if code == 0 else before
    assert dockerfile.read_text(encoding="utf-8") == expected
    assert [path.name for path in dockerfile.parent.iterdir()] == ["Dockerfile"]
