"""The local server: real HTTP becomes the events that API Gateway makes, and answers become HTTP."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from recognizer.http import gateway, payload_v2
from werkzeug.serving import WSGIRequestHandler, make_server

from local.gateway import Context, Gateway
from local.visitors import Visitors
from tests.conftest import ROOT, on_loopback

pytestmark = on_loopback

EVERY_BYTE = bytes(range(256))
START_TIMEOUT_S = 120


class Quiet(WSGIRequestHandler):
    """Answers without a word."""

    def log(self, *_):
        """See WSGIRequestHandler."""


class Served:
    """A gateway on loopback in front of a handler that notes its events and answers as the test wants."""

    def __init__(self):
        self.events, self.contexts = [], []
        self.answer = {"statusCode": 200, "headers": {"Content-Type": "text/plain"}, "body": "hello"}
        self.lines = []
        served = Gateway(self._handle, Visitors("127.0.0.1"), say=self.lines.append)
        self._server = make_server("127.0.0.1", 0, served, threaded=True, request_handler=Quiet)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def _handle(self, event, context):
        self.events.append(event)
        self.contexts.append(context)
        return self.answer(event) if callable(self.answer) else self.answer

    def ask(self, path, method="GET", body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response, content

    def event_of(self, *request, **options):
        self.ask(*request, **options)
        return self.events[-1]

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def served():
    running = Served()
    yield running
    running.close()


def test_a_request_becomes_an_event_that_the_service_knows(served):
    assert gateway.format_of(served.event_of("/detector?url=x")) is payload_v2


def test_an_event_has_the_method_path_and_address(served):
    event = served.event_of("/some/path?a=1")

    assert (event["rawPath"], event["rawQueryString"]) == ("/some/path", "a=1")
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


def test_query_parameters_are_percent_decoded_once(served):
    event = served.event_of("/detector?url=https%3A%2F%2Fexample.com%2Fa%2520b.jpg%3Fx%3D1%26y%3D2&include=caf%C3%A9")

    assert event["queryStringParameters"] == {"url": "https://example.com/a%20b.jpg?x=1&y=2", "include": "café"}


def test_repeated_query_parameters_are_joined_by_commas(served):
    assert served.event_of("/?include=Dog&include=Cat&n=1")["queryStringParameters"] == {"include": "Dog,Cat", "n": "1"}


def test_an_empty_query_parameter_is_there(served):
    assert served.event_of("/?url=")["queryStringParameters"] == {"url": ""}


def test_without_a_query_there_is_none(served):
    assert "queryStringParameters" not in served.event_of("/detector")


def test_header_names_are_in_lower_case(served):
    assert served.event_of("/", headers={"X-Some-Header": "Value"})["headers"]["x-some-header"] == "Value"


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8", "text/plain"])
def test_a_text_body_is_passed_on_as_text(served, media_type):
    body = '{"url": "https://example.com/é.jpg"}'

    event = served.event_of("/", "POST", body.encode(), {"Content-Type": media_type})

    assert (event["body"], event["isBase64Encoded"]) == (body, False)


@pytest.mark.parametrize("media_type", ["image/png", "application/octet-stream", "multipart/form-data; boundary=x"])
def test_any_other_body_is_passed_on_as_base64(served, media_type):
    event = served.event_of("/", "POST", EVERY_BYTE, {"Content-Type": media_type})

    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == EVERY_BYTE


def test_without_a_body_there_is_none(served):
    event = served.event_of("/")

    assert "body" not in event
    assert event["isBase64Encoded"] is False


def test_each_request_has_an_id_of_its_own(served):
    for _ in range(2):
        served.ask("/")

    assert len({context.aws_request_id for context in served.contexts}) == 2


def test_a_binary_answer_arrives_as_its_bytes(served):
    served.answer = {
        "statusCode": 200,
        "headers": {"Content-Type": "image/png"},
        "body": base64.b64encode(EVERY_BYTE).decode(),
        "isBase64Encoded": True,
    }

    response, content = served.ask("/")

    assert (response.getheader("Content-Type"), content) == ("image/png", EVERY_BYTE)


def test_a_text_answer_arrives_as_utf_8(served):
    served.answer = {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": '"é猫"'}

    assert served.ask("/")[1].decode() == '"é猫"'


def test_status_and_headers_arrive(served):
    served.answer = {"statusCode": 405, "headers": {"Allow": "GET, OPTIONS", "X-Other": "1"}, "body": ""}

    response, content = served.ask("/")

    assert (response.status, response.getheader("Allow"), response.getheader("X-Other")) == (405, "GET, OPTIONS", "1")
    assert content == b""


def test_an_answer_without_body_and_headers_arrives(served):
    served.answer = {"statusCode": 204}

    assert served.ask("/")[0].status == 204


def test_several_requests_are_answered_at_once(served):
    together = threading.Barrier(3, timeout=30)

    def answer(event):
        together.wait()
        return {"statusCode": 200, "body": event["rawPath"]}

    served.answer = answer
    with ThreadPoolExecutor(3) as pool:
        bodies = [content for _, content in pool.map(served.ask, ["/a", "/b", "/c"])]

    assert bodies == [b"/a", b"/b", b"/c"]


def test_a_handler_can_ask_how_much_time_it_has_left():
    before, started_long_ago = Context(), Context(_started_s=time.monotonic() - 3600)

    assert 0 < before.get_remaining_time_in_millis() <= 29_000
    assert started_long_ago.get_remaining_time_in_millis() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    ],
)
def test_other_pages_are_refused_in_words_that_they_may_read(served, headers):
    served.answer = pytest.fail

    response, content = served.ask("/detector?url=http://192.168.0.1/", headers=headers)

    assert (response.status, response.getheader("Content-Type")) == (403, "application/problem+json")
    assert response.getheader("Access-Control-Allow-Origin") == "*"
    problem = json.loads(content)
    assert (problem["status"], problem["type"]) == (403, "urn:problem-type:recognizer:address-not-allowed")
    assert "ALLOW_PRIVATE_ADDRESSES=false" in problem["detail"]


def test_each_request_is_a_line_without_its_query(served):
    served.answer = {"statusCode": 200, "headers": {"X-Detection-Count": "2"}, "body": ""}

    served.ask("/detector?url=https://example.com/?secret=1")
    served.ask("/", headers={"Host": "evil.example"})

    assert re.fullmatch(r"GET /detector 200 \d+ ms 2 objects", served.lines[0])
    assert re.fullmatch(r"GET / 403 \d+ ms Address not allowed", served.lines[1])


def test_a_body_that_lambda_would_not_take_is_told_so(served):
    served.answer = pytest.fail

    response, content = served.ask("/detector", "POST", b"x" * 5_000_000, {"Content-Type": "image/jpeg"})

    assert (response.status, response.getheader("Content-Type")) == (413, "application/problem+json")
    assert b"6 MB" in content
    assert response.getheader("Access-Control-Allow-Origin") == "*"


# The command


def free_port():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return reserved.getsockname()[1]


class Command:
    """``python -m local`` in a process of its own, its output read as it comes."""

    def __init__(self, **environ):
        # A shell's background job ignores SIGINT, and so would its children.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local"],
                cwd=ROOT,
                env={**os.environ, "THREADS": "2", **environ},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        self.output = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.output += line

    def waits_for(self, text):
        """Whether the text was printed before the process ended or its time was up."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while text not in self.output and self._reader.is_alive() and time.monotonic() < deadline_s:
            self._reader.join(0.05)
        return text in self.output

    def ends(self):
        """The exit code."""
        code = self.process.wait(START_TIMEOUT_S)
        self._reader.join(START_TIMEOUT_S)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.ends()
        self.process.stdout.close()


@pytest.fixture
def command():
    started = []

    def start(**environ):
        started.append(Command(**environ))
        return started[-1]

    yield start
    for running in started:
        running.close()


def test_it_serves_says_what_to_try_and_ends_at_an_interrupt(command, tiny_model):
    port = free_port()
    server = command(PORT=str(port), MODEL_DIR=str(tiny_model))

    assert server.waits_for("Ctrl-C"), server.output
    assert f"http://127.0.0.1:{port}/" in server.output
    tip = re.search(r"^ +curl .*'(http://[^']+)'$", server.output, re.MULTILINE)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", tip[1].partition(str(port))[2])
    response = connection.getresponse()
    assert (response.status, response.getheader("Content-Type")) == (200, "image/jpeg")
    assert response.read().startswith(b"\xff\xd8")
    connection.close()
    assert server.waits_for("/samples/cat.jpg 200"), server.output
    assert server.waits_for("GET /detector 200"), server.output  # it is said after the answer has gone
    assert re.search(r"^GET /detector 200 \d+ ms \d+ objects?$", server.output, re.MULTILINE), server.output
    assert not re.search(r"^{|InitializeLog|oneDNN", server.output, re.MULTILINE), server.output

    server.process.send_signal(signal.SIGINT)

    assert server.ends() == 0
    assert "Traceback" not in server.output


def test_a_fallback_model_is_pointed_out(command, tiny_model, tmp_path):
    for path in tiny_model.iterdir():
        (tmp_path / path.name).symlink_to(path)
    facts = json.loads((tiny_model / "model.json").read_text(encoding="utf-8"))
    (tmp_path / "model.json").unlink()
    (tmp_path / "model.json").write_text(json.dumps(facts | {"fallback": True}), encoding="utf-8")
    server = command(PORT=str(free_port()), MODEL_DIR=str(tmp_path))

    assert server.waits_for("Ctrl-C"), server.output
    assert server.output.count("fallback") == server.output.count("WARNING: this is the fallback") == 1


def test_the_log_can_be_json(command, tiny_model):
    port = free_port()
    server = command(PORT=str(port), MODEL_DIR=str(tiny_model), LOG="json")
    assert server.waits_for("Ctrl-C"), server.output

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()

    assert server.waits_for('"duration_ms"'), server.output
    records = [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]
    assert [record["status"] for record in records] == [200]
    assert "GET /health" not in server.output


def test_without_private_addresses_any_page_may_ask(command, tiny_model):
    port = free_port()
    server = command(PORT=str(port), MODEL_DIR=str(tiny_model), ALLOW_PRIVATE_ADDRESSES="false")
    assert server.waits_for("Ctrl-C"), server.output

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/health", headers={"Origin": "https://example.com", "Host": "example.com"})
    assert connection.getresponse().status == 200
    connection.close()


def test_a_port_that_is_taken_is_said_at_once_with_another_to_take(command):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = command(PORT=str(port), MODEL_DIR="nowhere")

        assert server.ends() == 1
    assert f"another program has port {port}; take another one: make run PORT={port % 65535 + 1}" in server.output
    assert "Traceback" not in server.output


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("THREADS", "many", "THREADS"),
        ("MODEL_DIR", "nowhere", "make model"),
        ("HOST", "203.0.113.1", "HOST=203.0.113.1"),
        ("LOG", "xml", "LOG is 'xml'"),
    ],
)
def test_what_cannot_start_says_why_and_fails(command, variable, value, said):
    server = command(**{"PORT": str(free_port()), variable: value})

    assert server.ends() == 1
    assert said in server.output
    assert "Traceback" not in server.output
