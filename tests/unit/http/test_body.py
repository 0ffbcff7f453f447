"""Bodies of every kind, as they come out of an event."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.errors import InvalidParameter, RequestError, TooLarge, UnsupportedMediaType

from tests.unit.http.asking import URL, parse_post, post_event


def test_a_json_body_is_read_and_answered_in_json():
    request = parse_post(post_event(json.dumps({"url": URL, "n": 7}), "application/json"))

    assert (request.url, request.criteria.limit, request.answer) == (URL, 7, "json")


def test_a_json_body_may_come_in_base64():
    assert parse_post(post_event(json.dumps({"url": URL}).encode(), "application/json")).url == URL


def test_a_body_without_a_type_is_json():
    assert parse_post(post_event(json.dumps({"url": URL}), "")).url == URL


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/x-unheard-of", "application/octet-stream"])
def test_a_body_may_be_the_picture_itself(media_type):
    request = parse_post(post_event(b"\xff\xd8picture", media_type, {"n": "7"}))

    assert (request.content, request.url, request.criteria.limit) == (b"\xff\xd8picture", "", 7)


def test_a_form_is_read():
    request = parse_post(post_event(f"url={URL}&n=7&include=", "application/x-www-form-urlencoded"))

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
    request = parse_post(multipart(PICTURE_PART, (b'Content-Disposition: form-data; name="n"', b"7")))

    assert (request.content, request.criteria.limit) == (b"\xff\xd8picture", 7)


def test_a_file_field_left_empty_is_left_out():
    empty = (PICTURE_PART[0], b"")

    request = parse_post(multipart(empty, (b'Content-Disposition: form-data; name="url"', URL.encode())))

    assert (request.content, request.url) == (None, URL)


def test_accept_asks_for_the_picture_of_a_post():
    event = post_event(json.dumps({"url": URL}), "application/json")
    event["headers"]["accept"] = "image/*"

    assert parse_post(event).answer == "image"


@pytest.mark.parametrize("body", ["[]", "1", '"text"', "{", "[" * 9_000, '{"url": "a", "url2": 1}'])
def test_a_body_that_is_no_json_object_of_parameters_is_refused(body):
    with pytest.raises(InvalidParameter):
        parse_post(post_event(body, "application/json"))


def test_a_body_that_only_claims_to_be_base64_is_refused():
    event = post_event("not base64!", "image/png") | {"isBase64Encoded": True}

    with pytest.raises(InvalidParameter, match="base64"):
        parse_post(event)


@pytest.mark.parametrize("media_type", ["text/html", "application/xml", "multipart/mixed; boundary=x"])
def test_a_body_of_another_kind_is_unsupported(media_type):
    with pytest.raises(UnsupportedMediaType, match=r"image/\*"):
        parse_post(post_event(b"x", media_type))


def test_one_parameter_in_query_and_body_is_refused():
    with pytest.raises(InvalidParameter, match="twice"):
        parse_post(post_event(json.dumps({"url": URL}), "application/json", {"url": URL}))


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
        assert parse_post(post_event(body, media_type)).criteria.limit == 3


# What was found by attacking it


def part(headers, content):
    return headers.encode() if isinstance(headers, str) else headers, content


@pytest.mark.parametrize("charset", ["punycode", "undefined", "idna", "utf-16", "rot13", "no-such", "utf-8\0"])
def test_the_charset_that_a_part_claims_has_no_say(charset):
    """Decoding 800 kB of punycode takes 20 seconds; a NUL in a codec's name is an error of its own."""
    header = f'Content-Disposition: form-data; name="url"\r\nContent-Type: text/plain; charset={charset}'

    with contextlib.suppress(InvalidParameter):
        assert parse_post(multipart(part(header, URL.encode()))).url == URL


def test_punycode_is_read_as_the_text_it_is():
    header = 'Content-Disposition: form-data; name="url"\r\nContent-Type: text/plain; charset=punycode'

    assert parse_post(multipart(part(header, URL.encode()))).url == URL


def test_a_field_that_is_no_utf_8_is_refused_by_name():
    with pytest.raises(InvalidParameter, match="UTF-8") as caught:
        parse_post(multipart(part('Content-Disposition: form-data; name="n"', b"\xff\xfe5")))

    assert caught.value.parameter == "n"


@pytest.mark.parametrize(
    "content_type",
    [
        f"multipart/form-data; boundary*{'1' * 5000}=frontier",
        f"multipart/form-data; boundary*{'1' * 5000}*=utf-8''frontier",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\udcff",
        "multipart/form-data; boundary=grün",
        "multipart/form-data; boundary=" + "b" * 9000,
    ],
    ids=["digits", "digits*", "empty", "surrogate", "umlaut", "long"],
)
def test_a_boundary_that_cannot_be_is_an_invalid_form(content_type):
    with pytest.raises(InvalidParameter):
        parse_post(post_event(b"--frontier\r\n\r\nx\r\n--frontier--\r\n", content_type))


def test_a_large_file_of_a_form_never_touches_the_disk(monkeypatch):
    """The disk is read-only, or full."""

    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    picture = b"\xff\xd8" + bytes(300_000)

    assert parse_post(multipart((PICTURE_PART[0], picture))).content == picture


@pytest.mark.parametrize("body", ['{"url": "\ud800"}', '{"\udfff": 1}', "url=\ud800", '{"url": "a", "n": "\udc80"}'])
@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
def test_half_a_surrogate_pair_is_text_or_a_named_error(body, media_type):
    with contextlib.suppress(RequestError):
        assert parse_post(post_event(body, media_type)).url


# Common mistakes


@pytest.mark.parametrize("media_type", ["application/x-www-form-urlencoded", "text/plain;charset=UTF-8", ""])
def test_json_under_another_type_is_read(media_type):
    """What ``curl -d`` and a browser's ``fetch`` call a JSON text that nobody named a type for."""
    request = parse_post(post_event(f' {{"url": "{URL}", "n": 7}}', media_type))

    assert (request.url, request.criteria.limit) == (URL, 7)


@pytest.mark.parametrize("name", ["url", "image"])
def test_a_data_url_is_the_picture_itself(name):
    request = parse_post(post_event(json.dumps({name: "data:image/png;base64,iVBORw0KGgo="}), "application/json"))

    assert (request.url, request.content, request.parameter) == ("", b"\x89PNG\r\n\x1a\n", name)


@pytest.mark.parametrize(
    "url", ["data:image/png,%89PNG", "data:", "data:image/png;base64", "data:image/png;base64,%%%"]
)
def test_a_data_url_without_a_picture_in_base64_is_refused(url):
    with pytest.raises(InvalidParameter, match="base64") as caught:
        parse_post(post_event(json.dumps({"url": url}), "application/json"))

    assert caught.value.parameter == "url"


@pytest.mark.parametrize(
    "event",
    [
        post_event(bytes(1_000_001), "image/png"),
        post_event(json.dumps({"image": "A" * 1_333_340}), "application/json"),
        multipart((PICTURE_PART[0], bytes(1_000_001))),
    ],
    ids=["body", "base64", "form"],
)
def test_what_is_sent_has_the_limit_of_what_is_fetched(event):
    with pytest.raises(TooLarge, match="1,000,000"):
        parse_post(event)
