"""Parameters in JSON's own types, and those that only a body or an advanced query has."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.detections import Label
from recognizer.errors import InvalidParameter
from recognizer.http.negotiation import Negotiated
from recognizer.http.parameters import Rules, canonical, validated
from recognizer.labels import LabelMap

LABELS = LabelMap(
    {1: Label("/m/0bt9lr", "Dog"), 2: Label("/m/0k4j", "Car"), 3: Label("/m/01bjv", "Bus")},
    {"/m/07yv9": ("Vehicle", frozenset({2, 3}))},
)
RULES = Rules(LABELS, default_min_score=0.1, max_bytes=1_000_000)
URL = "https://example.com/a.jpg"


def request(content=None, **given):
    if content is None:
        given = {"url": URL, **given}
    return validated(canonical(given), RULES, Negotiated("json"), content)


def refused(parameter, content=None, **given):
    with pytest.raises(InvalidParameter) as caught:
        request(content, **given)
    assert caught.value.parameter == parameter
    return caught.value.public_message


def test_json_values_are_taken_in_their_own_types():
    made = request(n=7, min_score=0.25, include=["dog", "Car"], region=[0, 0.5, 1, 1])

    assert (made.criteria.limit, made.criteria.min_score) == (7, 0.25)
    assert made.criteria.class_indices == {1, 2}
    assert made.criteria.region == (0, 0.5, 1, 1)


@pytest.mark.parametrize("n", [True, 0, 101, 3.5, "3.0", "٣", "1_0", [3], {}, float("nan"), -1])
def test_n_must_be_a_whole_number_in_range(n):
    refused("n", n=n)


@pytest.mark.parametrize("score", [True, -0.1, 1.1, "x", "0_1", [0.5], "nan", float("inf"), 10**400])
def test_min_score_must_be_a_number_in_range(score):
    refused("min_score", min_score=score)


def test_min_score_by_label():
    criteria = request(min_score={"*": 0.5, "Car": 0.7}).criteria

    assert criteria.min_score == 0.5
    assert criteria.min_score_by_class == {2: 0.7}


@pytest.mark.parametrize("order", [("Vehicle", "Car"), ("Car", "Vehicle")])
def test_the_narrower_label_has_the_last_word(order):
    scores = {"Vehicle": 0.3, "Car": 0.9}
    criteria = request(min_score={name: scores[name] for name in order}).criteria

    assert criteria.min_score == 0.1
    assert criteria.min_score_by_class == {2: 0.9, 3: 0.3}


def test_min_score_of_an_unknown_label_is_refused_with_a_suggestion():
    assert "Did you mean Car?" in refused("min_score", min_score={"Carr": 0.5})


@pytest.mark.parametrize(
    "region",
    [
        "0,0,1",
        "0,0,1,1,1",
        "0.5,0,0.5,1",
        "0.6,0,0.5,1",
        "-0.1,0,1,1",
        "0,0,1,1.1",
        "a,b,c,d",
        [0, 0, 1],
        {"xmin": 0},
        True,
    ],
)
def test_region_must_be_four_ordered_fractions(region):
    refused("region", region=region)


def test_region_is_read_from_text():
    assert request(region="0, 0.25, 0.5, 1").criteria.region == (0, 0.25, 0.5, 1)


@pytest.mark.parametrize("names", [5, [1], {"Dog": 1}, True])
def test_labels_must_be_text(names):
    refused("include", include=names)


@pytest.mark.parametrize("prefix", ["", "data:image/jpeg;base64,"])
def test_an_image_is_decoded_from_base64(prefix):
    made = request(url=None, image=prefix + base64.b64encode(b"picture").decode())

    assert (made.content, made.url) == (b"picture", "")


@pytest.mark.parametrize("image", ["not base64!", "abc", "data:image/png;base64,@@", "é"])
def test_an_image_must_be_base64(image):
    refused("image", url=None, image=image)


def test_there_is_one_picture():
    refused("url", image="AAAA")
    refused("url", content=b"picture", url=URL)
    refused("url", content=b"picture", image="AAAA")


def test_there_is_a_picture():
    assert "address" in refused("url", url="  ")
    refused("url", url=None)


def test_crop_draws_nothing_unless_it_blurs():
    assert (request(crop=True).crop, request(crop=True).draw) == (True, "none")
    assert request(crop="1", draw="blur").draw == "blur"


@pytest.mark.parametrize("draw", ["labels", "boxes", "none"])
def test_a_cut_out_has_nothing_drawn_on_it(draw):
    """A generated client sends every default, ``draw=labels`` among them."""
    assert request(crop=True, draw=draw).draw == "none"


def test_a_cut_out_hides_all_that_is_hidden_without_it():
    """Else whoever stands beside the object that is cut out stays recognisable."""
    assert request(crop=True, draw="blur").criteria.limit == 100
    assert request(crop=True, draw="blur", n=9).criteria.limit == 9


def test_the_bare_name_of_a_switch_turns_it_on():
    assert request(crop="").crop
    assert not request().crop


@pytest.mark.parametrize(
    ("value", "meant"), [(True, True), ("1", True), ("TRUE", True), (1, True), (False, False), ("0", False)]
)
def test_crop_is_a_flag(value, meant):
    assert request(crop=value).crop is meant


@pytest.mark.parametrize("value", ["yes", 2, [], {}])
def test_crop_is_nothing_else(value):
    refused("crop", crop=value)


@pytest.mark.parametrize("draw", ["labels", "boxes", "blur", "none", "BLUR"])
def test_draw_is_one_of_its_choices(draw):
    assert request(draw=draw).draw == draw.lower()


@pytest.mark.parametrize("draw", ["circles", 1, ["blur"]])
def test_draw_is_nothing_else(draw):
    refused("draw", draw=draw)


def test_null_means_left_out():
    assert request(n=None, include=None).criteria.limit == 3


def test_an_alias_beside_its_parameter_is_given_twice():
    refused("n_predictions", n=3, n_predictions=4)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["url", "image", "n", "min_score", "include", "exclude", "region", "format", "draw", "crop", "x"]
)


@given(st.dictionaries(NAMES, JSON, max_size=6))
def test_no_json_raises_anything_but_an_invalid_parameter(document):
    with contextlib.suppress(InvalidParameter):
        validated(canonical(document), RULES, Negotiated("json"))
