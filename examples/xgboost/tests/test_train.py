"""The training: a model that is of use, and facts that are true of it."""

from __future__ import annotations

import hashlib
import json
import logging

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from xgboost import Booster


@pytest.fixture
def held_out():
    """The rows that the model was not trained on, and their targets."""
    import train

    data = load_diabetes(scaled=False)
    _, rows, _, target = train_test_split(data.data, data.target, test_size=train.HELD_OUT, random_state=0)
    return rows, target


def test_the_stored_error_is_that_of_the_stored_model_on_held_out_rows(model_folder, facts, held_out):
    rows, target = held_out
    off = Booster(model_file=model_folder / "xgboost.ubj").inplace_predict(rows) - target

    assert facts["rows"]["held_out"] == len(rows) == 111
    assert facts["error"]["mean_absolute"] == pytest.approx(np.abs(off).mean(), abs=0.01)
    assert facts["error"]["root_mean_square"] == pytest.approx(np.sqrt((off**2).mean()), abs=0.01)


def test_the_model_errs_a_seventh_less_than_the_average_would(facts):
    assert facts["error"]["mean_absolute"] < 6 / 7 * facts["error_of_the_average"]["mean_absolute"]


def test_the_facts_name_the_models_features_and_its_digest(model_folder, facts):
    file = model_folder / "xgboost.ubj"

    assert [feature["name"] for feature in facts["features"]] == Booster(model_file=file).feature_names
    assert facts["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_training_again_makes_the_same_model(facts, tmp_path):
    import train

    assert train.train(tmp_path)["sha256"] == facts["sha256"]


def test_the_error_is_printed(caplog, tmp_path):
    import train

    with caplog.at_level(logging.INFO, logger="train"):
        assert train.main(["--output", str(tmp_path)]) == 0

    error = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))["error"]
    assert f"mean absolute error {error['mean_absolute']:.1f}" in caplog.text


def test_a_model_that_is_of_no_use_fails_the_build(caplog, tmp_path, monkeypatch):
    import train

    monkeypatch.setattr(train, "ROUNDS", 0)

    assert train.main(["--output", str(tmp_path)]) == 1
    assert "no better than the average" in caplog.text


def test_features_that_changed_stop_the_training(tmp_path, monkeypatch):
    import train

    monkeypatch.delitem(train.FEATURES, "s6")

    with pytest.raises(ValueError, match="the data set's features are"):
        train.train(tmp_path)


def test_a_folder_without_a_model_is_named(tmp_path):
    from xgbexample.model import load

    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        load(tmp_path)
