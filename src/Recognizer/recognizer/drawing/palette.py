"""Which colour a label has: stable, safe for colour-blind eyes, with a text colour that can be read on it.

Owns the palette and the choice from it. The same label has the same colour in every picture, process and version of
Python, so the choice depends on the label's id alone, not on the picture or the other labels in it. There are seven
colours for 601 labels, so different labels do share one; colour helps to tell boxes apart, the written name says what
they are.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache

RGB = tuple[int, int, int]
"""Red, green and blue of sRGB, 0..255 each."""

OKABE_ITO: tuple[RGB, ...] = (
    (230, 159, 0),  # orange
    (86, 180, 233),  # sky blue
    (0, 158, 115),  # bluish green
    (240, 228, 66),  # yellow
    (0, 114, 178),  # blue
    (213, 94, 0),  # vermillion
    (204, 121, 167),  # reddish purple
)
"""The colour-universal palette of Masataka Okabe and Kei Ito, https://jfly.uni-koeln.de/color/ (2002, revised 2008).

Without its eighth colour, black, which no dark picture shows.
"""

_SEED = 177_684
"""Start value of the checksum that picks a colour.

Any would do. With this one, labels that photos often show together differ: person, car, bicycle and bus; person, dog,
cat, bird and horse; person, man, woman, clothing, human face and footwear.
"""

_HALO_SHARE = 0.2  # of the colour's own light: dark enough to edge the line on white, of one hue with it
_LINEAR_UP_TO = 0.04045  # sRGB's transfer curve starts with a straight line


@dataclass(frozen=True, slots=True)
class Ink:
    """The three colours that one label is drawn in.

    Attributes:
        line: the box's line and the ground of its name.
        text: black or white, whichever contrasts more with ``line``; at least 4.5:1 by WCAG.
        halo: a very dark shade of ``line``, drawn along it, so that the pair stands out from light and dark alike.
    """

    line: RGB
    text: RGB
    halo: RGB

    @property
    def hex(self) -> str:
        """``line`` as a page writes it (``#d55e00``)."""
        return "#{:02x}{:02x}{:02x}".format(*self.line)


@lru_cache(maxsize=1024)
def ink_for(label_id: str) -> Ink:
    """The colours of a label, from its machine id (``/m/0bt9lr``) alone."""
    # CRC-32 is defined to the bit; hash() differs from one process to the next.
    line = OKABE_ITO[zlib.crc32(label_id.encode(), _SEED) % len(OKABE_ITO)]
    red, green, blue = (round(channel * _HALO_SHARE) for channel in line)
    return Ink(line=line, text=readable_on(line), halo=(red, green, blue))


def readable_on(ground: RGB) -> RGB:
    """Black or white, whichever has the higher contrast with ``ground``."""
    black, white = (0, 0, 0), (255, 255, 255)
    return max((black, white), key=lambda text: contrast(text, ground))


def contrast(one: RGB, other: RGB) -> float:
    """Contrast ratio of two colours, 1..21, as WCAG 2.2 defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: RGB) -> float:
    """Relative luminance, 0..1, as WCAG 2.2 defines it."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    """Light of one sRGB channel, 0..1 -> 0..1."""
    if channel <= _LINEAR_UP_TO:
        return channel / 12.92
    return float(((channel + 0.055) / 1.055) ** 2.4)
