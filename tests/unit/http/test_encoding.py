"""Text is sent compressed to those who take it, and caches are told that it depends on that."""

from __future__ import annotations

import gzip

import pytest
from recognizer.http.encoding import encoded

TEXT = "a page " * 1000


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip", "GZIP;q=0.5, *", "deflate, gzip; q=1.0"])
def test_text_is_compressed_for_those_who_take_it(accepted):
    body, headers = encoded(TEXT, accepted)

    assert gzip.decompress(body).decode() == TEXT
    assert len(body) < len(TEXT) / 10
    assert headers == {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.0", "identity", "*"])
def test_others_get_it_as_it_is_and_caches_are_told_all_the_same(accepted):
    assert encoded(TEXT, accepted) == (TEXT, {"Vary": "Accept-Encoding"})


@pytest.mark.parametrize("body", ["short", b"a picture" * 1000])
def test_what_would_not_gain_is_left_as_it_is(body):
    assert encoded(body, "gzip") == (body, {})
