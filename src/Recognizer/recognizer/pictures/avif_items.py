"""How many items an AVIF has, told from the boxes that list them.

Owns one limit. libavif looks for each item among all that it has met, so that the time grows with their square: 200 kB
of them take 2 s, 400 kB four times as long, and Python's lock is held throughout.

Sources: ISO/IEC 14496-12 (boxes, 4.2; items, 8.11), ISO/IEC 23008-12 (properties, 9.3); docs/upstream.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# A picture of 256 tiles with transparency needs about 20 kB, an ordinary one 0.3.
MAX_LIST_BYTES = 64 * 1024

_LISTS = {b"iinf", b"iloc", b"iref", b"ipma", b"grpl"}
_FULL_BOX_BYTES = 4  # a version and flags, before the boxes within


def excess(content: bytes) -> str | None:
    """What a file has too much of, in words for its owner; None for an ordinary AVIF, and for all that is none."""
    if content[4:8] != b"ftyp":
        return None
    total = 0
    for kind, start, end in _boxes(content, 0, len(content)):
        if kind != b"meta":
            continue
        for listed, first, last in _boxes(content, start + _FULL_BOX_BYTES, end):
            within = _boxes(content, first, last) if listed == b"iprp" else [(listed, first, last)]
            total += sum(to - begin for name, begin, to in within if name in _LISTS)
    return f"more than {MAX_LIST_BYTES // 1024} KiB of items" if total > MAX_LIST_BYTES else None


def _boxes(content: bytes, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between two places: their kind, and where what is within them starts and ends."""
    while place + 8 <= end:
        size, kind, start = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8], place + 8
        if size == 1:
            size, start = int.from_bytes(content[start : start + 8]), start + 8
        last = min(end, place + size) if size else end
        if last < start:
            return  # damaged: its reader says so
        yield kind, start, last
        place = last
