"""The description says what the code does: every parameter, limit, error, header and format, and examples that work."""

from __future__ import annotations

import json
import re
from urllib.parse import urljoin

import pytest
from jsonschema import Draft202012Validator
from recognizer import VERSION, job, pictures
from recognizer.detections import Label
from recognizer.errors import InvalidParameter, MethodNotAllowed, NotFound, RequestError
from recognizer.http import detection, headers, parameters
from recognizer.http.messages import Request
from recognizer.http.negotiation import Negotiated
from recognizer.labels import LabelMap
from recognizer.site.openapi import document

LABELS = LabelMap(
    {1: Label("/m/01yrx", "Cat", ("Carnivore", "Mammal", "Animal")), 2: Label("/m/0k4j", "Car", ("Vehicle",))},
    {"/m/0jbk": ("Animal", frozenset({1}))},
)
READ = tuple(pictures.MEDIA_TYPES[name] for name in pictures.READABLE)
RULES = parameters.Rules(LABELS, default_min_score=0.1, max_bytes=1_000)
ERRORS = RequestError.__subclasses__()
ANYWHERE = {NotFound, MethodNotAllowed}  # no operation's own
POST_BODIES = {"application/json", "multipart/form-data", "application/x-www-form-urlencoded"}


def described(labels=LABELS, **facts):
    given = {"default_min_score": 0.25, "media_types": READ, "max_bytes": 20_000_000, "max_pixels": 50_000_000}
    return document(labels, **{**given, **facts})


DOCUMENT = described(samples=["/samples/cat.jpg"])
GET, POST = (DOCUMENT["paths"]["/detector"][method] for method in ("get", "post"))


def resolved(schema):
    """A schema, or the named one that it stands for."""
    return DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def queried(operation):
    """The schemas of an operation's query parameters."""
    return {one["name"]: resolved(one["schema"]) for one in operation["parameters"] if one["in"] == "query"}


def body(kind):
    return POST["requestBody"]["content"][kind]


def posted(value):
    """What the service makes of a JSON body."""
    request = Request("POST", "/detector", {}, {"content-type": "application/json"}, json.dumps(value).encode())
    return detection.from_body(request, RULES)


def accepts(name, value):
    """Whether the service takes a value of a parameter."""
    try:
        parameters.validated({"url": "https://example.com/", name: value}, RULES, Negotiated("json"))
    except InvalidParameter:
        return False
    return True


def fits(schema, value):
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]}).is_valid(value)


def everything(node):
    """Every dictionary in a document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from everything(child)


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


# Parameters


def test_get_has_every_parameter_but_the_picture_itself():
    assert set(queried(GET)) == set(job.PARAMETERS) - {"image"}


def test_post_has_every_option_in_the_query():
    assert set(queried(POST)) == set(job.PARAMETERS) - {"image", "url"}


@pytest.mark.parametrize("kind", sorted(POST_BODIES))
def test_a_body_has_every_parameter_under_every_name(kind):
    names = set(resolved(body(kind)["schema"])["properties"])

    assert names - {"file"} == {*job.PARAMETERS, *job.ALIASES}


def test_post_takes_the_picture_itself():
    assert set(POST["requestBody"]["content"]) == {*POST_BODIES, "image/*", "application/octet-stream"}


@pytest.mark.parametrize("operation", [GET, POST], ids=["get", "post"])
def test_limits_and_choices_are_the_codes(operation):
    schemas = queried(operation)

    assert schemas["n"] == {"type": "integer", "minimum": 1, "maximum": job.MAX_LIMIT}
    assert schemas["image_format"]["enum"] == list(job.IMAGE_FORMATS)
    assert schemas["draw"]["enum"] == list(job.DRAWS)


def test_no_schema_has_a_default():
    """A generated client sends every default, also where another parameter changes it: n=3 with draw=blur."""
    assert [node for node in everything(DOCUMENT) if "default" in node] == []


@pytest.mark.parametrize(
    ("name", "default"), [("n", f"{job.DEFAULT_LIMIT},"), ("min_score", "0.25,"), ("draw", "`labels`.")]
)
def test_a_default_is_told_in_words(name, default):
    (told,) = (one["description"] for one in GET["parameters"] if one["name"] == name)

    assert f"Without it {default}" in told


@pytest.mark.parametrize("name", ["n", "min_score"])
def test_limits_are_those_that_the_service_keeps(name):
    schema = queried(GET)[name]

    assert accepts(name, schema["minimum"])
    assert accepts(name, schema["maximum"])
    assert not accepts(name, schema["minimum"] - 1)
    assert not accepts(name, schema["maximum"] + 1)


@pytest.mark.parametrize("name", ["format", "image_format", "draw"])
def test_choices_are_those_that_the_service_takes(name):
    assert all(accepts(name, choice) for choice in queried(GET)[name]["enum"])
    assert not accepts(name, "other")


@pytest.mark.parametrize("name", [name for name in job.PARAMETERS if name not in {"url", "image"}])
def test_a_parameters_example_fits_and_is_taken(name):
    (parameter,) = (one for one in GET["parameters"] if one["name"] == name)

    assert fits(parameter["schema"], parameter["example"])
    assert fits(resolved(body("application/json")["schema"])["properties"][name], parameter["example"])
    assert accepts(name, parameter["example"])


@pytest.mark.parametrize("value", [0.4, {"*": 0.5, "Cat": 0.7}])
def test_a_least_score_by_label_is_for_json(value):
    assert fits(resolved(body("application/json")["schema"])["properties"]["min_score"], value)
    assert accepts("min_score", value)


@pytest.mark.parametrize("given", [{}, {"url": "https://a.example/b.png", "image": "AAAA"}, {"url": "x", "size": 1}])
def test_a_json_body_has_one_picture_and_nothing_unknown(given):
    assert not fits(body("application/json")["schema"], given)


# Answers


@pytest.mark.parametrize("operation", [GET, POST], ids=["get", "post"])
def test_an_answer_is_json_or_any_kind_of_picture_that_is_read(operation):
    assert set(operation["responses"]["200"]["content"]) == {"application/json", *pictures.MEDIA_TYPES.values()}


def test_only_post_has_a_schema_for_json():
    """A client that parses JSON wherever it can be the answer cannot be given a picture."""
    gets, posts = (operation["responses"]["200"]["content"]["application/json"] for operation in (GET, POST))

    assert "schema" not in gets
    assert posts["schema"] == {"$ref": "#/components/schemas/Detections"}
    assert gets["example"] == posts["example"]


@pytest.mark.parametrize("operation", [GET, POST], ids=["get", "post"])
def test_every_exposed_header_is_described(operation):
    assert set(headers.EXPOSED_HEADERS) <= set(operation["responses"]["200"]["headers"])


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_its_example(error):
    example = DOCUMENT["components"]["examples"][error.code]["value"]

    assert (example["type"], example["title"], example["status"]) == (
        f"urn:problem-type:recognizer:{error.code}",
        error.title,
        error.status,
    )
    assert fits({"$ref": "#/components/schemas/Problem"}, example)


@pytest.mark.parametrize("operation", [GET, POST], ids=["get", "post"])
def test_every_error_of_a_detection_is_among_its_answers(operation):
    codes = {
        (int(status), code)
        for status, answer in operation["responses"].items()
        for code in answer.get("content", {}).get("application/problem+json", {}).get("examples", ())
    }

    assert codes == {(error.status, error.code) for error in ERRORS if error not in ANYWHERE}


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


@pytest.mark.parametrize("name", ["url", "image", "by-label"])
def test_an_example_of_a_request_is_taken(name):
    value = body("application/json")["examples"][name]["value"]

    assert bool(posted(value).url) is ("url" in value)


def test_an_example_of_the_picture_itself_is_one():
    value = body("application/json")["examples"]["image"]["value"]

    assert pictures.read(posted(value).content, max_pixels=1).format == "GIF"


def test_examples_name_labels_of_the_model():
    zoo = LabelMap({7: Label("/m/0898b", "Zebra", ("Mammal",))})
    by_label = described(zoo)["paths"]["/detector"]["post"]["requestBody"]["content"]["application/json"]["examples"]

    assert by_label["by-label"]["value"]["min_score"] == {"*": 0.5, "Zebra": 0.7}


def test_every_operation_is_described_and_has_a_name_of_its_own():
    operations = [operation for methods in DOCUMENT["paths"].values() for operation in methods.values()]

    assert all(operation["summary"] and operation["description"] for operation in operations)
    assert len({operation["operationId"] for operation in operations}) == len(operations)


def test_limits_of_this_service_are_named():
    assert "20,000,000 bytes" in POST["description"]
    assert "AVIF" in POST["description"]


def test_samples_are_listed():
    assert DOCUMENT["paths"]["/samples/{name}"]["get"]["parameters"][0]["schema"]["enum"] == ["cat.jpg"]
    assert not [path for path in described()["paths"] if path.startswith("/samples")]


def test_commands_are_those_of_one_address():
    sources = [sample["source"] for node in everything(DOCUMENT) for sample in node.get("x-codeSamples", ())]

    assert all(re.search(r'"\$API/', source) for source in sources)
