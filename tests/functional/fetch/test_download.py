"""Downloads from real servers on loopback: what arrives, what is followed, and how much is read."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest
from recognizer.errors import AddressNotAllowed, DownloadFailed, InvalidParameter, TooLarge
from recognizer.fetch.addresses import Policy
from recognizer.fetch.download import MAX_REDIRECTS

from tests.functional.fetch.downloads import LOCAL, MAX_BYTES, PICTURE, Resolver, chunked, downloader, picture, redirect

if TYPE_CHECKING:
    from tests.functional.loopback import Exchange

pytestmark = pytest.mark.enable_socket


def test_returns_the_body(server, client):
    assert client.fetch(server.url("/picture")) == PICTURE


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "gzip, gzip"])
def test_undoes_content_encodings(server, client, encoding):
    body = PICTURE
    for name in encoding.split(", "):
        body = zlib.compress(body) if name == "deflate" else gzip.compress(body)
    server.routes["/encoded"] = lambda exchange: exchange.answer(200, body, {"Content-Encoding": encoding})

    assert client.fetch(server.url("/encoded")) == PICTURE


def test_reads_chunked_bodies(server, client):
    server.routes["/chunked"] = lambda exchange: chunked(exchange, [PICTURE[:1], PICTURE[1:70_000], PICTURE[70_000:]])

    assert client.fetch(server.url("/chunked")) == PICTURE


def test_reads_bodies_that_end_with_the_connection(server, client):
    def route(exchange: Exchange) -> None:
        exchange.hang_up()
        exchange.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + PICTURE)

    server.routes["/old"] = route
    assert client.fetch(server.url("/old")) == PICTURE


def test_an_empty_body_is_no_error(server, client):
    server.routes["/empty"] = lambda exchange: exchange.answer(200)

    assert client.fetch(server.url("/empty")) == b""


def test_a_picture_that_a_proxy_has_changed_is_one(server, client):
    server.routes["/proxied"] = lambda exchange: exchange.answer(203, PICTURE)

    assert client.fetch(server.url("/proxied")) == PICTURE


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (201, "201 Created."),
        (202, "202 Accepted."),
        (204, "204 No Content: it has no picture to send."),
        (205, "205 Reset Content: it has no picture to send."),
        (206, "206 Partial Content: only a part of the picture."),
        (226, "226 IM Used."),
    ],
)
def test_other_kinds_of_success_are_no_picture(server, client, status, words):
    server.routes["/other"] = lambda exchange: exchange.answer(status, b"" if status == 204 else PICTURE)

    with pytest.raises(DownloadFailed) as failure:
        client.fetch(server.url("/other"))
    assert failure.value.public_message == f"The picture's server answered {words}"
    assert failure.value.upstream_status == status
    assert client.fetch(server.url("/picture")) == PICTURE


@pytest.mark.parametrize(
    ("status", "words"), [(404, "404 Not Found"), (500, "500 Internal Server Error"), (304, "304"), (799, "799")]
)
def test_an_error_of_the_server_is_told(server, client, status, words):
    server.routes["/error"] = lambda exchange: exchange.answer(status)

    with pytest.raises(DownloadFailed, match=words) as failure:
        client.fetch(server.url("/error"))
    assert failure.value.upstream_status == status
    assert client.fetch(server.url("/picture")) == PICTURE


def test_the_server_does_not_write_our_messages(server, client):
    def route(exchange: Exchange) -> None:
        exchange.hang_up()
        exchange.wfile.write(b"HTTP/1.1 404 <script>\r\nContent-Length: 0\r\n\r\n")

    server.routes["/error"] = route
    with pytest.raises(DownloadFailed) as failure:
        client.fetch(server.url("/error"))
    assert "script" not in failure.value.public_message


@pytest.mark.parametrize(
    ("url", "error"),
    [("file:///etc/passwd", InvalidParameter), ("no url", InvalidParameter), ("http://a.test:22/", AddressNotAllowed)],
)
def test_bad_urls_are_refused_without_a_look_up(url, error):
    resolver = Resolver()
    with downloader(Policy(), resolver=resolver) as client, pytest.raises(error):
        client.fetch(url)

    assert resolver.asked == []


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_follows_redirects(server, client, status):
    server.routes["/redirect"] = redirect("picture?from=redirect", status)

    assert client.fetch(server.url("/redirect")) == PICTURE
    assert [request.path for request in server.requests] == ["/redirect", "/picture?from=redirect"]


def test_follows_redirects_to_non_ascii_paths(server, client):
    server.routes["/redirect"] = redirect("/bücher".encode().decode("latin-1"))
    server.routes["/b%C3%BCcher"] = picture

    assert client.fetch(server.url("/redirect")) == PICTURE


@pytest.mark.parametrize(("count", "arrives"), [(MAX_REDIRECTS, True), (MAX_REDIRECTS + 1, False)])
def test_follows_only_so_many_redirects(server, client, count, arrives):
    for number in range(count):
        server.routes[f"/{number}"] = redirect(f"/{number + 1}")
    server.routes[f"/{count}"] = picture

    if arrives:
        assert client.fetch(server.url("/0")) == PICTURE
    else:
        with pytest.raises(DownloadFailed, match=f"more than {MAX_REDIRECTS}"):
            client.fetch(server.url("/0"))
    assert len(server.requests) == MAX_REDIRECTS + 1


def test_sends_no_credentials_on_to_another_host(server):
    """Nothing but the address itself goes from one hop to the next."""
    server.routes["/redirect"] = redirect(server.url("/picture", host="b.test"))
    with downloader(resolver=Resolver(a_test=[["127.0.0.1"]], b_test=[["127.0.0.1"]])) as client:
        client.fetch(server.url("/redirect", host="a.test"))

    first, second = (dict(request.headers) for request in server.requests)
    assert first.pop("Host") == f"a.test:{server.port}"
    assert second.pop("Host") == f"b.test:{server.port}"
    assert first == second


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://other.test/", "http://c.test:9/"]
)
def test_each_redirect_is_checked(server, location):
    """Here the first host and port are allowed, and what they redirect to is not."""
    server.routes["/redirect"] = redirect(location)
    policy = Policy(
        allowed_ports=frozenset({server.port, 80}),
        allowed_hosts=frozenset({"a.test", "c.test"}),
        allow_private=True,
    )
    resolver = Resolver(a_test=[["127.0.0.1"]])

    with downloader(policy, resolver=resolver) as client, pytest.raises(AddressNotAllowed):
        client.fetch(server.url("/redirect", host="a.test"))
    assert resolver.asked == ["a.test"]


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]", "metadata.test"])
def test_rejects_redirect_to_private_address(server, host):
    """No public server can be had here: a connection made while private ones were allowed, and kept, stands for one."""
    server.routes["/redirect"] = redirect(server.url("/picture", host=host))
    resolver = Resolver(public_test=[["127.0.0.1"]], metadata_test=[["127.0.0.1"]])
    policy = Policy(allowed_ports=None)

    with downloader(policy, resolver=resolver) as client:
        client._policy = LOCAL
        client.fetch(server.url("/picture", host="public.test"))
        client._policy = policy
        with pytest.raises(AddressNotAllowed):
            client.fetch(server.url("/redirect", host="public.test"))

    assert [request.path for request in server.requests] == ["/picture", "/redirect"]
    assert server.connections == 1


@pytest.mark.parametrize("headers", [{}, {"Location": ""}, {"Location": "https://"}, {"Location": "http://[::1"}])
def test_redirects_to_nowhere_fail(server, client, headers):
    server.routes["/redirect"] = lambda exchange: exchange.answer(302, b"", headers)

    with pytest.raises(DownloadFailed):
        client.fetch(server.url("/redirect"))


# Bytes


@pytest.mark.parametrize("excess", [0, 1])
def test_the_limit_is_exact(server, client, excess):
    body = bytes(MAX_BYTES + excess)
    server.routes["/plain"] = lambda exchange: exchange.answer(200, body)
    server.routes["/gzip"] = lambda exchange: exchange.answer(200, gzip.compress(body), {"Content-Encoding": "gzip"})
    server.routes["/chunked"] = lambda exchange: chunked(exchange, [body])

    for path in ("/plain", "/gzip", "/chunked"):
        if excess:
            with pytest.raises(TooLarge):
                client.fetch(server.url(path))
        else:
            assert client.fetch(server.url(path)) == body


def test_an_announced_excess_is_refused_before_it_arrives(server, client):
    """The server never sends the body, so only its announcement can end this."""

    def announce(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Content-Length", str(2_000_000_000))
        exchange.end_headers()
        for _ in exchange.stalls():
            pass

    server.routes["/huge"] = announce
    with pytest.raises(TooLarge):
        client.fetch(server.url("/huge"))


def endless(exchange: Exchange) -> None:
    exchange.hang_up()
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(2_000_000_000 // len(PICTURE)):
        exchange.wfile.write(PICTURE)


def endless_chunks(exchange: Exchange) -> None:
    chunked(exchange, (PICTURE for _ in range(2_000_000_000 // len(PICTURE))), Content_Length="10")


def endless_redirect(exchange: Exchange) -> None:
    exchange.hang_up()
    exchange.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /picture\r\n\r\n")
    for _ in range(2_000_000_000 // len(PICTURE)):
        exchange.wfile.write(PICTURE)


@pytest.mark.parametrize("route", [endless, endless_chunks, endless_redirect])
def test_a_stream_of_2_gb_ends_at_the_limit(server, client, route):
    server.routes["/endless"] = route

    with pytest.raises(TooLarge):
        client.fetch(server.url("/endless"))
    assert client.fetch(server.url("/picture")) == PICTURE


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("framing", ["length", "chunked", "redirect"])
def test_a_bomb_is_never_decoded_whole(server, client, layers, framing):
    size = 100_000_000
    bomb = bytes(size)
    for _ in range(layers):
        bomb = gzip.compress(bomb)
    headers = {"Content-Encoding": ", ".join(["gzip"] * layers)}
    server.routes["/length"] = lambda exchange: exchange.answer(200, bomb, headers)
    server.routes["/redirect"] = lambda exchange: exchange.answer(302, bomb, headers | {"Location": "/picture"})
    server.routes["/chunked"] = lambda exchange: chunked(exchange, [bomb], Content_Encoding=headers["Content-Encoding"])

    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            client.fetch(server.url(f"/{framing}"))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < size / 20
