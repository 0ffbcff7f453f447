"""Every published example of an error is what the service says: each is triggered and compared with its example.

The examples are taken from the description that the very service serves, so that limits in them are its own.
"""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from recognizer import isolation
from recognizer.build import build
from recognizer.errors import RequestError
from recognizer.sandbox import pool
from recognizer.vision import detector, tiles

from tests.conftest import ROOT, on_loopback
from tests.functional.hostile import AS_MANY_SCANS_AS_ARE_READ, jpeg_of_many_scans
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import Context, event, reply
from tests.functional.serving import environment

pytestmark = on_loopback

MAX_BYTES = 50_000


def a_file(image_format="PNG"):
    """A picture of noise: a dozen kilobytes."""
    noise = np.random.default_rng(3).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, image_format)
    return file.getvalue()


def answers(body):
    return lambda exchange: exchange.answer(200, body)


def silent(exchange):
    for _ in exchange.stalls():
        pass


@pytest.fixture(scope="module")
def url():
    """The address of a route."""
    routes = {
        "/noise.png": answers(a_file()),
        "/empty.png": answers(b""),
        "/truncated.jpg": answers(a_file("JPEG")[:2_000]),
        "/scans.jpg": answers(jpeg_of_many_scans(scans=AS_MANY_SCANS_AS_ARE_READ)),
        "/silent.png": silent,
    }
    with LoopbackServer(routes) as running:
        yield running.url


@pytest.fixture(scope="module")
def service(tiny_model):
    """Builds the service with some settings."""
    return lambda **settings: build(environment(tiny_model, MAX_BYTES=str(MAX_BYTES)) | settings)


@pytest.fixture(scope="module")
def app(service):
    return service()


def get(app, url, **query):
    return app(event(query={"url": url, **query}), Context())


def invalid_parameter(app, url, **_):
    return get(app, url("/noise.png"), n="abc")


def unauthorized(service, url, **_):
    return get(service(ACCESS="KEY", ACCESS_KEY_SHA256="0" * 64), url("/noise.png"))


def origin_bypassed(service, url, **_):
    return get(service(ORIGIN_SECRET="secret"), url("/noise.png"))


def address_not_allowed(service, url, **_):
    return get(service(ALLOW_PRIVATE_ADDRESSES=""), url("/noise.png"))


def not_found(app, **_):
    return app(event(path="/detect"), Context())


def nothing_detected(app, url, **_):
    return get(app, url("/noise.png"), crop="1", min_score="1")


def method_not_allowed(app, **_):
    return app(event(method="PUT"), Context())


def too_large(app, **_):
    body = base64.b64encode(bytes(MAX_BYTES + 1)).decode()
    asked = event(method="POST", headers={"Content-Type": "image/png"})
    return app(asked | {"body": body, "isBase64Encoded": True}, Context())


def unsupported_media_type(app, url, **_):
    return get(app, url("/empty.png"))


def broken_picture(app, url, **_):
    return get(app, url("/truncated.jpg"))


def picture_too_costly(service, url, **_):
    return get(service(PICTURE_TIMEOUT="0.1", MAX_BYTES="1000000"), url("/scans.jpg"))


def too_many_tiles(app, url, monkeypatch, **_):
    monkeypatch.setattr(tiles, "_SHARE_OF_TIME", 0.0)
    return get(app, url("/noise.png"), tiles="2")


def internal_error(service, url, monkeypatch, **_):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(detector, "load", lambda *_: fail)
    return get(service(), url("/noise.png"))


def download_failed(app, url, **_):
    return get(app, url("/nothing.png"))


def download_timed_out(service, url, **_):
    return get(service(DOWNLOAD_TIMEOUT="0.3"), url("/silent.png"))


def overloaded(service, url, monkeypatch, **_):
    monkeypatch.setattr(isolation, "_MAX_WAIT_S", 0.0)
    monkeypatch.setattr(pool, "MAX_WORKERS", 0)  # as if others had them all
    return get(service(), url("/noise.png"))


def loop_detected(app, url, **_):
    return app(event(query={"url": url("/noise.png")}, headers={"CDN-Loop": "recognizer"}), Context())


TRIGGERS = {
    trigger.__name__.replace("_", "-"): trigger
    for trigger in (
        invalid_parameter,
        unauthorized,
        origin_bypassed,
        address_not_allowed,
        not_found,
        nothing_detected,
        method_not_allowed,
        too_large,
        unsupported_media_type,
        broken_picture,
        picture_too_costly,
        too_many_tiles,
        internal_error,
        download_failed,
        download_timed_out,
        loop_detected,
        overloaded,
    )
}


@pytest.fixture(scope="module")
def published(app):
    """The examples of errors in the description, by code."""
    description = reply(app(event(path="/openapi.json"), Context())).json
    return {code: example["value"] for code, example in description["components"]["examples"].items()}


@pytest.mark.parametrize("code", [error.code for error in RequestError.__subclasses__()])
def test_what_is_published_is_what_is_said(code, published, app, service, url, monkeypatch):
    answer = reply(TRIGGERS[code](app=app, service=service, url=url, monkeypatch=monkeypatch))
    said, example = answer.json, published[code]

    assert answer.media_type == "application/problem+json"
    assert answer.status == said["status"]
    assert said.pop("request_id") == Context().aws_request_id
    assert example.pop("request_id")
    assert said == example


def test_the_allowed_methods_are_those_of_the_header(published, app):
    answer = reply(method_not_allowed(app))

    assert published["method-not-allowed"]["detail"].endswith(f"but {answer.headers['allow']}.")


def test_the_documentation_shows_a_published_example(published):
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)

    assert json.loads(shown) | {"request_id": ""} == published["invalid-parameter"] | {"request_id": ""}
