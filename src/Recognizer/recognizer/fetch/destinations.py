"""Which URLs may be called: schemes, ports, hosts and, above all, addresses.

Owns the reading of a picture's URL into one canonical `Target`, and the rule for what may be connected to. Refuses to
open sockets or to look up names itself: a resolver is passed in, so that every rule can be tested without a network.

The rule for addresses is an allow-list of global unicast space with the special-purpose blocks taken out, rather than a
list of bad ones: an IPv6 form that hides an IPv4 address (mapped, compatible, NAT64) falls outside 2000::/3 and needs
no case of its own. `ipaddress.is_global` alone is not enough: it lets multicast, 6to4 and ISATAP through, and its
answers differ between Python releases. The blocks are those of IANA's special-purpose registries,
https://www.iana.org/assignments/iana-ipv4-special-registry and https://www.iana.org/assignments/iana-ipv6-special-registry.

What is checked and what the HTTP library connects to must be the same thing, although requests, urllib3 and urllib each
parse URLs in a way of their own. So anything ambiguous is refused, and the URL is rebuilt from the parts read here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote, urljoin

import idna
import urllib3.util
from urllib3.exceptions import LocationParseError

from recognizer.errors import AddressNotAllowed, DownloadFailed, InvalidParameter, InvalidSetting

MAX_URL_CHARS: Final = 4096  # a presigned S3 URL with a session token takes about 2,500
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
"""Host name and port to the textual addresses to try, in order."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # with lone surrogates, which no encoding carries
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HIERARCHY = re.compile(r"//(?P<authority>[^/?#]*)(?P<tail>[^#]*)")
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[0-9]{0,9}))?")
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")

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
        InvalidSetting: an allowed host is neither a name nor an address.
    """

    allowed_ports: frozenset[int] | None = frozenset(DEFAULT_PORTS.values())
    allowed_hosts: frozenset[str] = frozenset()
    allow_private: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "allowed_hosts", frozenset(map(_canonical_pattern, self.allowed_hosts)))

    def names(self, host: str) -> bool:
        """Whether a canonical host is among the allowed ones."""
        if not self.allowed_hosts or host in self.allowed_hosts:
            return True
        return any(pattern.startswith("*.") and host.endswith(pattern[1:]) for pattern in self.allowed_hosts)


@dataclass(frozen=True, slots=True)
class Target:
    """A picture's URL, read once and for all.

    Attributes:
        scheme: ``http`` or ``https``.
        host: lower-case ASCII name without a trailing dot, dotted decimal IPv4, or IPv6 without brackets.
        port: 1..65535.
        path: percent-encoded path and query, beginning with a slash.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The URL to request, rebuilt from the parts that are checked; without a fragment."""
        return f"{self.scheme}://{_authority(self.scheme, self.host, self.port)}{self.path}"


def parse(url: str) -> Target:
    """Read a URL from a request.

    Spaces around it are dropped and spaces, non-ASCII characters and stray percent signs in the path are encoded:
    gateways decode query parameters once, so that is what an ordinary ``%20`` arrives as.

    Args:
        url: what the client sent.

    Returns:
        The target, in canonical form whichever way its host was spelled.

    Raises:
        InvalidParameter: no http or https URL, credentials in it, or malformed.
        AddressNotAllowed: an IPv6 address with a zone, which only link-local addresses have.
    """
    url = url.strip(" ")
    if len(url) > MAX_URL_CHARS:
        raise _invalid(f"The URL is longer than {MAX_URL_CHARS} characters.")
    if _CONTROL.search(url):
        raise _invalid("The URL contains control characters.")
    scheme = _scheme(url)
    if scheme not in DEFAULT_PORTS:
        raise _invalid("The URL must begin with http:// or https://; nothing else can be fetched.")
    hierarchy = _HIERARCHY.match(url, len(scheme) + 1)
    if not hierarchy or not hierarchy["authority"]:
        raise _invalid("The URL names no host.")
    host, port = _split_authority(hierarchy["authority"], DEFAULT_PORTS[scheme])
    authority = _authority(scheme, host, port)
    try:
        encoded = urllib3.util.parse_url(f"{scheme}://{authority}{hierarchy['tail']}")
    except LocationParseError as error:
        raise _invalid("The URL is malformed.") from error
    if (encoded.scheme, encoded.auth, encoded.netloc) != (scheme, None, authority):
        raise _invalid("The URL is malformed.")
    return Target(scheme, host, port, encoded.request_uri)


def follow(target: Target, location: str) -> Target:
    """Where a redirect leads.

    Args:
        target: the URL that answered with the redirect.
        location: the Location header, absolute or relative.

    Returns:
        The next target, not yet checked against a policy.

    Raises:
        AddressNotAllowed: it leads out of http and https.
        DownloadFailed: it leads to no valid URL.
    """
    if _CONTROL.search(location):
        raise DownloadFailed("The picture's server redirects to a malformed address.")
    try:
        url = urljoin(target.url, location.strip(" "))
        if _scheme(url) not in DEFAULT_PORTS:
            raise AddressNotAllowed("The URL redirects to something other than http or https.", parameter="url")
        return parse(url)
    except (InvalidParameter, ValueError) as error:
        raise DownloadFailed("The picture's server redirects to a malformed address.") from error


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
    if (literal := _literal(host)) is not None:
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
    answers = [host] if _literal(host) is not None else resolver(host, port)
    addresses = [_literal(answer) for answer in answers]
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


def _scheme(url: str) -> str:
    match = _SCHEME.match(url)
    return match[1].lower() if match else ""


def _authority(scheme: str, host: str, port: int) -> str:
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if port == DEFAULT_PORTS[scheme] else f"{bracketed}:{port}"


def _split_authority(authority: str, default_port: int) -> tuple[str, int]:
    if "@" in authority:
        raise _invalid("The URL contains credentials; they are not sent.")
    match = _AUTHORITY.fullmatch(authority)
    if not match:
        raise _invalid("The host or port of the URL is malformed.")
    port = int(match["port"] or default_port)
    if not 0 < port <= 65535:  # noqa: PLR2004  the size of a port number
        raise _invalid("The port of the URL must lie between 1 and 65535.")
    if match["host"].startswith("[") and "%" in match["host"]:
        raise AddressNotAllowed("The URL leads to an address that is not a public one.", parameter="url")
    try:
        return _canonical_host(match["host"]), port
    except ValueError as error:
        raise _invalid("The host of the URL is malformed.") from error


def _canonical_host(text: str) -> str:
    """One spelling for each host, as browsers have it: https://url.spec.whatwg.org/#host-parsing.

    Raises:
        ValueError: neither a name nor an address.
    """
    if text.startswith("[") and text.endswith("]"):
        return str(ipaddress.IPv6Address(text[1:-1]))
    name = unquote(text, errors="strict")
    # UTS 46 maps full-width digits, ideographic dots and invisible characters to what they stand for.
    name = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    labels = name.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return str(_ipv4(labels))
    host = ".".join(labels)
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):  # noqa: PLR2004  the limit of DNS, RFC 1035
        raise ValueError(f"{text!r} is no host name")
    return host


def _ipv4(labels: list[str]) -> ipaddress.IPv4Address:
    """What inet_aton and browsers make of one to four decimal, octal (0…) or hexadecimal (0x…) numbers.

    Raises:
        ValueError: not an IPv4 address in any spelling.
    """
    *leading, last = (_number(label) for label in labels)
    if len(leading) > 3 or any(number > 255 for number in leading) or last >= 256 ** (4 - len(leading)):  # noqa: PLR2004
        raise ValueError("no IPv4 address")
    return ipaddress.IPv4Address(last + sum(number << 8 * (3 - place) for place, number in enumerate(leading)))


def _number(label: str) -> int:
    if not _NUMBER.fullmatch(label):
        raise ValueError("no number")
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if label.startswith("0") else 10)


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _canonical_pattern(entry: str) -> str:
    wildcard, host = ("*.", entry[2:]) if entry.startswith("*.") else ("", entry)
    try:
        return wildcard + _canonical_host(host)
    except ValueError as error:
        raise InvalidSetting(f"ALLOWED_URL_HOSTS: {entry!r} is neither a host name nor an address.") from error


def _invalid(message: str) -> InvalidParameter:
    return InvalidParameter(message, parameter="url")
