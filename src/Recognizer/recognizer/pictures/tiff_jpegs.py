"""Where the JPEGs within a TIFF are.

Owns reading that off its tags: a strip or tile of one that is compressed as JPEG is a JPEG of its own, which can have
as many scans as any other.

Source: TIFF Technical Note 2, "Replacement TIFF/JPEG specification" (https://www.awaresystems.be/imaging/tiff/specification/TIFFTechNote2.txt).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL.TiffImagePlugin import (
    COMPRESSION,
    STRIPBYTECOUNTS,
    STRIPOFFSETS,
    TILEBYTECOUNTS,
    TILEOFFSETS,
    TiffImageFile,
)

if TYPE_CHECKING:
    from PIL import Image

_JPEG = {6, 7}  # as it was, and as it is


def jpegs_in(image: Image.Image) -> list[slice]:
    """The places in the file of an opened picture; none for all others."""
    if not isinstance(image, TiffImageFile) or image.tag_v2.get(COMPRESSION) not in _JPEG:
        return []
    for offsets, lengths in ((STRIPOFFSETS, STRIPBYTECOUNTS), (TILEOFFSETS, TILEBYTECOUNTS)):
        if offsets in image.tag_v2:
            pairs = zip(image.tag_v2[offsets], image.tag_v2.get(lengths, ()), strict=False)
            return [slice(start, start + length) for start, length in pairs]
    return []
