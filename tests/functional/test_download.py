"""Downloads from real servers on loopback: what arrives, what is refused, and that each failure ends in time."""

from __future__ import annotations

import datetime as dt
import gzip
import ipaddress
import socket
import ssl
import threading
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from recognizer.errors import AddressNotAllowed, DownloadFailed, DownloadTimedOut, InvalidParameter, TooLarge
from recognizer.fetch import download
from recognizer.fetch.destinations import Policy
from recognizer.fetch.download import MAX_REDIRECTS, Downloader, _Deadline, resolve

from tests.functional.loopback import Exchange, LoopbackServer

pytestmark = pytest.mark.enable_socket

LOCAL = Policy(allowed_ports=None, allow_private=True)
PICTURE = bytes(range(256)) * 400
MAX_BYTES = 200_000
PATIENT_S = 30.0
SHORT_S = 0.4


class Resolver:
    """Answers from a table, one answer list per call (the last one for good), and notes what it was asked."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): list(lists) for name, lists in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        lists = self.answers[host]
        return lists.pop(0) if len(lists) > 1 else lists[0]


def downloader(policy: Policy = LOCAL, *, timeout_s: float = PATIENT_S, resolver=resolve, **options) -> Downloader:
    return Downloader(
        policy,
        max_bytes=MAX_BYTES,
        timeout_s=timeout_s,
        user_agent="recognizer-test/1 (+https://example.com)",
        resolver=resolver,
        **options,
    )


def redirect(location: str, status: int = 302, body: bytes = b""):
    return lambda exchange: exchange.answer(status, body, {"Location": location})


def picture(exchange: Exchange) -> None:
    exchange.answer(200, PICTURE, {"Content-Type": "image/png"})


@pytest.fixture
def server():
    with LoopbackServer({"/picture": picture}) as server:
        yield server


@pytest.fixture
def client():
    with downloader() as client:
        yield client


def times_out(client: Downloader, url: str) -> None:
    """Fetch with a short deadline; what comes before and after keeps its patience, however slow the machine is."""
    client._timeout_s = SHORT_S
    with pytest.raises(DownloadTimedOut):
        client.fetch(url)
    client._timeout_s = PATIENT_S


# What arrives


def test_returns_the_body(server, client):
    assert client.fetch(server.url("/picture")) == PICTURE


def test_says_who_asks_and_what_for(server, client):
    client.fetch(server.url("/picture"))

    headers = server.requests[0].headers
    assert headers.get_all("User-Agent") == ["recognizer-test/1 (+https://example.com)"]
    assert headers["Accept"].startswith("image/*")
    assert headers["Accept-Encoding"] == "gzip, deflate"


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


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "gzip, gzip"])
def test_undoes_content_encodings(server, client, encoding):
    body = PICTURE
    for name in encoding.split(", "):
        body = zlib.compress(body) if name == "deflate" else gzip.compress(body)
    server.routes["/encoded"] = lambda exchange: exchange.answer(200, body, {"Content-Encoding": encoding})

    assert client.fetch(server.url("/encoded")) == PICTURE


def chunked(exchange: Exchange, chunks, ending: bytes = b"0\r\n\r\n", **headers: str) -> None:
    exchange.send_response(200)
    exchange.send_header("Transfer-Encoding", "chunked")
    for name, value in headers.items():
        exchange.send_header(name.replace("_", "-"), value)
    exchange.end_headers()
    for chunk in chunks:
        exchange.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    exchange.wfile.write(ending)


def test_reads_chunked_bodies(server, client):
    server.routes["/chunked"] = lambda exchange: chunked(exchange, [PICTURE[:1], PICTURE[1:70_000], PICTURE[70_000:]])

    assert client.fetch(server.url("/chunked")) == PICTURE


def test_reads_bodies_that_end_with_the_connection(server, client):
    def route(exchange: Exchange) -> None:
        exchange.hang_up()
        exchange.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + PICTURE)

    server.routes["/old"] = route
    assert client.fetch(server.url("/old")) == PICTURE


@pytest.mark.parametrize("status", [200, 204])
def test_an_empty_body_is_no_error(server, client, status):
    server.routes["/empty"] = lambda exchange: exchange.answer(status)

    assert client.fetch(server.url("/empty")) == b""


# Connections


def test_keeps_the_connection(server):
    resolver = Resolver(picture_test=[["127.0.0.1"]])
    with downloader(resolver=resolver) as client:
        for _ in range(3):
            client.fetch(server.url("/picture", host="picture.test"))

    assert server.connections == 1
    assert resolver.asked == ["picture.test"]


def test_keeps_the_connection_over_redirects_with_a_body(server, client):
    server.routes["/redirect"] = redirect("/picture", body=b"moved" * 1000)

    assert client.fetch(server.url("/redirect")) == PICTURE
    assert server.connections == 1


def test_a_kept_connection_that_was_closed_is_replaced(server, client):
    client.fetch(server.url("/picture"))
    server.drop_connections()

    assert client.fetch(server.url("/picture")) == PICTURE
    assert server.connections == 2


def test_a_kept_connection_that_dies_with_the_request_is_replaced_once(server, client):
    """As behind a NAT gateway, which forgets idle connections and resets them at the next packet."""
    client.fetch(server.url("/picture"))
    dead = []

    def dies_once(exchange: Exchange) -> None:
        if dead:
            picture(exchange)
        else:
            dead.append(exchange)
            exchange.hang_up()

    server.routes["/picture"] = dies_once
    assert client.fetch(server.url("/picture")) == PICTURE
    assert server.connections == 2


def test_a_fresh_connection_that_dies_is_not_tried_again(server, client):
    server.routes["/dies"] = Exchange.hang_up

    with pytest.raises(DownloadFailed):
        client.fetch(server.url("/dies"))
    assert len(server.requests) == 1


def test_connects_to_the_address_that_was_checked(server):
    """A name that answers with a good address first and a bad one second gets no second question."""
    resolver = Resolver(rebinding_test=[["127.0.0.1"], ["203.0.113.1"]])
    with downloader(resolver=resolver) as client:
        assert client.fetch(server.url("/picture", host="rebinding.test")) == PICTURE

    assert resolver.asked == ["rebinding.test"]


def test_a_new_connection_is_checked_anew(server):
    """A name that turned bad is refused as soon as it has to be looked up again."""
    resolver = Resolver(rebinding_test=[["127.0.0.1"], ["127.0.0.1", "not an address"]])
    with downloader(resolver=resolver) as client:
        client.fetch(server.url("/picture", host="rebinding.test"))
        server.drop_connections()
        with pytest.raises(DownloadFailed):
            client.fetch(server.url("/picture", host="rebinding.test"))

    assert len(server.requests) == 1


def test_tries_the_next_address_where_one_does_not_answer(server):
    with downloader(resolver=Resolver(picture_test=[["127.0.0.2", "127.0.0.1"]])) as client:
        assert client.fetch(server.url("/picture", host="picture.test")) == PICTURE


def test_serves_several_threads_at_once(server, client):
    together = threading.Barrier(4, timeout=PATIENT_S)

    def meet(exchange: Exchange) -> None:
        together.wait()
        exchange.answer(200, exchange.path.encode())

    server.routes["/meet"] = meet
    urls = [server.url(f"/meet?{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(client.fetch, urls)) == [b"/meet?0", b"/meet?1", b"/meet?2", b"/meet?3"]


# What is refused


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "127.1", "localhost"])
def test_private_addresses_are_refused_before_anything_is_sent(server, host):
    with downloader(Policy(allowed_ports=None)) as client, pytest.raises(AddressNotAllowed):
        client.fetch(server.url("/picture", host=host))

    assert server.connections == 0


def test_names_of_private_addresses_are_refused_before_anything_is_sent(server):
    resolver = Resolver(intranet_test=[["127.0.0.1"]])
    with downloader(Policy(allowed_ports=None), resolver=resolver) as client, pytest.raises(AddressNotAllowed):
        client.fetch(server.url("/picture", host="intranet.test"))

    assert server.connections == 0
    assert resolver.asked == ["intranet.test"]


@pytest.mark.parametrize(
    ("url", "error"),
    [("file:///etc/passwd", InvalidParameter), ("no url", InvalidParameter), ("http://a.test:22/", AddressNotAllowed)],
)
def test_bad_urls_are_refused_without_a_look_up(url, error):
    resolver = Resolver()
    with downloader(Policy(), resolver=resolver) as client, pytest.raises(error):
        client.fetch(url)

    assert resolver.asked == []


def test_a_kept_connection_exempts_no_url_from_the_policy(server, client):
    client.fetch(server.url("/picture"))
    client._policy = Policy(allowed_ports=None)

    with pytest.raises(AddressNotAllowed):
        client.fetch(server.url("/picture"))
    assert len(server.requests) == 1


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


# Time: no assertion here looks at a clock; a fetch that did not end would hang instead.


def never_answers(exchange: Exchange) -> None:
    for _ in exchange.stalls():
        pass


def drips_headers(exchange: Exchange) -> None:
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in exchange.stalls():
        exchange.wfile.write(b"X")


def drips_header_lines(exchange: Exchange) -> None:
    """Cut off between two lines, this passes for a complete answer without a body."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in exchange.stalls():
        exchange.wfile.write(b"X: x\r\n")


def drips_continues(exchange: Exchange) -> None:
    for _ in exchange.stalls():
        exchange.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def drips_body(exchange: Exchange) -> None:
    exchange.send_response(200)
    exchange.send_header("Content-Length", "100000")
    exchange.end_headers()
    for _ in exchange.stalls():
        exchange.wfile.write(b"x")


def drips_without_length(exchange: Exchange) -> None:
    exchange.hang_up()
    exchange.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
    for _ in exchange.stalls():
        exchange.wfile.write(b"x")


def drips_chunks(exchange: Exchange) -> None:
    chunked(exchange, (b"x" for _ in exchange.stalls()))


def drips_redirect(exchange: Exchange) -> None:
    exchange.hang_up()
    exchange.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /picture\r\n\r\n")
    for _ in exchange.stalls():
        exchange.wfile.write(b"x")


def streams_nothing_in_gzip(exchange: Exchange) -> None:
    """Empty gzip members as fast as they go: bytes arrive, but none ever comes out of the decoder."""
    exchange.hang_up()
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
    nothing = gzip.compress(b"") * 1000
    for _ in exchange.stalls(every_s=0):
        exchange.wfile.write(nothing)


SLOW = [
    never_answers,
    drips_headers,
    drips_header_lines,
    drips_continues,
    drips_body,
    drips_without_length,
    drips_chunks,
    drips_redirect,
    streams_nothing_in_gzip,
]


@pytest.mark.parametrize("route", SLOW)
def test_the_deadline_ends_it_and_the_next_fetch_works(server, client, route):
    server.routes["/slow"] = route

    times_out(client, server.url("/slow"))
    assert client.fetch(server.url("/picture")) == PICTURE


@pytest.mark.parametrize("route", [never_answers, drips_headers, drips_body, drips_without_length])
def test_the_deadline_holds_on_kept_connections(server, client, route):
    server.routes["/slow"] = route

    client.fetch(server.url("/picture"))
    times_out(client, server.url("/slow"))
    assert server.connections == 1
    assert client.fetch(server.url("/picture")) == PICTURE


@pytest.mark.parametrize("headers", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"])
def test_silence_ends_it_before_the_deadline(server, client, headers, monkeypatch):
    def falls_silent(exchange: Exchange) -> None:
        exchange.wfile.write(headers)
        never_answers(exchange)

    monkeypatch.setattr(download, "READ_TIMEOUT_S", 0.1)
    server.routes["/silent"] = falls_silent
    with pytest.raises(DownloadTimedOut):
        client.fetch(server.url("/silent"))
    assert client.fetch(server.url("/picture")) == PICTURE


def test_one_deadline_covers_all_redirects(server):
    def slow_redirect(exchange: Exchange) -> None:
        for turn, _ in enumerate(exchange.stalls()):
            if turn == 10:
                break
        exchange.answer(302, b"", {"Location": exchange.path + "/"})

    server.routes |= {"/" + "/" * number: slow_redirect for number in range(8)}
    with downloader(timeout_s=0.5) as client, pytest.raises(DownloadTimedOut):
        client.fetch(server.url("/"))


def test_the_deadline_covers_name_resolution(server):
    released = threading.Event()

    def hangs(host: str, port: int) -> list[str]:
        released.wait(PATIENT_S)
        return ["127.0.0.1"]

    with downloader(timeout_s=0.2, resolver=hangs) as client, pytest.raises(DownloadTimedOut):
        client.fetch(server.url("/picture", host="picture.test"))
    released.set()
    assert server.connections == 0


def test_a_server_that_accepts_no_connection_times_out():
    """Its backlog is full, so that the handshake of TCP does not complete."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.settimeout(0)
            filler.connect_ex(full.getsockname())
        with downloader(timeout_s=0.3) as client, pytest.raises(DownloadTimedOut):
            client.fetch(f"http://127.0.0.1:{full.getsockname()[1]}/")


def test_a_deadline_shuts_down_what_it_watches_and_nothing_after_its_end():
    """A late timer, here fired by hand, must not hit a connection that serves someone else by now."""
    kept, server_of_kept = socket.socketpair()
    stuck, server_of_stuck = socket.socketpair()
    with kept, server_of_kept, stuck, server_of_stuck:
        with _Deadline(PATIENT_S) as over:
            over.watch(kept)
        over._pass()
        with _Deadline(PATIENT_S) as passing:
            passing.watch(stuck)
            passing._pass()

        kept.sendall(b"alive")
        assert server_of_kept.recv(5) == b"alive"
        assert server_of_stuck.recv(5) == b""


# What goes wrong


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


def test_a_name_that_does_not_resolve_fails():
    with downloader(resolver=Resolver()) as client, pytest.raises(DownloadFailed, match="could not be resolved"):
        client.fetch("http://nowhere.test/")


def test_a_refused_connection_fails_without_internals():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with downloader(resolver=Resolver(a_test=[["127.0.0.1"]])) as client, pytest.raises(DownloadFailed) as failure:
            client.fetch(f"http://a.test:{unused.getsockname()[1]}/")
    assert "127.0.0.1" not in failure.value.public_message
    assert isinstance(failure.value.__cause__, ConnectionRefusedError)


# TLS


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A self-signed certificate for picture.test and 127.0.0.1: the server's context and one that trusts it."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "picture.test")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("picture.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(path)
    return serving, trusting


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


@pytest.mark.parametrize("route", [never_answers, drips_headers, drips_body, drips_without_length])
def test_the_deadline_holds_under_tls(authority, route):
    serving, trusting = authority
    with (
        LoopbackServer({"/picture": picture, "/slow": route}, tls=serving) as server,
        downloader(tls=trusting) as client,
    ):
        for _ in range(2):  # the first over a new connection, the second over a kept one
            times_out(client, server.url("/slow"))
            assert client.fetch(server.url("/picture")) == PICTURE


def test_the_deadline_covers_the_handshake():
    """The server drips a handshake record that never ends, so no read of its own would time out."""
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
            while not stop.wait(0.02):
                try:
                    connection.sendall(b"\x00")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        try:
            with downloader(timeout_s=SHORT_S) as client, pytest.raises(DownloadTimedOut):
                client.fetch(f"https://127.0.0.1:{listener.getsockname()[1]}/")
        finally:
            stop.set()
            thread.join()
