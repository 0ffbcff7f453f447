"""Options of stored pictures: what metadata hold is what was asked, in ASCII."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from recognizer.errors import InvalidParameter
from recognizer.http import stored

TEXTS = st.text(max_size=20).filter(lambda text: not text.lstrip().startswith(("[", "{", '"')))
NAMES = st.lists(st.text(max_size=10), max_size=5)
SCORES = st.dictionaries(st.text(max_size=10), st.floats(0, 1), max_size=5)


@given(st.fixed_dictionaries({"n": st.integers(1, 100), "include": TEXTS | NAMES, "min_score": SCORES}))
def test_metadata_hold_what_was_asked_in_ascii(options):
    metadata = stored.as_metadata(options)

    assert all(text.isascii() and text.isprintable() for text in metadata.values())
    assert stored.in_metadata(metadata) == {**options, "n": str(options["n"])}


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (3.0, "3"), (0.5, "0.5"), (True, "true"), ("Car", "Car"), (["a, b"], '["a, b"]'), ("ä", '"\\u00e4"')],
)
def test_what_is_no_plain_text_stands_there_as_json(value, text):
    assert stored.as_metadata({"include": value}) == {"include": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Car,Person", "Car,Person"),
        ("[odd name", "[odd name"),
        ("7", "7"),
        ("=?UTF-8?Q?Caf=C3=A9?=", "Café"),
        ("=?UTF-8?B?IkNhZsOpIg==?=", "Café"),
        ("=?UTF-8?B?A?=", "=?UTF-8?B?A?="),
        ("=?none?Q?a?=", "=?none?Q?a?="),
        ("=?", "=?"),
    ],
)
def test_metadata_are_read_as_they_were_meant(text, value):
    assert stored.in_metadata({"include": text, "mtime": "17"}) == {"include": value}


def test_a_query_can_hold_json_too():
    assert stored.in_query('n=5&min_score={"*":0.3}') == {"n": "5", "min_score": {"*": 0.3}}


def test_what_s3_would_not_keep_is_refused():
    with pytest.raises(InvalidParameter, match="2,048 bytes") as refused:
        stored.as_metadata({"n": 3, "include": "Person," * 300})

    assert refused.value.parameter == "include"
