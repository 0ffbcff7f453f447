"""Proxy events of both payload versions become one request, or an error that names the parameter at fault."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.detections import Criteria, Label
from recognizer.errors import InvalidParameter, RequestError, UnsupportedMediaType
from recognizer.http.events import negotiated, parse, parse_post, payload_version
from recognizer.job import DetectRequest
from recognizer.labels import LabelMap

from tests.conftest import ROOT

LABELS = LabelMap({1: Label("/m/0bt9lr", "Dog"), 2: Label("/m/01yrx", "Cat"), 3: Label("/m/01g317", "Person")})
URL = "https://example.com/a.jpg"
FIREFOX = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


def http_event(query=None, headers=None):
    """An event of an HTTP API, payload 2.0."""
    context = {"stage": "$default", "http": {"method": "GET", "path": "/detector"}}
    event = {"version": "2.0", "rawPath": "/detector", "requestContext": context, "headers": headers or {}}
    return event | ({"queryStringParameters": query} if query else {})


def rest_event(query=None, headers=None):
    """An event of a REST API, payload 1.0; what is absent is null in these."""
    return {
        "httpMethod": "GET",
        "path": "/detector",
        "requestContext": {"stage": "prod"},
        "headers": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": query or None,
    }


def ask(accept="", **query):
    return parse(http_event({"url": URL, **query}, {"accept": accept} if accept else {}), LABELS)


def refused(**query):
    """The error that a query meets."""
    with pytest.raises(InvalidParameter) as caught:
        ask(**query)
    return caught.value


def test_a_url_alone_gets_the_defaults():
    assert ask() == DetectRequest(URL, Criteria(3, 0.1, None), "image", None)


def test_the_model_decides_the_default_minimum_score():
    assert parse(http_event({"url": URL}), LABELS, 0.3).criteria.min_score == 0.3


def test_a_minimum_score_that_is_asked_for_goes_before_the_models():
    assert parse(http_event({"url": URL, "min_score": "0"}), LABELS, 0.3).criteria.min_score == 0.0


def test_every_parameter_is_read():
    request = ask(n="7", min_score="0.25", include="Dog,Cat", exclude="cat", format="json", image_format="webp")

    assert request == DetectRequest(URL, Criteria(7, 0.25, frozenset({1})), "json", "WEBP")


def test_a_rest_event_makes_the_same_request():
    query = {"url": [URL], "n": ["7"], "min_score": ["0.25"], "include": ["Dog"], "format": ["json"]}

    assert parse(rest_event(query), LABELS) == ask(n="7", min_score="0.25", include="Dog", format="json")


def test_a_rest_event_without_the_multi_value_form_is_read():
    event = rest_event({"url": [URL], "n": ["7"]}) | {"multiValueQueryStringParameters": None}

    assert parse(event, LABELS).criteria.limit == 7


def test_headers_are_found_in_any_case():
    event = rest_event({"url": [URL]}, {"ACCEPT": "application/json"})

    assert parse(event, LABELS).answer == "json"


@pytest.mark.parametrize("make", [http_event, rest_event])
def test_an_event_without_a_query_misses_the_url(make):
    with pytest.raises(InvalidParameter) as caught:
        parse(make(), LABELS)

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

    assert parse(http_event(older), LABELS) == parse(http_event(query), LABELS)


@pytest.mark.parametrize(("name", "alias"), [("url", "input_url"), ("n", "n_predictions")])
def test_a_parameter_under_both_its_names_is_refused(name, alias):
    with pytest.raises(InvalidParameter, match="twice"):
        parse(http_event({"url": URL, "n": "3", name: "5", alias: "5"}), LABELS)


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
    request = parse(rest_event({"url": [URL], "include": ["Dog", "Cat"]}), LABELS)

    assert request.criteria.class_indices == {1, 2}


def test_a_repeated_n_is_refused():
    with pytest.raises(InvalidParameter, match="whole number"):
        parse(rest_event({"url": [URL], "n": ["1", "2"]}), LABELS)


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


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json, */*;q=0.5",
        "application/json;q=0.9, image/*;q=0.5",
        "application/*",
        "text/html, application/json;q=0.1",
    ],
)
def test_accept_headers_that_prefer_json(accept):
    assert negotiated(accept, "image") == "json"


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        CHROME,
        FIREFOX,
        "image/*",
        "image/png, application/json",
        "application/json;q=0.5, image/*",
        "application/json;q=0",
        "application/json;q=abc",
        "text/html",
        ";;,,;q=,",
    ],
)
def test_accept_headers_that_get_the_picture(accept):
    assert negotiated(accept, "image") == "image"


@pytest.mark.parametrize(
    "event", [None, {}, [], "GET", {"requestContext": None}, {"Records": []}, {"httpMethod": "GET"}]
)
def test_other_events_are_refused(event):
    with pytest.raises(InvalidParameter, match="proxy event"):
        payload_version(event)


@pytest.mark.parametrize("path", sorted((ROOT / "events").glob("*.json")), ids=lambda path: path.stem)
def test_the_sample_events_are_of_the_version_they_say(path):
    event = json.loads(path.read_text(encoding="utf-8"))

    assert payload_version(event) == event.get("version", "1.0")


def test_long_values_are_cut_in_the_message():
    assert len(refused(n="9" * 9000).public_message) < 200


names = (
    st.sampled_from(["url", "n", "min_score", "include", "exclude", "format", "image_format", "input_url"]) | st.text()
)


@given(st.dictionaries(names, st.text()), st.dictionaries(names | st.just("Accept"), st.text()))
def test_whatever_is_asked_ends_in_a_request_or_an_invalid_parameter(query, headers):
    try:
        request = parse(http_event({"url": URL, **query}, headers), LABELS)
    except InvalidParameter:
        return
    assert 1 <= request.criteria.limit <= 100
    assert 0 <= request.criteria.min_score <= 1
    assert request.answer in {"image", "json"}


@given(st.dictionaries(names, st.lists(st.text(), min_size=1, max_size=3), min_size=1))
def test_whatever_a_rest_event_repeats_ends_in_a_request_or_an_invalid_parameter(query):
    try:
        request = parse(rest_event(query), LABELS)
    except InvalidParameter:
        return
    assert request.url


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["requestContext", "stage", "http", "method", "path", "rawPath", "httpMethod"]), inner
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_any_event_has_a_version_or_is_refused(event):
    with contextlib.suppress(InvalidParameter):
        assert payload_version(event) in {"1.0", "2.0"}


# Bodies


def post_event(body, media_type, query=None):
    """A POST as API Gateway passes it on: text as it is, anything else as base64."""
    event = http_event(query, {"content-type": media_type} if media_type else {})
    if isinstance(body, str):
        return event | {"body": body, "isBase64Encoded": False}
    return event | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def test_a_json_body_is_read_and_answered_in_json():
    request = parse_post(post_event(json.dumps({"url": URL, "n": 7}), "application/json"), LABELS)

    assert (request.url, request.criteria.limit, request.answer) == (URL, 7, "json")


def test_a_json_body_may_come_in_base64():
    assert parse_post(post_event(json.dumps({"url": URL}).encode(), "application/json"), LABELS).url == URL


def test_a_body_without_a_type_is_json():
    assert parse_post(post_event(json.dumps({"url": URL}), ""), LABELS).url == URL


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/x-unheard-of", "application/octet-stream"])
def test_a_body_may_be_the_picture_itself(media_type):
    request = parse_post(post_event(b"\xff\xd8picture", media_type, {"n": "7"}), LABELS)

    assert (request.content, request.url, request.criteria.limit) == (b"\xff\xd8picture", "", 7)


def test_a_form_is_read():
    request = parse_post(post_event(f"url={URL}&n=7&include=", "application/x-www-form-urlencoded"), LABELS)

    assert (request.url, request.criteria.limit, request.criteria.class_indices) == (URL, 7, None)


def multipart(*parts):
    """A form of these parts: header lines and content each."""
    body = b"".join(b"--frontier\r\n" + header + b"\r\n\r\n" + content + b"\r\n" for header, content in parts)
    return post_event(body + b"--frontier--\r\n", "multipart/form-data; boundary=frontier")


PICTURE_PART = (
    b'Content-Disposition: form-data; name="image"; filename="a.jpg"\r\nContent-Type: image/jpeg',
    b"\xff\xd8picture",
)


def test_a_form_may_bring_the_picture_as_a_file():
    request = parse_post(multipart(PICTURE_PART, (b'Content-Disposition: form-data; name="n"', b"7")), LABELS)

    assert (request.content, request.criteria.limit) == (b"\xff\xd8picture", 7)


def test_a_file_field_left_empty_is_left_out():
    empty = (PICTURE_PART[0], b"")

    request = parse_post(multipart(empty, (b'Content-Disposition: form-data; name="url"', URL.encode())), LABELS)

    assert (request.content, request.url) == (None, URL)


def test_accept_asks_for_the_picture_of_a_post():
    event = post_event(json.dumps({"url": URL}), "application/json")
    event["headers"]["accept"] = "image/*"

    assert parse_post(event, LABELS).answer == "image"


@pytest.mark.parametrize("body", ["[]", "1", '"text"', "{", "[" * 9_000, '{"url": "a", "url2": 1}'])
def test_a_body_that_is_no_json_object_of_parameters_is_refused(body):
    with pytest.raises(InvalidParameter):
        parse_post(post_event(body, "application/json"), LABELS)


def test_a_body_that_only_claims_to_be_base64_is_refused():
    event = post_event("not base64!", "image/png") | {"isBase64Encoded": True}

    with pytest.raises(InvalidParameter, match="base64"):
        parse_post(event, LABELS)


@pytest.mark.parametrize("media_type", ["text/html", "application/xml", "multipart/mixed; boundary=x"])
def test_a_body_of_another_kind_is_unsupported(media_type):
    with pytest.raises(UnsupportedMediaType, match=r"image/\*"):
        parse_post(post_event(b"x", media_type), LABELS)


def test_one_parameter_in_query_and_body_is_refused():
    with pytest.raises(InvalidParameter, match="twice"):
        parse_post(post_event(json.dumps({"url": URL}), "application/json", {"url": URL}), LABELS)


media_types = st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=frontier",
        "multipart/form-data",
        "image/png",
        "",
    ]
)
bodies = st.text() | st.binary() | st.binary().map(lambda junk: b"--frontier\r\n" + junk + b"\r\n--frontier--\r\n")


@given(bodies, media_types | st.text(max_size=40))
def test_whatever_is_sent_ends_in_a_request_or_a_named_error(body, media_type):
    with contextlib.suppress(RequestError):
        assert parse_post(post_event(body, media_type), LABELS).criteria.limit == 3
