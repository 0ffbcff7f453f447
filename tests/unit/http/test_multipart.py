"""Two parts in one answer are read back as they were, whatever bytes they hold."""

from __future__ import annotations

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from recognizer.http.multipart import form
from werkzeug.formparser import parse_form_data


@given(json=st.binary(), picture=st.binary())
def test_a_form_is_read_back_as_it_was_written(json, picture):
    media_type, body = form({"detections": ("application/json", json), "picture": ("image/png", picture)})

    environ = {"wsgi.input": BytesIO(body), "CONTENT_TYPE": media_type, "CONTENT_LENGTH": str(len(body))}
    _, _, files = parse_form_data(environ, stream_factory=lambda *_, **__: BytesIO())
    parts = {name: (file.content_type, file.read()) for name, file in files.items()}
    assert parts == {"detections": ("application/json", json), "picture": ("image/png", picture)}


def test_the_same_parts_make_the_same_answer():
    parts = {"picture": ("image/png", b"1")}

    assert form(parts) == form(parts)
