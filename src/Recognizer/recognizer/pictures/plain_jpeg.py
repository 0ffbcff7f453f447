"""Whether a file is a small, plain JPEG, told from its markers alone.

Owns what that means: a picture whose decoding, and whose encoding in any format, is known to be short, so that nobody
need be able to stop it. Everything is named that such a file may have; what is not named makes it another one. The walk
along the markers allows nothing between them, so that libjpeg and Pillow read the same segments as this does.

Sources: ITU-T T.81, B.1 and B.2; ``JpegImagePlugin`` and ``MpoImagePlugin`` of Pillow.
"""

from __future__ import annotations

import struct
from itertools import islice
from typing import TYPE_CHECKING

from recognizer.pictures.jpeg_scans import START_OF_SCAN, markers

if TYPE_CHECKING:
    from collections.abc import Iterator

# Cameras, phones and web pages stay below these by far: 5 to 15 segments, 1 to 70 kB of them, 1 or 10 scans.
_MAX_BYTES = 4 * 1024 * 1024
_MAX_HEADER_BYTES = 256 * 1024
_MAX_SEGMENTS = 40
_MAX_SCANS = 16
_MAX_MARKERS = 400  # in all, behind the first scan as well, where tables may stand between scans
# Pillow reads every tag of Exif as it opens the file: a segment has room for 5,000 of them, and joined ones for more.
_MAX_EXIF_BYTES = 16 * 1024

_START = b"\xff\xd8"
_SEGMENT = struct.Struct(">BBH")  # 0xFF, the marker, the length of what follows with these two bytes
_FILL, _LENGTH_BYTES = 0xFF, 2
_FRAME = struct.Struct(">BHHB")  # bits, height, width, components
_COMPONENT_BYTES = 3
_FRAMES = {0xC0, 0xC2}  # baseline, progressive
_TABLES = {0xC4, 0xDB, 0xDD}  # Huffman, quantization, restart interval
_NOTES = {*range(0xE0, 0xF0), 0xFE}  # application data, comment
_EXIF, _MULTIPLE_PICTURES = b"Exif\0", b"MPF\0"
_BITS, _COMPONENTS = 8, {1, 3}
_SAMPLINGS = {0x11, 0x12, 0x21, 0x22}


def is_plain(content: bytes, max_pixels: int) -> bool:
    """Whether a file is a plain JPEG of at most so many pixels."""
    if not content.startswith(_START) or len(content) > _MAX_BYTES:
        return False
    frames = exifs = 0
    for marker, segment in islice(_segments(content), _MAX_SEGMENTS):
        if marker == START_OF_SCAN:
            return frames == 1 and _has_few_scans(content)
        frames += marker in _FRAMES
        exifs += segment.startswith(_EXIF)
        is_plain_segment = (
            _is_plain_frame(segment, max_pixels)
            if marker in _FRAMES
            else marker in _TABLES | _NOTES and _is_plain_note(segment)
        )
        if not is_plain_segment or exifs > 1:
            return False
    return False


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The markers of a file's header and what they hold, as long as nothing else is between them."""
    place = len(_START)
    while place + _SEGMENT.size <= min(len(content), _MAX_HEADER_BYTES):
        fill, marker, length = _SEGMENT.unpack_from(content, place)
        start, place = place + _SEGMENT.size, place + _SEGMENT.size + length - _LENGTH_BYTES
        if fill != _FILL or length < _LENGTH_BYTES or place > len(content):
            return
        yield marker, content[start:place]


def _has_few_scans(content: bytes) -> bool:
    kinds = [kind for _, kind in islice(markers(content), _MAX_MARKERS + 1)]
    return len(kinds) <= _MAX_MARKERS and kinds.count(START_OF_SCAN) <= _MAX_SCANS


def _is_plain_note(segment: bytes) -> bool:
    return not segment.startswith(_MULTIPLE_PICTURES) and not (
        segment.startswith(_EXIF) and len(segment) > _MAX_EXIF_BYTES
    )


def _is_plain_frame(segment: bytes, max_pixels: int) -> bool:
    if len(segment) < _FRAME.size:
        return False
    bits, height, width, components = _FRAME.unpack_from(segment)
    samplings = segment[_FRAME.size + 1 :: _COMPONENT_BYTES]
    return (
        (bits, components in _COMPONENTS) == (_BITS, True)
        and 0 < width * height <= max_pixels
        and len(segment) == _FRAME.size + components * _COMPONENT_BYTES
        and _SAMPLINGS.issuperset(samplings)
    )
