"""Content-Encoding: text that is the same for everyone, compressed for those who take it (RFC 9110, section 8.4).

Owns whether, how, and what it takes to say so to caches. Each text is compressed once in the life of an instance.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

_LEAST_CHARACTERS = 1024  # below, the headers weigh more
_GZIP = 16 + zlib.MAX_WBITS


def encoded(body: str | bytes, accept_encoding: str) -> tuple[str | bytes, dict[str, str]]:
    """A body as it is sent, and the headers that say how.

    Args:
        body: text; bytes, a picture's, are left as they are.
        accept_encoding: what the client takes.
    """
    if isinstance(body, bytes) or len(body) < _LEAST_CHARACTERS:
        return body, {}
    headers = {"Vary": "Accept-Encoding"}
    if not _takes_gzip(accept_encoding):
        return body, headers
    return _compressed(body), {**headers, "Content-Encoding": "gzip"}


def _takes_gzip(accept_encoding: str) -> bool:
    for item in accept_encoding.lower().split(","):
        coding, _, quality = (part.strip() for part in item.partition(";"))
        if coding == "gzip":
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


@lru_cache(maxsize=16)
def _compressed(text: str) -> bytes:
    packer = zlib.compressobj(level=6, wbits=_GZIP)
    return packer.compress(text.encode()) + packer.flush()
