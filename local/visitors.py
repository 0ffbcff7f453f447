"""Who may ask the local server: people at this machine and its own page, not the pages of other sites.

Unlike the deployed service, this one may fetch from private addresses. So a page from elsewhere that could read its
answers, or that made a name of its own point here (DNS rebinding), could look round the network of whoever runs it.
Owns the check of Host, Origin and the Fetch metadata headers. Links from other places lead to the page as usual.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

_FETCHES = "/detector"  # the one path that makes this server fetch: not for a link on any page to use
_LOOPBACK = "localhost"
WILDCARDS = {"0.0.0.0", "::"}  # noqa: S104 - told apart, not bound
_WAY_OUT = "To let any page ask, start it without private addresses: ALLOW_PRIVATE_ADDRESSES=false make run"


@dataclass(frozen=True, slots=True)
class Visitors:
    """The check, for a server that listens on ``host`` (HOST)."""

    host: str

    def refusal(self, method: str, path: str, headers: Headers) -> str | None:
        """Why a request is refused, and what to do; None if it is answered.

        Ports are not compared with the server's own: whoever forwards another one here comes with that one, and a
        name is all that rebinding can choose.
        """
        host = headers.get("Host", "")
        if host and not self._is_ours(_place(host)[0]):
            return (
                f"This server is not known as {host[:100]}: a page of another site may have made that name point here, "
                f"to look round your network. Open it as {self._name()}. {_WAY_OUT}."
            )
        if method == "OPTIONS" or (path != _FETCHES and _is_link(method, headers)):
            return None  # the one changes nothing, the other shows its answer to nobody but the user
        origin = headers.get("Origin")
        is_elsewhere = (
            headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}
            if origin is None
            else _place(origin.partition("://")[2]) != _place(host)
        )
        if is_elsewhere:
            asking = "other pages" if origin is None else f"the page of {origin[:100]}"
            return (
                f"This server may fetch from private addresses, so it answers its own page and links, but not what "
                f"{asking} asks. {_WAY_OUT}."
            )
        return None

    def _is_ours(self, name: str) -> bool:
        if name in {_LOOPBACK, self.host.lower()}:
            return True
        if self.host not in WILDCARDS:
            return False
        machine = socket.gethostname().lower()
        return _is_address(name) or name in {machine, f"{machine}.local"}

    def _name(self) -> str:
        if self.host in WILDCARDS:
            return f"localhost, as {socket.gethostname()} or by an IP address"
        return " or as ".join(dict.fromkeys(["localhost", "127.0.0.1", self.host]))


def _is_link(method: str, headers: Headers) -> bool:
    """Whether the user goes to this address with the whole window (https://www.w3.org/TR/fetch-metadata/)."""
    return (
        method in {"GET", "HEAD"}
        and headers.get("Sec-Fetch-Mode") == "navigate"
        and headers.get("Sec-Fetch-Dest") == "document"
    )


def _place(authority: str) -> tuple[str, int | None]:
    """Host and port of ``host:port``; all names of this machine's loopback interface are one."""
    try:
        parts = urlsplit(f"//{authority}")
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        return "", None
    return (_LOOPBACK if _is_address(host) and ipaddress.ip_address(host).is_loopback else host), port


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
