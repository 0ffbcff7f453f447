"""Pictures in a process of their own: no decoder, however it is occupied or broken, holds up or takes down the service.

Owns the conversation with that process. Its worker decodes a picture when it is told to and answers questions about it
until it is told to forget it; only a small view of the picture, and the file of the answer, come over here. A picture
that takes too much time or memory ends the worker and nothing else.
"""

from __future__ import annotations

import time
import traceback
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recognizer import startup
from recognizer.detections import Box, Criteria, Detection, Label
from recognizer.errors import Overloaded, PictureTooCostly, RequestError
from recognizer.imaging import DecodedPicture
from recognizer.job import DetectRequest, Rendered
from recognizer.pictures import Encoded
from recognizer.sandbox.nursery import end_after
from recognizer.sandbox.pool import NoneFree
from recognizer.sandbox.wire import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from recognizer.imaging import Craft
    from recognizer.sandbox.pool import Pool
    from recognizer.sandbox.wire import Wire

_MAX_WAIT_S = 5.0  # for a worker: who waits longer had better ask again
_GRACE_S = 0.25  # what the kernel may take to end a worker whose time is up
_KEPT_UP_TO_PX = 16_000_000  # what a larger picture has taken is given back with the process

_ERRORS = {error.code: error for error in RequestError.__subclasses__()}
_NO_REQUEST = DetectRequest(url="", criteria=Criteria(limit=1, min_score=0.0), answer="image")


class WorkerFailed(Exception):
    """Something unforeseen happened in the worker; the message is its traceback."""


# In the worker


def serve(craft: Craft, rehearsal: bytes, wire: Wire) -> None:
    """The life of a worker: one picture after the other.

    Args:
        craft: how the work is done.
        rehearsal: a small picture to do it all with once, so that the first one finds everything in its place.
        wire: to whoever asks.
    """
    DecodedPicture(craft, rehearsal).render(_NO_REQUEST, [Detection(Label("", "Label"), 0.5, Box(0.1, 0.1, 0.9, 0.9))])
    startup.finish()  # it was forked while the service was loading
    picture: DecodedPicture | None = None
    while True:
        try:
            order, blobs = wire.hear()
        except ConnectionLost:
            return
        if order["do"] == "forget":
            end_after(0)
            picture = None
            continue
        try:
            if order["do"] == "open":
                end_after(order["seconds"])
                picture = DecodedPicture(craft, bytes(blobs[0]))
                wire.tell({"size_px": picture.size_px, "format": picture.format, "animated": picture.animated})
            elif picture is not None:
                _answer(wire, picture, order)
        except RequestError as error:
            wire.tell({"error": error.code, "message": error.public_message, "parameter": error.parameter})
        except MemoryError:
            picture = None
            wire.tell({"error": PictureTooCostly.code, "message": _TOO_MUCH_MEMORY, "parameter": None})
        except Exception:  # noqa: BLE001 - the parent logs it and answers
            wire.tell({"failed": traceback.format_exc()})


def _answer(wire: Wire, picture: DecodedPicture, order: dict[str, Any]) -> None:
    match order["do"]:
        case "resized":
            wire.tell({}, picture.resized(order["height"], order["width"]).data)
        case "thinned":
            pixels = picture.thinned(order["max_px"])
            wire.tell({"shape": pixels.shape}, pixels.data)
        case "render":
            request = replace(_NO_REQUEST, **order["request"])
            rendered = picture.render(request, [_detection(fields) for fields in order["detections"]])
            encoded = rendered.encoded
            facts = {"media_type": encoded.media_type, "reduced": encoded.reduced, "timings_ms": rendered.timings_ms}
            wire.tell(facts, encoded.content)


def _detection(fields: dict[str, Any]) -> Detection:
    label = fields["label"]
    return Detection(Label(label["id"], label["name"]), fields["score"], Box(**fields["box"]))


# In the service


@contextmanager
def isolated(pool: Pool, content: bytes, ends_at_s: float, *, timeout_s: float) -> Iterator[IsolatedPicture]:
    """A picture that is decoded in a worker, and forgotten there at the end of the ``with`` block.

    Args:
        pool: where workers come from.
        content: the picture's file.
        ends_at_s: when time is up for the request, by ``time.monotonic``.
        timeout_s: how long all that is done with the picture may take.

    Raises:
        UnsupportedMediaType: the file is no picture of a format that is read.
        TooLarge: it has too many pixels.
        BrokenPicture: it is truncated or corrupt.
        PictureTooCostly: it takes too much time or memory.
        Overloaded: too many others are worked on.
    """
    with ExitStack() as lent:
        try:
            wire = lent.enter_context(pool.worker(min(_MAX_WAIT_S, ends_at_s - time.monotonic())))
        except NoneFree as error:
            raise Overloaded(_TOO_MANY, headers={"Retry-After": "1"}) from error
        try:
            picture = IsolatedPicture(wire, content, min(ends_at_s, time.monotonic() + timeout_s))
            yield picture
            if picture.size_px[0] * picture.size_px[1] > _KEPT_UP_TO_PX:
                wire.retire()
        except PictureTooCostly:
            wire.retire()
            raise
        finally:
            if wire.is_in_step:
                wire.tell({"do": "forget"})


class IsolatedPicture:
    """See ``job.OpenPicture``: one whose pixels are in a worker."""

    def __init__(self, wire: Wire, content: bytes, ends_at_s: float) -> None:
        """Has a file decoded; see ``isolated``."""
        self._wire = wire
        self._ends_at_s = ends_at_s
        facts, _ = self._ask({"do": "open", "seconds": self._left_s()}, content)
        width, height = facts["size_px"]
        self.size_px = (int(width), int(height))
        self.format = str(facts["format"])
        self.animated = bool(facts["animated"])

    def resized(self, height: int, width: int) -> NDArray[np.float32]:
        """See ``job.View``."""
        _, (pixels,) = self._ask({"do": "resized", "height": height, "width": width})
        return np.frombuffer(pixels, np.float32).reshape(height, width, 3)

    def thinned(self, max_px: int) -> NDArray[np.uint8]:
        """See ``job.View``."""
        facts, (pixels,) = self._ask({"do": "thinned", "max_px": max_px})
        return np.frombuffer(pixels, np.uint8).reshape(facts["shape"])

    def render(self, request: DetectRequest, detections: Sequence[Detection]) -> Rendered:
        """See ``job.OpenPicture``."""
        wanted = {"draw": request.draw, "crop": request.crop, "image_format": request.image_format}
        facts, (content,) = self._ask(
            {"do": "render", "request": wanted, "detections": [asdict(detection) for detection in detections]}
        )
        encoded = Encoded(bytes(content), str(facts["media_type"]), str(facts["reduced"]))
        return Rendered(encoded, {step: float(ms) for step, ms in facts["timings_ms"].items()})

    def _left_s(self) -> float:
        left_s = self._ends_at_s - time.monotonic()
        if left_s <= 0:
            raise PictureTooCostly(_TOO_MUCH_TIME)
        return left_s

    def _ask(self, order: dict[str, Any], *blobs: bytes) -> tuple[dict[str, Any], list[bytearray]]:
        try:
            facts, answers = self._wire.ask(order, *blobs, timeout_s=self._left_s() + _GRACE_S)
        except ConnectionLost as error:
            is_late = time.monotonic() >= self._ends_at_s
            raise PictureTooCostly(_TOO_MUCH_TIME if is_late else _TOO_MUCH_MEMORY) from error
        if "failed" in facts:
            raise WorkerFailed(facts["failed"])
        if "error" in facts:
            raise _ERRORS[facts["error"]](facts["message"], parameter=facts["parameter"])
        return facts, answers


_TOO_MUCH_TIME = "The picture takes too long to decode or to write. Save it as an ordinary JPEG, or smaller."
_TOO_MANY = "Too many pictures are being worked on; ask again in a moment."
_TOO_MUCH_MEMORY = "The picture takes too much memory. Save it as an ordinary JPEG, or smaller."
