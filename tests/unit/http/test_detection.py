"""Requests of both payload versions become one DetectRequest, or an error that names the parameter at fault."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.detections import Criteria
from recognizer.errors import InvalidParameter
from recognizer.job import DetectRequest

from tests.unit.http.asking import RULES, URL, http_event, parse, rest_event


def ask(accept="", **query):
    return parse(http_event({"url": URL, **query}, {"accept": accept} if accept else {}))


def refused(**query):
    """The error that a query meets."""
    with pytest.raises(InvalidParameter) as caught:
        ask(**query)
    return caught.value


def test_a_url_alone_gets_the_defaults():
    assert ask() == DetectRequest(URL, Criteria(3, 0.1, None), "image", None)


def test_the_model_decides_the_default_minimum_score():
    assert parse(http_event({"url": URL}), RULES._replace(default_min_score=0.3)).criteria.min_score == 0.3


def test_a_minimum_score_that_is_asked_for_goes_before_the_models():
    assert (
        parse(http_event({"url": URL, "min_score": "0"}), RULES._replace(default_min_score=0.3)).criteria.min_score
        == 0.0
    )


def test_every_parameter_is_read():
    request = ask(n="7", min_score="0.25", include="Dog,Cat", exclude="cat", format="json", image_format="webp")

    assert request == DetectRequest(URL, Criteria(7, 0.25, frozenset({1})), "json", "WEBP")


def test_a_rest_event_makes_the_same_request():
    query = {"url": [URL], "n": ["7"], "min_score": ["0.25"], "include": ["Dog"], "format": ["json"]}

    assert parse(rest_event(query)) == ask(n="7", min_score="0.25", include="Dog", format="json")


def test_a_rest_event_without_the_multi_value_form_is_read():
    event = rest_event({"url": [URL], "n": ["7"]}) | {"multiValueQueryStringParameters": None}

    assert parse(event).criteria.limit == 7


def test_headers_are_found_in_any_case():
    event = rest_event({"url": [URL]}, {"ACCEPT": "application/json"})

    assert parse(event).answer == "json"


@pytest.mark.parametrize("make", [http_event, rest_event])
def test_an_event_without_a_query_misses_the_url(make):
    with pytest.raises(InvalidParameter) as caught:
        parse(make())

    assert caught.value.parameter == "url"


@pytest.mark.parametrize("url", ["", "   ", "\t"])
def test_a_blank_url_is_a_missing_one(url):
    assert refused(url=url).parameter == "url"


def test_space_round_the_url_is_dropped():
    assert ask(url=f" {URL}\n").url == URL


@pytest.mark.parametrize(("alias", "name", "value"), [("input_url", "url", URL), ("n_predictions", "n", "5")])
def test_older_names_of_parameters_are_accepted(alias, name, value):
    query = {"url": URL, name: value}
    older = {alias if key == name else key: value for key, value in query.items()}

    assert parse(http_event(older)) == parse(http_event(query))


@pytest.mark.parametrize(("name", "alias"), [("url", "input_url"), ("n", "n_predictions")])
def test_a_parameter_under_both_its_names_is_refused(name, alias):
    with pytest.raises(InvalidParameter, match="twice"):
        parse(http_event({"url": URL, "n": "3", name: "5", alias: "5"}))


@pytest.mark.parametrize("n", ["1", "3", "99", "100"])
def test_n_within_its_limits(n):
    assert ask(n=n).criteria.limit == int(n)


@pytest.mark.parametrize(
    "n",
    [
        "0",
        "101",
        "-1",
        "+5",
        "1.0",
        "1e1",
        "abc",
        " 5",
        "1_0",
        "0x5",
        "\u0663",
        "\uff15",
        "\u00b2",
        "9" * 5000,
        "NaN",
        "5,6",
    ],
)
def test_n_outside_its_limits_is_refused(n):
    error = refused(n=n)

    assert error.parameter == "n"
    assert "1 to 100" in error.public_message


@pytest.mark.parametrize(("text", "score"), [("0", 0.0), ("1", 1.0), ("0.5", 0.5), (".25", 0.25), ("1e-3", 0.001)])
def test_min_score_within_its_limits(text, score):
    assert ask(min_score=text).criteria.min_score == score


@pytest.mark.parametrize(
    "text", ["-0.1", "1.01", "nan", "inf", "-inf", "abc", "0,5", "0_1.0", "\u0660.\u0665", "1e999"]
)
def test_min_score_outside_its_limits_is_refused(text):
    error = refused(min_score=text)

    assert error.parameter == "min_score"
    assert "0 to 1" in error.public_message


def test_empty_parameters_mean_their_defaults():
    assert ask(n="", min_score="", include="", exclude="", format="", image_format="") == ask()


def test_include_keeps_the_named_classes():
    assert ask(include="dog, /M/01YRX").criteria.class_indices == {1, 2}


def test_exclude_leaves_out_the_named_classes():
    assert ask(exclude="DOG").criteria.class_indices == {2, 3}


def test_blank_names_between_commas_are_skipped():
    assert ask(include=",Dog, ,").criteria.class_indices == {1}


@pytest.mark.parametrize("parameter", ["include", "exclude"])
def test_an_unknown_label_is_refused_with_the_nearest_one(parameter):
    error = refused(**{parameter: "Parson"})

    assert error.parameter == parameter
    assert "Did you mean Person?" in error.public_message


def test_repeated_include_parameters_of_a_rest_event_add_up():
    request = parse(rest_event({"url": [URL], "include": ["Dog", "Cat"]}))

    assert request.criteria.class_indices == {1, 2}


def test_a_repeated_n_is_refused():
    with pytest.raises(InvalidParameter, match="whole number"):
        parse(rest_event({"url": [URL], "n": ["1", "2"]}))


def test_an_unknown_parameter_is_refused_by_name():
    error = refused(minscore="0.5")

    assert error.parameter == "minscore"
    assert "min_score" in error.public_message


def test_parameters_of_an_unencoded_picture_url_lead_to_a_hint():
    error = refused(width="300")

    assert "%26" in error.public_message


@pytest.mark.parametrize(
    ("text", "answer"), [("json", "json"), ("JSON", "json"), ("image", "image"), ("Image", "image")]
)
def test_format_decides_whatever_accept_says(text, answer):
    opposite = "application/json" if answer == "image" else "image/png"

    assert ask(accept=opposite, format=text).answer == answer


def test_an_unknown_format_is_refused():
    assert refused(format="xml").parameter == "format"


@pytest.mark.parametrize(
    ("text", "image_format"),
    [("jpeg", "JPEG"), ("jpg", "JPEG"), ("PNG", "PNG"), ("webp", "WEBP"), ("gif", "GIF")],
)
def test_image_formats(text, image_format):
    assert ask(image_format=text).image_format == image_format


@pytest.mark.parametrize("text", ["bmp", "tiff", "svg", "image/png", "jpeg,png"])
def test_other_image_formats_are_refused(text):
    assert refused(image_format=text).parameter == "image_format"


def test_long_values_are_cut_in_the_message():
    assert len(refused(n="9" * 9000).public_message) < 200


names = (
    st.sampled_from(["url", "n", "min_score", "include", "exclude", "format", "image_format", "input_url"]) | st.text()
)


@given(st.dictionaries(names, st.text()), st.dictionaries(names | st.just("Accept"), st.text()))
def test_whatever_is_asked_ends_in_a_request_or_an_invalid_parameter(query, headers):
    try:
        request = parse(http_event({"url": URL, **query}, headers))
    except InvalidParameter:
        return
    assert 1 <= request.criteria.limit <= 100
    assert 0 <= request.criteria.min_score <= 1
    assert request.answer in {"image", "json"}


@given(st.dictionaries(names, st.lists(st.text(), min_size=1, max_size=3), min_size=1))
def test_whatever_a_rest_event_repeats_ends_in_a_request_or_an_invalid_parameter(query):
    try:
        request = parse(rest_event(query))
    except InvalidParameter:
        return
    assert request.url
