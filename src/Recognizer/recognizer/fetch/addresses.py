"""Which addresses, hosts and ports may be called.

Owns the rule and its judgement, but neither opens sockets nor looks names up: a resolver is passed in, so that every
rule can be tested without a network.

The rule for addresses is an allow-list of global unicast space with the special-purpose blocks taken out, rather than a
list of bad ones: an IPv6 form that hides an IPv4 address (mapped, compatible, NAT64) falls outside 2000::/3 and needs
no case of its own. `ipaddress.is_global` alone is not enough: it lets multicast, 6to4 and ISATAP through, and its
answers differ between Python releases. The blocks are those of IANA's special-purpose registries,
https://www.iana.org/assignments/iana-ipv4-special-registry and https://www.iana.org/assignments/iana-ipv6-special-registry.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from recognizer.errors import AddressNotAllowed, DownloadFailed, InvalidSetting
from recognizer.fetch import hosts
from recognizer.fetch.urls import DEFAULT_PORTS

if TYPE_CHECKING:
    from recognizer.fetch.hosts import IPAddress

Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
"""Host name and port to the textual addresses to try, in order."""

_GLOBAL_UNICAST_V6: Final = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V4: Final = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared, carrier-grade NAT; Alibaba's metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's platform services: global by form, answered by the machine's own host
        "169.254.0.0/16",  # link-local, with the metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocols; Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112 sink: global anycast, but the nearest network answers, and no picture lives there
        "192.52.193.0/24",  # AMT relays, likewise
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112 sink
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, with the broadcast address
    )
)
_SPECIAL_V6: Final = tuple(
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # IETF protocols: Teredo, ORCHID, benchmarks, anycast
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which embeds any IPv4 address
        "2620:4f:8000::/48",  # AS112 sink
        "3fff::/20",  # documentation
    )
)
_ISATAP: Final = 0x0000_5EFE  # upper half of the interface identifier, RFC 5214; the lower half is an IPv4 address
_ISATAP_MASK: Final = 0xFDFF_FFFF  # the universal/local bit may be set or not


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator lets the service call.

    Attributes:
        allowed_ports: ports that may be called; None means any.
        allowed_hosts: hosts that may be called, as names or addresses, ``*.example.com`` for every name below
            example.com (not itself); empty means any. Kept in canonical form. An allowed name must still resolve to
            allowed addresses.
        allow_private: whether addresses other than global unicast may be called; for local use only.

    Raises:
        InvalidSetting: an allowed host is none; the message names the variable and the entry.
    """

    allowed_ports: frozenset[int] | None = frozenset(DEFAULT_PORTS.values())
    allowed_hosts: frozenset[str] = frozenset()
    allow_private: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "allowed_hosts", frozenset(map(_allowed_host, self.allowed_hosts)))

    def names(self, host: str) -> bool:
        """Whether a canonical host is among the allowed ones."""
        if not self.allowed_hosts or host in self.allowed_hosts:
            return True
        return any(pattern.startswith("*.") and host.endswith(pattern[1:]) for pattern in self.allowed_hosts)


def permit(policy: Policy, host: str, port: int) -> None:
    """Refuse what can be refused without looking up a name: the port, the host, an address in the URL itself.

    Args:
        policy: what may be called.
        host: canonical host of a target.
        port: its port.

    Raises:
        AddressNotAllowed: the policy does not allow it.
    """
    if policy.allowed_ports is not None and port not in policy.allowed_ports:
        raise AddressNotAllowed(f"Port {port} is not one of the ports that may be called.", parameter="url")
    if not policy.names(host):
        raise AddressNotAllowed("The host is not one of the hosts that may be called.", parameter="url")
    if (literal := hosts.literal(host)) is not None:
        _permit_address(policy, literal)


def permitted_addresses(policy: Policy, host: str, port: int, resolver: Resolver) -> tuple[str, ...]:
    """The addresses to connect to for a host, each of them allowed.

    One forbidden address refuses the host: a name that mixes public and private addresses is an attack or a mistake,
    and which of them gets called must not depend on luck.

    Args:
        policy: what may be called.
        host: canonical host of a target.
        port: its port.
        resolver: looks names up; not called for an address.

    Returns:
        Textual addresses in the resolver's order; connect to these and resolve nothing again.

    Raises:
        AddressNotAllowed: the policy does not allow the port, the host or one of its addresses.
        DownloadFailed: the resolver answered with nothing usable.
    """
    permit(policy, host, port)
    answers = [host] if hosts.literal(host) is not None else resolver(host, port)
    addresses = [hosts.literal(answer) for answer in answers]
    if not addresses:
        raise DownloadFailed("The host of the URL has no address.")
    for address in addresses:
        if address is None:
            raise DownloadFailed("The host of the URL has no usable address.")
        _permit_address(policy, address)
    return tuple(map(str, addresses))


def is_public(address: IPAddress) -> bool:
    """Whether an address is global unicast and neither special-purpose nor a disguise of another one."""
    if isinstance(address, ipaddress.IPv4Address):
        special = any(address in block for block in _SPECIAL_V4)
    else:
        special = (
            address not in _GLOBAL_UNICAST_V6
            or address.scope_id is not None
            or (int(address) >> 32) & _ISATAP_MASK == _ISATAP
            or any(address in block for block in _SPECIAL_V6)
        )
    # The standard library's judgement comes on top, for blocks that become special after this was written.
    return not special and address.is_global and not address.is_multicast and not address.is_reserved


def _permit_address(policy: Policy, address: IPAddress) -> None:
    if not policy.allow_private and not is_public(address):
        # The same words whether the URL names the address or a name resolved to it: that is not for the client to know.
        raise AddressNotAllowed("The URL leads to an address that is not a public one.", parameter="url")


def _allowed_host(entry: str) -> str:
    try:
        return hosts.pattern(entry)
    except ValueError as error:
        raise InvalidSetting(f"The environment variable ALLOWED_URL_HOSTS names {entry!r}: {error}.") from error
