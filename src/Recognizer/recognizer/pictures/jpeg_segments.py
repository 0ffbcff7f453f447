"""How much a JPEG carries before its picture, told from its markers alone.

Owns two limits. Pillow keeps every segment that it meets and joins those of the same kind one after the other, each
time with all that it has: segments by the thousand take minutes, empty ones by the million take the memory. It does so
as it opens the file, so this is asked before. The walk is Pillow's own: what it steps over by its length, this does.

Sources: ``JpegImagePlugin._open`` of Pillow; ITU-T T.81, table B.1; docs/upstream.md.
"""

from __future__ import annotations

import re

# Ordinary files have about 10, those with a depth map or a panorama in their metadata about 100 of 64 KiB each.
MAX_SEGMENTS = 1000
MAX_HEADER_BYTES = 8 * 1024 * 1024

_START_OF_SCAN = 0xDA
# The markers whose length Pillow believes. It does not stop at the end of an image, nor does this.
_SEGMENT = re.compile(rb"\xff([\xc0-\xc7\xc9-\xcf\xda-\xdf\xe0-\xef\xfe])")
_LENGTH_BYTES = 2


def excess(content: bytes) -> str | None:
    """What a file has too much of, in words for its owner; None for an ordinary JPEG, and for all that is none."""
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    place = 2  # behind the start of the image
    for _ in range(MAX_SEGMENTS):
        marker = _SEGMENT.search(content, place, MAX_HEADER_BYTES)
        if marker is None:
            is_over = len(content) > MAX_HEADER_BYTES
            return f"more than {MAX_HEADER_BYTES // 1024**2} MiB of metadata" if is_over else None
        if marker[1][0] == _START_OF_SCAN:
            return None
        length = int.from_bytes(content[marker.end() : marker.end() + _LENGTH_BYTES])
        place = marker.end() + max(_LENGTH_BYTES, length)
    return f"more than {MAX_SEGMENTS} pieces of metadata"
