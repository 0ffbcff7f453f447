"""The handler under the real Lambda runtime: awslambdaric, driven by the emulator that aws-sam-cli's wheel carries."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image

from tests.conftest import ROOT, on_loopback
from tests.contract.emulated import emulated, emulator
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import reply

PHOTO = "https://upload.wikimedia.org/wikipedia/commons/3/3a/Cat03.jpg"
# With a gateway around them; invoke.json has none.
EVENTS = sorted(path for path in (ROOT / "events").glob("*.json") if path.stem != "invoke")
EXPECTED = {
    "bad-url": (403, "application/problem+json"),
    "get-filters": (200, "application/json"),
    "get-image": (200, "image/png"),
    "get-json": (200, "application/json"),
    "get-key": (200, "application/json"),
    "post-form": (200, "application/json"),
    "post-image-body": (200, "application/json"),
    "post-json-image": (200, "application/json"),
    "post-json-url": (200, "application/json"),
    "rest-v1": (200, "application/json"),
}


pytestmark = [on_loopback, pytest.mark.skipif(emulator() is None, reason="no Lambda emulator for this platform")]


@pytest.fixture(scope="module")
def server():
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "PNG")
    with LoopbackServer({"/photo.png": lambda exchange: exchange.answer(200, file.getvalue())}) as running:
        yield running


@pytest.fixture(scope="module")
def invoke(tiny_model_of_each_engine, tmp_path_factory):
    """Invokes the function with an event; what it returns, as API Gateway would get it."""
    folder = tmp_path_factory.mktemp("emulator")
    environ = {
        "MODEL_DIR": str(tiny_model_of_each_engine),
        "ALLOW_PRIVATE_ADDRESSES": "true",
        "ALLOWED_URL_HOSTS": "127.0.0.1",
        "ALLOWED_URL_PORTS": "*",
    }
    with emulated("handler.lambda_handler", environ, folder) as call:
        yield call


def of_this_server(text, server):
    """An event with the loopback server's picture in the place of the one on the internet."""
    return json.loads(text.replace(PHOTO, server.url("/photo.png")))


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_an_event_of_the_folder_is_answered(invoke, server, path):
    answer = reply(invoke(of_this_server(path.read_text(encoding="utf-8"), server)))

    status, media_type = EXPECTED[path.stem]
    assert (answer.status, answer.media_type) == (status, media_type)
    if media_type == "image/png":
        assert Image.open(io.BytesIO(answer.body)).size == (256, 256)
    else:
        assert isinstance(answer.json, dict)


def test_an_event_without_a_gateway_gets_the_plain_result(invoke, server):
    answer = invoke(of_this_server((ROOT / "events" / "invoke.json").read_text(encoding="utf-8"), server))

    assert (answer["image"]["width"], answer["image"]["format"]) == (256, "PNG")
    assert isinstance(answer["detections"], list)


@pytest.mark.parametrize("event", [{}, [], "hello", None, {"Records": []}])
def test_what_is_no_event_is_answered_too(invoke, event):
    assert invoke(event)["status"] == 400


def test_the_runtimes_request_id_is_in_a_problem(invoke):
    assert len(invoke({})["request_id"]) == 36
