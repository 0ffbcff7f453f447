"""The description as a whole: valid, of this version, and each of its examples fits."""

from __future__ import annotations

import json
import re
from urllib.parse import urljoin

import pytest
from recognizer import VERSION
from recognizer.http import stored
from recognizer.site import uploads

from tests.unit.site.describing import DOCUMENT, READ, described, everything, fits


def test_it_is_openapi():
    from openapi_spec_validator import OpenAPIV31SpecValidator

    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_is_json_as_it_stands():
    assert json.loads(json.dumps(DOCUMENT, allow_nan=False)) == DOCUMENT


def test_it_has_the_version():
    assert DOCUMENT["info"]["version"] == VERSION


@pytest.mark.parametrize(
    ("at", "server"),
    [
        ("https://a.example/openapi.json", "https://a.example/"),
        ("https://a.example/dev/openapi.json", "https://a.example/dev/"),
    ],
)
def test_the_server_is_where_the_description_is(at, server):
    assert urljoin(at, DOCUMENT["servers"][0]["url"]) == server


def test_no_schema_has_a_default():
    """A generated client sends every default, also where another parameter changes it: n=3 with draw=blur."""
    assert [node for node in everything(DOCUMENT) if "default" in node] == []


def test_every_example_of_a_body_fits_its_schema():
    media = [
        node for node in everything(DOCUMENT["paths"]) if "schema" in node and {"example", "examples"} & node.keys()
    ]
    examples = [(node["schema"], node["example"]) for node in media if "example" in node]
    examples += [
        (node["schema"], one["value"]) for node in media for one in node.get("examples", {}).values() if "value" in one
    ]

    assert len(examples) > 10
    assert [example for schema, example in examples if not fits(schema, example)] == []


def test_every_operation_is_described_and_has_a_name_of_its_own():
    operations = [operation for methods in DOCUMENT["paths"].values() for operation in methods.values()]

    assert all(operation["summary"] and operation["description"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_samples_are_listed():
    assert DOCUMENT["paths"]["/samples/{name}"]["get"]["parameters"][0]["schema"]["enum"] == ["cat.jpg"]
    assert not [path for path in described()["paths"] if path.startswith("/samples")]


def test_commands_are_those_of_one_address():
    sources = [sample["source"] for node in everything(DOCUMENT) for sample in node.get("x-codeSamples", ())]

    assert all(re.search(r'"\$API/', source) for source in sources)


def test_uploads_are_described_where_there_are_any():
    from openapi_spec_validator import OpenAPIV31SpecValidator

    document = uploads.added(DOCUMENT, READ, 20_000_000)

    OpenAPIV31SpecValidator(document).validate()
    assert document["paths"].keys() - DOCUMENT["paths"].keys() == {"/uploads", "/uploads/{id}"}
    asked = document["components"]["schemas"]["UploadRequest"]["properties"]
    assert set(asked) == set(stored.OPTIONS) | {"content_type"}
    assert {one["name"] for one in document["paths"]["/uploads"]["post"]["parameters"]} == set(stored.OPTIONS)
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
