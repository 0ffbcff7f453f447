"""One spelling for each host, whichever way it was written, so that two readers cannot take it for two hosts.

Owns names and addresses as text: in URLs, and in the entries of ALLOWED_URL_HOSTS. Whether a host may be called is for
`addresses` to say.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TypeAlias
from urllib.parse import unquote

import idna

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_WITH_PORT = re.compile(r"(\[.*\]|[^:\[\]]*):[0-9*]*")


def canonical(text: str) -> str:
    """The host of a URL as browsers spell it: https://url.spec.whatwg.org/#host-parsing.

    Args:
        text: a name, an IPv4 address in any notation, or an IPv6 address in brackets.

    Returns:
        Lower-case ASCII name without a trailing dot, dotted decimal IPv4, or IPv6 without brackets.

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


def literal(host: str) -> IPAddress | None:
    """The address that a canonical host is, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def pattern(entry: str) -> str:
    """What an operator allows: a host, or ``*.example.com`` for every name below example.com.

    Args:
        entry: a name, an address (IPv6 with or without brackets), or a name after ``*.``.

    Returns:
        The same in canonical form.

    Raises:
        ValueError: anything else; its text says what to change.
    """
    if "://" in entry:
        raise ValueError("it must be a host without a scheme")
    if "/" in entry or "?" in entry or "#" in entry:
        raise ValueError("it must be a host without a path")
    if "%" in entry and ":" in entry:
        raise ValueError("it must be an address without a zone")
    if isinstance(address := literal(entry), ipaddress.IPv6Address):
        return str(address)
    if _WITH_PORT.fullmatch(entry):
        raise ValueError("it must be a host without a port; ALLOWED_URL_PORTS is for ports")
    wildcard, host = ("*.", entry[2:]) if entry.startswith("*.") else ("", entry)
    try:
        host = canonical(host)
    except ValueError as error:
        raise ValueError("it must be a host name, an address, or *. and a name") from error
    if wildcard and literal(host) is not None:
        raise ValueError("*. must stand before a name, an address has nothing below it")
    return wildcard + host


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
