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

from recognizer.responses import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from recognizer.detections import Criteria, Detection
    from recognizer.events import DetectRequest
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
        annotate: image, detections -> annotated image.
        encode: image, format, colour profile -> file.
        span: opens a traced span of that name round a step.
    """

    fetch: Callable[[str], bytes]
    read: Callable[[bytes], Picture]
    pixels_of: Callable[[Image], NDArray[np.uint8]]
    detect: Callable[[NDArray[np.uint8], Criteria], tuple[Detection, ...]]
    annotate: Callable[[Image, Sequence[Detection]], Image]
    encode: Callable[[Image, str, bytes | None], Encoded]
    span: Callable[[str], AbstractContextManager[object]] = _no_span

    def run(self, request: DetectRequest) -> Outcome:
        """The outcome of a request; raises whatever ``RequestError`` a step raises."""
        timings_ms: dict[str, float] = {}
        with self._timed("download", timings_ms):
            content = self.fetch(request.url)
        with self._timed("decode", timings_ms):
            picture = self.read(content)
        with self._timed("detect", timings_ms):
            detections = self.detect(self.pixels_of(picture.image), request.criteria)
        encoded = None
        if request.answer == "image":
            with self._timed("annotate", timings_ms):
                annotated = self.annotate(picture.image, detections)
            with self._timed("encode", timings_ms):
                encoded = self.encode(annotated, request.image_format or picture.format, picture.icc_profile)
        return Outcome(
            request=request,
            source_sha256=hashlib.sha256(content).hexdigest(),
            source_bytes=len(content),
            width_px=picture.image.width,
            height_px=picture.image.height,
            format=picture.format,
            animated=picture.animated,
            detections=detections,
            encoded=encoded,
            timings_ms=timings_ms,
        )

    @contextmanager
    def _timed(self, step: str, timings_ms: dict[str, float]) -> Iterator[None]:
        started_s = time.perf_counter()
        with self.span(step):
            yield
        timings_ms[step] = (time.perf_counter() - started_s) * 1000
