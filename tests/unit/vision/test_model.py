"""A model folder is read whole, or the start stops with what is wrong and how to mend it."""

from __future__ import annotations

import json
import math

import pytest
from recognizer.errors import ModelNotUsable
from recognizer.job import ModelIdentity
from recognizer.vision.model import FORMAT, Model

FACTS = {
    "format": FORMAT,
    "name": "a/model",
    "engine": "tensorflow",
    "graph": "published",
    "sha256": "12ab",
    "kind": "rows",
    "outputs": {"boxes": "b"},
    "input": {"name": "images", "scale": [1.0], "offset": [0.0]},
    "extra": 1,
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.json").write_text(json.dumps(FACTS), encoding="utf-8")
    (tmp_path / "labels.csv").write_text("index,id,name\n1,/m/0bt9lr,Dog\n", encoding="utf-8")
    return tmp_path


def test_a_model_says_what_it_is(folder):
    model = Model.load(folder)

    assert model.identity._replace(build="") == ModelIdentity("a/model", "tensorflow", "published", "12ab")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "index,id,name\n1,/m/0bt9lr,Hound\n"),
        ("hierarchy.csv", "child_id,parent_id,parent\n/m/0bt9lr,/m/0jbk,Beast\n"),
        ("model.json", json.dumps(FACTS | {"extra": 2})),
    ],
)
def test_another_build_of_the_same_archive_is_told_apart(folder, name, text):
    before = Model.load(folder).identity
    (folder / name).write_text(text, encoding="utf-8")

    assert Model.load(folder).identity.build != before.build


def test_the_same_build_in_another_version_of_the_service_is_told_apart(folder):
    assert len({Model.load(folder, release).identity for release in ("", "7", "8")}) == 3
    assert Model.load(folder, "7").identity == Model.load(folder, "7").identity


def test_a_model_has_its_labels(folder):
    assert Model.load(folder).labels.index_of("dog") == 1


def test_all_of_model_json_is_kept(folder):
    assert Model.load(folder).facts == FACTS


def test_a_model_may_bring_its_own_minimum_score(folder):
    (folder / "model.json").write_text(json.dumps(FACTS | {"default_min_score": 0.3}), encoding="utf-8")

    assert Model.load(folder).default_min_score == 0.3


def test_the_minimum_score_of_other_models_is_a_tenth(folder):
    assert Model.load(folder).default_min_score == 0.1


@pytest.mark.parametrize("score", ["high", "0.3", math.nan, math.inf, -0.1, 1.5, True, None, []])
def test_a_default_minimum_score_that_is_none_is_refused_as_what_it_is(folder, score):
    (folder / "model.json").write_text(json.dumps(FACTS | {"default_min_score": score}), encoding="utf-8")

    with pytest.raises(ModelNotUsable, match=r"default_min_score .* from 0 to 1"):
        Model.load(folder)


def test_a_missing_folder_is_named_with_the_way_out(tmp_path):
    with pytest.raises(ModelNotUsable, match=r"nowhere.*make model"):
        Model.load(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", '"model"', "null", "{}"])
def test_a_model_json_that_is_none_is_refused(folder, text):
    (folder / "model.json").write_text(text, encoding="utf-8")

    with pytest.raises(ModelNotUsable, match=r"model\.json|no model"):
        Model.load(folder)


@pytest.mark.parametrize("key", ["format", "name", "engine", "graph", "sha256", "kind", "outputs", "input"])
def test_a_model_json_that_lacks_something_is_refused_by_name(folder, key):
    facts = {name: value for name, value in FACTS.items() if name != key}
    (folder / "model.json").write_text(json.dumps(facts), encoding="utf-8")

    with pytest.raises(ModelNotUsable, match=f"lacks '{key}'"):
        Model.load(folder)


@pytest.mark.parametrize("number", [0, FORMAT + 1, "1"])
def test_another_format_is_refused(folder, number):
    (folder / "model.json").write_text(json.dumps(FACTS | {"format": number}), encoding="utf-8")

    with pytest.raises(ModelNotUsable, match="build it again"):
        Model.load(folder)


def test_missing_labels_are_named(folder):
    (folder / "labels.csv").unlink()

    with pytest.raises(ModelNotUsable, match=r"labels\.csv"):
        Model.load(folder)
