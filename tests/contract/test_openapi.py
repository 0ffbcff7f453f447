"""The running service keeps what its own description says: requests made from it, answers compared with it.

The description is fetched from the server, so what is tested is what a client gets. Schemathesis makes the requests,
right ones and wrong ones, the same each time. The addresses of pictures in them are changed to ones on loopback.
"""

from __future__ import annotations

import base64
import copy
import http.client
import io
import json
import zlib
from urllib.parse import urljoin

import hypothesis
import pytest
from PIL import Image
from recognizer.build import build
from recognizer.labels import LabelMap
from recognizer.site.openapi import document

from tests.conftest import ROOT, THREADS, on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.serving import served

pytestmark = on_loopback

MAX_EXAMPLES = 80
LABELS = LabelMap.load(ROOT / "src" / "Recognizer" / "model_build" / "openimages_v4_labels.csv")
DESCRIBED = document(
    LABELS, default_min_score=0.1, media_types=["image/png"], max_bytes=1, max_pixels=1, samples=["/samples/cat.jpg"]
)
# Wrong requests can be made only where something is asked for.
REQUESTS = [
    (method, path, mode)
    for path, methods in DESCRIBED["paths"].items()
    for method in methods
    for mode in (("positive", "negative") if path == "/detector" else ("positive",))
]
STATUSES = {"2xx", "3xx", "4xx", "502"}  # 500 is a bug, 502 is the picture's server


def picture_file(image_format="PNG"):
    """A red area on a dark ground, which the tiny model takes for a car."""
    image = Image.new("RGB", (160, 120))
    image.paste("red", (40, 30, 100, 75))
    file = io.BytesIO()
    image.save(file, image_format)
    return file.getvalue()


PICTURE = picture_file()
IN_BASE64 = base64.b64encode(PICTURE).decode()
RIGHT = {"include": "Car,Person", "exclude": "Person", "region": "0,0,1,1", "min_score": 0.5}


@pytest.fixture(scope="module")
def pictures():
    """Addresses of a picture, of what is none, of a broken one, and of nothing."""
    routes = {
        "/car.png": lambda exchange: exchange.answer(200, PICTURE, {"Content-Type": "image/png"}),
        "/car.jpg": lambda exchange: exchange.answer(200, picture_file("JPEG"), {"Content-Type": "image/jpeg"}),
        "/page.html": lambda exchange: exchange.answer(200, b"<!doctype html>", {"Content-Type": "text/html"}),
        "/broken.png": lambda exchange: exchange.answer(200, PICTURE[:-40], {"Content-Type": "image/png"}),
    }
    with LoopbackServer(routes) as running:
        yield [running.url(path) for path in [*routes, "/car.png", "/car.png", "/nothing.png"]]


@pytest.fixture(scope="module")
def app(tiny_model):
    environ = {"MODEL_DIR": str(tiny_model), "THREADS": str(THREADS), "MAX_PIXELS": "1000000"}
    return build(environ | {"ALLOW_PRIVATE_ADDRESSES": "true", "ALLOWED_URL_PORTS": "*"})


@pytest.fixture(scope="module")
def address(app):
    """Where the service runs."""
    with served(app) as address:
        yield address


@pytest.fixture(scope="module")
def description(address):
    """What the running service says of itself."""
    connection = http.client.HTTPConnection(address.removeprefix("http://").rstrip("/"), timeout=30)
    connection.request("GET", "/openapi.json")
    response = connection.getresponse()
    content = response.read()
    connection.close()
    assert (response.status, response.getheader("Content-Type")) == (200, "application/json")
    return json.loads(content)


@pytest.fixture(scope="module")
def api(address, description):
    """The description as Schemathesis reads it, except that an answer may have nothing that is not described.

    And JSON is what POST says it is, also as an answer to GET.
    """
    import schemathesis

    strict = copy.deepcopy(description)
    for schema in strict["components"]["schemas"].values():
        if schema["type"] == "object":
            schema["additionalProperties"] = False
    answers = [strict["paths"]["/detector"][method]["responses"]["200"]["content"] for method in ("get", "post")]
    answers[0]["application/json"]["schema"] = answers[1]["application/json"]["schema"]
    config = schemathesis.Config.from_dict(
        {
            "base-url": urljoin(f"{address}openapi.json", description["servers"][0]["url"]).rstrip("/"),
            "checks": {"not_a_server_error": {"expected-statuses": sorted(STATUSES)}},
        }
    )
    return schemathesis.openapi.from_dict(strict, config=config)


def checks():
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as conformance

    return [
        not_a_server_error,
        conformance.status_code_conformance,
        conformance.content_type_conformance,
        conformance.response_headers_conformance,
        conformance.response_schema_conformance,
    ]


def kept_here(case, pictures):
    """The case with its addresses on loopback, and every second of what chance hardly finds put right."""
    parts = [part for part in (case.query, case.body) if isinstance(part, dict)]
    for part in parts:
        part.update({name: RIGHT[name] for name in RIGHT.keys() & part.keys() if chosen(part[name]) % 2})
        for name in {"url", "input_url"} & part.keys():
            if "//" in str(part[name]):
                part[name] = pictures[chosen(part[name]) % len(pictures)]
        if chosen(part.get("image")) % 2 and "image" in part:
            part["image"] = PICTURE if case.media_type == "multipart/form-data" else IN_BASE64
    if len(parts) == len({"query", "body"}) and chosen(parts) % 2:
        case.query = {}  # an option in both is an error
    if case.method == "POST" and not isinstance(case.body, dict | list) and chosen(case.body) % 2:
        case.body = PICTURE
    return case


def chosen(value):
    """A number that belongs to a value, the same in every run."""
    return zlib.crc32(repr(value).encode())


@pytest.mark.parametrize(("method", "path", "mode"), REQUESTS)
def test_answers_are_as_described(api, pictures, method, path, mode):
    from schemathesis import GenerationMode

    cases = api[path][method].as_strategy(generation_mode=GenerationMode(mode))

    @hypothesis.settings(
        max_examples=MAX_EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=cases)
    def drive(case):
        kept_here(case, pictures).call_and_validate(checks=checks(), timeout=30)

    drive()


def examples(operation):
    """What the description shows of a request: its query, and each body with its media type."""
    query = {one["name"]: one["example"] for one in operation.get("parameters", ()) if "example" in one}
    query = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in query.items()}
    if "requestBody" not in operation:
        return [{"query": query}]
    content = operation["requestBody"]["content"].items()
    bodies = [(kind, one["value"]) for kind, media in content for one in media.get("examples", {}).values()]
    bodies += [(kind, media["example"]) for kind, media in content if "example" in media]
    return [{"query": query, "body": PICTURE, "media_type": "image/png"}] + [
        {"body": body, "media_type": kind} for kind, body in bodies
    ]


@pytest.mark.parametrize(("method", "path"), [("get", "/detector"), ("post", "/detector")])
def test_the_examples_work(api, pictures, description, method, path):
    """Everyone's first request is one of them."""
    for example in examples(description["paths"][path][method]):
        case = api[path][method].Case(**copy.deepcopy(example))
        for part in (case.query, case.body):
            if isinstance(part, dict) and "url" in part:
                part["url"] = pictures[0]

        response = case.call_and_validate(checks=checks(), timeout=30)

        assert response.status_code == 200, (example, response.text)


def test_every_route_is_described_and_nothing_else(app, description):
    described = set()
    for path, methods in description["paths"].items():
        names = next((p["schema"]["enum"] for p in methods["get"].get("parameters", ()) if p["in"] == "path"), [""])
        described |= {(path.replace("{name}", name), method.upper()) for name in names for method in methods}

    assert described == {(path, method) for path, methods in app.routes.items() for method in methods}
