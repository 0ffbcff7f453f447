"""The story of one request: fetch, decode, detect, annotate, encode.

Owns the order of the steps and the time each takes. How a step is done, where the request came from and how the outcome
is sent are not known here: the steps are injected.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

from recognizer.errors import Overloaded, RequestError
from recognizer.job import WITH_PICTURE, Outcome, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from recognizer.detections import Classification, Criteria, Detection
    from recognizer.job import DetectRequest, OpenPicture, View
    from recognizer.pictures import Encoded

    Label = Callable[[View, Criteria], tuple[Classification, ...]]


def _no_span(_: str) -> AbstractContextManager[object]:
    return nullcontext()


class Pipeline(NamedTuple):
    """The steps of a request, each a callable; what ends at a time ends by ``time.monotonic``.

    Attributes:
        fetch: URL, end -> file.
        open: file, end -> the decoded picture, as a context manager.
        detect: what is seen of a picture, criteria -> detections.
        span: opens a traced span of that name round a step.
    """

    fetch: Callable[[str, float], bytes]
    open: Callable[[bytes, float], AbstractContextManager[OpenPicture]]
    detect: Callable[[View, Criteria], tuple[Detection, ...]]
    span: Callable[[str], AbstractContextManager[object]] = _no_span

    def source(self, request: DetectRequest, ends_at_s: float) -> Source:
        """The picture's file: what was sent, or what its URL answers with."""
        timings_ms: dict[str, float] = {}
        content = request.content
        if content is None:
            with self._timed("download", timings_ms), _concerning(request):
                content = self.fetch(request.url, ends_at_s)
        return Source(content, hashlib.sha256(content).hexdigest(), timings_ms)

    def run(self, request: DetectRequest, source: Source, ends_at_s: float) -> Outcome:
        """The outcome of a request; raises whatever ``RequestError`` a step raises."""
        timings_ms = dict(source.timings_ms)
        encoded = None
        with ExitStack() as opened, _concerning(request):
            with self._timed("decode", timings_ms):
                picture = opened.enter_context(self.open(source.content, ends_at_s))
            with self._timed("detect", timings_ms):
                detections = self.detect(picture, request.criteria)
            if request.answer in WITH_PICTURE:
                with self.span("render"):
                    rendered = picture.render(request, detections)
                timings_ms |= rendered.timings_ms
                encoded = rendered.encoded
        return _outcome(request, source, picture, detections, encoded, timings_ms)

    def label(self, request: DetectRequest, source: Source, ends_at_s: float, label: Label) -> Outcome:
        """The labels of the whole picture; raises whatever ``RequestError`` a step raises."""
        timings_ms = dict(source.timings_ms)
        with ExitStack() as opened, _concerning(request):
            with self._timed("decode", timings_ms):
                picture = opened.enter_context(self.open(source.content, ends_at_s))
            with self._timed("classify", timings_ms):
                labels = label(picture, request.criteria)
        return _outcome(request, source, picture, (), None, timings_ms)._replace(labels=labels)

    @contextmanager
    def _timed(self, step: str, timings_ms: dict[str, float]) -> Iterator[None]:
        started_s = time.perf_counter()
        with self.span(step):
            yield
        timings_ms[step] = (time.perf_counter() - started_s) * 1000


def _outcome(
    request: DetectRequest,
    source: Source,
    picture: OpenPicture,
    detections: tuple[Detection, ...],
    encoded: Encoded | None,
    timings_ms: dict[str, float],
) -> Outcome:
    width_px, height_px = picture.size_px
    return Outcome(
        request=request,
        source_sha256=source.sha256,
        source_bytes=len(source.content),
        width_px=width_px,
        height_px=height_px,
        format=picture.format,
        animated=picture.animated,
        detections=detections,
        encoded=encoded,
        timings_ms=timings_ms,
    )


@contextmanager
def _concerning(request: DetectRequest) -> Iterator[None]:
    """Names the parameter that a picture came in, where an error of the picture does not."""
    try:
        yield
    except Overloaded:  # no parameter's fault
        raise
    except RequestError as error:
        error.parameter = error.parameter or request.parameter
        raise
