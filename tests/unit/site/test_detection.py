"""What GET and POST of /detector are said to take and to answer is what they do, and their examples work."""

from __future__ import annotations

import json

import pytest
from recognizer import pictures
from recognizer.detections import Label
from recognizer.http import detection, headers
from recognizer.http.messages import Request
from recognizer.job import EXPORTS
from recognizer.labels import LabelMap

from tests.unit.site.describing import GET, POST, POST_BODIES, RULES, body, described


def posted(value):
    """What the service makes of a JSON body."""
    request = Request("POST", "/detector", {}, {"content-type": "application/json"}, json.dumps(value).encode())
    return detection.from_body(request, RULES)


def test_post_takes_the_picture_itself():
    assert set(POST["requestBody"]["content"]) == {*POST_BODIES, "image/*", "application/octet-stream"}


@pytest.mark.parametrize("operation", [GET, POST], ids=["get", "post"])
def test_an_answer_is_json_any_kind_of_picture_that_is_read_or_what_other_programs_read(operation):
    kinds = {"application/json", "multipart/form-data", *pictures.MEDIA_TYPES.values(), *EXPORTS.values()}
    assert set(operation["responses"]["200"]["content"]) == kinds


def test_only_post_has_a_schema_for_json():
    """A client that parses JSON wherever it can be the answer cannot be given a picture."""
    gets, posts = (operation["responses"]["200"]["content"]["application/json"] for operation in (GET, POST))

    assert "schema" not in gets
    assert posts["schema"]["anyOf"][0] == {"$ref": "#/components/schemas/Detections"}
    assert gets["example"] == posts["example"]


@pytest.mark.parametrize("operation", [GET, POST], ids=["get", "post"])
def test_every_exposed_header_is_described(operation):
    assert set(headers.EXPOSED_HEADERS) <= set(operation["responses"]["200"]["headers"])


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


def test_limits_of_this_service_are_named():
    assert "20,000,000 bytes" in POST["description"]
    assert "AVIF" in POST["description"]
