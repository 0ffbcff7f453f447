"""The handler with a trained model: predictions, and a problem that names the feature for everything else."""

from __future__ import annotations

import base64
import json
import logging
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROW = [59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]
OTHER = [48, 1, 21.6, 87, 183, 103.2, 70, 3, 3.8918, 69]
EVENTS = Path(__file__).resolve().parents[1] / "events"


def sent(value):
    return json.dumps({"input_X": value})


def changed(index, value):
    """A row with another value at one place."""
    return [*ROW[:index], value, *ROW[index + 1 :]]


def test_a_row_gets_a_prediction(ask):
    status, answer = ask(sent(ROW))

    assert (status, answer["message"]) == (200, "Succesful Prediction")
    assert 25 <= answer["prediction"] <= 346


def test_many_rows_get_as_many_predictions_in_their_order(ask):
    alone = [ask(sent(row))[1]["prediction"] for row in (ROW, OTHER)]

    assert ask(sent([ROW, OTHER, ROW]))[1]["prediction"] == [*alone, alone[0]]
    assert alone[0] != alone[1]
    assert ask(sent([ROW]))[1]["prediction"] == alone[:1]


def test_the_features_are_told_apart(ask):
    assert ask(sent(changed(2, 20.0)))[1]["prediction"] < ask(sent(changed(2, 40.0)))[1]["prediction"]


def test_a_body_in_base64_is_read(ask):
    """As API Gateway sends one without a Content-Type of text, which `curl -d` does not set."""
    assert ask(base64.b64encode(sent(ROW).encode()).decode(), base64=True) == ask(sent(ROW))


@pytest.mark.parametrize(
    ("value", "feature", "words"),
    [
        ([], "age", "is empty, already age is missing"),
        (ROW[:3], "bp", "ends before bp: 3 came, and the model takes 10 numbers (age, sex, bmi"),
        ([*ROW, 1.0, 2.0, 3.0], "s6", "goes on after s6, the last feature: 13 came, and the model takes 10"),
        (changed(2, "high"), "bmi", 'input_X[2] (bmi) is "high": it must be a finite number'),
        (changed(0, "59"), "age", '(age) is "59"'),
        (changed(3, float("nan")), "bp", "(bp) is NaN"),
        (changed(3, float("-inf")), "bp", "(bp) is -Infinity"),
        (changed(9, 1e39), "s6", "(s6) is 1e+39"),
        (changed(9, 10**400), "s6", "(s6) is 1000000000"),
        (changed(1, None), "sex", "(sex) is null"),
        ([*ROW[:1], True, *ROW[2:]], "sex", "(sex) is true"),
        (changed(1, [2]), "sex", "(sex) is [2]"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalnum() else None,
)
def test_a_wrong_row_gets_a_problem_that_names_the_feature(ask, value, feature, words):
    status, problem = ask(sent(value))

    assert (status, problem["title"]) == (400, "Invalid input")
    assert (problem["parameter"], problem["feature"]) == ("input_X", feature)
    assert words in problem["detail"]
    assert len(problem["detail"]) < 250


@pytest.mark.parametrize(
    ("value", "feature", "words"),
    [
        ([ROW, []], "age", "input_X[1] is empty"),
        ([ROW, ROW[:9]], "s6", "input_X[1] ends before s6"),
        ([ROW, changed(4, "x")], "s1", 'input_X[1][4] (s1) is "x"'),
    ],
)
def test_among_many_rows_the_wrong_one_is_named(ask, value, feature, words):
    status, problem = ask(sent(value))

    assert (status, problem["row"], problem["feature"]) == (400, 1, feature)
    assert words in problem["detail"]


@pytest.mark.parametrize("value", [59, "59", None, {"age": 59}, [ROW, 59]])
def test_what_is_no_list_of_numbers_gets_a_problem_that_names_the_features(ask, value):
    status, problem = ask(sent(value))

    assert (status, problem["parameter"]) == (400, "input_X")
    assert "the model takes 10 numbers (age, sex, bmi, bp, s1, s2, s3, s4, s5, s6) in a list" in problem["detail"]


@pytest.mark.parametrize(
    "body", [None, "", "{", "[]", "null", '"input_X"', "{}", '{"input": [1]}', "[" * 100_000, "1" * 5_000]
)
def test_a_body_without_input_x_gets_a_problem_that_shows_one(ask, body):
    status, problem = ask(body)

    assert (status, problem["type"]) == (400, "urn:problem-type:xgbexample:invalid-body")
    assert '{"input_X": […]}, with 10 numbers in the list: age, sex, bmi' in problem["detail"]


@pytest.mark.parametrize("body", ["no base64!", "/w=="])
def test_a_body_that_is_not_even_text_is_a_problem(ask, body):
    assert ask(body, base64=True)[0] == 400


def test_more_rows_than_are_taken_are_a_problem(ask):
    assert len(ask(sent([ROW] * 10_000))[1]["prediction"]) == 10_000
    status, problem = ask(sent([ROW] * 10_001))

    assert (status, problem["title"]) == (413, "Too many rows")


def test_the_model_is_described(ask, facts):
    assert ask(method="GET") == (200, facts)


def test_other_paths_and_methods_are_problems(handler, ask):
    assert ask(path="/")[0] == 404
    assert ask(method="PUT")[0] == 405
    event = {"rawPath": "/xgbexample", "requestContext": {"http": {"method": "DELETE"}}}
    assert handler.lambda_handler(event, None)["headers"]["Allow"] == "GET, POST"


def test_an_event_without_a_gateway_gets_the_plain_document(handler):
    assert handler.lambda_handler({"input_X": ROW}, None)["message"] == "Succesful Prediction"
    assert handler.lambda_handler({"input_X": ROW[:1]}, None)["feature"] == "sex"


@pytest.mark.parametrize("event", [{}, [], None, "hello", {"requestContext": {}}, {"requestContext": None}])
def test_what_is_no_event_is_a_problem_too(handler, event):
    assert handler.lambda_handler(event, None)["status"] == 400


@dataclass
class Context:
    aws_request_id: str = "7b6c1a52-request"


def test_what_nobody_foresaw_is_logged_and_answered_without_its_detail(handler, monkeypatch, caplog):
    class Broken:
        features = ("age",)

        def predict(self, _):
            raise ZeroDivisionError("a detail")

    monkeypatch.setattr(handler, "_model", Broken())
    with caplog.at_level(logging.ERROR):
        problem = handler.lambda_handler({"input_X": [1]}, Context())

    assert (problem["status"], problem["request_id"]) == (500, "7b6c1a52-request")
    assert "a detail" not in json.dumps(problem)
    assert "a detail" in caplog.text


@pytest.mark.parametrize(
    ("name", "status"), [("predict", 200), ("predict-many", 200), ("bad-feature", 400), ("model", 200)]
)
def test_the_events_of_the_folder_are_answered(handler, name, status):
    event = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))

    assert handler.lambda_handler(event, None)["statusCode"] == status


def test_the_plain_event_of_the_folder_is_answered(handler):
    event = json.loads((EVENTS / "invoke.json").read_text(encoding="utf-8"))

    assert isinstance(handler.lambda_handler(event, None)["prediction"], float)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=12) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=30,
)


@settings(deadline=None)
@given(st.one_of(_VALUES, st.lists(st.floats(width=32) | st.integers(), min_size=10, max_size=10)))
def test_whatever_is_sent_is_answered_with_a_prediction_or_a_problem(handler, value):
    answer = handler.lambda_handler({"input_X": value}, None)

    assert answer.get("status") in {None, 400}
    json.dumps(answer, allow_nan=False)
