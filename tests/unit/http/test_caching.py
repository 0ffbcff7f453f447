"""The rules of entity tags and conditional requests, the same for every answer."""

from __future__ import annotations

import pytest
from recognizer.http.caching import cache_headers, conditional, entity_tag, names, not_modified
from recognizer.http.messages import Response

TAG = entity_tag("content")
ANSWER = Response(200, "text/html", {**cache_headers(TAG, 300), "Content-Security-Policy": "x"}, "content")


def test_a_tag_is_quoted_and_follows_the_content():
    assert (TAG[0], TAG[-1], len(TAG)) == ('"', '"', 34)
    assert entity_tag(b"content") == TAG
    assert entity_tag("Content") != TAG


@pytest.mark.parametrize("header", [TAG, f"W/{TAG}", f'"a", {TAG}', f'"a",W/{TAG} ,"b"', "*", " * "])
def test_what_the_client_has_is_not_sent_again(header):
    answer = conditional(ANSWER, header)

    assert (answer.status, answer.body) == (304, "")
    assert answer.headers == {"Cache-Control": "public, max-age=300", "ETag": TAG}


@pytest.mark.parametrize("header", ["", '"a"', TAG.strip('"'), f"{TAG}x", f"w/{TAG}", '"*"', f'"a" {TAG}'])
def test_anything_else_is_sent(header):
    assert conditional(ANSWER, header) is ANSWER


@pytest.mark.parametrize("answer", [Response(404, "a/b", {"ETag": TAG}, ""), Response(200, "a/b", {}, "")])
def test_only_a_representation_with_a_tag_can_be_unchanged(answer):
    assert conditional(answer, f"{TAG}, *") is answer
    assert conditional(answer, "*") is answer


def test_a_star_names_no_tag():
    assert not names("*", TAG)


@pytest.mark.parametrize(("max_age_s", "expected"), [(3600, "public, max-age=3600"), (0, "no-store")])
def test_caches_are_told_how_long(max_age_s, expected):
    assert cache_headers(TAG, max_age_s)["Cache-Control"] == expected


def test_caches_are_told_what_an_answer_depends_on():
    assert cache_headers(TAG, 1, varies=True)["Vary"] == "Accept"
    assert "Vary" not in cache_headers(TAG, 1)


def test_a_304_keeps_what_a_cache_needs():
    assert not_modified(cache_headers(TAG, 1, varies=True)).headers.keys() == {"Cache-Control", "ETag", "Vary"}


@pytest.mark.parametrize("header", ["*", TAG])
def test_what_is_not_kept_is_sent_every_time(header):
    answer = Response(200, "application/json", cache_headers(TAG, 0), "{}")

    assert conditional(answer, header) is answer
