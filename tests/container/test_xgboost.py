"""The tabular example: built by `sam build`, which trains its model, and run like the main app."""

from __future__ import annotations

import json

import pytest

from tests.container.conftest import SAM, as_lambda_runs, get, run, start_api

ROW = [59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]


@pytest.fixture(scope="module")
def app(project):
    """The example after `sam build`."""
    folder = project / "examples" / "xgboost"
    run(SAM, "build", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def api(app, tmp_path_factory):
    with start_api(app, tmp_path_factory.mktemp("sam") / "log") as address:
        yield f"{address}/xgbexample"


@pytest.fixture(scope="module")
def as_deployed(app, tmp_path_factory):
    with as_lambda_runs("xgbexample:latest", tmp_path_factory.mktemp("docker") / "log") as address:
        yield address


def test_start_api_predicts_from_one_row_and_from_many(api):
    status, _, body = get(api, data=json.dumps({"input_X": ROW}).encode())
    answer = json.loads(body)
    assert (status, answer["message"]) == (200, "Succesful Prediction")
    _, _, body = get(api, data=json.dumps({"input_X": [ROW, ROW]}).encode())
    assert json.loads(body)["prediction"] == [answer["prediction"]] * 2


@pytest.mark.parametrize(
    ("body", "feature"),
    [
        (b'{"input_X": []}', "age"),
        (b'{"input_X": [1, 2]}', "bmi"),
        (b'{"input_X": [1, 2, "high", 4, 5, 6, 7, 8, 9, 10]}', "bmi"),
        (b'{"input_X": [1, 2, 3, 4, 5, 6, 7, 8, 9, NaN]}', "s6"),
    ],
)
def test_start_api_names_the_feature_that_is_wrong(api, body, feature):
    status, headers, answer = get(api, data=body)
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert json.loads(answer)["feature"] == feature


def test_the_model_tells_of_its_error_on_held_out_rows(api):
    facts = json.loads(get(api)[2])
    assert 0 < facts["error"]["mean_absolute"] < facts["error_of_the_average"]["mean_absolute"]
    assert len(facts["features"]) == len(ROW)


@pytest.mark.parametrize(
    ("name", "status"), [("predict", 200), ("predict-many", 200), ("bad-feature", 400), ("model", 200)]
)
def test_each_event_file_is_answered_as_deployed(app, as_deployed, name, status):
    event = (app / "events" / f"{name}.json").read_bytes()
    assert json.loads(get(as_deployed, data=event)[2])["statusCode"] == status


def test_an_event_without_a_gateway_is_answered_as_deployed(app, as_deployed):
    event = (app / "events" / "invoke.json").read_bytes()
    assert json.loads(get(as_deployed, data=event)[2])["message"] == "Succesful Prediction"


def test_the_image_carries_nothing_that_only_the_training_needs(as_deployed):
    done = run("docker", "run", "--rm", "--entrypoint", "sh", "xgbexample:latest", "-c", "ls; pip list")
    assert "xgboost" in done.stdout
    for name in ("train.py", "scikit", "nvidia"):
        assert name not in done.stdout
