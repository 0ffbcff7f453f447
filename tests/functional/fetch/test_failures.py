"""Whatever a server breaks ends in an error of ours, and the next fetch works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from recognizer.errors import DownloadFailed

from tests.functional.fetch.downloads import PICTURE

if TYPE_CHECKING:
    from tests.functional.loopback import Exchange

pytestmark = pytest.mark.enable_socket


BROKEN = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "bad status": b"HTTP/1.1 abc OK\r\n\r\n",
    "half a status": b"HTTP/1.1 20",
    "a line too long": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 200 + b"\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "truncated": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
    "truncated chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc",
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n",
    "bad gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    "bad chunked gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "too many encodings": b"HTTP/1.1 200 OK\r\nContent-Encoding: " + b"gzip," * 9 + b"gzip\r\n\r\nabc",
    "truncated redirect": b"HTTP/1.1 302 Found\r\nLocation: /picture\r\nContent-Length: 100\r\n\r\nabc",
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_answer_fails_and_the_next_fetch_works(server, client, answer):
    def route(exchange: Exchange) -> None:
        exchange.hang_up()
        exchange.wfile.write(answer)

    server.routes["/broken"] = route
    with pytest.raises(DownloadFailed) as failure:
        client.fetch(server.url("/broken"))
    assert failure.value.public_message.startswith("The picture's server ")
    assert client.fetch(server.url("/picture")) == PICTURE
