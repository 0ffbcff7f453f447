"""The story of one request: fetch, decode, detect, annotate, encode.

Owns the order of the steps and the time each takes. Refuses to know how any step is done, where the request came
from, or how the outcome is sent: the steps are injected.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recognizer.errors import NothingDetected, RequestError
from recognizer.job import Outcome, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from recognizer.detections import Criteria, Detection
    from recognizer.job import DetectRequest
    from recognizer.pictures import Encoded, Picture


def _no_span(_: str) -> AbstractContextManager[object]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps of a request, each a callable.

    Attributes:
        fetch: URL -> bytes.
        read: bytes -> picture.
        pixels_of: image -> array of shape (height, width, 3).
        detect: pixels, criteria -> detections.
        drawings: what ``DetectRequest.draw`` names: image, detections -> image.
        cut_out: image, detection -> the part of the image that it is in.
        encode: image, format, colour profile -> file.
        span: opens a traced span of that name round a step.
    """

    fetch: Callable[[str], bytes]
    read: Callable[[bytes], Picture]
    pixels_of: Callable[[Image], NDArray[np.uint8]]
    detect: Callable[[NDArray[np.uint8], Criteria], tuple[Detection, ...]]
    drawings: Mapping[str, Callable[[Image, Sequence[Detection]], Image]]
    cut_out: Callable[[Image, Detection], Image]
    encode: Callable[[Image, str, bytes | None], Encoded]
    span: Callable[[str], AbstractContextManager[object]] = _no_span

    def source(self, request: DetectRequest) -> Source:
        """The picture's bytes: what was sent, or what its URL answers with."""
        timings_ms: dict[str, float] = {}
        content = request.content
        if content is None:
            with self._timed("download", timings_ms), _concerning(request):
                content = self.fetch(request.url)
        return Source(content, hashlib.sha256(content).hexdigest(), timings_ms)

    def run(self, request: DetectRequest, source: Source) -> Outcome:
        """The outcome of a request; raises whatever ``RequestError`` a step raises."""
        timings_ms = dict(source.timings_ms)
        with self._timed("decode", timings_ms), _concerning(request):
            picture = self.read(source.content)
        with self._timed("detect", timings_ms):
            detections = self.detect(self.pixels_of(picture.image), request.criteria)
        encoded = None
        if request.answer == "image":
            with self._timed("annotate", timings_ms):
                drawn = self._drawn(picture.image, detections, request)
            with self._timed("encode", timings_ms):
                encoded = self.encode(drawn, request.image_format or picture.format, picture.icc_profile)
        return Outcome(
            request=request,
            source_sha256=source.sha256,
            source_bytes=len(source.content),
            width_px=picture.image.width,
            height_px=picture.image.height,
            format=picture.format,
            animated=picture.animated,
            detections=detections,
            encoded=encoded,
            timings_ms=timings_ms,
        )

    def _drawn(self, image: Image, detections: Sequence[Detection], request: DetectRequest) -> Image:
        drawn = self.drawings[request.draw](image, detections)
        if not request.crop:
            return drawn
        if not detections:
            raise NothingDetected(
                "There is no object to cut out; try a lower min_score, or other labels.", parameter="crop"
            )
        return self.cut_out(drawn, detections[0])

    @contextmanager
    def _timed(self, step: str, timings_ms: dict[str, float]) -> Iterator[None]:
        started_s = time.perf_counter()
        with self.span(step):
            yield
        timings_ms[step] = (time.perf_counter() - started_s) * 1000


@contextmanager
def _concerning(request: DetectRequest) -> Iterator[None]:
    """Names the parameter that a picture came in, where an error of the picture does not."""
    try:
        yield
    except RequestError as error:
        error.parameter = error.parameter or ("url" if request.content is None else "image")
        raise
