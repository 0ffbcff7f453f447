"""Which addresses, hosts and ports may be called, decided without a network."""
# ruff: noqa: RUF001  look-alike characters are what half of this is about

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.errors import AddressNotAllowed, DownloadFailed, InvalidSetting
from recognizer.fetch.addresses import Policy, is_public, permit, permitted_addresses
from recognizer.fetch.urls import parse

PUBLIC = Policy()


LOOPBACK_SPELLINGS = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0177.0x0.0.1",
    "0x7f.1",
    "0x7F.0.0.1",
    "0x7f000001",
    "0X7F000001",
    "0x0000000000007f000001",
    "127.0x1",
    "１２７.0.0.1",
    "１２７．０．０．１",
    "127。0。0。1",
    "127｡0｡0｡1",
    "１２７．１",
    "０ｘ７ｆ.1",
    "２１３０７０６４３３",
    "①②⑦.0.0.1",
    "127.0.0\u00ad.1",
    "127\u200b.0.0.1",
    "%31%32%37.0.0.1",
    "%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1",
    "127%2e0%2e0%2e1",
]


SPECIAL_V4 = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.0.192",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
]


SPELLINGS_OF_OTHERS = [
    "0",
    "0x",
    "10.1",
    "012.0.0.1",
    "0xA9FEA9FE",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.43518",
    "4294967295",
]


SPECIAL_V6 = [
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::127.0.0.1",  # IPv4-compatible
    "::7f00:1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",  # IPv4-mapped
    "::ffff:7f00:1",
    "::FFFF:169.254.169.254",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",  # IPv4-translated, RFC 2765
    "64:ff9b::127.0.0.1",  # NAT64
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::10.0.0.1",
    "100::1",  # discard
    "100:0:0:1::1",
    "2001::1",  # Teredo
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:1::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",  # 6to4
    "2002:a9fe:a9fe::1",
    "2002:808:808::1",
    "2606:4700::5efe:127.0.0.1",  # ISATAP under a public prefix
    "2606:4700::200:5efe:10.0.0.1",
    "2606:4700:0:0:0:5efe:a9fe:a9fe",
    "2620:4f:8000::1",
    "3fff::1",
    "3fff:fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # AWS metadata
    "fe80::1",
    "fe80::5efe:127.0.0.1",
    "febf::1",
    "fec0::1",  # site-local
    "ff02::1",
    "ff0e::1",
]


PUBLIC_ADDRESSES = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "3ffe:ffff::1",
]


def never(host: str, port: int) -> list[str]:
    """A resolver for what must be judged without one."""
    raise AssertionError(f"{host}:{port} was looked up")


def bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def reach(url: str, policy: Policy = PUBLIC, resolver=never) -> tuple[str, ...]:
    target = parse(url)
    return permitted_addresses(policy, target.host, target.port, resolver)


@pytest.mark.parametrize("host", LOOPBACK_SPELLINGS)
def test_recognizes_every_spelling_of_loopback_without_a_look_up(host):
    assert parse(f"http://{host}/").host == "127.0.0.1"
    with pytest.raises(AddressNotAllowed):
        reach(f"http://{host}/")


@pytest.mark.parametrize("address", [*SPELLINGS_OF_OTHERS, *SPECIAL_V4, *map(bracketed, SPECIAL_V6)])
def test_refuses_special_addresses_in_the_url(address):
    target = parse(f"https://{address}/latest/meta-data/")

    with pytest.raises(AddressNotAllowed) as refusal:
        permit(PUBLIC, target.host, target.port)

    assert refusal.value.status == 403
    assert refusal.value.parameter == "url"


@pytest.mark.parametrize("address", SPECIAL_V4 + SPECIAL_V6)
def test_refuses_names_that_resolve_to_special_addresses(address):
    with pytest.raises(AddressNotAllowed):
        reach("http://picture.test/", resolver=lambda *_: [address])


@pytest.mark.parametrize("answers", [["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"], ["2606:4700::1", "::1"]])
def test_one_forbidden_address_refuses_the_name(answers):
    with pytest.raises(AddressNotAllowed):
        reach("http://picture.test/", resolver=lambda *_: answers)


def test_does_not_tell_what_a_name_resolved_to():
    with pytest.raises(AddressNotAllowed) as named:
        reach("http://intranet.test/", resolver=lambda *_: ["10.20.30.40"])
    with pytest.raises(AddressNotAllowed) as literal:
        reach("http://10.20.30.40/")

    assert "10.20.30.40" not in named.value.public_message
    assert named.value.public_message == literal.value.public_message


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_lets_public_addresses_through(address):
    assert reach(f"http://{bracketed(address)}/") == (address,)
    assert reach("http://picture.test/", resolver=lambda *_: [address]) == (address,)


def test_resolves_names_once_and_keeps_the_order():
    asked = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["2606:4700::1111", "1.1.1.1"]

    assert reach("https://pictures.example/", resolver=resolver) == ("2606:4700::1111", "1.1.1.1")
    assert asked == [("pictures.example", 443)]


@pytest.mark.parametrize("answers", [[], ["not an address"], ["8.8.8.8", ""]])
def test_a_resolver_without_usable_answer_is_a_failed_download(answers):
    with pytest.raises(DownloadFailed):
        reach("http://picture.test/", resolver=lambda *_: answers)


@pytest.mark.parametrize("zone", ["%25eth0", "%eth0", "%251"])
def test_refuses_addresses_with_a_zone(zone):
    with pytest.raises(AddressNotAllowed):
        parse(f"http://[fe80::1{zone}]/")
    with pytest.raises(AddressNotAllowed):
        reach("http://picture.test/", resolver=lambda *_: ["2606:4700::1111%eth0"])


@pytest.mark.parametrize("url", ["http://a.test:22/", "https://a.test:8080/", "http://1.1.1.1:22/"])
def test_only_allowed_ports(url):
    with pytest.raises(AddressNotAllowed):
        reach(url)
    more = Policy(allowed_ports=frozenset({22, 8080}))
    assert reach(url, more, lambda *_: ["1.1.1.1"]) == ("1.1.1.1",)
    with pytest.raises(AddressNotAllowed):
        reach("http://a.test/", more)


def test_both_standard_ports_go_with_both_schemes():
    assert reach("http://1.1.1.1:443/") == reach("https://1.1.1.1:80/") == ("1.1.1.1",)


def test_any_port_where_none_is_named():
    assert reach("http://1.1.1.1:6379/", Policy(allowed_ports=None)) == ("1.1.1.1",)


@pytest.mark.parametrize(
    ("entry", "host", "allowed"),
    [
        ("Pictures.Example.", "pictures.example", True),
        ("pictures.example", "PICTURES.example.", True),
        ("bücher.example", "xn--bcher-kva.example", True),
        ("xn--bcher-kva.example", "bücher.example", True),
        ("8.8.8.8", "0x8.8.8.8", True),
        ("[2606:4700:0::1111]", "[2606:4700::1111]", True),
        ("2606:4700:0::1111", "[2606:4700::1111]", True),
        ("2606:4700::1111", "[2606:4700::1112]", False),
        ("*.example", "a.b.example", True),
        ("*.example", "example", False),
        ("*.example", "badexample", False),
        ("pictures.example", "a.pictures.example", False),
        ("pictures.example", "pictures.example.evil.test", False),
        ("pictures.example", "8.8.8.8", False),
    ],
)
def test_only_allowed_hosts(entry, host, allowed):
    policy = Policy(allowed_hosts=frozenset({entry}))
    resolver = (lambda *_: ["8.8.8.8"]) if allowed else never

    if allowed:
        assert reach(f"http://{host}/", policy, resolver)
    else:
        with pytest.raises(AddressNotAllowed):
            reach(f"http://{host}/", policy, resolver)


def test_an_allowed_host_must_still_have_a_public_address():
    with pytest.raises(AddressNotAllowed):
        reach("http://a.test/", Policy(allowed_hosts=frozenset({"a.test"})), lambda *_: ["127.0.0.1"])


@pytest.mark.parametrize("entry", ["", "*", "*.", "a b", "http://a.test", "a.test:80", "256.0.0.1", "[::1"])
def test_a_setting_that_names_no_host_stops_the_start_and_is_named(entry):
    with pytest.raises(InvalidSetting) as refusal:
        Policy(allowed_hosts=frozenset({"a.test", entry}))

    assert str(refusal.value).startswith(f"The environment variable ALLOWED_URL_HOSTS names {entry!r}: it must be ")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_private_addresses_can_be_allowed(address):
    target = parse(f"http://{bracketed(address)}/")
    expected = (str(ipaddress.ip_address(address)),)
    assert permitted_addresses(Policy(allow_private=True), target.host, target.port, never) == expected


BLOCKS_V4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
BLOCKS_V6 = [
    "::/3",
    "4000::/2",
    "8000::/1",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
]


def within(blocks: list[str]) -> st.SearchStrategy[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    return st.sampled_from(blocks).flatmap(lambda block: st.ip_addresses(network=block))


@given(within(BLOCKS_V4 + BLOCKS_V6))
def test_no_special_address_is_public(address):
    assert not is_public(address)
    with pytest.raises(AddressNotAllowed):
        reach(f"http://{bracketed(str(address))}/")


@given(within(BLOCKS_V4), st.sampled_from([0, 0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96, 0x64FF9B0001 << 80]))
def test_no_special_address_hides_in_the_low_bits_of_another(address, prefix):
    assert not is_public(ipaddress.IPv6Address(prefix | int(address)))


@given(within(BLOCKS_V4), st.integers(0, 2**80 - 1))
def test_no_special_address_hides_in_6to4(address, rest):
    assert not is_public(ipaddress.IPv6Address(0x2002 << 112 | int(address) << 80 | rest))


@given(within(BLOCKS_V4), st.integers(0, 2**61 - 1), st.sampled_from([0x00005EFE, 0x02005EFE]))
def test_no_special_address_hides_in_isatap(address, prefix, identifier):
    assert not is_public(ipaddress.IPv6Address(1 << 125 | prefix << 64 | identifier << 32 | int(address)))


@given(st.ip_addresses())
def test_public_is_never_wider_than_the_standard_library_has_it(address):
    if is_public(address):
        assert address.is_global
        assert not any((address.is_private, address.is_multicast, address.is_reserved, address.is_loopback))
