"""The tree of errors is complete: each has its own status, is drawn in the docstring and documented."""

from __future__ import annotations

import re

import pytest
from recognizer import errors
from recognizer.errors import RecognizerError, RequestError, StartupError

from tests.conftest import ROOT

REQUEST_ERRORS = RequestError.__subclasses__()


def classes():
    """Every error class of the module."""
    members = vars(errors).values()
    return [member for member in members if isinstance(member, type) and issubclass(member, RecognizerError)]


def documented():
    """The rows of docs/errors.md: code -> status."""
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = [[cell.strip(" `") for cell in line.strip("| ").split("|")] for line in text.splitlines() if "|" in line]
    header = next(row for row in rows if "code" in row)
    code, status = header.index("code"), header.index("status")
    return {row[code]: int(row[status]) for row in rows if row[status].isdigit()}


@pytest.mark.parametrize("attribute", ["code", "title"])
def test_no_two_errors_share(attribute):
    values = [getattr(error, attribute) for error in REQUEST_ERRORS]

    assert len(set(values)) == len(values)


@pytest.mark.parametrize("error", REQUEST_ERRORS, ids=lambda error: error.__name__)
def test_a_request_error_is_a_client_or_server_error_with_a_code(error):
    assert 400 <= error.status <= 599
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)
    assert error.title


def test_every_request_error_is_documented_with_its_status():
    assert documented() == {error.code: error.status for error in REQUEST_ERRORS}


def test_the_docstring_draws_every_class():
    drawn = set(re.findall(r"^ +[│├└─ ]*([A-Z]\w+)(?: |$)", errors.__doc__ or "", re.MULTILINE))

    assert drawn == {error.__name__ for error in classes()}


def test_the_docstring_gives_every_status():
    drawn = {
        name: int(status) for name, status in re.findall(r"([A-Z]\w+) +(\d{3})$", errors.__doc__ or "", re.MULTILINE)
    }

    assert drawn == {error.__name__: error.status for error in REQUEST_ERRORS}


def test_errors_are_either_answers_or_stop_the_start():
    assert all(error is RecognizerError or issubclass(error, RequestError | StartupError) for error in classes())


def test_the_message_is_the_public_one():
    error = errors.TooLarge("Too big.", parameter="url")

    assert (str(error), error.public_message, error.parameter) == ("Too big.", "Too big.", "url")


def test_an_error_has_headers_of_its_own():
    errors.NotFound("Nothing.").headers["Allow"] = "GET"

    assert errors.NotFound("Nothing.").headers == {}


def test_json_that_is_nested_too_deep_to_be_repeated_is_only_hinted_at():
    nested = []
    for _ in range(100_000):
        nested = [nested]

    assert errors.quoted(nested) == "[[…"
