"""Whether a slim model finds what the published one finds: the same rows, on the same pixels.

Owns the comparison, its pictures, and a function from pixels to rows for each of the three forms of a model. Refuses
"nearly the same": labels must come in the same order, boxes and scores within 1e-4, for all rows of each picture.

One kind of difference is let through, counted and measured in the report: rows whose scores in the reference are closer
than 2e-5 may change places, or, at the last of the 100 rows, be in one list and not in the other. Summing the same
products in another order, as every other kernel does, moves scores of this network by 2e-5, now and then by 8e-5, so
the order of such rows is chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps
from recognizer.vision.nms import MAX_DETECTIONS, Rows, select, suppress
from recognizer.vision.resize import bilinear

from model_build import noise
from model_build.slim import SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Find = Callable[[Pixels], Rows]

TOLERANCE = 1e-4  # of boxes (fractions of the picture) and scores
TIE = 2e-5  # of scores

_SIZES_PX = ((300, 300), (480, 640), (640, 480), (33, 47), (1024, 96), (90, 1600), (768, 1366))  # height, width
_MAX_PHOTOS = 20


@dataclass(frozen=True, slots=True)
class ParityReport:
    """How a candidate compares with its reference.

    Attributes:
        pictures: how many were compared.
        rows: how many rows of the reference, on all of them.
        max_box_difference: largest difference of an edge among matching rows.
        max_score_difference: largest difference of a score among matching rows.
        labels_equal: whether the labels came in exactly the same order everywhere, ties included.
        reordered_ties: rows that changed places within ``TIE``.
        widest_tie: the largest distance of two scores in the reference whose rows changed places.
        reason: the first difference that is too large; None where all rows match.
    """

    pictures: int
    rows: int
    max_box_difference: float
    max_score_difference: float
    labels_equal: bool
    reordered_ties: int
    widest_tie: float
    reason: str | None

    @property
    def passed(self) -> bool:
        """Whether the candidate may take the reference's place."""
        return self.reason is None


def compare(reference: Find, candidate: Find, pictures: Iterable[Pixels]) -> ParityReport:
    """Runs both on each picture and compares their rows; stops at the first picture that differs."""
    count = rows = 0
    matches: list[_Match] = []
    labels_equal, reason = True, None
    for pixels in pictures:
        wanted, found = reference(pixels), candidate(pixels)
        count += 1
        rows += len(wanted.scores)
        labels_equal &= np.array_equal(wanted.class_indices, found.class_indices)
        try:
            matches.append(_match(wanted, found))
        except _Differs as difference:
            reason = f"picture {count} ({pixels.shape[1]}x{pixels.shape[0]}): {difference}"
            break
    if rows == 0 and reason is None:
        reason = "the reference found nothing on any picture, so nothing was compared"
    return ParityReport(
        pictures=count,
        rows=rows,
        max_box_difference=max((match.box for match in matches), default=0.0),
        max_score_difference=max((match.score for match in matches), default=0.0),
        labels_equal=labels_equal,
        reordered_ties=sum(len(match.ties) for match in matches),
        widest_tie=max((gap for match in matches for gap in match.ties), default=0.0),
        reason=reason,
    )


class _Differs(Exception):
    """Two lists of rows that do not match."""


@dataclass(frozen=True, slots=True)
class _Match:
    """Largest differences of one picture's rows, and the score distance of each pair that changed places."""

    box: float
    score: float
    ties: list[float]


def _match(wanted: Rows, found: Rows) -> _Match:
    """Finds each of the reference's rows among the candidate's.

    Raises:
        _Differs: a row has no counterpart.
    """
    if len(wanted.scores) != len(found.scores):
        raise _Differs(f"{len(found.scores)} rows instead of {len(wanted.scores)}")
    boxes = np.abs(wanted.boxes[:, np.newaxis] - found.boxes).max(axis=2, initial=0)
    scores = np.abs(wanted.scores[:, np.newaxis] - found.scores)
    gaps = np.abs(wanted.scores[:, np.newaxis] - wanted.scores)  # how far apart two places of the list are
    alike = (wanted.class_indices[:, np.newaxis] == found.class_indices) & (boxes <= TOLERANCE) & (scores <= TOLERANCE)
    free = np.ones(len(found.scores), np.bool_)
    pairs, ties = [], []
    for row in range(len(wanted.scores)):
        places = np.flatnonzero(alike[row] & free & (gaps[row] <= TIE))
        if places.size:
            place = row if row in places else int(places[0])
            free[place] = False
            pairs.append((row, place))
            if place != row:
                ties.append(float(gaps[row, place]))
        elif len(wanted.scores) == MAX_DETECTIONS and gaps[row, -1] <= TIE:
            ties.append(float(gaps[row, -1]))  # tied with the last row that there was room for
        else:
            raise _Differs(_difference(wanted, found, row))
    one, other = np.array(pairs, np.intp).reshape(-1, 2).T
    return _Match(float(boxes[one, other].max(initial=0)), float(scores[one, other].max(initial=0)), ties)


def _difference(wanted: Rows, found: Rows, row: int) -> str:
    def said(rows: Rows) -> str:
        box = ", ".join(f"{edge:.5f}" for edge in rows.boxes[row])
        return f"class {rows.class_indices[row]}, score {rows.scores[row]:.6f}, box ({box})"

    return f"row {row + 1} is {said(found)} instead of {said(wanted)}"


def pictures(photos: Path | None = None) -> Iterable[Pixels]:
    """Pictures to compare on: made ones of several sizes and aspect ratios, always the same, then a folder's photos."""
    for seed, (height, width) in enumerate(_SIZES_PX):
        random = np.random.default_rng(seed)
        yield random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        yield _scene(random, height, width)
    for path in sorted(photos.glob("*.jp*g"))[:_MAX_PHOTOS] if photos else ():
        with Image.open(path) as image:
            yield np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def _scene(random: np.random.Generator, height: int, width: int) -> Pixels:
    """Rectangles and ellipses in flat colours over a gradient, with a little noise: edges and areas, as photos have."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    corners = random.uniform(0, 255, (2, 2, 3))
    y, x = y[..., np.newaxis], x[..., np.newaxis]
    scene = (1 - y) * ((1 - x) * corners[0, 0] + x * corners[0, 1]) + y * ((1 - x) * corners[1, 0] + x * corners[1, 1])
    for shape in range(8):
        centre_y, centre_x = random.uniform(0, 1, 2)
        half_y, half_x = random.uniform(0.03, 0.35, 2)
        v, u = np.abs(y - centre_y) / half_y, np.abs(x - centre_x) / half_x
        inside = np.maximum(v, u) < 1 if shape % 2 else v**2 + u**2 < 1
        scene = np.where(inside, random.uniform(0, 255, 3), scene)
    pixels: Pixels = np.clip(scene + random.normal(0, 4, scene.shape), 0, 255).astype(np.uint8)
    return pixels


def published_rows(saved_model_dir: Path) -> Find:
    """The published graph itself. The rows that it pads its answer with, whose score is 0, are left out."""
    signatures = tf.saved_model.load(str(saved_model_dir)).signatures
    signature = signatures["default" if "default" in signatures else SIGNATURE]

    def find(pixels: Pixels) -> Rows:
        out = signature(images=tf.constant(pixels[np.newaxis] / np.float32(255)))
        scores = out["detection_scores"].numpy().reshape(-1)
        rows = select(scores, MAX_DETECTIONS)
        class_indices = out["detection_class_labels"].numpy().reshape(-1).astype(np.intp)
        return Rows(out["detection_boxes"].numpy().reshape(-1, 4)[rows], scores[rows], class_indices[rows])

    return find


def slim_rows(slim_dir: Path) -> Find:
    """The slim SavedModel between our own resize and NMS."""
    signature = tf.saved_model.load(str(slim_dir)).signatures[SIGNATURE]
    _, height, width, _ = signature.structured_input_signature[1]["images"].shape

    def find(pixels: Pixels) -> Rows:
        out = signature(images=tf.constant(bilinear(pixels, height, width)[np.newaxis]))
        return suppress(out["boxes"].numpy(), out["scores"].numpy())

    return find


def litert_rows(flatbuffer: Path) -> Find:
    """The LiteRT flatbuffer between our own resize and NMS."""
    with noise.left_out():
        run = Interpreter(model_path=str(flatbuffer)).get_signature_runner(SIGNATURE)
    _, height, width, _ = run.get_input_details()["images"]["shape"]

    def find(pixels: Pixels) -> Rows:
        out = run(images=bilinear(pixels, int(height), int(width))[np.newaxis])
        return suppress(out["boxes"], out["scores"])

    return find
