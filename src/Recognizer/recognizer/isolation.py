"""Pictures in a process of their own: no decoder, however it is occupied or broken, holds up or takes down the service.

Owns which pictures go there, all but small and plain ones, and the conversation with that process. Its worker decodes a
picture when it is told to and answers questions about it until it is told to forget it; only a small view of the
picture, and the file of the answer, come over here. A picture that takes too much time or memory ends the worker and
nothing else.
"""

from __future__ import annotations

import re
import threading
import time
import traceback
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from recognizer import startup
from recognizer.detections import Box, Criteria, Detection, Label, PixelBox
from recognizer.errors import (
    BrokenPicture,
    NothingDetected,
    Overloaded,
    PictureTooCostly,
    RequestError,
    TooLarge,
    UnsupportedMediaType,
)
from recognizer.imaging import DecodedPicture
from recognizer.job import PARAMETERS, DetectRequest, Rendered
from recognizer.pictures import MEDIA_TYPES, READABLE, Encoded, is_plain
from recognizer.sandbox.nursery import end_after
from recognizer.sandbox.pool import MAX_WORKERS, NoneFree
from recognizer.sandbox.wire import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from recognizer.imaging import Craft
    from recognizer.job import OpenPicture
    from recognizer.sandbox.pool import Pool
    from recognizer.sandbox.wire import Message, Wire

_MAX_WAIT_S = 5.0  # for a worker: who waits longer had better ask again
_GRACE_S = 0.25  # what the kernel may take to end a worker whose time is up
_PLAIN_TAKES_S = 8.0  # twice what was seen: noise of a megapixel, written as GIF on a busy machine, took 3.8 s
_KEPT_UP_TO_PX = 16_000_000  # what a larger picture has taken is given back with the process

_ERRORS = {
    error.code: error for error in (UnsupportedMediaType, TooLarge, BrokenPicture, PictureTooCostly, NothingDetected)
}
_STEPS = {"annotate", "encode"}
_REDUCED = re.compile(r"(?:[a-z]{1,9}=[0-9]{1,9}(?:, [a-z]{1,9}=[0-9]{1,9}){0,2})?")
_MAX_MESSAGE_CHARS = 500  # of an error, which the client reads
_MAX_TRACEBACK_CHARS = 10_000
_DAY_MS = 86_400_000
# How a picture is looked at: height and width, what of it (xmin, ymin, xmax, ymax; None for all), and whether its
# resize has half-pixel centres.
Look = tuple[int, int, tuple[int, int, int, int] | None, bool]
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
    wire.tell({})
    picture: DecodedPicture | None = None
    answers: list[bytes | memoryview] = []
    while True:
        try:
            order, blobs = wire.hear()
        except ConnectionLost:
            return
        if order["do"] == "forget":
            picture, answers = None, []
            continue
        # The timer runs only while the worker does: it must not end one that waits, or that was frozen with Lambda.
        end_after(order["seconds"])
        try:
            if order["do"] == "open":
                picture = DecodedPicture(craft, bytes(blobs[0]))
            facts, answers = _answer(picture, order) if picture is not None else ({}, [])
        except RequestError as error:
            facts = {"error": error.code, "message": error.public_message, "parameter": error.parameter}
            answers = []
        except MemoryError:
            picture, answers = None, []
            facts = {"error": PictureTooCostly.code, "message": _TOO_MUCH_MEMORY, "parameter": None}
        except Exception:  # noqa: BLE001 - the service logs it and answers
            facts, answers = {"failed": traceback.format_exc()}, []
        end_after(0)
        wire.tell(facts, *answers)


def _answer(picture: DecodedPicture, order: dict[str, Any]) -> tuple[dict[str, Any], list[bytes | memoryview]]:
    """What a picture tells or becomes, as a message."""
    match order["do"]:
        case "resized":
            return {}, [_resized(picture, order["look"])]
        case "thinned":
            pixels = picture.thinned(order["max_px"], _part(order["part"]))
            return {"shape": pixels.shape}, [pixels.data]
        case "render":
            request = _NO_REQUEST._replace(**order["request"])
            rendered = picture.render(request, [_detection(fields) for fields in order["detections"]])
            encoded = rendered.encoded
            facts = {"media_type": encoded.media_type, "reduced": encoded.reduced, "timings_ms": rendered.timings_ms}
            return facts, [encoded.content]
    told = {"size_px": picture.size_px, "format": picture.format, "animated": picture.animated}
    return told, [_resized(picture, order["look"])] if order["look"] else []


def _resized(picture: DecodedPicture, look: Look) -> memoryview:
    height, width, part, half_pixel = look
    return picture.resized(height, width, _part(part), half_pixel=half_pixel).data


def _part(edges: tuple[int, int, int, int] | None) -> PixelBox | None:
    return None if edges is None else PixelBox(*edges)


def _edges(part: PixelBox | None) -> tuple[int, int, int, int] | None:
    return None if part is None else (part.xmin, part.ymin, part.xmax, part.ymax)


def _fields(detection: Detection) -> list[Any]:
    """What is drawn of a detection, as a message."""
    box = detection.box
    return [detection.label.id, detection.label.name, detection.score, box.ymin, box.xmin, box.ymax, box.xmax]


def _detection(fields: list[Any]) -> Detection:
    label_id, name, score, *box = fields
    return Detection(Label(label_id, name), score, Box(*box))


# In the service


class Isolation:
    """Opens pictures: in workers, or here where that is known to be short.

    Args:
        craft: how the work is done here.
        pool: where workers come from.
        timeout_s: how long all that is done with one picture may take.
        plain_px: plain JPEGs of at most so many pixels are worked on here, as many at a time as there may be workers;
            0 for none.
        max_pixels: width times height of the largest picture that a worker may say it has read.
        max_bytes: largest file that a worker may answer with.
    """

    def __init__(
        self, craft: Craft, pool: Pool, timeout_s: float, plain_px: int, *, max_pixels: int, max_bytes: int
    ) -> None:
        self._craft = craft
        self._pool = pool
        self._timeout_s = timeout_s
        self._plain_px = plain_px
        self._max_pixels = max_pixels
        self._max_bytes = max_bytes
        self._here = threading.BoundedSemaphore(MAX_WORKERS)  # one more goes to a worker, which can be waited for
        self._usual_look: Look | None = None

    @contextmanager
    def open(self, content: bytes, ends_at_s: float) -> Iterator[OpenPicture]:
        """A decoded picture, forgotten at the end of the ``with`` block.

        Args:
            content: the picture's file.
            ends_at_s: when time is up for the request, by ``time.monotonic``.

        Raises:
            UnsupportedMediaType: the file is no picture of a format that is read.
            TooLarge: it has too many pixels.
            BrokenPicture: it is truncated or corrupt.
            PictureTooCostly: it takes too much time or memory.
            Overloaded: too many others are worked on.
            WorkerFailed: something unforeseen happened over there.
            NoWorker: no worker starts.
        """
        left_s = min(ends_at_s - time.monotonic(), self._timeout_s)
        if left_s <= 0:
            raise PictureTooCostly(_TOO_MUCH_TIME)
        if left_s >= _PLAIN_TAKES_S and is_plain(content, self._plain_px) and self._here.acquire(blocking=False):
            try:
                yield DecodedPicture(self._craft, content, time.monotonic() + left_s)
            except MemoryError as error:
                raise PictureTooCostly(_TOO_MUCH_MEMORY) from error
            finally:
                self._here.release()
            return
        with ExitStack() as lent:
            try:
                wire = lent.enter_context(self._pool.worker(min(_MAX_WAIT_S, left_s), ends_at_s))
            except NoneFree as error:
                raise Overloaded(_TOO_MANY, headers={"Retry-After": "1"}) from error
            ends_at_s = min(ends_at_s, time.monotonic() + self._timeout_s)
            picture = IsolatedPicture(wire, ends_at_s, self._max_bytes)
            try:
                picture.open(content, self._usual_look, self._max_pixels)
                yield picture
            except PictureTooCostly:
                wire.retire()
                raise
            finally:
                self._usual_look = picture.looked_at or self._usual_look
                width, height = picture.size_px
                if width * height > _KEPT_UP_TO_PX:
                    wire.retire()
                if wire.is_in_step:
                    with suppress(ConnectionLost):  # it ended since its last answer, which was all that was wanted
                        wire.tell({"do": "forget"}, timeout_s=_GRACE_S)


class IsolatedPicture:
    """See ``job.OpenPicture``: one whose pixels are in a worker.

    What the worker says is checked: it may have been taken over by the picture. One that says what cannot be is not
    asked again.
    """

    size_px: tuple[int, int] = (0, 0)
    format: str = ""
    animated: bool = False
    looked_at: Look | None = None

    def __init__(self, wire: Wire, ends_at_s: float, max_bytes: int) -> None:
        """Takes a connection to a worker, when time is up, and the largest answer; see ``Isolation``."""
        self._wire = wire
        self.ends_at_s = ends_at_s
        self._max_bytes = max_bytes
        self._foreseen: tuple[Look, bytearray | memoryview] | None = None

    def open(self, content: bytes, look: Look | None, max_pixels: int) -> None:
        """Has a file decoded, and resized at once to what will be asked for next; see ``Isolation.open``."""
        facts, answers = self._ask({"do": "open", "look": look}, content, most_bytes=_resized_bytes(look))
        with self._believable():
            width, height = map(int, facts["size_px"])
            if min(width, height) < 1 or width * height > max_pixels:
                raise ValueError("no picture has that size")
            self.size_px = (width, height)
            self.format = READABLE[READABLE.index(facts["format"])]
            self.animated = bool(facts["animated"])
            self._foreseen = None if look is None else (look, answers[0])

    def resized(
        self, height: int, width: int, part: PixelBox | None = None, *, half_pixel: bool = False
    ) -> NDArray[np.float32]:
        """See ``job.View``."""
        look = (height, width, _edges(part), half_pixel)
        if part is None:
            self.looked_at = look
        foreseen, self._foreseen = self._foreseen, None
        answers = [foreseen[1]] if foreseen is not None and foreseen[0] == look else None
        if answers is None:
            _, answers = self._ask({"do": "resized", "look": look}, most_bytes=_resized_bytes(look))
        with self._believable():
            return np.frombuffer(answers[0], np.float32).reshape(height, width, 3)

    def thinned(self, max_px: int, part: PixelBox | None = None) -> NDArray[np.uint8]:
        """See ``job.View``."""
        most_px = max_px + sum(self.size_px) + 1  # each side is rounded up
        order = {"do": "thinned", "max_px": max_px, "part": _edges(part)}
        facts, answers = self._ask(order, most_bytes=3 * most_px)
        with self._believable():
            height, width, _ = facts["shape"]
            return np.frombuffer(answers[0], np.uint8).reshape(height, width, 3)

    def render(self, request: DetectRequest, detections: Sequence[Detection]) -> Rendered:
        """See ``job.OpenPicture``."""
        wanted = {"draw": request.draw, "crop": request.crop, "image_format": request.image_format}
        facts, answers = self._ask(
            {"do": "render", "request": wanted, "detections": [_fields(detection) for detection in detections]},
            most_bytes=self._max_bytes,
        )
        with self._believable():
            reduced = _REDUCED.fullmatch(facts["reduced"])
            if (
                reduced is None
                or facts["media_type"] not in MEDIA_TYPES.values()
                or facts["timings_ms"].keys() != _STEPS
            ):
                raise ValueError("it says something else")
            timings_ms = {step: float(ms) for step, ms in facts["timings_ms"].items()}
            if not all(0 <= ms < _DAY_MS for ms in timings_ms.values()):  # not a number is neither
                raise ValueError("it says something else")
            return Rendered(Encoded(bytes(answers[0]), facts["media_type"], reduced[0]), timings_ms)

    def _left_s(self) -> float:
        left_s = self.ends_at_s - time.monotonic()
        if left_s <= 0:
            raise PictureTooCostly(_TOO_MUCH_TIME)
        return left_s

    def _ask(self, order: dict[str, Any], *blobs: bytes, most_bytes: int) -> Message:
        left_s = self._left_s()
        self._foreseen = None  # it lies where the answer is going to
        try:
            facts, answers = self._wire.ask(
                {**order, "seconds": left_s}, *blobs, timeout_s=left_s + _GRACE_S, most_bytes=most_bytes
            )
        except ConnectionLost as error:
            is_late = time.monotonic() >= self.ends_at_s
            raise PictureTooCostly(_TOO_MUCH_TIME if is_late else _TOO_MUCH_MEMORY) from error
        if "failed" in facts:
            raise WorkerFailed(str(facts["failed"])[-_MAX_TRACEBACK_CHARS:])
        if "error" in facts:
            with self._believable():
                error_of, message, parameter = _ERRORS[facts["error"]], facts["message"], facts["parameter"]
                if not isinstance(message, str) or parameter not in {None, *PARAMETERS}:
                    raise TypeError("it says something else")
            raise error_of(message[:_MAX_MESSAGE_CHARS], parameter=parameter)
        return facts, answers

    @contextmanager
    def _believable(self) -> Iterator[None]:
        """Retires a worker whose answer cannot be read."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            self._wire.retire()
            raise WorkerFailed("the worker's answer is none") from error


def _resized_bytes(look: Look | None) -> int:
    """What the pixels of such a look take, as three floating-point numbers each."""
    return 0 if look is None else look[0] * look[1] * 3 * np.dtype(np.float32).itemsize


_TOO_MUCH_TIME = "The picture takes too long to decode or to write. Save it as an ordinary JPEG, or smaller."
_TOO_MANY = "Too many pictures are being worked on; ask again in a moment."
_TOO_MUCH_MEMORY = "The picture takes too much memory. Save it as an ordinary JPEG, or smaller."
