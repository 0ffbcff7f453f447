"""local.console: what a person reads."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace

import pytest

from local import console


def answer(status, body="", **headers):
    return {
        "statusCode": status,
        "headers": {name.replace("_", "-"): text for name, text in headers.items()},
        "body": body,
    }


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (answer(200, X_Detection_Count="3"), "GET /detector 200 69 ms 3 objects"),
        (answer(200, X_Detection_Count="1"), "GET /detector 200 69 ms 1 object"),
        (answer(200, X_Detection_Count="0"), "GET /detector 200 69 ms 0 objects"),
        ({"statusCode": 204}, "GET /detector 204 69 ms"),
        (
            answer(415, json.dumps({"title": "Not a picture"}), Content_Type="application/problem+json"),
            "GET /detector 415 69 ms Not a picture",
        ),
        (answer(404, Content_Type="application/problem+json"), "GET /detector 404 69 ms"),
    ],
)
def test_a_request_is_a_line(given, line):
    assert console.line("GET", "/detector", given, 68.6) == line


@pytest.mark.parametrize(("method", "path"), [("GET", "/a\x1b[2Jb"), ("G\x1b[2J", "/"), ("GET", "/a\nGET / 200")])
def test_what_would_move_the_cursor_is_spelt_out(method, path):
    line = console.line(method, path, {"statusCode": 404}, 1)

    assert line.isprintable()
    assert "\\" in line


def test_an_error_is_logged_as_text_with_its_traceback(capsys):
    logger = logging.getLogger("a service of the test's own")
    logger.addHandler(handler := logging.StreamHandler())
    handler.setFormatter(logging.Formatter('{"json": "%(message)s"}'))
    console.log_for_people(logger.name)

    try:
        int("a reason")
    except ValueError:
        logger.exception("it failed")

    said = capsys.readouterr().err.splitlines()
    assert said[:2] == ["ERROR it failed", "Traceback (most recent call last):"]
    assert said[-1].startswith("ValueError: ")


@pytest.mark.parametrize(
    ("access", "said"),
    [
        ("KEY", 'curl -H "Authorization: Bearer $KEY" -o cat.jpg '),
        ("JWT", "WARNING: ACCESS=JWT is for API Gateway to check"),
        ("AWS_IAM", "WARNING: ACCESS=AWS_IAM is for API Gateway to check"),
        ("NONE", "curl -o cat.jpg "),
    ],
)
def test_the_greeting_says_who_may_ask(access, said):
    model = SimpleNamespace(identity=SimpleNamespace(name="a model", engine="litert"), facts={"source": "somewhere"})
    greeting = console.greeting(model, "127.0.0.1", 3000, reaches_private=False, access=access)

    assert said in greeting
    assert ("WARNING" in greeting) is said.startswith("WARNING")
