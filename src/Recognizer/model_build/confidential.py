"""What an address may say of itself once the build is over.

Owns which parts of a model's address are nobody's business: who asks (user information), and with what permission
(query and fragment, where tokens and signatures are). What is recorded, logged or said of an address goes through here:
model.json and the image outlive the build, and the service tells the model's name to everyone.
"""

from __future__ import annotations

import re
from itertools import chain
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus

_USER = re.compile(r"(?<=://)[^/?#]*@")
_REST = re.compile(r"[?#].*", re.DOTALL)
_URL = re.compile(r"https?://", re.IGNORECASE)
_SHORTEST = 4  # what is shorter is no secret, and would be found in ordinary words


def public(address: str) -> str:
    """An address without user information, query and fragment; a path on this machine as it is."""
    return _USER.sub("", _REST.sub("", address)) if _URL.match(address) else address


def without_secrets(text: str, address: str | None) -> str:
    """What was said about an address, without the parts of it that ``public`` leaves out, however they are written."""
    if address is None or public(address) == address:
        return text
    text = text.replace(address, public(address))
    for secret in sorted(_secrets(address), key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def _secrets(address: str) -> set[str]:
    user = "".join(_USER.findall(address)).removesuffix("@")
    query, _, fragment = _REST.findall(address)[0][1:].partition("#") if _REST.search(address) else ("", "", "")
    values = [value for _, value in parse_qsl(query, keep_blank_values=True)]
    parts = [user, *user.split(":"), query, fragment, *values]
    spellings = ((part, unquote(part), unquote_plus(part), quote(part, safe=""), quote_plus(part)) for part in parts)
    return {secret for secret in chain.from_iterable(spellings) if len(secret) >= _SHORTEST}
