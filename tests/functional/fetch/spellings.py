"""Every address that is not to be called, in every spelling that leads there: rules, from which the suite is made."""
# ruff: noqa: RUF001  look-alike characters are what half of this is about

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# https://www.iana.org/assignments/iana-ipv4-special-registry, every entry
SPECIAL_V4: Final = [
    *("0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/31"),
    *("192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32", "192.168.0.0/16"),
    *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32"),
]
# https://www.iana.org/assignments/multicast-addresses, and addresses at which clouds answer about the machine itself
OTHER_V4: Final = [
    *("224.0.0.0/4", "239.255.255.250/32", "168.63.129.16/32", "100.100.100.200/32", "169.254.169.254/32"),
    *("169.254.170.2/32", "192.0.0.192/32"),
]
# https://www.iana.org/assignments/iana-ipv6-special-registry, every entry
SPECIAL_V6: Final = [
    *("::1/128", "::/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64"),
    *("2001::/23", "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32"),
    *("2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16"),
    *("2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10"),
]
# multicast, site-local, and clouds' addresses: AWS's metadata and containers, Google's, Alibaba's and Oracle's
OTHER_V6: Final = [
    *("ff00::/8", "fec0::/10", "::/96", "::ffff:0:0:0/96", "4000::/2", "8000::/1"),
    *("fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128", "fd00:c1::a9fe:a9fe/128"),
]


def _addresses(blocks: list[str], *, middle: bool) -> list[IPv4Address | IPv6Address]:
    """The first and the last address of each block, and the one in the middle, each once."""
    found: dict[IPv4Address | IPv6Address, None] = {}
    for block in map(ipaddress.ip_network, blocks):
        found |= dict.fromkeys([block[0], block[-1], *([block[block.num_addresses // 2]] if middle else [])])
    return list(found)


def _neighbours(blocks: list[str]) -> Iterator[IPv4Address | IPv6Address]:
    """The addresses just before and just after each block that belong to no other block."""
    networks = [ipaddress.ip_network(block) for block in blocks]
    for network in networks:
        for number in (int(network[0]) - 1, int(network[-1]) + 1):
            if 0 <= number < 2**network.max_prefixlen:
                address = type(network[0])(number)
                if not any(address in other for other in networks):
                    yield address


PLAIN: Final = {"dotted", "octal", "hexadecimal", "integer", "mapped", "compressed"}
"""The rules that are tried with the middle of each block as well."""


def _each(template: str) -> Callable[[IPv4Address], str]:
    return lambda address: ".".join(template.format(octet) for octet in address.packed)


def _with_digits(digits: str, stop: str = ".") -> Callable[[IPv4Address], str]:
    table = str.maketrans("0123456789.", digits + stop)
    return lambda address: str(address).translate(table)


def _percent_encoded(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


IN_V4: Final[dict[str, Callable[[IPv4Address], str]]] = {
    "dotted": str,
    "a trailing dot": lambda a: f"{a}.",
    "octal": _each("0{:o}"),
    "padded octal": _each("{:012o}"),
    "hexadecimal": _each("0x{:x}"),
    "capital hexadecimal": _each("0X{:X}"),
    "padded hexadecimal": _each("0x{:016x}"),
    "integer": lambda a: f"{int(a)}",
    "octal integer": lambda a: f"0{int(a):o}",
    "hexadecimal integer": lambda a: f"0x{int(a):x}",
    "padded hexadecimal integer": lambda a: f"0X{int(a):032X}.",
    "two parts": lambda a: f"{a.packed[0]}.{int(a) & 0xFFFFFF}",
    "two parts, mixed radix": lambda a: f"0x{a.packed[0]:x}.0{int(a) & 0xFFFFFF:o}",
    "three parts": lambda a: f"{a.packed[0]}.{a.packed[1]}.{int(a) & 0xFFFF}",
    "three parts, mixed radix": lambda a: f"0{a.packed[0]:o}.{a.packed[1]}.0x{int(a) & 0xFFFF:x}",
    "mixed radix": lambda a: "{}.0x{:x}.0{:o}.{}".format(*a.packed),
    "full-width digits": _with_digits("０１２３４５６７８９"),
    "full-width throughout": _with_digits("０１２３４５６７８９", "．"),
    "ideographic dots": _with_digits("0123456789", "。"),
    "half-width ideographic dots": _with_digits("0123456789", "｡"),
    "circled digits": _with_digits("⓪①②③④⑤⑥⑦⑧⑨"),
    "superscripts": _with_digits("⁰¹²³⁴⁵⁶⁷⁸⁹"),
    "mathematical digits": _with_digits("𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"),
    "full-width hexadecimal integer": lambda a: f"０ｘ{int(a):x}",
    "an invisible hyphen": lambda a: f"\u00ad{a}",
    "a zero-width space": lambda a: str(a).replace(".", "\u200b.", 1),
    "percent-encoded": lambda a: _percent_encoded(str(a)),
    "percent-encoded dots": lambda a: str(a).replace(".", "%2E"),
    "percent-encoded full width": lambda a: _percent_encoded(str(a).translate({ord("1"): "１", ord("2"): "２"})),
    "percent-encoded ideographic dots": lambda a: str(a).replace(".", "%E3%80%82"),
    "a port": lambda a: f"{a}:80",
    "an empty port": lambda a: f"{a}:",
    "a padded port": lambda a: f"{a}:000443",
}


def _hex(address: IPv4Address) -> str:
    return f"{int(address) >> 16:x}:{int(address) & 0xFFFF:x}"


IN_V6: Final[dict[str, Callable[[IPv4Address], str]]] = {
    "mapped": lambda a: f"[::ffff:{a}]",
    "mapped, hexadecimal": lambda a: f"[::FFFF:{_hex(a)}]",
    "mapped, in full": lambda a: f"[0000:0000:0000:0000:0000:ffff:{_hex(a)}]:80",
    "mapped, with a zone": lambda a: f"[::ffff:{a}%25eth0]",
    "compatible": lambda a: f"[::{a}]",
    "compatible, hexadecimal": lambda a: f"[0:0:0:0:0:0:{_hex(a)}]",
    "translated": lambda a: f"[::ffff:0:{a}]",
    "NAT64": lambda a: f"[64:ff9b::{a}]",
    "NAT64, hexadecimal": lambda a: f"[64:FF9B:0::{_hex(a)}]",
    "NAT64 of the network's own": lambda a: f"[64:ff9b:1::{a}]",
    "6to4": lambda a: f"[2002:{_hex(a)}::]",
    "6to4, a host in it": lambda a: f"[2002:{_hex(a)}:1::808:808]:443",
    "Teredo, the server": lambda a: f"[2001:0:{_hex(a)}::1]",
    "Teredo, the client": lambda a: f"[2001::808:808:8000:63bf:{_hex(IPv4Address(int(a) ^ 0xFFFFFFFF))}]",
    "ISATAP": lambda a: f"[2606:4700::5efe:{a}]",
    "ISATAP, universal": lambda a: f"[2606:4700:0:1:200:5EFE:{_hex(a)}]",
    "ISATAP, link-local": lambda a: f"[fe80::5efe:{a}]",
}

OF_V6: Final[dict[str, Callable[[IPv6Address], str]]] = {
    "compressed": lambda a: f"[{a.compressed}]",
    "in full": lambda a: f"[{a.exploded}]",
    "in capitals": lambda a: f"[{a.exploded.upper()}]",
    "without padding": lambda a: f"[{':'.join(f'{int(group, 16):x}' for group in a.exploded.split(':'))}]",
    "a dotted tail": lambda a: f"[{a.exploded[:30]}{IPv4Address(int(a) & 0xFFFFFFFF)}]",
    "a port": lambda a: f"[{a}]:443",
    "an empty port": lambda a: f"[{a}]:",
    "a zone": lambda a: f"[{a}%25eth0]",
    "a bare zone": lambda a: f"[{a}%1]",
}


def _spelled() -> dict[str, list[str]]:
    """Rule to the hosts, as they stand in a URL, that it makes of the special addresses."""
    rules = [
        *(("IPv4", rule, spell, SPECIAL_V4 + OTHER_V4) for rule, spell in IN_V4.items()),
        *(("IPv4 in IPv6", rule, spell, SPECIAL_V4 + OTHER_V4) for rule, spell in IN_V6.items()),
        *(("IPv6", rule, spell, SPECIAL_V6 + OTHER_V6) for rule, spell in OF_V6.items()),
    ]
    return {
        f"{family}: {rule}": [spell(address) for address in _addresses(blocks, middle=rule in PLAIN)]
        for family, rule, spell, blocks in rules
    }


SPELLED: Final = _spelled()
ADDRESSES: Final = [ipaddress.ip_network(block)[0] for block in [*SPECIAL_V4, *OTHER_V4, *SPECIAL_V6, *OTHER_V6]]
"""One of each block, as a resolver may answer."""
CONTROL: Final = [
    str(address)
    for address in dict.fromkeys(
        [*_neighbours(SPECIAL_V4 + OTHER_V4), *_neighbours([*SPECIAL_V6, *OTHER_V6, "::/3"])],
    )
]
"""Public addresses at the borders of the blocks: these are to be called."""
