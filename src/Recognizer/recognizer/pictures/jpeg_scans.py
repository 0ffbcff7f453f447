"""How many scans a JPEG has, told without decoding it.

Owns two limits and the walk along a JPEG's markers. Each scan is a pass over the whole picture, and a kilobyte holds a
hundred of them, so a small file can ask for minutes of work: this is asked before a pixel is decoded. Of a small
picture a hundred scans are read, of a large one as many as a budget of pixels allows.

The count is never lower than the number of scans that libjpeg decodes. It steps over data by their length only at
markers where libjpeg does so too or gives up, and everywhere else looks at every byte: a decoder that expects a restart
marker looks for the next marker behind any that it does not know.

Sources: ``jdmarker.c`` of libjpeg-turbo (``read_markers``, ``next_marker``, ``jpeg_resync_to_restart``);
ITU-T T.81, table B.1.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Ordinary progressive files have about 10.
# https://libjpeg-turbo.org/pmwiki/uploads/About/TwoIssueswiththeJPEGStandard.pdf
MAX_JPEG_SCANS = 100
MAX_SCANNED_PX = 750_000_000  # 15 scans of 50 megapixels: 2 s

START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9

# The markers that matter: the end, and those whose length libjpeg believes or refuses the file: frame headers, tables
# (Huffman, arithmetic, quantization), restart interval, number of lines, scan header, application data, comment. Fill
# bytes, stuffed zeros, restarts and reserved markers have no length and are passed by.
_MARKER = re.compile(rb"\xff([\xc0-\xc7\xc9-\xcf\xd9-\xdd\xe0-\xef\xfe])")
_LENGTH_BYTES = 2


def has_too_many_scans(content: bytes, size_px: tuple[int, int], jpegs: Sequence[slice] = (slice(None),)) -> bool:
    """Whether a file has more scans than are read of a picture of that width and height.

    Args:
        content: the file.
        size_px: width and height of its picture.
        jpegs: where in it there are JPEGs, each of an equal share of the picture; by default it is one.
    """
    most = min(MAX_JPEG_SCANS, MAX_SCANNED_PX // max(1, size_px[0] * size_px[1]))
    # Nearly every file has fewer pairs of bytes that could start one.
    if content.count(bytes((0xFF, START_OF_SCAN))) <= most:
        return False
    found = (place for jpeg in jpegs for place in scans(content[jpeg]))
    return next(islice(found, most * len(jpegs), None), None) is not None


def scans(content: bytes) -> Iterator[int]:
    """Where the scans of a JPEG file start, up to the end of the image.

    A thumbnail's lie within application data and a phone's motion photo has a film behind the end: neither counts.
    """
    return (place for place, kind in markers(content) if kind == START_OF_SCAN)


def markers(content: bytes) -> Iterator[tuple[int, int]]:
    """Where the markers that matter are, up to the end of the image, and which ones they are."""
    place = 2  # behind the start of the image
    while (marker := _MARKER.search(content, place)) is not None:
        kind = marker[1][0]
        if kind == _END_OF_IMAGE:
            return
        yield marker.start(), kind
        length = int.from_bytes(content[marker.end() : marker.end() + _LENGTH_BYTES])
        place = marker.end() + max(_LENGTH_BYTES, length)
