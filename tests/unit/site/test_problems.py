"""Every error of the tree is described; tests/contract/test_problems.py triggers each."""

from __future__ import annotations

import pytest
from recognizer.errors import MethodNotAllowed, NotFound, OriginBypassed, RequestError, Unauthorized

from tests.unit.site.describing import DOCUMENT, GET, POST, fits

ERRORS = RequestError.__subclasses__()
ELSEWHERE = {NotFound, MethodNotAllowed, OriginBypassed, Unauthorized}  # no operation's own, unless access is checked


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

    assert codes == {(error.status, error.code) for error in ERRORS if error not in ELSEWHERE}
