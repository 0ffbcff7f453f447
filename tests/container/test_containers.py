"""The image answers under `sam local` and under `docker run` as Lambda runs it."""

from __future__ import annotations

import base64
import io
import json
import re
from urllib.parse import urlencode

import pytest
from PIL import Image

from tests.container.conftest import ROOT, SAM, SAMPLES, TO_HOST, as_lambda_runs, get, run

EVENTS = sorted(path.stem for path in (ROOT / "events").glob("*.json"))


def detector(api, **query):
    return get(f"{api}/detector?{urlencode(query)}")


def test_start_api_answers_with_the_annotated_picture(api, pictures):
    status, headers, body = detector(api, url=f"{pictures}/cat.jpg", n=5)
    assert (status, headers["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(body)) as annotated, Image.open(SAMPLES / "cat.jpg") as source:
        assert annotated.size == source.size
    assert int(headers["X-Detection-Count"]) == len(json.loads(headers["X-Detections"]))


def test_start_api_answers_with_json(api, pictures):
    status, headers, body = detector(api, url=f"{pictures}/cat.jpg", n=100, min_score=0, format="json")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    answer = json.loads(body)
    assert (answer["image"]["width"], answer["image"]["height"]) == (451, 300)
    assert answer["detections"]


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ({}, 400, "url"),
        ({"url": "https://example.com/x.jpg", "n": "abc"}, 400, "n"),
        ({"url": "file:///etc/passwd"}, 400, "url"),
    ],
)
def test_start_api_answers_bad_requests_with_a_problem(api, query, status, parameter):
    answered, headers, body = detector(api, **query)
    assert (answered, headers["Content-Type"]) == (status, "application/problem+json")
    assert json.loads(body)["parameter"] == parameter


def test_start_api_answers_unknown_paths_and_methods(api):
    assert get(f"{api}/nothing/here")[0] == 404
    status, headers, _ = get(f"{api}/labels", data=b"{}")
    assert status == 405
    assert "GET" in headers["Allow"]


def test_start_api_serves_the_page(api):
    status, headers, body = get(f"{api}/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert body.startswith(b"<!doctype html>")


def test_start_api_takes_a_picture_as_base64_in_json(api):
    picture = base64.b64encode((SAMPLES / "cat.jpg").read_bytes()).decode()
    document = json.dumps({"image": picture, "n": 2}).encode()
    status, headers, body = get(f"{api}/detector", {"Content-Type": "application/json"}, document)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body)["image"]["width"] == 451


def test_start_api_names_the_status_of_a_failing_server(api, pictures):
    status, _, body = detector(api, url=f"{pictures}/missing.jpg")
    assert (status, json.loads(body)["upstream_status"]) == (502, 404)


def test_start_api_refuses_what_is_no_picture(api, pictures):
    assert detector(api, url=f"{pictures}/README.md")[0] == 415


def test_private_addresses_are_blocked_as_deployed(built):
    answer = invoke(built, built / "events" / "bad-url.json")
    assert answer["statusCode"] == 403


@pytest.mark.parametrize("name", EVENTS)
def test_each_event_file_is_answered_by_local_invoke(built, pictures, open_environment, tmp_path, name):
    event = (ROOT / "events" / f"{name}.json").read_text()
    if name != "bad-url":
        event = re.sub(r"https://upload[^\"\\\\]+", f"{pictures}/cat.jpg", event)
    file = tmp_path / "event.json"
    file.write_text(event)
    answer = invoke(built, file, "--env-vars", open_environment)
    if name == "invoke":  # no gateway around it: the result as it is
        assert answer["detections"]
    else:  # with private addresses allowed, nobody listens at the bad one
        assert answer["statusCode"] in ({200} if name != "bad-url" else {502, 504})


def invoke(project, event, *options):
    done = run(SAM, "local", "invoke", "Recognizer", "--event", event, "--add-host", TO_HOST, *options, cwd=project)
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module", params=["tensorflow", "litert"])
def lambda_like(request, built, tmp_path_factory):
    """An engine, and the address of its image run as Lambda runs it: read-only, unprivileged, one CPU, 1,769 MB."""
    engine = request.param
    if engine == "litert":
        run(SAM, "build", "--parameter-overrides", "Engine=litert", cwd=built)
    log = tmp_path_factory.mktemp("docker") / "log"
    settings = ("-e", "ALLOW_PRIVATE_ADDRESSES=true", "-e", "ALLOWED_URL_PORTS=*", "--add-host", TO_HOST)
    with as_lambda_runs(f"recognizer:{engine}", log, *settings) as address:
        yield engine, address


def test_image_runs_read_only_and_unprivileged(lambda_like, pictures):
    event = (ROOT / "events" / "get-image.json").read_text()
    url = json.loads(event)["queryStringParameters"]["url"]
    _, address = lambda_like
    _, _, body = get(address, data=event.replace(url, f"{pictures}/astronaut.jpg").encode())
    answer = json.loads(body)
    assert answer["statusCode"] == 200
    with Image.open(io.BytesIO(base64.b64decode(answer["body"]))) as annotated:
        assert annotated.size == (512, 512)


def test_image_carries_nothing_that_it_does_not_need(lambda_like):
    engine, _ = lambda_like
    done = run("docker", "run", "--rm", "--entrypoint", "sh", f"recognizer:{engine}", "-c", "ls; pip list")
    assert "model_build" not in done.stdout
    assert {"tensorflow": "tensorflow-hub", "litert": "tensorflow"}[engine] not in done.stdout.replace("_", "-")
