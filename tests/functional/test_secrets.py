"""Secrets sent everywhere never come out: not in answers, not in logs, not at the picture's server.

The service runs as a process of its own, so that all it says anywhere is read: records, metrics, tracebacks, and what
its workers and libraries write. Each place has a secret of its own, which tells where a leak comes from.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass

import pytest
from PIL import Image, PngImagePlugin

from tests.conftest import ROOT, on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import VERSIONS, event, reply
from tests.unit.pictures.files import READABLE, WITH_EXIF, srgb

pytestmark = on_loopback

PLACES = (
    *(
        "environment",
        "header",
        "key",
        "origin",
        "user",
        "password",
        "path",
        "query",
        "fragment",
        "metadata",
        "trailing",
        "body",
    ),
    *("upstream_header", "upstream_body", "upstream_reason", "redirect"),
)
SECRETS = {place: f"s3cr3t{number:02d}{place.replace('_', '')}" for number, place in enumerate(PLACES)}
OF_THE_CLIENTS_URL = {"user", "password", "path", "query", "fragment"}

_SERVICE = """
import json, sys
import handler
class Context: aws_request_id = "request"
answers = [handler.lambda_handler(event, Context()) for event in json.load(sys.stdin)]
with open(sys.argv[1], "w") as file:
    json.dump(answers, file)
"""


def forms(secret):
    """A secret as it is, and as it looks where it was passed through base64 or hexadecimal digits."""
    encoded = [base64.b64encode(bytes(shift) + secret.encode())[4:-4] for shift in range(3)]
    return [secret.encode(), secret.encode().hex().encode(), *encoded]


def leaks(said, places=PLACES):
    return [place for place in places if any(form in said for form in forms(SECRETS[place]))]


def picture(image_format):
    """A picture with secrets in all the metadata that its format has, and behind its end."""
    secret = SECRETS["metadata"]
    exif = Image.Exif()
    exif[0x010E] = secret  # ImageDescription
    exif.get_ifd(0x8825)[0x001D] = secret  # GPSDateStamp
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", secret)
    texts.add_itxt("XML:com.adobe.xmp", f"<x>{secret}</x>")
    options = {
        "JPEG": {"comment": secret, "xmp": f"<x>{secret}</x>".encode()},
        "PNG": {"pnginfo": texts},
        "GIF": {"comment": secret.encode()},
        "WEBP": {"xmp": f"<x>{secret}</x>".encode()},
        "AVIF": {"xmp": f"<x>{secret}</x>".encode()},
        "TIFF": {"tiffinfo": {270: secret, 315: secret, 700: secret.encode()}},
    }.get(image_format, {})
    if image_format in WITH_EXIF and image_format != "TIFF":
        profile = f"<script>{secret}</script>".encode() if image_format == "PNG" else srgb()
        options |= {"exif": exif, "icc_profile": profile}
    image = Image.new("RGB", (320, 240))
    image.paste("red", (80, 60, 200, 150))
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue() + SECRETS["trailing"].encode()


def fails(status):
    def route(exchange):
        exchange.send_response(status, SECRETS["upstream_reason"])
        exchange.send_header("X-Internal", SECRETS["upstream_header"])
        exchange.send_header("Set-Cookie", f"session={SECRETS['upstream_header']}")
        body = SECRETS["upstream_body"].encode()
        exchange.send_header("Content-Length", str(len(body)))
        exchange.end_headers()
        exchange.wfile.write(body)

    return route


def redirects(location):
    return lambda exchange: exchange.answer(302, SECRETS["upstream_body"].encode(), {"Location": location})


def answers(body):
    header = {"X-Internal": SECRETS["upstream_header"], "Content-Type": f"image/{SECRETS['upstream_header']}"}
    return lambda exchange: exchange.answer(200, body, header)


def routes():
    lost = f"/{SECRETS['redirect']}?{SECRETS['redirect']}"
    made = {
        **{name: answers(picture(name)) for name in READABLE},
        "half": answers(picture("PNG")[:300]),
        "page": answers(f"<!doctype html><title>{SECRETS['upstream_body']}</title>".encode()),
        "text": answers(SECRETS["upstream_body"].encode()),
        **{f"fails-{status}": fails(status) for status in (401, 404, 500)},
        "lost": redirects(lost),
        "away": redirects(f"ftp://{SECRETS['redirect']}@127.0.0.1{lost}"),
        "private": redirects(f"http://{SECRETS['redirect']}:{SECRETS['redirect']}@10.255.255.1:1{lost}"),
        "closed": redirects(f"http://127.0.0.1:{closed_port()}{lost}"),
        "malformed": redirects(f"http://[{SECRETS['redirect']}"),
        "hangs-up": lambda exchange: exchange.hang_up(),
    }
    return {f"/{SECRETS['path']}/{name}": route for name, route in made.items()}


def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def events(server):
    named = ("Cookie", "X-Api-Key", "Referer", "User-Agent", "X-Forwarded-For", "X-Amz-Token")
    headers = dict.fromkeys(named, SECRETS["header"])
    headers |= {"Authorization": f"Bearer {SECRETS['key']}", "X-Origin-Secret": SECRETS["origin"]}
    tail = f"?token={SECRETS['query']}#{SECRETS['fragment']}"
    user = f"http://{SECRETS['user']}:{SECRETS['password']}@"
    urls = [server.url(path) + tail for path in server.routes]
    urls += [server.url("/nothing") + tail, server.url("/").replace("http://", user) + tail]
    for version, url, format_ in itertools.product(VERSIONS, urls, ("image", "json")):
        yield event(version, query={"url": url, "format": format_}, headers=headers)
    for name in READABLE:
        yield posted(picture(name), "image/x", headers)
    yield posted(f'{{"image": "{SECRETS["body"]}"}}'.encode(), "application/json", headers)
    yield posted(f'{{"url": {{"{SECRETS["body"]}'.encode(), "application/json", headers)
    yield posted(SECRETS["body"].encode(), "image/png", headers)
    for wrong in ({"Authorization": f"Bearer {SECRETS['header']}"}, {"X-Origin-Secret": SECRETS["header"]}):
        yield event(query={"url": urls[0]}, headers=headers | wrong)


def posted(body, media_type, headers):
    made = event(method="POST", headers=headers | {"Content-Type": media_type})
    return made | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


@dataclass(frozen=True)
class Said:
    """All that came out of the service."""

    replies: list
    logged: bytes
    asked_upstream: list


@pytest.fixture(scope="module")
def said(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("secrets")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "src" / "Recognizer"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MODEL_DIR": str(tiny_model),
        "ALLOW_PRIVATE_ADDRESSES": "true",
        "ALLOWED_URL_PORTS": "*",
        "DOWNLOAD_TIMEOUT": "1",
        "POWERTOOLS_LOG_LEVEL": "DEBUG",
        "ACCESS": "KEY",
        "ACCESS_KEY_SHA256": hashlib.sha256(SECRETS["key"].encode()).hexdigest(),
        "ORIGIN_SECRET": SECRETS["origin"],
        "POWERTOOLS_TRACE_DISABLED": "true",
        **dict.fromkeys(("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "DATABASE_URL"), SECRETS["environment"]),
    }
    with LoopbackServer({}) as server:
        server.routes.update(routes())
        sent = list(events(server))
        done = subprocess.run(
            [sys.executable, "-c", _SERVICE, str(folder / "answers")],
            input=json.dumps(sent).encode(),
            env=environment,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        replies = [reply(answer) for answer in json.loads((folder / "answers").read_text(encoding="utf-8"))]
        upstream = [f"{asked.path}\n{asked.headers}".encode() for asked in server.requests]
    return Said(replies, done.stdout + done.stderr, upstream)


def test_what_is_sent_reaches_every_end(said):
    """Answers of every kind, a record of each, and requests to the picture's server: there was something to leak."""
    assert {answer.status for answer in said.replies} >= {200, 400, 401, 403, 415, 422, 502}
    assert said.logged.count(b'"message":"request"') == len(said.replies)
    assert len(said.asked_upstream) > 50
    assert leaks(b"\n".join(said.asked_upstream)) == ["path", "query", "redirect"]


def test_no_record_has_a_secret(said):
    assert leaks(said.logged) == []


def test_no_answer_has_a_secret_but_the_clients_own_address_in_json(said):
    for answer in said.replies:
        content = answer.body
        if answer.status == 200 and answer.media_type == "application/json":
            content = json.dumps(answer.json | {"image": answer.json["image"] | {"url": None}}).encode()
        told = json.dumps(answer.headers).encode() + content

        assert leaks(told) == [], (answer.status, answer.headers)


def test_the_clients_own_address_is_echoed_as_it_came(said):
    """Without this, the exception above would hide nothing."""
    echoed = [
        answer.json["image"]["url"] for answer in said.replies if answer.status == 200 and b'"url"' in answer.body
    ]

    assert any(leaks(str(url).encode(), OF_THE_CLIENTS_URL) for url in echoed)


@pytest.mark.parametrize("place", PLACES)
def test_a_leak_is_noticed_in_any_form(place):
    secret = SECRETS[place].encode()

    for form in (secret, secret.hex().encode(), *(base64.b64encode(b"x" * shift + secret) for shift in range(3))):
        assert leaks(b"before " + form + b" after") == [place]
