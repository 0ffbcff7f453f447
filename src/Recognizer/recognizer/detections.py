"""What the detector is asked for and what it found: the values that every other step reads.

Owns Criteria, Box, Label and Detection, frozen and validated. A box is four fractions of the upright picture, so it
means the same before and after a resize.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Criteria(NamedTuple):
    """Which of the objects in a picture are wanted.

    Attributes:
        limit: how many at most, the most confident ones.
        min_score: those below this score (0..1) are left out.
        class_indices: the classes that count; None for all.
        min_score_by_class: class index -> the least score of classes that have one of their own.
        region: xmin, ymin, xmax, ymax as fractions of the picture; only objects whose centre lies in it count.
        tiles: how closely to look: beside the whole picture at so many tiles each way; 1 for the whole picture alone.
    """

    limit: int
    min_score: float
    class_indices: frozenset[int] | None = None
    min_score_by_class: Mapping[int, float] = MappingProxyType({})
    region: tuple[float, float, float, float] | None = None
    tiles: int = 1

    @property
    def least_score(self) -> float:
        """Below it no object of any class is wanted."""
        return min(self.min_score, *self.min_score_by_class.values()) if self.min_score_by_class else self.min_score


class PixelBox(NamedTuple):
    """A bounding box in whole pixels; ``xmax`` and ``ymax`` are exclusive edges, 0 <= xmin <= xmax <= width."""

    xmin: int
    ymin: int
    xmax: int
    ymax: int


@dataclass(frozen=True, slots=True)
class Box:
    """A bounding box as fractions of the upright picture, in the order of TensorFlow's detection models.

    Raises:
        ValueError: an edge is not finite, lies outside 0..1, or a minimum exceeds its maximum.
    """

    ymin: float
    xmin: float
    ymax: float
    xmax: float

    def __post_init__(self) -> None:
        edges = (self.ymin, self.xmin, self.ymax, self.xmax)
        if not all(math.isfinite(edge) and 0.0 <= edge <= 1.0 for edge in edges):
            raise ValueError(f"box edges must be finite and within 0..1, not {edges}")
        if self.ymin > self.ymax or self.xmin > self.xmax:
            raise ValueError(f"box must have ymin <= ymax and xmin <= xmax, not {edges}")

    @classmethod
    def clipped(cls, ymin: float, xmin: float, ymax: float, xmax: float) -> Box:
        """A box from a model's raw edges, which may lie slightly outside 0..1 or be swapped by rounding."""
        y1, x1, y2, x2 = (min(max(float(edge), 0.0), 1.0) for edge in (ymin, xmin, ymax, xmax))
        return cls(min(y1, y2), min(x1, x2), max(y1, y2), max(x1, x2))

    def to_pixels(self, width_px: int, height_px: int) -> PixelBox:
        """The box in pixels of a picture of that size, rounded to the nearest pixel edge."""
        return PixelBox(
            xmin=round(self.xmin * width_px),
            ymin=round(self.ymin * height_px),
            xmax=round(self.xmax * width_px),
            ymax=round(self.ymax * height_px),
        )


class Label(NamedTuple):
    """A class of the model.

    Attributes:
        id: Open Images machine id (``/m/0bt9lr``).
        name: display name (``Dog``).
        parents: display names of the classes that cover it, nearest first (``Carnivore``, ``Mammal``, ``Animal``).
    """

    id: str
    name: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Classification:
    """What a whole picture is, and how sure the model is (0..1).

    Raises:
        ValueError: the score is not within 0..1.
    """

    label: Label
    score: float

    def __post_init__(self) -> None:
        _require_score(self.score)


@dataclass(frozen=True, slots=True)
class Detection:
    """One object found: what it is, how sure the model is (0..1), and where it is.

    Raises:
        ValueError: the score is not within 0..1.
    """

    label: Label
    score: float
    box: Box

    def __post_init__(self) -> None:
        _require_score(self.score)


def _require_score(score: float) -> None:
    if not 0.0 <= score <= 1.0:
        raise ValueError(f"score must be within 0..1, not {score}")
