"""No spelling and no redirect leads to an address that is not public: everything through the real path of a fetch.

Connections are counted where the socket makes them. Each host is tried as the client's own URL and as the target of
each kind of redirect, which a server at an allowed address answers with.
"""
# ruff: noqa: RUF001  look-alike characters are what half of this is about

from __future__ import annotations

import socket
from itertools import chain

import pytest
from recognizer.errors import AddressNotAllowed, DownloadFailed, InvalidParameter
from recognizer.fetch.addresses import Policy

from tests.functional.fetch.downloads import PICTURE, downloader
from tests.functional.fetch.spellings import ADDRESSES, CONTROL, SPELLED
from tests.functional.fetch.tricks import AT_PORTS, ELSEWHERE, NOT_BELOW, RELATIVE, SCHEMES, TRICKS
from tests.functional.fetch.wire import PUBLIC, REDIRECTS, Wire, World, Zone

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def world(server, monkeypatch):
    """The service as it is deployed, and everything around it on loopback."""
    wire = Wire(monkeypatch, server.port)
    zone = Zone()
    with downloader(Policy(), resolver=zone) as client:
        yield World(client, server, wire, zone)
    assert not list(filter(reads_as_address, zone.asked))


def reads_as_address(name: str) -> bool:
    """Whether a system's resolver would take a name for an address, and answer it without any DNS."""
    try:
        socket.inet_aton(name)
    except OSError:
        return False
    return True


def tried(world, urls):
    """Every way to every URL: what it was, and what came of it. A header ends with its line."""
    ways = [(way, url) for url in urls for way in (None, *REDIRECTS) if way is None or not set(url) & {"\r", "\n"}]
    return [(way, url, *world.fetch(url, way)) for way, url in ways]


def fails(came) -> bool:
    return isinstance(came, type) and issubclass(came, InvalidParameter | AddressNotAllowed | DownloadFailed)


def test_the_suite_does_not_shrink():
    assert len(set(chain(*SPELLED.values(), TRICKS, RELATIVE, SCHEMES, AT_PORTS, ELSEWHERE, NOT_BELOW))) >= 4300


@pytest.mark.parametrize("rule", SPELLED)
def test_no_spelling_of_a_special_address_is_called(world, rule):
    ways = tried(world, (f"http://{host}/" for host in SPELLED[rule]))

    assert [way for way in ways if way[2:] != (AddressNotAllowed, [])] == []


def test_the_addresses_beside_them_are_called(world):
    """Or all of the above could be a downloader that never calls anyone."""
    direct = [(address, *world.fetch(f"http://{bracketed(address)}/")) for address in CONTROL]
    ways = tried(world, (f"http://{bracketed(address)}/" for address in CONTROL))

    assert [way for way in direct if way[1:] != (PICTURE, [(way[0], 80)])] == []
    assert [way for way in ways if way[2] != PICTURE] == []


def test_no_trick_leads_past_the_host_that_is_checked(world):
    assert [way for way in tried(world, TRICKS) if way[3] or not fails(way[2])] == []


def test_no_reference_leads_past_the_host_that_is_checked(world):
    """As the target of a redirect it leads to the redirecting host at most."""
    ways = tried(world, RELATIVE)

    assert [way for way in ways if way[0] is None and way[2:] != (InvalidParameter, [])] == []
    assert [way for way in ways if way[3] or not (fails(way[2]) or way[2] == PICTURE)] == []


def test_no_other_scheme_is_called(world):
    ways = tried(world, SCHEMES)

    assert [way for way in ways if way[0] is None and way[2:] != (InvalidParameter, [])] == []
    assert [way for way in ways if way[3] or not (fails(way[2]) or way[2] == PICTURE)] == []
    assert world.zone.asked in ([], ["redirecting.test"])


def test_no_other_port_is_called(world):
    assert [way for way in tried(world, AT_PORTS) if way[2:] != (AddressNotAllowed, [])] == []
    assert world.zone.asked == ["redirecting.test"]


def test_a_forbidden_host_beside_the_host_is_only_text(world):
    ways = tried(world, ELSEWHERE)

    assert [way for way in ways if way[2] != PICTURE or not set(way[3]) <= {(PUBLIC, 80)}] == []


def test_hosts_that_look_like_allowed_ones_are_not(world):
    world.allow("redirecting.test", "*.pictures.test")
    ways = tried(world, (f"http://{host}/" for host in NOT_BELOW))

    assert [way for way in ways if way[3] or not fails(way[2])] == []
    assert world.fetch("http://a.b.PICTURES.test./", 302) == (PICTURE, [(PUBLIC, 80)])


# Names


ANSWERS = {
    "alone": lambda address: [address],
    "after a public address": lambda address: [PUBLIC, address],
    "before a public address": lambda address: [address, PUBLIC],
    "among many": lambda address: [PUBLIC, "2606:4700::1111", address, "1.1.1.1"],
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_no_name_of_a_special_address_is_called(world, answer):
    names = {f"n{number}.test": [answer(str(address))] for number, address in enumerate(ADDRESSES)}
    world.zone.records |= names

    assert [
        way for way in tried(world, (f"http://{name}/" for name in names)) if way[2:] != (AddressNotAllowed, [])
    ] == []


def test_no_alias_of_a_special_address_is_called(world):
    """Aliases of aliases, as CNAME records make them; each name is public by its looks."""
    for number, address in enumerate(ADDRESSES):
        world.zone.records |= {
            f"a{number}.test": f"b{number}.public.test",
            f"b{number}.public.test": f"c{number}.test",
            f"c{number}.test": [[str(address)]],
        }
    ways = tried(world, (f"http://a{number}.test/" for number in range(len(ADDRESSES))))

    assert [way for way in ways if way[2:] != (AddressNotAllowed, [])] == []


def test_a_name_that_turns_is_called_no_more(world):
    """Rebinding: the first answer is public, and every later one is not."""
    for number, address in enumerate(ADDRESSES):
        name = f"n{number}.test"
        world.zone.records[name] = [[PUBLIC], [str(address)]]

        assert world.fetch(f"http://{name}/") == (PICTURE, [(PUBLIC, 80)])
        assert world.fetch(f"http://{name}/", 302) == (PICTURE, []), "the connection that was checked is kept"
        world.drop_connections()
        for way in (None, *REDIRECTS):
            assert world.fetch(f"http://{name}/", way) == (AddressNotAllowed, []), (address, way)


def test_a_name_that_turns_between_a_redirect_and_its_target_is_called_no_more(world):
    world.closes_after_redirects()
    for number, address in enumerate(ADDRESSES):
        name = f"n{number}.test"
        for status in REDIRECTS:
            world.zone.records[name] = [[PUBLIC], [str(address)]]
            came = world.fetch(f"http://{name}/", status, start=f"http://{name}/redirect")
            assert came == (AddressNotAllowed, [(PUBLIC, 80)]), (address, status)


GARBAGE = [
    *([], [""], [" "], ["."], ["not an address"], ["public.test"], ["localhost"], ["http://8.8.8.8/"], ["8.8.8.8:80"]),
    *(["8.8.8.8 "], [" 8.8.8.8"], ["8.8.8.8\0"], ["8.8.8.8\n"], ["8.8.8.8/32"], ["8.8.8.8%eth0"], ["08.8.8.8"]),
    *(["0x8.8.8.8"], ["8.8.8"], ["134744072"], ["8.8.8.8."], ["８.8.8.8"], ["٨.8.8.8"], ["8.8.8.256"], ["127.1"]),
    *(
        ["[2606:4700::1111]"],
        ["2606:4700::1111/64"],
        ["2606:4700::g"],
        ["::ffff:8.8.8"],
        [PUBLIC, ""],
        [PUBLIC, "0x7f.1"],
    ),
    *([PUBLIC, "localhost"], ["", "127.0.0.1"], [None], ["\ud800"], ["8" * 5000]),
]


def test_garbage_of_a_resolver_is_not_called(world):
    names = {f"n{number}.test": [answer] for number, answer in enumerate(GARBAGE)}
    world.zone.records |= names | {
        "loop.test": "loop.test",
        "a.test": "b.test",
        "b.test": "a.test",
        "end.test": "x.test",
    }
    urls = [f"http://{name}/" for name in [*names, "loop.test", "a.test", "end.test", "nowhere.test"]]

    assert [way for way in tried(world, urls) if way[2:] != (DownloadFailed, [])] == []


def bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
