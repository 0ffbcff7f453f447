"""The one font, at the sizes that images need, and how text fits into a label.

Owns reading the font and measuring with it. Names in another font, or none, would be a silent fallback, so a font that
is missing stops the cold start.
"""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from recognizer.drawing.forms import MIN_FONT_PX, height_px, padding_px
from recognizer.errors import FontNotUsable

if TYPE_CHECKING:
    from collections.abc import Callable

OPEN_SANS = Path(__file__).resolve().parents[2] / "font" / "OpenSans-Regular.ttf"
"""The font that comes with the service."""

_REMEMBERED_TEXTS = 256
_REMEMBERED_UP_TO_PX = 32  # letters that large take 10 kB a name, those of 50 megapixels 280 kB
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_MUST_HAVE_INK = f"AHMagx0123456789%{_ELLIPSIS}"  # of what labels are made: some letters, and all of a percentage
_OPENTYPE = (b"\0\1\0\0", b"OTTO", b"true")
_TABLE = struct.Struct(">4sIII")  # tag, checksum, offset, length: a line of the table directory of OpenType


class Lettering(NamedTuple):
    """One size of the font, and the label ground that goes with it.

    Attributes:
        font: the font at that size.
        height_px: height of the ground, the same for every text.
        baseline_px: from the ground's upper edge down to the baseline, the same for every text.
        length_px: length of a text, rounded up; remembers those measured last, as each is asked for several times.
        written: a text as it stands on its ground, with the padding to its left: how much of each pixel it inks (mode
            L); remembers those written last in small letters, as names come again from picture to picture.
    """

    font: ImageFont.FreeTypeFont
    height_px: int
    baseline_px: int
    length_px: Callable[[str], int]
    written: Callable[[str], Image.Image]

    @classmethod
    def of(cls, font: ImageFont.FreeTypeFont) -> Lettering:
        """The label for a font: capitals in the middle of its height, room for an accent above and a ``g`` below."""
        ground_px, left_px = height_px(round(font.size), 0), padding_px(round(font.size))
        capital_px = round(-font.getbbox("H", anchor="ls")[1])
        baseline_px = (ground_px + capital_px + 1) // 2

        @lru_cache(maxsize=_REMEMBERED_TEXTS)
        def length_px(text: str) -> int:
            return math.ceil(font.getlength(text))

        def written(text: str) -> Image.Image:
            image = Image.new("L", (length_px(text) + 2 * left_px, ground_px))
            ImageDraw.Draw(image).text((left_px, baseline_px), text, 255, font, anchor="ls")
            return image

        if font.size <= _REMEMBERED_UP_TO_PX:
            written = lru_cache(maxsize=_REMEMBERED_TEXTS)(written)
        return cls(font, ground_px, baseline_px, length_px, written)


class Typeface:
    """A font file, read once; gives its lettering at any size, from any thread.

    Raises:
        FontNotUsable: the file is missing, is no font, is cut short, or lacks the letters of labels; the message names
            it.
    """

    def __init__(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise FontNotUsable(f"The font {path} cannot be read: {error.strerror}") from error

        def lettering(size_px: int) -> Lettering:
            # The basic layout engine, as the other one (Raqm) is not on every platform and Latin text needs no shaping.
            font = ImageFont.truetype(BytesIO(content), size_px, layout_engine=ImageFont.Layout.BASIC)
            return Lettering.of(font)

        # Bounded, as FreeType keeps a copy of the file (200 KB) for each size.
        self._lettering = lru_cache(maxsize=16)(lettering)
        try:
            font = self._lettering(MIN_FONT_PX).font
            lacking = [letter for letter in _MUST_HAVE_INK if font.getmask(letter).getbbox() is None]
        except OSError as error:
            raise FontNotUsable(f"{path} is not a font: {error}") from error
        # FreeType draws nothing for a glyph that it cannot read, and says nothing: boxes would lose their names.
        if lacking or _is_cut_short(content):
            raise FontNotUsable(f"The font {path} is damaged: a part of its glyphs is missing. Install it again.")

    def at(self, size_px: int) -> Lettering:
        """The lettering of that size (em)."""
        return self._lettering(size_px)

    def length_px(self, text: str, size_px: int) -> int:
        """Length of a text in that size (em), rounded up."""
        return self._lettering(size_px).length_px(text)


def _is_cut_short(content: bytes) -> bool:
    """Whether a font's directory names tables beyond its end (OpenType, "Organization of an OpenType Font").

    Fonts of other kinds, and collections, have no such directory and are taken for whole.
    """
    if not content.startswith(_OPENTYPE):
        return False
    (tables,) = struct.unpack_from(">H", content, 4)
    directory = content[12 : 12 + tables * _TABLE.size]
    return any(offset + length > len(content) for _, _, offset, length in _TABLE.iter_unpack(directory))
