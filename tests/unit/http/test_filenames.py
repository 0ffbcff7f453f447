"""A picture is saved under a name that tells where it comes from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.http.filenames import disposition


@pytest.mark.parametrize(
    ("url", "media_type", "name"),
    [
        ("https://example.com/cat.jpg", "image/jpeg", "cat-objects.jpg"),
        ("https://example.com/a/my%20cat.jpeg?w=3", "image/png", "my-cat-objects.png"),
        ("https://example.com/cat", "image/webp", "cat-objects.webp"),
        ("https://example.com/", "image/tiff", "picture-objects.tif"),
        ("", "image/gif", "picture-objects.gif"),
        ("https://example.com/..%2F..%2Fetc%2Fpasswd", "image/png", "passwd-objects.png"),
    ],
)
def test_the_name_is_made_of_the_address_and_the_format(url, media_type, name):
    assert disposition(url, media_type) == f'inline; filename="{name}"'


def test_other_letters_than_ascii_are_kept_for_those_who_read_them():
    assert disposition("https://example.com/K%C3%A4tzchen.jpg", "image/jpeg") == (
        "inline; filename=\"K-tzchen-objects.jpg\"; filename*=UTF-8''K%C3%A4tzchen-objects.jpg"
    )


@given(st.text())
def test_whatever_the_address_it_is_one_safe_header(text):
    header = disposition(f"https://example.com/{text}", "image/png")

    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
