"""The order of a request's steps, told by steps that only note that they were called."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
from PIL import Image
from recognizer.detections import Box, Criteria, Detection, Label
from recognizer.drawing.crop import cut_out
from recognizer.errors import BrokenPicture, DownloadFailed, NothingDetected, TooLarge
from recognizer.imaging import Craft, DecodedPicture
from recognizer.job import DetectRequest
from recognizer.pictures import Encoded, Picture
from recognizer.pipeline import Pipeline
from recognizer.vision.view import PixelView

URL = "https://example.com/a.png"
END_S = 1e9
CRITERIA = Criteria(limit=3, min_score=0.1)
IMAGE = Image.new("RGB", (40, 30))
ANNOTATED = Image.new("RGB", (40, 30), "red")
FOUND = (Detection(Label("/m/1", "Dog"), 0.9, Box(0, 0, 1, 1)),)
ENCODED = Encoded(b"file", "image/png", "")


class Steps:
    """Steps that note their names and arguments; one of them may fail."""

    def __init__(self, failing=None, error=None, found=FOUND):
        self.called: list[tuple] = []
        self.spans: list[str] = []
        self._failing, self._error, self._found = failing, error, found

    def step(self, name, result):
        def call(*arguments):
            self.called.append((name, *arguments))
            if name == self._failing:
                raise self._error
            return result

        return call

    @contextmanager
    def span(self, name):
        self.spans.append(f"{name} begins")
        yield
        self.spans.append(f"{name} ends")

    def pipeline(self):
        craft = Craft(
            read=self.step("read", Picture(IMAGE, "PNG", animated=True, icc_profile=b"profile")),
            view=lambda image: PixelView(np.asarray(image)),
            drawings={name: self.step(name, ANNOTATED) for name in ("labels", "boxes", "blur", "none")},
            cut_out=cut_out,
            encode=self.step("encode", ENCODED),
        )
        return Pipeline(
            fetch=self.step("fetch", b"content"),
            open=lambda content, _: nullcontext(DecodedPicture(craft, content)),
            detect=self.step("detect", self._found),
            span=self.span,
        )

    @property
    def names(self):
        return [name for name, *_ in self.called]


def run(steps, request):
    pipeline = steps.pipeline()
    return pipeline.run(request, pipeline.source(request, END_S), END_S)


def asking_for(answer, image_format=None):
    return DetectRequest(URL, CRITERIA, answer, image_format)


def test_a_picture_is_fetched_read_searched_drawn_on_and_written():
    steps = Steps()

    run(steps, asking_for("image"))

    assert steps.names == ["fetch", "read", "detect", "labels", "encode"]


def test_json_needs_no_drawing_and_no_writing():
    steps = Steps()

    outcome = run(steps, asking_for("json"))

    assert steps.names == ["fetch", "read", "detect"]
    assert outcome.encoded is None


def test_each_step_gets_what_the_one_before_gave():
    steps = Steps()

    run(steps, asking_for("image"))

    calls = {name: arguments for name, *arguments in steps.called}
    assert calls["fetch"] == [URL, END_S]
    assert calls["read"] == [b"content"]
    assert calls["detect"][0].size_px == (40, 30)
    assert calls["detect"][1] is CRITERIA
    assert calls["labels"] == [IMAGE, FOUND]
    assert calls["encode"] == [ANNOTATED, "PNG", b"profile"]


def test_the_picture_is_written_in_the_format_asked_for():
    steps = Steps()

    run(steps, asking_for("image", "WEBP"))

    assert steps.called[-1] == ("encode", ANNOTATED, "WEBP", b"profile")


def test_the_outcome_tells_all():
    request = asking_for("image")

    outcome = run(Steps(), request)

    assert outcome.request is request
    assert outcome.source_sha256 == hashlib.sha256(b"content").hexdigest()
    assert outcome.source_bytes == len(b"content")
    assert (outcome.width_px, outcome.height_px, outcome.format, outcome.animated) == (40, 30, "PNG", True)
    assert outcome.detections == FOUND
    assert outcome.encoded is ENCODED


@pytest.mark.parametrize(
    ("answer", "timed"),
    [("image", ["download", "decode", "detect", "annotate", "encode"]), ("json", ["download", "decode", "detect"])],
)
def test_every_step_is_timed(answer, timed):
    timings_ms = run(Steps(), asking_for(answer)).timings_ms

    assert list(timings_ms) == timed
    assert all(ms >= 0 for ms in timings_ms.values())


def test_every_step_is_traced():
    steps = Steps()

    run(steps, asking_for("image"))

    assert steps.spans == [
        f"{step} {event}" for step in ("download", "decode", "detect", "render") for event in ("begins", "ends")
    ]


@pytest.mark.parametrize(
    ("failing", "error", "called"),
    [
        ("fetch", DownloadFailed("No."), ["fetch"]),
        ("read", BrokenPicture("No."), ["fetch", "read"]),
        ("detect", ZeroDivisionError(), ["fetch", "read", "detect"]),
        ("encode", TooLarge("No."), ["fetch", "read", "detect", "labels", "encode"]),
    ],
)
def test_an_error_passes_and_ends_the_story(failing, error, called):
    steps = Steps(failing, error)

    with pytest.raises(type(error)) as caught:
        run(steps, asking_for("image"))

    assert caught.value is error
    assert steps.names == called


def test_a_picture_that_was_sent_is_not_fetched():
    steps = Steps()
    request = DetectRequest("", CRITERIA, "json", content=b"sent")

    outcome = run(steps, request)

    assert steps.called[0] == ("read", b"sent")
    assert "download" not in outcome.timings_ms


@pytest.mark.parametrize("draw", ["labels", "boxes", "blur", "none"])
def test_the_drawing_is_the_one_asked_for(draw):
    steps = Steps()

    run(steps, DetectRequest(URL, CRITERIA, "image", draw=draw))

    assert steps.names[3] == draw


def test_crop_writes_the_best_object_alone():
    box = Box(ymin=0.1, xmin=0.5, ymax=0.6, xmax=0.75)
    steps = Steps(found=(Detection(Label("/m/1", "Dog"), 0.9, box), *FOUND))

    run(steps, DetectRequest(URL, CRITERIA, "image", draw="none", crop=True))

    assert steps.called[-1][1].size == (10, 15)


def test_crop_without_an_object_says_so():
    with pytest.raises(NothingDetected) as caught:
        run(Steps(found=()), DetectRequest(URL, CRITERIA, "image", draw="none", crop=True))

    assert caught.value.parameter == "crop"


@pytest.mark.parametrize("parameter", ["url", "image"])
def test_an_error_of_the_picture_names_the_parameter_it_came_in(parameter):
    with pytest.raises(BrokenPicture) as caught:
        run(Steps("read", BrokenPicture("No.")), DetectRequest("", CRITERIA, "json", None, b"sent", parameter))

    assert caught.value.parameter == parameter
