"""A model that was really trained, and the handler that serves it."""

from __future__ import annotations

import importlib
import json
import sys

import pytest


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """What `python train.py` writes."""
    import train

    folder = tmp_path_factory.mktemp("xgbexample")
    assert train.main(["--output", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def facts(model_folder):
    return json.loads((model_folder / "model.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def handler(model_folder):
    """The handler's module, as a cold start leaves it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MODEL_DIR", str(model_folder))
        sys.modules.pop("xgbexample.handler", None)
        return importlib.import_module("xgbexample.handler")


@pytest.fixture
def ask(handler):
    """Sends a request as an HTTP API does; its status and document."""

    def send(body=None, *, method="POST", path="/xgbexample", base64=False):
        event = {
            "version": "2.0",
            "rawPath": path,
            "requestContext": {"http": {"method": method, "path": path}},
            "isBase64Encoded": base64,
        }
        answer = handler.lambda_handler(event if body is None else event | {"body": body}, None)
        document = json.loads(answer["body"])
        kind = "application/json" if answer["statusCode"] == 200 else "application/problem+json"
        assert answer["headers"]["Content-Type"] == kind
        assert document.get("status", 200) == answer["statusCode"]
        return answer["statusCode"], document

    return send
