"""What http.client and urllib3 read too generously: hints, chunks of less than nothing, bytes without content."""

from __future__ import annotations

import gzip
import random
import zlib
from typing import TYPE_CHECKING

import pytest
from recognizer.errors import DownloadFailed
from recognizer.fetch.response import AHEAD_BYTES, MAX_INFORMATIONAL

from tests.functional.fetch.downloads import PICTURE, chunked, downloader, picture

if TYPE_CHECKING:
    from tests.functional.loopback import Exchange

pytestmark = pytest.mark.enable_socket


def hints(count: int, status: str = "103 Early Hints"):
    """A route that answers so many informational responses and then the picture."""

    def route(exchange: Exchange) -> None:
        for _ in range(count):
            exchange.wfile.write(f"HTTP/1.1 {status}\r\nLink: </style.css>; rel=preload\r\n\r\n".encode())
        picture(exchange)

    return route


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints", "199 Unheard of"])
def test_skips_informational_answers_and_keeps_the_connection(server, client, status):
    server.routes["/hinted"] = hints(2, status)

    for _ in range(2):
        assert client.fetch(server.url("/hinted")) == PICTURE
    assert server.connections == 1


@pytest.mark.parametrize(("count", "arrives"), [(MAX_INFORMATIONAL, True), (MAX_INFORMATIONAL + 1, False)])
def test_skips_only_so_many_informational_answers(server, client, count, arrives):
    server.routes["/hinted"] = hints(count)

    if arrives:
        assert client.fetch(server.url("/hinted")) == PICTURE
    else:
        with pytest.raises(DownloadFailed):
            client.fetch(server.url("/hinted"))


@pytest.mark.parametrize("ending", [b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n"])
def test_hints_without_an_answer_fail(server, client, ending):
    def route(exchange: Exchange) -> None:
        exchange.hang_up()
        exchange.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" + ending)

    server.routes["/hinted"] = route
    with pytest.raises(DownloadFailed):
        client.fetch(server.url("/hinted"))


def test_another_protocol_was_not_asked_for(server, client):
    server.routes["/switch"] = lambda exchange: exchange.answer(101)

    with pytest.raises(DownloadFailed, match="101 Switching Protocols"):
        client.fetch(server.url("/switch"))


@pytest.mark.parametrize(("count", "arrives"), [(15, True), (17, False)])
def test_an_answer_may_be_ahead_of_its_content_only_so_far(server, client, count, arrives):
    """Chunks of one byte, each with an extension of a sixteenth of what may arrive without content."""
    chunk = b"1;".ljust(AHEAD_BYTES // 16 - 3, b"x") + b"\r\nx\r\n"

    def route(exchange: Exchange) -> None:
        exchange.hang_up()
        exchange.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * count)
        exchange.wfile.write(b"0\r\n\r\n")

    server.routes["/extended"] = route
    if arrives:
        assert client.fetch(server.url("/extended")) == b"x" * count
    else:
        with pytest.raises(DownloadFailed, match="did not speak HTTP"):
            client.fetch(server.url("/extended"))
    assert client.fetch(server.url("/picture")) == PICTURE


@pytest.mark.parametrize("framing", ["length", "connection", "chunks", "gzip", "deflate", "chunks of gzip"])
def test_a_large_picture_is_never_ahead_of_itself(server, framing):
    """Of noise, which compresses to a little more than itself."""
    content = random.Random(1).randbytes(8 * AHEAD_BYTES)  # noqa: S311  noise, no secret
    pack = {"gzip": gzip.compress, "deflate": zlib.compress}.get(framing.removeprefix("chunks of "), bytes)
    headers = {"Content_Encoding": framing.removeprefix("chunks of ")} if pack is not bytes else {}
    body = pack(content)

    def route(exchange: Exchange) -> None:
        if framing.startswith("chunks"):
            chunked(exchange, (body[at : at + 9000] for at in range(0, len(body), 9000)), **headers)
        elif framing == "connection":
            exchange.hang_up()
            exchange.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + body)
        else:
            exchange.answer(200, body, {name.replace("_", "-"): value for name, value in headers.items()})

    server.routes["/large"] = route
    with downloader() as client:
        client._max_bytes = len(content)
        assert client.fetch(server.url("/large")) == content


@pytest.mark.parametrize("size", [b"-1", b"-5", b"-ffff", b"-0x1", b" -1 ", b"-1;a=b"])
@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: /picture\r\n"])
def test_a_chunk_of_less_than_nothing_ends_it(server, client, head, size):
    """The server sends 10 MB after it, fifty times what may arrive."""

    def route(exchange: Exchange) -> None:
        exchange.hang_up()
        exchange.wfile.write(head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" + size + b"\r\n")
        for _ in range(100):
            exchange.wfile.write(PICTURE)

    server.routes["/negative"] = route
    with pytest.raises(DownloadFailed, match="did not speak HTTP"):
        client.fetch(server.url("/negative"))
    assert client.fetch(server.url("/picture")) == PICTURE
