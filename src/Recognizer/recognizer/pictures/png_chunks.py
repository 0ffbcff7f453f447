"""How many chunks a PNG has, told from their headers alone.

Owns two limits. Each profile and each compressed text may inflate to a mebibyte, and Pillow has no budget for all of
them together; each chunk, however small, is a round of its own in Python.

Sources: ``PngImagePlugin`` of Pillow; PNG (Third Edition), 5.3; docs/upstream.md.
"""

from __future__ import annotations

import struct

MAX_CHUNKS = 20_000  # libpng writes chunks of 8 KiB: 20 MiB are 2,560
MAX_COMPRESSED_CHUNKS = 64  # beside the picture itself; ordinary files have one or two

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">I4s")
_CHECKSUM_BYTES = 4
_COMPRESSED = {b"iCCP", b"zTXt", b"iTXt"}


def excess(content: bytes) -> str | None:
    """What a file has too much of, in words for its owner; None for an ordinary PNG, and for all that is none."""
    if not content.startswith(_SIGNATURE):
        return None
    place, compressed = len(_SIGNATURE), 0
    for _ in range(MAX_CHUNKS):
        if place + _HEADER.size > len(content):
            return None
        length, kind = _HEADER.unpack_from(content, place)
        if kind == b"IEND":
            return None
        compressed += kind in _COMPRESSED
        if compressed > MAX_COMPRESSED_CHUNKS:
            return f"more than {MAX_COMPRESSED_CHUNKS} colour profiles and texts"
        place += _HEADER.size + length + _CHECKSUM_BYTES
    return f"more than {MAX_CHUNKS:,} chunks"
