"""A picture's URL, read once into its parts.

What is checked and what the HTTP library connects to must be the same thing, although requests, urllib3 and urllib each
read URLs in a way of their own. So anything ambiguous is refused, and the URL is rebuilt from the parts read here.
Whether the host may be called is for `addresses` to say.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import urljoin

import urllib3.util
from urllib3.exceptions import LocationParseError

from recognizer.errors import AddressNotAllowed, DownloadFailed, InvalidParameter
from recognizer.fetch import hosts

MAX_URL_CHARS: Final = 4096  # a presigned S3 URL with a session token takes about 2,500
DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # with lone surrogates, which no encoding carries
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HIERARCHY = re.compile(r"//(?P<authority>[^/?#]*)(?P<tail>[^#]*)")
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^\[\]:]*)(?::(?P<port>[0-9]{0,9}))?")


class Target(NamedTuple):
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
        raise _without_scheme(url)
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
        return hosts.canonical(match["host"]), port
    except ValueError as error:
        raise _invalid("The host of the URL is malformed.") from error


def _invalid(message: str) -> InvalidParameter:
    return InvalidParameter(message, parameter="url")


def _without_scheme(url: str) -> InvalidParameter:
    """The refusal of a URL that is not http(s), with the URL that was meant where only its scheme is missing."""
    message = "The URL must begin with http:// or https://; nothing else can be fetched."
    try:
        meant = parse("https://" + url.removeprefix("//")) if "://" not in url.partition("?")[0] else None
    except (InvalidParameter, AddressNotAllowed):
        meant = None
    # Only of a name with a dot and a path: cat.jpg and photos/cat.jpg are files, localhost has no https.
    if meant and "." in meant.host and meant.path != "/" and hosts.literal(meant.host) is None:
        # The log shall know no more of an address than its host.
        return InvalidParameter(
            f"The URL must begin with http:// or https://: try {meant.url}", parameter="url", log_message=message
        )
    return _invalid(message)
