"""Which colour each object has: stable by label, safe for colour-blind eyes, with text that can be read on it.

Owns the palette and the choice from it. A label has a colour of its own, the same in every process and version of
Python. There are seven for 601 labels: where two labels of one picture would share one, the less confident gets
another. Objects of one label whose boxes overlap differ in lightness.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recognizer.detections import PixelBox

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

# For pictures with more than seven labels: of all colours whose levels are multiples of 17 and not too garish (at most
# 187 apart), each is the one that lies farthest in CIELAB from those before it and from their shades. All show on black
# by 3:1.
_MORE = (
    "5533ee 44ff44 ff55ee eeddbb ff4466 669911 2255cc 44ffff 446666 ff9988 66ff99 776600 ddccff ff55aa "
    "8833aa bbee99 aa8888 778855 bb1111 00aa44 aa2255 bb7733 dd77dd 77ffcc aa66ff 22bb00 8877bb 0099aa "
    "aaddbb aaee66 6699ff aa3388 9911cc 7788aa 99eeff aabb55 665566 ee6688 ff7755 aacc11 bb9933 cc9977 "
    "99aa99 884477 55bbaa ffaa66 cc11aa ffcc66 117711 4455ee 3355aa aaaa11 994444 337744 775544 007766 "
    "ccddee bb0033 ffbbdd aa4422 ddee77 8877ee ff4444 88bb77 226688 7799dd 778822 55ee66 77bb55 884499 "
    "ffbbff cc1177 00bb77 998866 dd33ee 11ccaa ddbb22 aaaa66 ff7777 dd9999 dd2266 66cc44 119900 ee8833 "
    "aa99cc 77bbcc 88ee99 885511 cc88ff 008844 77bb00 7744cc 336611"
)

PALETTE: tuple[RGB, ...] = OKABE_ITO + tuple(
    (colour[0], colour[1], colour[2]) for colour in map(bytes.fromhex, _MORE.split())
)
"""A colour for each of a hundred labels in one picture."""

_SEED = 177_684
"""Start value of the checksum that picks a colour.

Any would do. With this one, labels that photos often show together differ: person, car, bicycle and bus; person, dog,
cat, bird and horse; person, man, woman, clothing, human face and footwear.
"""

SHADES = 3
"""Plain, lighter, and darker (of dark colours: a little lighter)."""

_LIGHTER, _DARKER, _LITTLE_LIGHTER = 50, 30, 25  # percent of white, of black, of white
_DARK_LUMA = 100  # a colour below it would not show on black if it were darker
_HALO_PERCENT = 20  # of the colour's own levels: dark enough to edge the line on white, of one hue with it
_LINEAR_UP_TO = 0.04045  # sRGB's transfer curve starts with a straight line


class Ink(NamedTuple):
    """The three colours that one object is drawn in.

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


def ink_for(label_id: str) -> Ink:
    """The colours of a label in a picture where no other has taken them, from its machine id (``/m/0bt9lr``) alone."""
    return ink(_own_colour(label_id), 0)


def inks_for(label_ids: Sequence[str], boxes: Sequence[PixelBox]) -> list[Ink]:
    """The colours of a picture's objects: labels never share one, and overlapping objects of one label differ in shade.

    Args:
        label_ids: machine ids of the n objects, the most important first.
        boxes: their n boxes.
    """
    return [ink(colour, shade) for colour, shade in choices(label_ids, boxes)]


def choices(label_ids: Sequence[str], boxes: Sequence[PixelBox]) -> list[tuple[int, int]]:
    """As ``inks_for``: index in ``PALETTE`` and shade, 0..2, of each object."""
    colours: dict[str, int] = {}
    alike: dict[str, list[tuple[PixelBox, int]]] = {}
    found = []
    for label_id, box in zip(label_ids, boxes, strict=True):
        if label_id not in colours:
            colours[label_id] = _free_colour(_own_colour(label_id), set(colours.values()))
        others = alike.setdefault(label_id, [])
        counts = [0] * SHADES
        for other, shade in others:
            if other.xmin < box.xmax and box.xmin < other.xmax and other.ymin < box.ymax and box.ymin < other.ymax:
                counts[shade] += 1
        shade = counts.index(min(counts))
        others.append((box, shade))
        found.append((colours[label_id], shade))
    return found


@lru_cache(maxsize=1024)
def ink(colour: int, shade: int) -> Ink:
    """The colours that belong to an index in ``PALETTE`` and a shade, 0..2."""
    line = PALETTE[colour]
    red, green, blue = line
    if shade == 1:
        line = _mixed(line, 255, _LIGHTER)
    elif shade:
        is_dark = 299 * red + 587 * green + 114 * blue < 1000 * _DARK_LUMA
        line = _mixed(line, 255, _LITTLE_LIGHTER) if is_dark else _mixed(line, 0, _DARKER)
    return Ink(line=line, text=readable_on(line), halo=_mixed(line, 0, 100 - _HALO_PERCENT))


def readable_on(ground: RGB) -> RGB:
    """Black or white, whichever has the higher contrast with ``ground``."""
    black, white = (0, 0, 0), (255, 255, 255)
    return max((black, white), key=lambda text: contrast(text, ground))


def contrast(one: RGB, other: RGB) -> float:
    """Contrast ratio of two colours, 1..21, as WCAG 2.2 defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _own_colour(label_id: str) -> int:
    """Index of a label's own colour among the first seven."""
    # CRC-32 is defined to the bit; hash() differs from one process to the next.
    return zlib.crc32(label_id.encode(), _SEED) % len(OKABE_ITO)


def _free_colour(own: int, taken: set[int]) -> int:
    """The label's own colour, else the next free of the seven, else the first free of the others."""
    seven = len(OKABE_ITO)
    order = [*((own + step) % seven for step in range(seven)), *range(seven, len(PALETTE))]
    return next((colour for colour in order if colour not in taken), own)


def _mixed(colour: RGB, level: int, percent: int) -> RGB:
    """A colour with so much of black (0) or white (255)."""
    red, green, blue = ((channel * (100 - percent) + level * percent + 50) // 100 for channel in colour)
    return red, green, blue


def _luminance(colour: RGB) -> float:
    """Relative luminance, 0..1, as WCAG 2.2 defines it."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    """Light of one sRGB channel, 0..1 -> 0..1."""
    if channel <= _LINEAR_UP_TO:
        return channel / 12.92
    return float(((channel + 0.055) / 1.055) ** 2.4)
