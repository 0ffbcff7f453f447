"""Connections lead to addresses that were checked, to no other, and are kept as long as they live."""

from __future__ import annotations

import errno
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from recognizer.errors import AddressNotAllowed, DownloadFailed
from recognizer.fetch.addresses import Policy

from tests.functional.fetch.downloads import PATIENT_S, PICTURE, Resolver, downloader, picture, redirect
from tests.functional.loopback import Exchange

pytestmark = pytest.mark.enable_socket


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


def test_tries_the_next_address_where_the_system_has_no_ipv6(server, monkeypatch):
    class Socket(socket.socket):
        def __init__(self, family: int = -1, *args, **kwargs) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, *args, **kwargs)

    monkeypatch.setattr(socket, "socket", Socket)
    with downloader(resolver=Resolver(picture_test=[["::1", "127.0.0.1"]])) as client:
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


def test_a_kept_connection_exempts_no_url_from_the_policy(server, client):
    client.fetch(server.url("/picture"))
    client._policy = Policy(allowed_ports=None)

    with pytest.raises(AddressNotAllowed):
        client.fetch(server.url("/picture"))
    assert len(server.requests) == 1
