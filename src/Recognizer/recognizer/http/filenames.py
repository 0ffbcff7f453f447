"""What the file of a source is called, and under which name a browser saves an answer (RFC 6266).

Owns how it is made from the address of the source.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

_EXTENSIONS = {"image/jpeg": "jpg", "image/tiff": "tif", "text/plain": "txt"}  # of others the name of the format
_MAX_CHARACTERS = 80


def of_source(url: str) -> str:
    """The last part of an address, as it is read; ``picture`` where there is none, or for a picture that was sent."""
    return unquote(urlsplit(url).path).rpartition("/")[2] or "picture"


def disposition(url: str, media_type: str) -> str:
    """A Content-Disposition: ``inline; filename="cat-objects.jpg"`` for ``…/cat.png`` answered as a JPEG.

    Args:
        url: address of the source; empty for a picture that was sent.
        media_type: of the answer.
    """
    stem = re.sub(r"[^\w-]+", "-", re.sub(r"\.\w+$", "", of_source(url)))[:_MAX_CHARACTERS].strip("-") or "picture"
    extension = _EXTENSIONS.get(media_type, media_type.rpartition("/")[2])
    name = f"{stem}-objects.{extension}"
    if name.isascii():
        return f'inline; filename="{name}"'
    plain = re.sub(r"[^ -~]", "-", name)
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
