"""How large the first frame of a GIF is, told from its blocks.

Owns one limit, and the walk to that frame. Pillow makes room for what a frame is disposed of with as it opens the file:
as much as the frame is said to have, up to 4 GB, before anyone can ask how large the picture is.

Sources: GIF89a, sections 18 to 20 and 24; ``GifImagePlugin._seek`` of Pillow; docs/upstream.md.
"""

from __future__ import annotations

import struct

# Before the first frame, with what is no block, byte by byte; a comment of 16 MiB, or a profile, needs fewer.
MAX_BLOCKS = 100_000

_SIGNATURES = (b"GIF87a", b"GIF89a")
_SCREEN_AT = 6
_HEADER_BYTES = 13
_FRAME = struct.Struct("<HHHH")  # left, top, width, height
_EXTENSION, _IMAGE, _END = b"!", b",", b";"


def excess(content: bytes) -> str | None:
    """What a file has too much of, in words for its owner; None for an ordinary GIF, and for all that is none."""
    try:
        size_px(content)
    except OverflowError:
        return f"more than {MAX_BLOCKS:,} blocks before its picture"
    return None


def size_px(content: bytes) -> tuple[int, int] | None:
    """Width and height of what the screen and the first frame cover; None where there is none, or no GIF.

    Raises:
        OverflowError: there are more than ``MAX_BLOCKS`` before it.
    """
    if not content.startswith(_SIGNATURES) or len(content) < _HEADER_BYTES:
        return None
    width, height, flags = struct.unpack_from("<HHB", content, _SCREEN_AT)
    place = _HEADER_BYTES + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    blocks = 0
    while (kind := content[place : place + 1]) not in {_END, b""}:
        place += 1
        blocks += 1
        if kind == _IMAGE:
            if place + _FRAME.size > len(content):
                return None
            left, top, across, down = _FRAME.unpack_from(content, place)
            return max(width, left + across), max(height, top + down)
        if blocks > MAX_BLOCKS:
            raise OverflowError("too many blocks")
        if kind != _EXTENSION:  # Pillow passes by what it does not know
            continue
        place += 1
        while place < len(content) and (length := content[place]):
            place += 1 + length
            blocks += 1
            if blocks > MAX_BLOCKS:
                raise OverflowError("too many blocks")
        place += 1
    return None
