"""Addresses of models with secrets in them, and in S3: what is fetched, and what is left of the address afterwards."""

from __future__ import annotations

import hashlib
import logging
import tarfile

import pytest
from model_build.__main__ import main
from recognizer.build import build

from tests.conftest import THREADS, on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import Context, event, reply
from tests.functional.tiny_model import build_tiny_model

pytestmark = [on_loopback, pytest.mark.usefixtures("tiny_model")]  # it sets TensorFlow's threads before its first use

SECRETS = {"user": "us3r", "password": "p4ssw0rd", "query": "t0k3n", "fragment": "fr4gm3nt"}


def with_secrets(url):
    address = url.replace("://", "://{user}:{password}@") + "?token={query}#{fragment}"
    return address.format(**SECRETS)


def leaks(text):
    return [name for name, secret in SECRETS.items() if secret in text]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    with tarfile.open(folder / "1.tar.gz", "w:gz") as tar:
        tar.add(build_tiny_model(folder / "saved_model"), ".")
    return (folder / "1.tar.gz").read_bytes()


@pytest.fixture
def command(tmp_path, monkeypatch, caplog, capfd):
    """Runs the command; ``said()`` is all that it wrote anywhere."""
    for name in ("MODEL_URL", "MODEL_SHA256", "ENGINE"):
        monkeypatch.delenv(name, raising=False)
    caplog.set_level(logging.INFO)

    def run(*arguments):
        caplog.clear()
        return main([*map(str, arguments), "--output", str(run.output), "--cache", str(tmp_path / "cache")])

    run.output = tmp_path / "model"
    run.facts = lambda: (run.output / "model.json").read_text(encoding="utf-8")
    run.said = lambda: "".join([caplog.text, *capfd.readouterr()])
    return run


def test_secrets_of_an_address_reach_its_server_and_nobody_else(command, archive):
    with LoopbackServer({"/1.tar.gz": lambda exchange: exchange.answer(200, archive)}) as server:
        assert command("--url", with_secrets(server.url("/1.tar.gz"))) == 0
        (asked,) = server.requests
    assert asked.path == f"/1.tar.gz?token={SECRETS['query']}"
    assert asked.headers["Authorization"].startswith("Basic ")
    assert leaks(command.said()) == []
    written = [path for path in command.output.rglob("*") if path.is_file()]
    assert len(written) > 3
    assert not [path for path in written if leaks(path.read_bytes().decode("latin-1"))]
    assert f'"source": "{server.url("/1.tar.gz")}"' in command.facts()


def test_the_service_does_not_tell_them(command, archive):
    with LoopbackServer({"/1.tar.gz": lambda exchange: exchange.answer(200, archive)}) as server:
        command("--url", with_secrets(server.url("/1.tar.gz")))
    app = build({"MODEL_DIR": str(command.output), "THREADS": str(THREADS)})
    health = reply(app(event(path="/health"), Context()))

    assert health.json["model"]["name"] == "1"
    for path in ("/health", "/labels", "/openapi.json", "/"):
        assert leaks(app(event(path=path), Context())["body"]) == []


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_does_not_tell_them(command, status):
    with LoopbackServer({"/1.tar.gz": lambda exchange: exchange.answer(status, b"no")}) as server:
        assert command("--url", with_secrets(server.url("/1.tar.gz"))) == 1
    said = command.said()
    assert f"{server.url('/1.tar.gz')}: it answered {status}" in said
    assert leaks(said) == []


@pytest.mark.parametrize("host", ["127.0.0.1:1", "127.0.0.1:99999", "[::1", "nowhere.invalid", "-"])
def test_what_cannot_be_reached_does_not_tell_them(command, host):
    assert command("--url", with_secrets(f"http://{host}/1.tar.gz")) == 1
    said = command.said()
    assert "There is no model to build" in said
    assert leaks(said) == []


def test_a_wrong_redirect_does_not_tell_them(command):
    def away(exchange):
        exchange.answer(302, b"", {"Location": f"ftp://127.0.0.1/{SECRETS['query']}"})

    with LoopbackServer({"/1.tar.gz": away}) as server:
        assert command("--url", with_secrets(server.url("/1.tar.gz"))) == 1
    assert leaks(command.said()) == []


def test_a_model_whose_address_is_not_all_recorded_is_built_again(command, archive):
    """Else `…?version=2` would be answered with what `…?version=1` delivered."""
    with LoopbackServer({"/1.tar.gz": lambda exchange: exchange.answer(200, archive)}) as server:
        for version in "12":
            assert command("--keep", "--url", server.url(f"/1.tar.gz?version={version}")) == 0
        assert [asked.path[-1] for asked in server.requests] == ["1", "2"]


# In S3


@pytest.fixture
def s3(monkeypatch, archive):
    """A server that answers as S3 does; botocore is sent there."""

    def unless_known(exchange):
        is_known = exchange.headers.get("If-None-Match") == '"1"'
        exchange.answer(304 if is_known else 200, b"" if is_known else archive, {"ETag": '"1"'})

    refusal = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    routes = {
        "/bucket/models/1.tar.gz": unless_known,
        "/bucket/closed.tar.gz": lambda exchange: exchange.answer(403, refusal),
        "/bucket/half.tar.gz": half,
    }
    with LoopbackServer(routes) as server:
        settings = {
            "AWS_ENDPOINT_URL_S3": server.url("").rstrip("/"),
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "s3cr3tk3y",
            "AWS_SESSION_TOKEN": "s3ss10n",
            "AWS_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "HTTP_PROXY", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        yield server


def half(exchange):
    exchange.answer(200, b"x" * 1000, {"Content-Length": "2000"})
    exchange.hang_up()


def test_a_model_in_s3_is_fetched_signed_and_while_it_is_the_same_once(command, s3, archive):
    for _ in range(2):
        assert command("--url", "s3://bucket/models/1.tar.gz") == 0
    assert command("--url", "s3://bucket/models/1.tar.gz", "--sha256", hashlib.sha256(archive).hexdigest()) == 0
    asked, again = s3.requests
    assert (asked.headers["If-None-Match"], again.headers["If-None-Match"]) == (None, '"1"')
    assert "Credential=AKIDEXAMPLE/" in asked.headers["Authorization"]
    assert '"source": "s3://bucket/models/1.tar.gz"' in command.facts()
    assert hashlib.sha256(archive).hexdigest() in command.facts()
    assert not [secret for secret in ("s3cr3tk3y", "s3ss10n") if secret in command.said() + command.facts()]


def test_what_is_kept_of_s3_is_taken_where_s3_is_out_of_reach(command, s3, monkeypatch):
    assert command("--url", "s3://bucket/models/1.tar.gz") == 0
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    assert command("--url", "s3://bucket/models/1.tar.gz") == 0
    assert "what was fetched from there before is taken" in command.said()


@pytest.mark.parametrize(
    ("key", "words"), [("closed.tar.gz", "S3 answered AccessDenied"), ("half.tar.gz", "cannot be fetched")]
)
def test_what_s3_does_not_deliver_is_said(command, s3, key, words):
    assert command("--url", f"s3://bucket/{key}") == 1
    said = command.said()
    assert words in said
    assert "s3cr3tk3y" not in said
    assert not command.output.exists()


def test_another_digest_is_refused_and_fetched_again(command, s3):
    for _ in range(2):
        assert command("--url", "s3://bucket/models/1.tar.gz", "--sha256", "0" * 64) == 1
    assert len(s3.requests) == 2


def test_without_credentials_it_says_what_to_do(command, s3, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    assert command("--url", "s3://bucket/models/1.tar.gz") == 1
    said = command.said()
    assert "make model MODEL_URL=s3://" in said
    assert "presign" in said


@pytest.mark.parametrize(
    "address", ["s3://", "s3://bucket", "s3://bucket/", "s3:///key", "s3://bucket/key?versionId=1"]
)
def test_an_address_that_is_none_in_s3_is_told_so(command, address):
    assert command("--url", address) == 1
    assert "looks like s3://bucket/folder/1.tar.gz" in command.said()
