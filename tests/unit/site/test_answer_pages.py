"""Errors and labels as pages: everything said, nothing run that was not named, nothing of a client's as markup."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from pathlib import Path

import pytest
from recognizer.errors import StartupError
from recognizer.site.answer_pages import AnswerPages

WEB = Path(__file__).parents[3] / "src" / "Recognizer" / "web"
PAGES = AnswerPages(WEB)
PROBLEM = {
    "type": "urn:problem-type:recognizer:invalid-parameter",
    "title": "Invalid parameter",
    "status": 400,
    "detail": "n must be a whole number from 1 to 100, not <b>.",
    "parameter": "n",
    "request_id": "7b6c",
}
LABELS = {
    "model": "tiny",
    "labels": [
        {"name": "Cat", "parents": ["Carnivore", "Animal"], "color": "#d55e00"},
        {"name": "Dog", "parents": ["Carnivore", "Animal"], "color": "#d55e00"},
        {"name": "Bird", "parents": ["Animal"], "color": "#d55e00"},
        {"name": "Eagle", "parents": ["Bird", "Animal"], "color": "#d55e00"},
        {"name": "Cup & <saucer>", "parents": [], "color": "#d55e00"},
    ],
}


def test_a_problem_says_all_of_it():
    page = PAGES.problem(PROBLEM, "/detector")

    assert "<h1>Invalid parameter</h1>" in page.body
    assert "n must be a whole number from 1 to 100, not &lt;b&gt;." in page.body
    assert "400 Invalid parameter · parameter n · request 7b6c" in page.body
    assert 'href="./reference#error-invalid-parameter"' in page.body
    assert page.media_type == "text/html; charset=utf-8"


@pytest.mark.parametrize(("path", "root"), [("/detector", "./"), ("/a/b", "../"), ("/a/b/c", "../../")])
def test_the_way_back_is_found_from_any_path(path, root):
    assert f'<a class="plain" href="{root}">' in PAGES.problem(PROBLEM, path).body


def test_a_problem_runs_nothing():
    page = PAGES.problem(PROBLEM, "/detector")

    assert "<script" not in page.body
    assert "script-src 'none'" in page.policy


def test_labels_stand_below_those_that_cover_them_and_each_stands_once():
    body = PAGES.labels(LABELS).body
    tree = re.sub(r"<svg.*?</svg>| class=\"[^\"]*\"", "", body[body.index("<ul class=") :])

    assert "<h1>5 labels</h1>" in body
    assert "<span><span>Bird</span></span><ul><li><span><span>Eagle</span></span></li></ul>" in tree
    for name in ("Animal", "Carnivore", "Cat", "Dog", "Bird", "Eagle", "Cup &amp; &lt;saucer&gt;"):
        assert tree.count(f"<span>{name}</span>") == 1
    assert tree.count("<small>group</small>") == 2, "Animal and Carnivore are no labels of their own"


def test_a_label_stands_below_each_that_directly_covers_it_and_groups_below_their_own():
    parents = {
        "Car": ["Land vehicle", "Vehicle"],
        "Bicycle": ["Land vehicle", "Sports equipment", "Vehicle"],
        "Ball": ["Sports equipment"],
    }
    labels = [{"name": name, "parents": above, "color": "#d55e00"} for name, above in parents.items()]

    body = PAGES.labels({"model": "tiny", "labels": labels}).body

    bare = re.sub(r"<small>group</small>|<(?!/?(ul|li)\b)[^>]*>| class=\"\w+\"", "", body[body.index("<ul ") :])
    tree = re.sub(r"\s+(?=<)", "", bare)
    sports = "<li>Sports equipment<ul><li>Ball</li><li>Bicycle</li></ul></li>"
    vehicles = "<li>Vehicle<ul><li>Land vehicle<ul><li>Bicycle</li><li>Car</li></ul></li></ul></li>"
    assert tree.startswith(f"<ul>{sports}{vehicles}</ul>")


def test_the_policy_allows_the_style_and_the_search_alone():
    page = PAGES.labels(LABELS)
    for directive, pattern in (
        ("style-src", "<style>(.*?)</style>"),
        ("script-src", '<script type="module">(.*?)</script>'),
    ):
        (part,) = re.findall(pattern, page.body, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in page.policy
    assert "unsafe" not in page.policy


@pytest.mark.parametrize("name", ["document.html", "reference.css", "labels-page.js"])
def test_a_missing_file_stops_the_start(tmp_path, name):
    for other in {"document.html", "reference.css", "labels-page.js"} - {name}:
        shutil.copy(WEB / other, tmp_path)

    with pytest.raises(StartupError, match=name):
        AnswerPages(tmp_path)
