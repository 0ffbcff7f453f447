"""A request that is right but for one place, whatever stands there: the client's mistake or nobody's, never a 500."""

from __future__ import annotations

import base64
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.compat.asking import ask
from tests.functional.test_requests import MAX_LAMBDA_BYTES, documents, fuzz, texts


def pixel():
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


# What each takes, to be spoilt at one place.
MEANT = {
    "/": {
        "Image": {"Bytes": pixel()},
        "MaxLabels": 5,
        "MinConfidence": 10,
        "Features": ["GENERAL_LABELS"],
        "Settings": {"GeneralLabels": {"LabelInclusionFilters": ["Car"], "LabelExclusionFilters": ["Dog"]}},
    },
    "/v1/images:annotate": {
        "requests": [
            {
                "image": {"content": pixel(), "source": None},
                "features": [{"type": "OBJECT_LOCALIZATION", "maxResults": 5, "model": ""}, {"type": 4}],
                "imageContext": {},
            }
        ]
    },
    "/mcp": {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": "blur",
            "arguments": {"image": pixel(), "n": 5, "min_score": 0.2, "include": ["Car"], "region": [0, 0, 1, 1]},
            "_meta": {},
        },
    },
}
HEADERS = {"/": {"X_Amz_Target": "RekognitionService.DetectLabels"}}


def places(document, here=()):
    """The way to each value in a document."""
    yield here
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document if isinstance(document, list) else ())
    )
    for key, value in inner:
        yield from places(value, (*here, key))


def spoilt(document, place, value):
    if not place:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[place[0]] = spoilt(document[place[0]], place[1:], value)
    return copy


def holds(answer):
    assert answer.status < 500, answer.body
    assert len(answer.body) <= MAX_LAMBDA_BYTES
    if answer.body and answer.media_type.endswith("json"):
        json.loads(answer.body, parse_constant=pytest.fail)


@pytest.mark.parametrize("path", MEANT)
@fuzz
@given(data=st.data())
def test_any_document_in_any_place_gets_an_answer(app, path, data):
    place = data.draw(st.sampled_from(list(places(MEANT[path]))))
    body = json.dumps(spoilt(MEANT[path], place, data.draw(documents))).encode()
    query = data.draw(st.none() | st.dictionaries(texts, texts, max_size=2))
    version = {"Mcp_Protocol_Version": data.draw(st.sampled_from(["2025-11-25", "2026-07-28"]) | texts)}
    headers = {"Content_Type": "application/json", **HEADERS.get(path, {}), **(version if path == "/mcp" else {})}

    holds(ask(app, path, body, query=query, **headers))
