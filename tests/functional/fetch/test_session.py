"""What is sent to a picture's server, how its identity is checked, and what of it comes into the log."""

from __future__ import annotations

import contextlib
import logging
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from recognizer.errors import DownloadFailed
from recognizer.fetch import session
from recognizer.job import LOOP_HEADER, LOOP_TOKEN

from tests.functional.fetch.downloads import PICTURE, Resolver, downloader, picture, redirect
from tests.functional.loopback import Exchange, LoopbackServer

pytestmark = pytest.mark.enable_socket


def test_says_who_asks_and_what_for(server, client):
    client.fetch(server.url("/picture"))

    headers = server.requests[0].headers
    assert headers.get_all("User-Agent") == ["recognizer-test/1 (+https://example.com)"]
    assert headers["Accept"].startswith("image/*")
    assert headers["Accept-Encoding"] == "gzip, deflate"


def test_says_that_it_is_us_so_that_we_know_ourselves(server, client):
    """Also after a redirect, which may lead back to the service as well."""
    server.routes["/redirect"] = redirect("/picture")

    client.fetch(server.url("/redirect"))

    assert [request.headers.get_all(LOOP_HEADER) for request in server.requests] == [[LOOP_TOKEN]] * 2


WORDS = b"surely the server speaking"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n%b\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Type: message/rfc822; %b\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nX: %b\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 404 %b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 %b\r\n\r\n",
    ],
    ids=["no colon", "odd type", "two lengths", "error", "no status"],
)
def test_the_log_learns_neither_the_address_nor_the_servers_words(server, client, caplog, answer):
    """Not even at the level DEBUG, which an operator may set for all of a Lambda function."""

    def route(exchange: Exchange) -> None:
        exchange.hang_up()
        exchange.wfile.write(answer % WORDS)

    server.routes["/private/cat.jpg"] = route
    with caplog.at_level(logging.DEBUG), contextlib.suppress(DownloadFailed):
        client.fetch(server.url("/private/cat.jpg?signature=x"))

    assert len(server.requests) == 1
    assert not [words for words in ("private", "cat.jpg", "signature", "surely", "speaking") if words in caplog.text]


def test_takes_nothing_from_the_environment(server, client, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    assert client.fetch(server.url("/picture")) == PICTURE
    assert "Authorization" not in server.requests[0].headers


def test_forgets_cookies(server, client):
    server.routes["/cookie"] = lambda exchange: exchange.answer(
        302, b"", {"Set-Cookie": "session=1; Path=/", "Location": "/picture"}
    )

    client.fetch(server.url("/cookie"))
    client.fetch(server.url("/picture"))

    assert len(server.requests) == 3
    assert all("Cookie" not in request.headers for request in server.requests)


def test_sends_path_and_query_encoded_once(server, client):
    server.routes["/my%20cat.jpg"] = picture

    client.fetch(server.url("/my cat.jpg?a=ü&b=%2F#c"))

    assert server.requests[0].path == "/my%20cat.jpg?a=%C3%BC&b=%2F"


def test_names_the_host_as_the_url_does(server):
    with downloader(resolver=Resolver(picture_test=[["127.0.0.1"]])) as client:
        client.fetch(server.url("/picture", host="PICTURE.test."))

    assert server.requests[0].headers["Host"] == f"picture.test:{server.port}"


# TLS


@pytest.fixture
def contexts(monkeypatch, certificate):
    """Those made for clients, in order; they trust the test's authority."""
    made = []

    class Context(ssl.SSLContext):
        def load_verify_locations(self, *args, **kwargs):
            made.append(self)
            time.sleep(0.02)  # long enough for another thread to begin as well
            super().load_verify_locations(certificate)

    library = SimpleNamespace(SSLContext=Context, PROTOCOL_TLS_CLIENT=ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr(session, "ssl", library)
    return made


def test_the_authorities_are_loaded_once_and_only_for_https(server, authority, contexts):
    with LoopbackServer({"/picture": picture}, tls=authority[0]) as secure, downloader() as client:
        client.fetch(server.url("/picture"))
        assert contexts == []

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(client.fetch, [secure.url("/picture")] * 4)) == [PICTURE] * 4
    assert len(contexts) == 1


def test_a_context_that_is_given_is_the_one_that_is_used(authority, contexts):
    serving, trusting = authority
    with LoopbackServer({"/picture": picture}, tls=serving) as secure, downloader(tls=trusting) as client:
        assert client.fetch(secure.url("/picture")) == PICTURE
    assert contexts == []


def test_missing_authorities_are_our_mistake_and_not_the_servers(monkeypatch):
    monkeypatch.setattr(session, "DEFAULT_CA_BUNDLE_PATH", "/nowhere/cacert.pem")
    with downloader() as client, pytest.raises(RuntimeError, match=r"/nowhere/cacert\.pem"):
        client.fetch("https://127.0.0.1/")


NAMES = {"picture_test": [["127.0.0.1"]], "other_test": [["127.0.0.1"]]}


@pytest.fixture
def indicated(authority):
    """The names that clients indicated to the server, in order."""
    names = []
    authority[0].sni_callback = lambda connection, name, context: names.append(name)
    yield names
    authority[0].sni_callback = None


def test_verifies_the_name_in_the_url_at_the_address_that_was_checked(authority, indicated):
    serving, trusting = authority
    resolver = Resolver(**NAMES)
    with (
        LoopbackServer({"/picture": picture}, tls=serving) as server,
        downloader(resolver=resolver, tls=trusting) as client,
    ):
        for _ in range(2):
            assert client.fetch(server.url("/picture", host="picture.test")) == PICTURE

        assert server.connections == 1
        assert server.requests[0].headers["Host"] == f"picture.test:{server.port}"
    assert indicated == ["picture.test"]
    assert resolver.asked == ["picture.test"]


def test_a_certificate_for_another_name_is_refused(authority, indicated):
    serving, trusting = authority
    with (
        LoopbackServer({"/picture": picture}, tls=serving) as server,
        downloader(resolver=Resolver(**NAMES), tls=trusting) as client,
    ):
        with pytest.raises(DownloadFailed, match="identity"):
            client.fetch(server.url("/picture", host="other.test"))

        assert server.requests == []
    assert indicated == ["other.test"]


def test_an_unknown_authority_is_refused_whatever_the_environment_says(authority, monkeypatch):
    monkeypatch.setenv("CURL_CA_BUNDLE", "")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    with (
        LoopbackServer({"/picture": picture}, tls=authority[0]) as server,
        downloader(resolver=Resolver(**NAMES)) as client,
    ):
        with pytest.raises(DownloadFailed, match="identity"):
            client.fetch(server.url("/picture", host="picture.test"))

        assert server.requests == []


def test_https_to_a_server_that_speaks_http_fails(server, client):
    with pytest.raises(DownloadFailed):
        client.fetch(server.url("/picture").replace("http:", "https:"))
