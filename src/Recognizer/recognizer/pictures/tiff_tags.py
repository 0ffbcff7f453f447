"""How much a TIFF's directory promises, told from its tags alone.

Owns three limits. Pillow makes a Python object of each value of a tag and a job of each strip, and it does so before
anyone can ask how large the picture is; strips beyond those that the picture needs decode it again and again.

Sources: TIFF 6.0, section 2 (the directory), pages 39, 66 and 67 (strips, tiles); ``TiffImagePlugin`` of Pillow;
docs/upstream.md.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TAGS = 1000  # ordinary files have 12 to 60
MAX_VALUES = 200_000  # of one tag; 50 megapixels in tiles of 16 x 16, the smallest there are, need fewer

_BIG = 43  # BigTIFF
_BYTES = {1, 2, 7}  # types whose values stay bytes: BYTE, ASCII, UNDEFINED
_INTEGERS = {3: "H", 4: "I", 16: "Q"}
_WIDTH, _HEIGHT, _STRIPS, _SAMPLES, _ROWS, _PLANES = 256, 257, 273, 277, 278, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILES = 322, 323, 324
_SEPARATE_PLANES = 2


class _Tag(NamedTuple):
    number: int
    type: int
    values: int
    """How many there are."""
    value: int | None
    """The value, where the tag has a single whole number."""


def excess(content: bytes) -> str | None:
    """What a file has too much of, in words for its owner; None for an ordinary TIFF, and for all that is none."""
    if content[:2] not in {b"II", b"MM"} or not {42, _BIG} & set(content[2:4]):
        return None
    tags: dict[int, _Tag] = {}
    try:
        for tag in _tags(content):
            if len(tags) >= MAX_TAGS:
                return f"more than {MAX_TAGS} tags"
            if tag.values > MAX_VALUES and tag.type not in _BYTES:
                return f"more than {MAX_VALUES:,} values in a tag"
            tags.setdefault(tag.number, tag)
    except (struct.error, OverflowError):  # a directory that is cut off, or beyond what is counted: its reader says so
        return None
    return "more strips or tiles than its picture needs" if _repeats(tags) else None


def _tags(content: bytes) -> Iterator[_Tag]:
    """The tags of the first picture, which is the one that is decoded; those of the same number included."""
    order = "<" if content.startswith(b"II") else ">"
    is_big = content[2] == _BIG  # as Pillow tells it
    directory, counted, entry = ("Q", "Q", "HHQ") if is_big else ("I", "H", "HHI")
    (place,) = struct.unpack_from(order + directory, content, 8 if is_big else 4)
    (number_of_tags,) = struct.unpack_from(order + counted, content, place)
    place += struct.calcsize(order + counted)
    value_at = struct.calcsize(order + entry)
    for start in range(place, place + number_of_tags * (20 if is_big else 12), 20 if is_big else 12):
        number, kind, count = struct.unpack_from(order + entry, content, start)
        value = None
        if count == 1 and kind in _INTEGERS and (is_big or _INTEGERS[kind] != "Q"):
            (value,) = struct.unpack_from(order + _INTEGERS[kind], content, start + value_at)
        yield _Tag(number, kind, count, value)


def _repeats(tags: dict[int, _Tag]) -> bool:
    width, height = _value(tags, _WIDTH), _value(tags, _HEIGHT)
    if not width or not height:
        return False
    across, down = 1, _parts(height, _value(tags, _ROWS))
    if _STRIPS not in tags:
        across, down = _parts(width, _value(tags, _TILE_WIDTH)), _parts(height, _value(tags, _TILE_HEIGHT))
    planes = (_value(tags, _SAMPLES) or 1) if _value(tags, _PLANES) == _SEPARATE_PLANES else 1
    offsets = tags.get(_STRIPS) or tags.get(_TILES)
    return offsets is not None and offsets.values > across * down * planes


def _parts(length: int, of: int | None) -> int:
    return -(-length // of) if of else 1


def _value(tags: dict[int, _Tag], number: int) -> int | None:
    return tags[number].value if number in tags else None
