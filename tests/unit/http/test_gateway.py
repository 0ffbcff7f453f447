"""Events of every format, and what does not look like one."""

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.errors import InvalidParameter
from recognizer.http import gateway, invocation, payload_v1, payload_v2
from recognizer.http.messages import Response

from tests.conftest import ROOT
from tests.unit.http.asking import URL, http_event, rest_event

NO_EVENTS = [None, {}, [], "GET", {"requestContext": None}, {"Records": []}, {"httpMethod": "GET"}]
PICTURE = Response(200, "image/png", {"ETag": '"a"'}, b"\x89PNG")
PROBLEM = Response(400, "application/problem+json", {}, '{"status":400}')


def read(event):
    return gateway.format_of(event).read(event)


@pytest.mark.parametrize("event", NO_EVENTS)
def test_other_events_are_refused(event):
    with pytest.raises(InvalidParameter, match="neither API Gateway"):
        read(event)


@pytest.mark.parametrize("path", sorted((ROOT / "events").glob("*.json")), ids=lambda path: path.stem)
def test_the_sample_events_are_of_the_version_they_say(path):
    event = json.loads(path.read_text(encoding="utf-8"))
    formats = {"1.0": payload_v1, "2.0": payload_v2, None: invocation}
    version = event.get("version", "1.0") if "requestContext" in event else None

    assert gateway.format_of(event) is formats[version]


def test_a_url_alone_is_a_post_to_the_detector():
    request = read({"url": URL, "n": 5})

    assert (request.method, request.path, json.loads(request.body)) == ("POST", "/detector", {"url": URL, "n": 5})


@pytest.mark.parametrize("name", ["url", "image", "input_url"])
def test_each_way_to_give_a_picture_is_enough(name):
    assert json.loads(read({name: "x"}).body) == {name: "x"}


def test_without_a_gateway_the_answer_is_plain_json():
    assert invocation.write(PROBLEM) == {"status": 400}


def test_without_a_gateway_a_picture_comes_in_base64():
    assert invocation.write(PICTURE) == {"media_type": "image/png", "image": base64.b64encode(PICTURE.body).decode()}


@pytest.mark.parametrize("format_", [payload_v1, payload_v2])
def test_a_gateway_gets_a_proxy_response(format_):
    assert format_.write(PICTURE) == {
        "statusCode": 200,
        "headers": {"ETag": '"a"', "Content-Type": "image/png"},
        "body": base64.b64encode(PICTURE.body).decode(),
        "isBase64Encoded": True,
    }
    assert format_.write(PROBLEM)["body"] == PROBLEM.body


def test_a_response_without_a_body_has_no_type():
    assert "Content-Type" not in payload_v2.write(Response(304, "", {}, ""))["headers"]


@pytest.mark.parametrize(
    ("stage", "raw_path", "path"),
    [
        ("$default", "/detector", "/detector"),
        ("prod", "/prod/detector", "/detector"),
        ("prod", "/prod", "/"),
        ("prod", "/prod/", "/"),
        ("prod", "/production", "/production"),
        ("labels", "/labels/labels", "/labels"),
        (None, "/detector", "/detector"),
    ],
)
def test_the_stage_is_no_part_of_the_path(stage, raw_path, path):
    event = http_event() | {"rawPath": raw_path}
    event["requestContext"] = event["requestContext"] | {"stage": stage}

    assert read(event).path == path


@pytest.mark.parametrize("make", [http_event, rest_event])
@pytest.mark.parametrize(
    "field",
    [
        {"headers": {"accept": 1}},
        {"headers": ["accept"]},
        {"headers": "accept"},
        {"queryStringParameters": {"url": ["a"]}},
        {"queryStringParameters": {"url": {"a": "b"}}},
        {"body": 5},
        {"body": {"url": URL}},
        {"body": ["a"], "isBase64Encoded": True},
    ],
    ids=json.dumps,
)
def test_a_field_that_is_no_text_is_refused_by_name(make, field):
    name = next(iter(field))

    with pytest.raises(InvalidParameter, match=name):
        read(make() | field)


@pytest.mark.parametrize("values", [{"n": 5}, {"n": [5]}, {"n": "5"}, ["n"], {"n": [None]}])
def test_repeated_parameters_that_are_no_texts_are_refused(values):
    with pytest.raises(InvalidParameter, match="multiValueQueryStringParameters"):
        read(rest_event() | {"multiValueQueryStringParameters": values})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["requestContext", "stage", "http", "method", "path", "rawPath", "httpMethod", "headers", "body", "url"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_event_is_a_request_or_is_refused(event):
    with contextlib.suppress(InvalidParameter):
        request = read(event)
        assert isinstance(request.path, str)
        assert isinstance(request.body, bytes)


@given(json_values, json_values, json_values, json_values)
def test_any_field_of_a_gateways_event_is_read_or_refused(query, headers, body, context):
    event = {"rawPath": "/", "queryStringParameters": query, "headers": headers, "body": body}
    event["requestContext"] = {"http": {"method": "GET"}, "stage": context}

    with contextlib.suppress(InvalidParameter):
        request = read(event)
        assert all(isinstance(value, str) for value in [*request.query.values(), *request.headers.values()])
