"""Whatever is sent to any address of any dialect: one of the statuses there are, and never 500."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer import compat

from tests.compat.asking import ask
from tests.functional.test_requests import LIMITS, STATUSES, documents, fuzz, long_texts

PATHS = [
    path.replace("{owner}", "face").replace("{id}", "all-labels")
    for path, methods in compat.endpoints([compat.ALL]).items()
    if "POST" in methods
]
# What one dialect or another reads.
NAMES = ["api_key", "data", "detect", "detector_name", "id", "image", "inputs", "min_confidence", "parameters"]
NAMES += ["preprocess", "regions", "tasks", "label_config", "schema", "params", "action"]
WITHIN = ["*", "car", "top", "left", "bottom", "right", "covers", "detect", "threshold", "id", "data", "context"]
values = st.recursive(
    documents, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WITHIN), inner), max_leaves=8
)


def holds(answer):
    assert answer.status in STATUSES, answer.body
    json.loads(answer.body, parse_constant=pytest.fail)


@pytest.mark.parametrize("path", PATHS)
@fuzz
@given(data=st.data())
def test_any_body_is_answered(app, noise, path, data):
    pictures = st.just(base64.b64encode(noise).decode())
    body = data.draw(st.dictionaries(st.sampled_from(NAMES), pictures | values, max_size=5) | values)
    types = st.sampled_from(["application/json", "application/x-www-form-urlencoded", "image/png"]) | long_texts

    holds(ask(app, path, json.dumps(body).encode(), Content_Type=data.draw(types)))


@pytest.mark.parametrize("path", PATHS)
@fuzz
@given(data=st.data())
def test_any_form_is_answered(app, noise, path, data):
    fields = data.draw(st.dictionaries(st.sampled_from(NAMES), long_texts | st.just("0.5"), max_size=4))
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode(errors="surrogatepass")
        for name, value in fields.items()
    ]
    picture = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + noise + b"\r\n"
    body = b"".join([*parts, *([picture] if data.draw(st.booleans()) else []), b"--b--\r\n"])
    cut = data.draw(st.integers(0, len(body)) | st.just(len(body)))

    holds(ask(app, path, body[:cut], Content_Type="multipart/form-data; boundary=b"))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"*":', "}")])
def test_json_of_any_depth_is_answered(app, path, name, opening, closing):
    for depth in LIMITS[:3] + LIMITS[-2:]:
        body = f'{{"{name}": {opening * depth}1{closing * depth}}}'.encode()

        holds(ask(app, path, body, Content_Type="application/json"))
