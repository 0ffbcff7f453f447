"""The tools of the Model Context Protocol, called by its own client, see what ``/detector`` sees."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import pytest
from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp.shared.exceptions import MCPError
from PIL import Image, ImageChops
from recognizer.build import build

from tests.compat.asking import HOSTILE, ask, detections
from tests.functional.serving import environment, served

TOOLS = ("detect", "crop", "blur")
BOTH = {"Accept": "application/json, text/event-stream"}
# Each way in which its clients speak: a handshake first, or every request for itself.
MODES = ("legacy", "auto")
VERSIONS = {"legacy": "2025-11-25", "auto": "2026-07-28"}


@pytest.fixture(scope="module", params=MODES)
def mode(request):
    return request.param


def talk(address, mode, conversation, **headers):
    """What a conversation with the served tools came to."""

    async def run():
        async with create_mcp_http_client(headers=headers) as http:
            transport = streamable_http_client(f"{address}mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                return await conversation(client)

    with ThreadPoolExecutor(max_workers=1) as apart:  # tests in a browser leave their event loop running in this one
        return apart.submit(asyncio.run, run()).result()


def call(address, mode, name, **arguments):
    return talk(address, mode, lambda client: client.call_tool(name, arguments))


def picture_in(result):
    (shown,) = [block for block in result.content if block.type == "image"]
    file = Image.open(io.BytesIO(base64.b64decode(shown.data)))
    assert Image.MIME[file.format] == shown.mime_type
    return file.convert("RGB")


def drawn(app, picture, **query):
    """What ``/detector`` makes of a picture."""
    answer = ask(app, "/detector", picture, query={**query, "format": "image"}, Content_Type="image/png")
    return Image.open(io.BytesIO(answer.body)).convert("RGB")


def same(one, other):
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


def message(method, params=None, id_=1):
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params or {}}


def test_a_client_learns_which_tools_there_are(address, mode):
    async def conversation(client):
        return client.protocol_version, client.server_info.name, await client.list_tools()

    version, name, listed = talk(address, mode, conversation)
    assert (version, name) == (VERSIONS[mode], "recognizer")
    assert tuple(tool.name for tool in listed.tools) == TOOLS
    for tool in listed.tools:
        assert tool.description
        assert tool.annotations.read_only_hint
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)


def test_detect_answers_what_the_detector_does_and_the_picture(address, mode, app, noise, url):
    result = call(address, mode, "detect", url=url, n=100, min_score=0.3)

    assert not result.is_error
    assert result.structured_content["detections"] == detections(app, noise, n="100", min_score="0.3")
    assert json.loads(result.content[0].text) == result.structured_content
    assert same(picture_in(result), drawn(app, noise, n="100", min_score="0.3"))
    assert not same(picture_in(result), Image.open(io.BytesIO(noise)))


def test_every_tool_answers_by_its_schema(address, mode, url):
    async def conversation(client):
        listed = await client.list_tools()
        return [(tool, await client.call_tool(tool.name, {"url": url})) for tool in listed.tools]

    for tool, result in talk(address, mode, conversation):
        jsonschema.validate(result.structured_content, tool.output_schema)


def test_crop_cuts_out_the_best_object_of_a_kind(address, mode, app, noise, url):
    wanted = detections(app, noise, n="100")[-1]["label"]
    (best,) = detections(app, noise, n="1", include=wanted)
    result = call(address, mode, "crop", url=url, include=[wanted])

    assert result.structured_content["detections"] == [best]
    box = best["box"]
    cut = Image.open(io.BytesIO(noise)).crop((box["xmin"], box["ymin"], box["xmax"], box["ymax"]))
    assert same(picture_in(result), cut)


def test_blur_hides_what_the_detector_hides(address, mode, app, noise, url):
    result = call(address, mode, "blur", url=url, n=1)

    assert result.structured_content["detections"] == detections(app, noise, n="1")
    assert same(picture_in(result), drawn(app, noise, n="1", draw="blur"))
    assert not same(picture_in(result), Image.open(io.BytesIO(noise)))


def test_blur_hides_all_where_nobody_says_how_many(address, mode, app, noise, url):
    result = call(address, mode, "blur", url=url)

    assert result.structured_content["detections"] == detections(app, noise, n="100")
    assert len(result.structured_content["detections"]) > 3


def test_a_picture_can_be_sent(address, mode, app, noise):
    result = call(address, mode, "detect", image=base64.b64encode(noise).decode())

    assert result.structured_content["detections"] == detections(app, noise)


@pytest.mark.parametrize(
    ("name", "arguments", "named"),
    [
        ("detect", {}, "url"),
        ("detect", {"url": "ftp://example.com/a.jpg"}, "http"),
        ("detect", {"url": "http://127.0.0.1:9/a.jpg", "n": 101}, "100"),
        ("detect", {"image": base64.b64encode(b"no picture").decode()}, "picture"),
        ("detect", {"url": "http://127.0.0.1:9/a.jpg", "include": ["Bycicle"]}, "Bicycle"),
        ("detect", {"url": "http://127.0.0.1:9/a.jpg", "draw": "blur"}, "draw"),
        ("crop", {"url": "http://127.0.0.1:9/a.jpg", "n": 2}, "n"),
        ("blur", {"url": "http://127.0.0.1:9/a.jpg"}, "No connection"),
    ],
    ids=str,
)
def test_what_can_be_mended_is_a_result_that_says_how(address, mode, name, arguments, named):
    result = call(address, mode, name, **arguments)

    assert result.is_error
    assert named in result.content[0].text


def test_a_tool_that_is_none_is_the_protocols_error(address, mode):
    async def conversation(client):
        with pytest.raises(MCPError, match="detect, crop, blur"):
            await client.call_tool("segment", {})

    talk(address, mode, conversation)


def test_the_key_is_a_bearers(tiny_model, mode):
    digest = hashlib.sha256(b"one-key").hexdigest()
    app = build(environment(tiny_model, COMPAT="mcp", ACCESS="KEY", ACCESS_KEY_SHA256=digest))
    with served(app) as address:
        listed = talk(address, mode, lambda client: client.list_tools(), Authorization="Bearer one-key")
        assert len(listed.tools) == len(TOOLS)
    refused = ask(app, "/mcp", message("tools/list"), **BOTH)
    assert (refused.status, refused.json["jsonrpc"], refused.json["id"]) == (401, "2.0", None)
    assert refused.json["error"]["message"]
    assert "www-authenticate" in refused.headers


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_there_is_no_stream_and_no_session(app, method):
    answer = ask(app, "/mcp", method=method, Accept="text/event-stream")

    assert (answer.status, answer.headers["allow"]) == (405, "POST, OPTIONS")


def test_a_notification_is_taken(app):
    answer = ask(app, "/mcp", {"jsonrpc": "2.0", "method": "notifications/initialized"}, **BOTH)

    assert (answer.status, answer.body) == (202, b"")
    assert "mcp-session-id" not in answer.headers


def test_what_goes_wrong_inside_stays_there(tiny_model, monkeypatch, noise):
    app = build(environment(tiny_model, COMPAT="mcp"))

    def broken(*_):
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr(type(app._pipeline), "run", broken)
    picture = {"image": base64.b64encode(noise).decode()}
    answer = ask(app, "/mcp", message("tools/call", {"name": "detect", "arguments": picture}), **BOTH)

    assert (answer.status, answer.json["error"]["code"]) == (500, -32603)
    assert b"secret" not in answer.body


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
@pytest.mark.parametrize("place", ["jsonrpc", "id", "method", "params", "name", "arguments", "_meta", "url", "include"])
@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28", "1999-01-01"])
def test_no_value_breaks_it(app, noise, place, value, version):
    arguments = {"image": base64.b64encode(noise).decode(), **({place: value} if place in {"url", "include"} else {})}
    params = {
        "name": "detect",
        "arguments": arguments,
        **({place: value} if place in {"name", "arguments", "_meta"} else {}),
    }
    sent = message("tools/call", params) | ({place: value} if place in {"jsonrpc", "id", "method", "params"} else {})
    answer = ask(app, "/mcp", sent, **BOTH, Mcp_Protocol_Version=version)

    assert answer.status in {200, 202, 400, 404}
    if answer.status != 202:
        assert answer.json["jsonrpc"] == "2.0"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'"', b"[" * 100_000, b"null"], ids=repr)
@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
def test_no_body_breaks_it(app, body, version):
    answer = ask(app, "/mcp", body, **BOTH, Content_Type="application/json", Mcp_Protocol_Version=version)

    assert (answer.status, answer.json["jsonrpc"]) == (400, "2.0")


@pytest.mark.parametrize("headers", [{}, {"Accept": "text/html"}, BOTH, {"X_Odd": "\N{SNOWMAN}\ud800"}], ids=str)
def test_the_answer_is_json_whatever_would_be_taken(app, headers):
    answer = ask(app, "/mcp", message("tools/list"), **headers)

    assert (answer.status, answer.media_type) == (200, "application/json")
    assert len(answer.json["result"]["tools"]) == len(TOOLS)


def test_a_body_that_is_not_said_to_be_json_is_refused(app):
    answer = ask(app, "/mcp", json.dumps(message("tools/list")).encode(), Content_Type="text/plain")

    assert (answer.status, answer.json["error"]["code"]) == (415, -32600)


def test_it_answers_within_an_event_loop_of_the_callers(app):
    async def asked():
        return ask(app, "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, **BOTH)

    with ThreadPoolExecutor(max_workers=1) as apart:
        answer = apart.submit(asyncio.run, asked()).result()

    assert [tool["name"] for tool in answer.json["result"]["tools"]] == list(TOOLS)
