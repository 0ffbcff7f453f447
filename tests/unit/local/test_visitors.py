"""local.visitors: people, links and the server's own page get in; other pages and rebound names do not."""

from __future__ import annotations

import socket

import pytest
from werkzeug.datastructures import Headers

from local.visitors import Visitors

SAME = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
CROSS = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
MACHINE = socket.gethostname()


def refusal(headers, method="GET", host="127.0.0.1", path="/"):
    return Visitors(host).refusal(method, path, Headers(headers))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LocalHost", "localhost.", "127.0.0.2"])
@pytest.mark.parametrize("port", ["", ":3000", ":8080"])
def test_this_machine_is_known_by_its_names_whatever_port_is_forwarded(host, port):
    assert refusal({"Host": f"{host}{port}"}) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example:3000", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.5:3000", "[::1", "a b", ":1"],
)
def test_a_rebound_name_is_refused(host):
    """To the browser such a page is of the same origin: the name is all that gives it away."""
    said = refusal({"Host": host, "Origin": f"http://{host}", **SAME})

    assert "not known as" in said
    assert "localhost or as 127.0.0.1" in said
    assert "ALLOW_PRIVATE_ADDRESSES=false" in said


def test_a_rebound_name_is_refused_for_links_and_preflights_too():
    assert refusal({"Host": "evil.example", **LINK})
    assert refusal({"Host": "evil.example"}, "OPTIONS")


def test_the_name_that_it_listens_under_is_known():
    assert refusal({"Host": "192.168.1.5:3000"}, host="192.168.1.5") is None
    assert refusal({"Host": "192.168.1.6:3000"}, host="192.168.1.5")


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
def test_listening_everywhere_it_is_known_by_any_address_and_the_machines_name(wildcard):
    for host in ("192.168.1.5:3000", "[fd00::7]:3000", "localhost:3000", f"{MACHINE}:3000", f"{MACHINE.upper()}.local"):
        assert refusal({"Host": host}, host=wildcard) is None
    assert refusal({"Host": "evil.example:3000"}, host=wildcard)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_what_is_no_browser_is_let_in(method):
    assert refusal({"Host": "127.0.0.1:3000"}, method) is None
    assert refusal({}, method) is None  # HTTP/1.0


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "[::1]:3000"])
@pytest.mark.parametrize("origin", ["127.0.0.1:3000", "localhost:3000", "[::1]:3000"])
def test_its_own_page_is_let_in_by_whichever_name_of_this_machine(method, host, origin):
    fetch_site = SAME if host == origin else CROSS

    assert refusal({"Host": host, "Origin": f"http://{origin}", **fetch_site}, method) is None


def test_its_own_page_is_let_in_without_an_origin():
    assert refusal({"Host": "127.0.0.1:3000", **SAME}) is None
    assert refusal({"Host": "127.0.0.1:3000", **SAME, "Sec-Fetch-Site": "none"}) is None


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://localhost:5173", "http://127.0.0.1", "null", "http://localhost.evil", "x"],
)
def test_a_page_of_another_origin_is_refused_with_the_reason(method, origin):
    for headers in ({}, CROSS, {**CROSS, "Sec-Fetch-Site": "same-site"}):
        said = refusal({"Host": "localhost:3000", "Origin": origin, **headers}, method)

        assert f"the page of {origin} asks" in said
        assert "ALLOW_PRIVATE_ADDRESSES=false" in said


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("destination", ["image", "script", "iframe", "empty"])
def test_what_another_page_embeds_is_refused(site, destination):
    mode = "navigate" if destination == "iframe" else "no-cors"
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": destination}

    assert refusal({"Host": "localhost:3000", **headers})


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_link_on_another_page_is_let_in(site):
    assert refusal({"Host": "localhost:3000", **LINK, "Sec-Fetch-Site": site}) is None


def test_a_form_on_another_page_is_refused():
    assert refusal({"Host": "localhost:3000", **LINK, "Origin": "https://evil.example"}, "POST")


def test_a_preflight_is_let_in_so_that_the_page_can_read_the_refusal_of_what_follows():
    assert refusal({"Host": "localhost:3000", "Origin": "https://evil.example", **CROSS}, "OPTIONS") is None


def test_a_link_of_another_site_does_not_make_the_server_fetch():
    """It would look at a private address for whoever made the link."""
    assert refusal({"Host": "localhost:3000", **LINK, "Sec-Fetch-Site": "cross-site"}, path="/detector")
    assert refusal({"Host": "localhost:3000", **LINK, "Sec-Fetch-Site": "cross-site"}, path="/reference") is None


@pytest.mark.parametrize("origin", ["http://[bad", "null", "", "http://", "::"])
def test_an_origin_that_is_none_is_refused(origin):
    assert refusal({"Host": "localhost:3000", "Origin": origin})
