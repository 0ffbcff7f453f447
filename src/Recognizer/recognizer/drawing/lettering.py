"""The one font, at the sizes that images need, and how text fits into a label.

Owns reading the font and measuring with it. Names in another font, or none, would be a silent fallback, so a font that
is missing stops the cold start.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ImageFont

from recognizer.drawing.forms import MIN_FONT_PX, height_px, padding_px, radius_px
from recognizer.errors import FontNotUsable

if TYPE_CHECKING:
    from collections.abc import Callable

OPEN_SANS = Path(__file__).resolve().parents[2] / "font" / "OpenSans-Regular.ttf"
"""The font that comes with the service."""

_REMEMBERED_TEXTS = 512
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_MUST_HAVE_INK = f"AHMagx0123456789%{_ELLIPSIS}"  # of what labels are made: some letters, and all of a percentage
_OPENTYPE = (b"\0\1\0\0", b"OTTO", b"true")
_TABLE = struct.Struct(">4sIII")  # tag, checksum, offset, length: a line of the table directory of OpenType


@dataclass(frozen=True, slots=True)
class Lettering:
    """One size of the font and the label ground around it.

    Attributes:
        font: the font at that size.
        height_px: height of the ground, the same for every text.
        baseline_px: from the ground's upper edge down to the baseline, the same for every text.
        padding_px: from the ground's left and right edges to the text.
        radius_px: radius of the ground's round corners.
        length_px: length of a text; remembers those measured last, as each is asked for several times.
    """

    font: ImageFont.FreeTypeFont
    height_px: int
    baseline_px: int
    padding_px: int
    radius_px: int
    length_px: Callable[[str], float]

    @classmethod
    def of(cls, font: ImageFont.FreeTypeFont) -> Lettering:
        """The label for a font: capitals in the middle of its height, room for an accent above and a ``g`` below."""
        ground_px = height_px(round(font.size), 0)
        capital_px = round(-font.getbbox("H", anchor="ls")[1])
        return cls(
            font=font,
            height_px=ground_px,
            baseline_px=(ground_px + capital_px + 1) // 2,
            padding_px=padding_px(round(font.size)),
            radius_px=radius_px(round(font.size)),
            length_px=lru_cache(maxsize=_REMEMBERED_TEXTS)(font.getlength),
        )


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
        return math.ceil(self._lettering(size_px).length_px(text))


def _is_cut_short(content: bytes) -> bool:
    """Whether a font's directory names tables beyond its end (OpenType, "Organization of an OpenType Font").

    Fonts of other kinds, and collections, have no such directory and are taken for whole.
    """
    if not content.startswith(_OPENTYPE):
        return False
    (tables,) = struct.unpack_from(">H", content, 4)
    directory = content[12 : 12 + tables * _TABLE.size]
    return any(offset + length > len(content) for _, _, offset, length in _TABLE.iter_unpack(directory))
