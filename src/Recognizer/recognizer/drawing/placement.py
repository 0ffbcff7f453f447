"""Which label each object gets and where it goes: at its box, over no other label, and never hiding what it names.

Owns the story: as many names as there is room for, the most important first; then numbers for the others, as many as
the legend has room for. What is left has its box alone. The forms of a label are ``forms``', the places that are tried
``spots``', and whether one is free ``room``'s.

The page draws by the same rules, so they are written down in docs/drawing.md, and tests/fixtures/placements.json holds
what comes out of them. They are arithmetic on whole pixels: no image, no colour, no font; how wide a text is comes in
as a function.
"""

from __future__ import annotations

import math
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from recognizer.detections import PixelBox
from recognizer.drawing.forms import FORMS, MIN_FONT_PX, Form, height_px, one_line, padding_px, small_font_px
from recognizer.drawing.legend import MAX_LINES, legend
from recognizer.drawing.room import Room
from recognizer.drawing.spots import LONGEST_LEADER, at_frame, leader, off_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from recognizer.drawing.forms import LengthPx
    from recognizer.drawing.room import Rectangle
    from recognizer.drawing.sizes import Sizes

_MAX_HEIGHT = 3  # a label takes at most one part in so many of the image's height
_CROWDED = 0.3  # share of the image under labels from which all letters get smaller
_MIN_CROWDED_FONT = 0.6  # of the size that they would have otherwise


class Named(NamedTuple):
    """An object to be labelled.

    Attributes:
        box: its bounding box, within the image.
        name: what it is.
        score: how sure that is, as it is written (``93%``).
    """

    box: PixelBox
    name: str
    score: str


class Placed(NamedTuple):
    """A label in its place.

    Attributes:
        object_index: which object it names.
        form: the name of its form, or ``legend`` for a line of the legend.
        text: what it says.
        font_px: size of its letters (em).
        place: where it is, halo included.
        leader: the line from it to its frame, halo included, upright or level; None for a label at its frame.
    """

    object_index: int
    form: str
    text: str
    font_px: int
    place: PixelBox
    leader: PixelBox | None = None


def frame_around(box: PixelBox, image_px: tuple[int, int], sizes: Sizes) -> PixelBox:
    """The outer edge of the line around a box: around the object, not over it, as far as the image has room."""
    margin = sizes.line_px + sizes.halo_px
    return PixelBox(
        xmin=max(0, box.xmin - margin),
        ymin=max(0, box.ymin - margin),
        xmax=min(image_px[0], box.xmax + margin),
        ymax=min(image_px[1], box.ymax + margin),
    )


def place_labels(
    image_px: tuple[int, int], objects: Sequence[Named], sizes: Sizes, length_px: LengthPx
) -> list[Placed]:
    """The labels of an image, by index of the objects, and after them the lines of the legend.

    An earlier label is never moved for a later one.

    Args:
        image_px: size of the image.
        objects: the most important first.
        sizes: how thick lines and how large letters are.
        length_px: text, font size -> length of the text, rounded up.
    """
    return _Layout(image_px, objects, sizes, length_px).placed()


class _Layout:
    """One image's labels, while they are placed."""

    def __init__(self, image_px: tuple[int, int], objects: Sequence[Named], sizes: Sizes, length_px: LengthPx) -> None:
        self._image_px, self._objects, self._length_px = image_px, objects, length_px
        self._halo_px, self._leader_px = sizes.halo_px, sizes.line_px + 2 * sizes.halo_px
        self._frames = [_edges(frame_around(thing.box, image_px, sizes)) for thing in objects]
        self._room = Room(image_px, [_edges(thing.box) for thing in objects])
        self._font_px = self._uncrowded(sizes.font_px)
        self._small_px = small_font_px(self._font_px)

    def placed(self) -> list[Placed]:
        """Names first, then numbers with a legend."""
        named = self._first_of([form for form in FORMS if form.says != "number"], range(len(self._objects)))
        with_name = {label.object_index for label in named}
        nameless = [index for index in range(len(self._objects)) if index not in with_name]
        numbers = self._first_of([form for form in FORMS if form.says == "number"], nameless)
        lines = self._legend([label.object_index for label in numbers])
        return sorted([*named, *numbers[: len(lines)]], key=attrgetter("object_index")) + lines

    def _first_of(self, forms: Sequence[Form], indices: Iterable[int]) -> list[Placed]:
        """Each object's label, in the first form for which there is room; without those that have none."""
        return [label for index in indices if (label := self._label(index, forms))]

    def _label(self, index: int, forms: Sequence[Form]) -> Placed | None:
        frame, image_px, halo = self._frames[index], self._image_px, self._halo_px
        heeded_px = -1
        for form in forms:
            font_px = self._small_px if form.is_small else self._font_px
            text = self._text(index, form.says, font_px)
            size = width, height = self._size_px(text, font_px)
            if not text or not self._may_have(size):
                continue
            away, line_to = 0, None
            if form.has_leader:
                away = LONGEST_LEADER * height
                line_to = partial(leader, frame=frame, join_px=halo, leader_px=self._leader_px)
            if away or width > heeded_px:  # forms get lower and lower: a narrower one has no more to heed
                around = (
                    frame[0] - away - width,
                    frame[1] - away - height,
                    frame[2] + away + width,
                    frame[3] + away + height,
                )
                obstacles, heeded_px = self._room.obstacles(around, width * height), width
            spots = off_frame(frame, size, image_px) if line_to else at_frame(frame, size, image_px, halo)
            if place := self._room.first_free(spots, obstacles, line_to):
                line = line_to(place) if line_to else None
                self._room.take(place, line)
                return Placed(index, form.name, text, font_px, PixelBox(*place), line and PixelBox(*line))
        return None

    def _may_have(self, size: tuple[int, int]) -> bool:
        """Whether the image is large enough for a label of that size, and not under too many yet."""
        (width, height), (image_width, image_height) = size, self._image_px
        is_small = width <= image_width and height * _MAX_HEIGHT <= image_height
        return is_small and width * height <= self._room.may_cover_px

    def _text(self, index: int, says: str, font_px: int) -> str:
        if says == "number":  # only where the legend can say what it stands for
            return str(index + 1) if self._text(index, "name and score", font_px) else ""
        _, name, score = self._objects[index]
        room_px = self._image_px[0] - 2 * (self._halo_px + padding_px(font_px))
        score = score if says == "name and score" else ""
        return one_line(name, score, room_px, lambda text: self._length_px(text, font_px))

    def _size_px(self, text: str, font_px: int) -> tuple[int, int]:
        """Width and height of a label, halo included."""
        width = self._length_px(text, font_px) + 2 * (padding_px(font_px) + self._halo_px)
        return width, height_px(font_px, self._halo_px)

    def _uncrowded(self, font_px: int) -> int:
        """The size of letters with which whole labels would not crowd the image, as far as they can be read."""
        width, height = self._image_px
        covered = 0
        for index in range(len(self._objects)):
            text = self._text(index, "name and score", font_px)
            label = self._size_px(text, font_px) if text else (0, 0)
            covered += label[0] * label[1]
        if covered <= _CROWDED * (width * height):
            return font_px
        shrink = max(math.sqrt(_CROWDED * (width * height) / covered), _MIN_CROWDED_FONT)
        return max(MIN_FONT_PX, int(shrink * font_px))

    def _legend(self, indices: Sequence[int]) -> list[Placed]:
        """What numbers stand for: the first ones, as many as there is room for."""
        font_px = self._small_px
        lines = [[self._text(index, says, font_px) for says in ("number", "name and score")] for index in indices]
        texts = [" ".join(line) for line in lines[:MAX_LINES]]
        places = legend([self._size_px(text, font_px) for text in texts], self._image_px, self._room)
        return [
            Placed(index, "legend", text, font_px, PixelBox(*place))
            for index, text, place in zip(indices, texts, places, strict=False)
        ]


def _edges(box: PixelBox) -> Rectangle:
    return box.xmin, box.ymin, box.xmax, box.ymax
