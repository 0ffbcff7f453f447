"""The forms of a label, from all that it can say to a number: what it says in each, and how large.

Owns what gives way where there is little room. How wide a text is comes in as a function, so nothing of a font is
known here; all division is rounded down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    LengthPx = Callable[[str, int], int]  # text, font size (em, px) -> length of the text in pixels, rounded up


class Form(NamedTuple):
    """One way in which an object can be labelled.

    Attributes:
        name: of the form.
        says: ``name and score``, ``name``, or ``number``, where a legend has the rest.
        is_small: whether its letters are smaller than those of other forms.
        has_leader: whether it stands off its box, with a line to it.
    """

    name: str
    says: str
    is_small: bool
    has_leader: bool


FORMS = (
    Form("whole", says="name and score", is_small=False, has_leader=False),
    Form("name", says="name", is_small=False, has_leader=False),
    Form("small", says="name", is_small=True, has_leader=False),
    Form("leader", says="name", is_small=True, has_leader=True),
    Form("number", says="number", is_small=True, has_leader=False),
)
"""The forms of a label, the best first: an object gets the first for which there is room."""

MIN_FONT_PX = 11
"""Size (em) below which Open Sans can't be read."""

_SMALL_FONT = (3, 4)  # of the size of other letters
_MIN_NAME_CHARACTERS = 3  # a name cut shorter names nothing
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def small_font_px(font_px: int) -> int:
    """The size of small letters beside those of another size."""
    return max(MIN_FONT_PX, _SMALL_FONT[0] * font_px // _SMALL_FONT[1])


def height_px(font_px: int, halo_px: int) -> int:
    """Height of a label, halo included."""
    return (138 * font_px + 50) // 100 + 2 * halo_px


def padding_px(font_px: int) -> int:
    """From a label's left and right edges, without the halo, to its text."""
    return (3 * font_px + 5) // 10


def radius_px(font_px: int) -> int:
    """Radius of a label's round corners, without the halo."""
    return (2 * font_px + 5) // 10


def percent(score: float) -> str:
    """A score, 0..1, as labels write it: whole percent, halves rounded up."""
    return f"{int(100 * score + 0.5)}%"


def one_line(name: str, score: str, room_px: int, length_px: Callable[[str], int]) -> str:
    """``name score``, the name cut with an ellipsis where the text would be longer than the room.

    Args:
        name: of the object.
        score: as it is written (``93%``); empty for a label without.
        room_px: the greatest length.
        length_px: text -> its length.

    Returns:
        An empty text where fewer than three letters of the name would be left: that can't be read.
    """
    name = " ".join(name.split())
    text = f"{name} {score}".strip()
    if length_px(text) <= room_px:
        return text
    fits, too_long = _MIN_NAME_CHARACTERS - 1, len(name)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if length_px(_cut(name, middle, score)) <= room_px:
            fits = middle
        else:
            too_long = middle
    return _cut(name, fits, score) if fits >= _MIN_NAME_CHARACTERS else ""


def _cut(name: str, characters: int, score: str) -> str:
    return f"{name[:characters].rstrip()}{_ELLIPSIS} {score}".rstrip()
