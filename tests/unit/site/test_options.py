"""Parameters are those that the service takes: names, limits, choices, examples; their defaults are told in words."""

from __future__ import annotations

import pytest
from recognizer import job
from recognizer.errors import InvalidParameter
from recognizer.http import parameters
from recognizer.http.negotiation import Negotiated

from tests.unit.site.describing import GET, POST, POST_BODIES, RULES, body, fits, queried, resolved


def accepts(name, value):
    """Whether the service takes a value of a parameter."""
    try:
        parameters.validated({"url": "https://example.com/", name: value}, RULES, Negotiated("json"))
    except InvalidParameter:
        return False
    return True


def test_get_has_every_parameter_but_the_picture_itself():
    assert set(queried(GET)) == set(job.PARAMETERS) - {"image"}


def test_post_has_every_option_in_the_query():
    assert set(queried(POST)) == set(job.PARAMETERS) - {"image", "url"}


@pytest.mark.parametrize("kind", sorted(POST_BODIES))
def test_a_body_has_every_parameter_under_every_name(kind):
    names = set(resolved(body(kind)["schema"])["properties"])

    assert names - {"file"} == {*job.PARAMETERS, *job.ALIASES}


@pytest.mark.parametrize("operation", [GET, POST], ids=["get", "post"])
def test_limits_and_choices_are_the_codes(operation):
    schemas = queried(operation)

    assert schemas["n"] == {"type": "integer", "minimum": 1, "maximum": job.MAX_LIMIT}
    assert schemas["image_format"]["enum"] == list(job.IMAGE_FORMATS)
    assert schemas["draw"]["enum"] == list(job.DRAWS)


@pytest.mark.parametrize(
    ("name", "default"), [("n", f"{job.DEFAULT_LIMIT},"), ("min_score", "0.25,"), ("draw", "`labels`.")]
)
def test_a_default_is_told_in_words(name, default):
    (told,) = (one["description"] for one in GET["parameters"] if one["name"] == name)

    assert f"Without it {default}" in told


@pytest.mark.parametrize("name", ["n", "min_score"])
def test_limits_are_those_that_the_service_keeps(name):
    schema = queried(GET)[name]

    assert accepts(name, schema["minimum"])
    assert accepts(name, schema["maximum"])
    assert not accepts(name, schema["minimum"] - 1)
    assert not accepts(name, schema["maximum"] + 1)


@pytest.mark.parametrize("name", ["format", "image_format", "draw"])
def test_choices_are_those_that_the_service_takes(name):
    assert all(accepts(name, choice) for choice in queried(GET)[name]["enum"])
    assert not accepts(name, "other")


@pytest.mark.parametrize("name", [name for name in job.PARAMETERS if name not in {"url", "image"}])
def test_a_parameters_example_fits_and_is_taken(name):
    (parameter,) = (one for one in GET["parameters"] if one["name"] == name)

    assert fits(parameter["schema"], parameter["example"])
    assert fits(resolved(body("application/json")["schema"])["properties"][name], parameter["example"])
    assert accepts(name, parameter["example"])


@pytest.mark.parametrize("value", [0.4, {"*": 0.5, "Cat": 0.7}])
def test_a_least_score_by_label_is_for_json(value):
    assert fits(resolved(body("application/json")["schema"])["properties"]["min_score"], value)
    assert accepts("min_score", value)


@pytest.mark.parametrize("given", [{}, {"url": "https://a.example/b.png", "image": "AAAA"}, {"url": "x", "size": 1}])
def test_a_json_body_has_one_picture_and_nothing_unknown(given):
    assert not fits(body("application/json")["schema"], given)
