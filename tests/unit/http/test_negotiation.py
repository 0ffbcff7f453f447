"""Which answer an Accept header gets."""

from __future__ import annotations

import pytest
from recognizer.http.negotiation import Negotiated, negotiated

FIREFOX = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


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
    assert negotiated(accept, "image").kind == "json"


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
    assert negotiated(accept, "image").kind == "image"


@pytest.mark.parametrize(
    ("accept", "image_format"),
    [
        ("image/webp", "WEBP"),
        ("IMAGE/PNG", "PNG"),
        ("image/png;q=0.5, image/webp", "WEBP"),
        ("image/avif, image/webp;q=0.9, image/gif;q=0.1", "WEBP"),
        ("application/json;q=0.2, image/gif", "GIF"),
    ],
)
def test_a_format_that_is_named_alone_is_the_answers(accept, image_format):
    assert negotiated(accept, "json") == Negotiated("image", image_format)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "image/*",
        "image/webp, */*;q=0.1",
        "image/webp,image/*",
        FIREFOX,
        CHROME,
        "image/avif",
        "image/png;q=0",
    ],
)
def test_a_wildcard_leaves_the_format_to_the_source(accept):
    assert negotiated(accept, "image").image_format is None


def test_json_has_no_format_of_a_picture():
    assert negotiated("application/json, image/webp;q=0.5", "image") == Negotiated("json")
