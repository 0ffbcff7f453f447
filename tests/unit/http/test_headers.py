"""The headers that every answer carries, and the request of our own that comes back."""

from __future__ import annotations

import pytest
from recognizer.http.headers import EXPOSED_HEADERS, complete, is_looped, preflight
from recognizer.http.messages import Request, Response


@pytest.mark.parametrize("status", [200, 204, 304, 400, 500])
def test_no_browser_guesses_a_type_and_any_page_may_read(status):
    headers = complete(Response(status, "image/png", {"ETag": '"a"'}, b"")).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Expose-Headers"] == ", ".join(EXPOSED_HEADERS)
    assert headers["ETag"] == '"a"'


def test_a_page_is_kept_apart_from_others():
    page = complete(Response(200, "text/html; charset=utf-8", {}, "")).headers
    picture = complete(Response(200, "image/png", {}, b"")).headers

    assert page["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Cross-Origin-Opener-Policy" not in picture


def test_a_preflight_says_what_may_be_asked():
    answer = preflight(["GET", "OPTIONS"])

    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, OPTIONS"
    assert {"Content-Type", "If-None-Match"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))


def passed_by(value):
    return is_looped(Request("GET", "/detector", {}, {"cdn-loop": value}, b""))


@pytest.mark.parametrize(
    "value", ["recognizer", "Recognizer", "a.example, recognizer", 'recognizer; v="2"; x', "a,recognizer,b"]
)
def test_a_request_of_our_own_is_known_by_its_id(value):
    assert passed_by(value)


@pytest.mark.parametrize("value", ["", "recognizers", "my-recognizer", "cdn; by=recognizer", "a", ";recognizer"])
def test_the_requests_of_others_are_not(value):
    assert not passed_by(value)
