"""Pictures that occupy a decoder, an encoder or the memory: the request ends in time, and the next one works."""

from __future__ import annotations

import functools
import gc
import io
import os
import signal
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recognizer import isolation
from recognizer.build import build
from recognizer.detections import Box, Criteria, Detection, Label
from recognizer.errors import (
    BrokenPicture,
    NothingDetected,
    Overloaded,
    PictureTooCostly,
    TooLarge,
    UnsupportedMediaType,
)
from recognizer.imaging import Craft, DecodedPicture
from recognizer.isolation import IsolatedPicture, Isolation, WorkerFailed, serve
from recognizer.job import DetectRequest
from recognizer.pictures import Encoded, Picture
from recognizer.sandbox.pool import MAX_WORKERS, Pool
from recognizer.sandbox.wire import Wire
from recognizer.vision.view import PixelView

from tests.conftest import on_loopback
from tests.functional import hostile
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import Context, event, reply
from tests.functional.serving import environment

pytestmark = [on_loopback, pytest.mark.enable_socket]

# What a first look at the file tells, so that it costs nothing.
REFUSED = {
    "a JPEG of many scans": hostile.jpeg_of_many_scans,
    "a JPEG of many scans inside a TIFF": lambda: hostile.tiff_around(hostile.jpeg_of_many_scans(), 6000, 6000),
    "Exif segments by the thousand": hostile.jpeg_of_exif_segments,
    "empty segments by the million": lambda: hostile.jpeg_of_empty_segments(4_000_000),
    "profiles that inflate": hostile.png_of_profiles,
    "texts that inflate": hostile.png_of_texts,
    "items by the thousand": hostile.avif_of_items,
    "strips that repeat the picture": lambda: hostile.tiff_of_strips(100_000, rows=999),
    "a strip for each byte": lambda: hostile.tiff_of_strips(4_000_000, width=1, height=20_000_000, rows=1),
}
HOSTILE = {
    **REFUSED,
    "a JPEG of as many scans as are read": lambda: hostile.jpeg_of_many_scans(scans=hostile.AS_MANY_SCANS_AS_ARE_READ),
    "a flat middle in noise": hostile.flat_middle,
    "an ordinary picture of 36 megapixels": hostile.large_flat,
}
MEMORY_MB = 256
QUERIES = {
    "a flat middle in noise": {"image_format": "gif"},
    "an ordinary picture of 36 megapixels": {"image_format": "webp"},
}


def small():
    file = io.BytesIO()
    image = Image.new("RGB", (320, 240))
    image.paste("red", (80, 60, 200, 150))
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def server():
    made = {name: functools.cache(make) for name, make in HOSTILE.items()}
    routes = {
        f"/{number}": lambda exchange, make=make: exchange.answer(200, make())
        for number, make in enumerate(made.values())
    }
    routes["/small"] = lambda exchange: exchange.answer(200, small())
    with LoopbackServer(routes) as running:
        yield running


@pytest.fixture(scope="module")
def environ(tiny_model):
    return environment(tiny_model)


def get(app, url, **query):
    return reply(app(event(query={"url": url, **query}), Context()))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_picture_that_takes_too_long_is_given_up_and_the_next_one_works(environ, server, name):
    app = build(environ | {"PICTURE_TIMEOUT": "1", "MAX_BYTES": "30000000"})

    answer = get(app, server.url(f"/{list(HOSTILE).index(name)}"), **QUERIES.get(name, {}))

    assert answer.status == 422
    assert answer.json["type"].removeprefix("urn:problem-type:recognizer:") == (
        "broken-picture" if name in REFUSED else "picture-too-costly"
    )
    assert get(app, server.url("/small")).status == 200


def test_a_picture_that_takes_too_much_memory_is_given_up_and_the_next_one_works(environ, server):
    app = build(environ | {"PICTURE_MEMORY_MB": "64"})

    answer = get(app, server.url(f"/{list(HOSTILE).index('an ordinary picture of 36 megapixels')}"))

    assert (answer.status, answer.json["title"]) == (422, "Picture too costly")
    assert "memory" in answer.json["detail"]
    assert get(app, server.url("/small")).status == 200


class HastyContext(Context):
    """Lambda's time is nearly up."""

    def get_remaining_time_in_millis(self):
        return 700


def test_what_is_left_of_lambdas_time_ends_a_picture_too(environ, server):
    app = build(environ)
    url = server.url(f"/{list(HOSTILE).index('a JPEG of many scans inside a TIFF')}")

    answer = reply(app(event(query={"url": url}), HastyContext()))

    assert answer.status in {422, 504}
    assert get(app, server.url("/small")).status == 200


# The conversation with the worker

FOUND = Detection(Label("/m/1", "Dog"), 0.9, Box(0.25, 0.25, 0.75, 0.75))
ASKED = DetectRequest("https://example.com/", Criteria(1, 0.1), "image")


def craft(**steps):  # noqa: C901 - one case for each thing that can go wrong
    """A craft in memory whose file says what its decoder does."""

    def read(content):
        match content:
            case b"broken":
                raise BrokenPicture("It is broken.")
            case b"unknown":
                raise UnsupportedMediaType("What is it?")
            case b"large":
                raise TooLarge("Too large.", parameter="image")
            case b"garbage":
                raise BrokenPicture(f"collected: {gc.isenabled()}")
            case b"bug":
                raise ZeroDivisionError("a bug")
            case b"greedy":
                raise MemoryError
            case b"abort":
                os.abort()
            case b"forever":
                while True:
                    time.sleep(1)
        return Picture(Image.new("RGB", (40, 30), "red"), "PNG", animated=True, icc_profile=b"profile")

    given = {
        "read": read,
        "view": lambda image: PixelView(np.asarray(image)),
        "drawings": {"labels": lambda image, found: image, "none": lambda image, found: image},
        "cut_out": lambda image, found: image,
        "encode": lambda image, image_format, profile: Encoded(
            f"{image_format} {profile}".encode(), "image/png", "q=1"
        ),
    }
    return Craft(**{**given, **steps})


@pytest.fixture
def pool():
    with Pool(functools.partial(serve, craft(), b"rehearsal"), 256 * 1024 * 1024) as running:
        yield running


def isolated(pool, seconds=20.0, plain_px=0):
    return Isolation(craft(), pool, seconds, plain_px, max_pixels=1_000_000, max_bytes=1_000_000)


def opened(pool, content, seconds=20.0):
    return isolated(pool, seconds).open(content, time.monotonic() + seconds)


def test_a_picture_over_there_is_like_one_over_here(pool):
    here = DecodedPicture(craft(), b"fine")

    with opened(pool, b"fine") as there:
        assert (there.size_px, there.format, there.animated) == (here.size_px, here.format, here.animated)
        np.testing.assert_array_equal(there.resized(7, 9), here.resized(7, 9))
        np.testing.assert_array_equal(there.thinned(100), here.thinned(100))
        assert there.render(ASKED, [FOUND]).encoded == here.render(ASKED, [FOUND]).encoded
        assert list(there.render(ASKED, [FOUND]).timings_ms) == ["annotate", "encode"]


@pytest.mark.parametrize(
    ("content", "error"), [(b"broken", BrokenPicture), (b"unknown", UnsupportedMediaType), (b"large", TooLarge)]
)
def test_an_error_over_there_is_the_same_error_over_here(pool, content, error):
    with pytest.raises(error) as caught, opened(pool, content):
        pass

    assert caught.value.parameter == ("image" if error is TooLarge else None)


def test_nothing_to_cut_out_is_told(pool):
    request = DetectRequest("", Criteria(1, 0.1), "image", crop=True, draw="none")

    with opened(pool, b"fine") as picture, pytest.raises(NothingDetected):
        picture.render(request, [])


@pytest.mark.parametrize("content", [b"greedy", b"abort"])
def test_memory_and_crashes_are_the_pictures_fault(pool, content):
    with pytest.raises(PictureTooCostly), opened(pool, content):
        pass

    with opened(pool, b"fine") as picture:
        assert picture.size_px == (40, 30)


def test_time_is_up_over_there_as_over_here(pool):
    with pytest.raises(PictureTooCostly, match="too long"), opened(pool, b"forever", seconds=0.2):
        pass

    with opened(pool, b"fine") as picture:
        assert picture.size_px == (40, 30)


def test_a_worker_collects_garbage_although_it_was_forked_while_loading():
    gc.disable()
    try:
        pool = Pool(functools.partial(serve, craft(), b"rehearsal"), 256 * 1024 * 1024)
        pool.make_ready()
    finally:
        gc.enable()

    with pool, pytest.raises(BrokenPicture, match="collected: True"), opened(pool, b"garbage"):
        pass


def test_no_time_at_all_starts_nothing(pool):
    with pytest.raises(PictureTooCostly), opened(pool, b"fine", seconds=-1):
        pass


LIES = {
    "another type": {"media_type": "text/html"},
    "a header": {"reduced": "a\r\nSet-Cookie: x=1"},
    "another step": {"timings_ms": {"annotate": 1, "x-evil": 2}},
    "no steps": {"timings_ms": None},
    "no blob": {"blobs": 0},
    "a header that is endless": {"reduced": "quality=" + "1" * 100_000},
    "endless steps": {"reduced": ", ".join(["quality=1"] * 10_000)},
    "a time that is none": {"timings_ms": {"annotate": float("nan"), "encode": 1}},
    "a time without end": {"timings_ms": {"annotate": float("inf"), "encode": 1}},
    "a time before": {"timings_ms": {"annotate": -1, "encode": 1}},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_worker_that_was_taken_over_gives_no_orders(lie):
    def lying(wire):
        wire.tell({})
        while True:
            order, _ = wire.hear()
            if order["do"] == "open":
                wire.tell({"size_px": [4, 3], "format": "PNG", "animated": False})
            elif order["do"] == "render":
                said = {"media_type": "image/png", "reduced": "", "timings_ms": {"annotate": 1.0, "encode": 1.0}, **lie}
                wire.tell(said, *[b"<script>"] * lie.get("blobs", 1))

    with Pool(lying, 256 * 1024 * 1024) as pool:
        with pytest.raises(WorkerFailed), opened(pool, b"fine") as picture:
            picture.render(ASKED, [FOUND])
        assert not pool._processes.idle


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"size_px": 3},
        {"size_px": [1], "format": "PNG"},
        {"size_px": [4, 3], "format": "EVIL", "animated": False},
        {"error": "internal-error", "message": "x", "parameter": None},
        {"error": "broken-picture", "message": ["x"], "parameter": None},
        {"error": "broken-picture", "message": "x", "parameter": "<script>"},
        {"error": "broken-picture", "message": "x", "parameter": ["url"]},
        {"error": ["broken-picture"], "message": "x", "parameter": None},
        {"size_px": [0, 3], "format": "PNG", "animated": False},
        {"size_px": [-4, -3], "format": "PNG", "animated": False},
        {"size_px": [1_000_001, 1], "format": "PNG", "animated": False},
        {"size_px": [float("inf"), 3], "format": "PNG", "animated": False},
        {"size_px": [10**400, 3], "format": "PNG", "animated": False},
    ],
)
def test_an_answer_that_cannot_be_is_none(answer):
    def lying(wire):
        wire.tell({})
        wire.hear()
        wire.tell(answer)
        wire.hear()

    with Pool(lying, 256 * 1024 * 1024) as pool, pytest.raises(WorkerFailed), opened(pool, b"fine"):
        pass


def test_a_worker_that_ends_after_its_last_answer_takes_nothing_back():
    def brief(wire):
        wire.tell({})
        wire.hear()
        wire.tell({"size_px": [4, 3], "format": "PNG", "animated": False})

    with Pool(brief, 256 * 1024 * 1024) as pool, opened(pool, b"fine") as picture:
        assert picture.size_px == (4, 3)
        time.sleep(0.3)


def test_the_engines_time_is_not_the_workers(pool):
    with opened(pool, b"fine", seconds=1.0) as picture:
        time.sleep(1.2)
        with pytest.raises(PictureTooCostly):
            picture.resized(3, 3)
        used = picture._wire

    with pool.worker(0) as wire:
        assert wire is used


def test_one_picture_too_many_is_told_so_and_the_next_one_works(pool, monkeypatch):
    monkeypatch.setattr(isolation, "_MAX_WAIT_S", 0.0)
    with ExitStack() as lent:
        for _ in range(MAX_WORKERS):
            lent.enter_context(opened(pool, b"fine"))
        with pytest.raises(Overloaded) as caught, opened(pool, b"fine"):
            pass

    assert caught.value.headers == {"Retry-After": "1"}
    with opened(pool, b"fine") as picture:
        assert picture.size_px == (40, 30)


def test_a_bug_over_there_is_told_with_its_traceback(pool):
    with pytest.raises(WorkerFailed, match="ZeroDivisionError: a bug"), opened(pool, b"bug"):
        pass


def test_an_idle_worker_is_not_ended_by_the_last_pictures_time(pool):
    with opened(pool, b"fine", seconds=0.3) as picture:
        used = picture._wire
    time.sleep(0.5)

    with pool.worker(0) as wire:
        assert wire is used


def test_the_usual_look_comes_with_the_picture_and_any_other_is_asked_for(pool):
    isolation = isolated(pool)
    here = DecodedPicture(craft(), b"fine")

    for first, second in [((7, 9), (5, 5)), ((7, 9), (9, 7)), ((5, 5), (7, 9))]:
        with isolation.open(b"fine", time.monotonic() + 20) as there:
            np.testing.assert_array_equal(there.resized(*first), here.resized(*first))
            np.testing.assert_array_equal(there.resized(*second), here.resized(*second))
            np.testing.assert_array_equal(there.resized(*second), here.resized(*second))


def test_what_was_answered_is_forgotten_with_the_picture():
    is_gone = threading.Event()

    class Content(bytes):
        __slots__ = ()

        def __del__(self):
            is_gone.set()

    def encode(image, image_format, profile):
        return Encoded(Content(b"a picture"), "image/png", "")

    ours, theirs = socket.socketpair()
    wire = Wire(ours)
    worker = threading.Thread(target=serve, args=(craft(encode=encode), b"rehearsal", Wire(theirs)))
    worker.start()
    try:
        wire.hear(20)
        wire.ask({"do": "open", "look": None, "seconds": 20}, b"fine", timeout_s=20)
        is_gone.clear()  # that of the rehearsal
        rendering = {"do": "render", "request": {"draw": "none"}, "detections": [], "seconds": 20}
        _, answers = wire.ask(rendering, timeout_s=20)
        assert answers == [b"a picture"]
        assert not is_gone.is_set()

        wire.tell({"do": "forget"})

        assert is_gone.wait(5)
    finally:
        wire.close()
        worker.join()
        theirs.close()


def plain_jpeg():
    file = io.BytesIO()
    Image.new("RGB", (40, 30)).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "seconds", "plain_px", "where"),
    [
        (plain_jpeg(), 20, 1_000_000, DecodedPicture),
        (plain_jpeg(), 20, 0, IsolatedPicture),
        (plain_jpeg(), 20, 1199, IsolatedPicture),
        (plain_jpeg(), 3, 1_000_000, IsolatedPicture),
        (b"fine", 20, 1_000_000, IsolatedPicture),
    ],
)
def test_only_small_plain_pictures_with_time_to_spare_stay_here(pool, content, seconds, plain_px, where):
    with isolated(pool, plain_px=plain_px).open(content, time.monotonic() + seconds) as picture:
        assert type(picture) is where
        assert picture.render(ASKED, [FOUND]).encoded.media_type == "image/png"


def test_only_so_many_plain_pictures_at_a_time_stay_here(pool):
    isolation = isolated(pool, plain_px=1_000_000)
    with ExitStack() as held:
        kinds = [
            type(held.enter_context(isolation.open(plain_jpeg(), time.monotonic() + 20)))
            for _ in range(MAX_WORKERS + 1)
        ]

    assert kinds == [DecodedPicture] * MAX_WORKERS + [IsolatedPicture]
    for _ in range(MAX_WORKERS + 1):
        with isolation.open(plain_jpeg(), time.monotonic() + 20) as picture:
            assert type(picture) is DecodedPicture


def test_memory_is_a_plain_pictures_fault_too(pool):
    def out_of_memory(*_):
        raise MemoryError

    for step in ("read", "encode"):
        isolation = Isolation(
            craft(**{step: out_of_memory}), pool, 20, 1_000_000, max_pixels=1_000_000, max_bytes=1_000_000
        )
        for _ in range(MAX_WORKERS + 1):
            with (
                pytest.raises(PictureTooCostly, match="memory"),
                isolation.open(plain_jpeg(), time.monotonic() + 20) as picture,
            ):
                picture.render(ASKED, [FOUND])


# A worker that was taken over


def lying(answers):
    """What a worker does that has an answer ready for each order: a document and blobs, or something to do."""

    def serve(wire):
        wire.tell({})
        held = None
        while True:
            order, _ = wire.hear()
            if order["do"] == "forget":
                continue
            answer = answers.get(order["do"], OPENED)
            if callable(answer):
                held = answer(wire, held)
            else:
                wire.tell(answer[0], *answer[1:])

    return serve


OPENED = ({"size_px": [4, 3], "format": "PNG", "animated": False},)
RENDERED = {"media_type": "image/png", "reduced": "", "timings_ms": {"annotate": 1.0, "encode": 1.0}}


@pytest.mark.parametrize(
    ("answers", "ask"),
    [
        ({"render": (RENDERED, bytes(1_000_001))}, lambda picture: picture.render(ASKED, [FOUND])),
        ({"render": (RENDERED, bytes(30_000_000))}, lambda picture: picture.render(ASKED, [FOUND])),
        ({"resized": ({}, bytes(4 * 3 * 5 * 5 + 1))}, lambda picture: picture.resized(5, 5)),
        ({"thinned": ({"shape": [4, 3, 3]}, bytes(10_000))}, lambda picture: picture.thinned(12)),
        ({"render": (RENDERED, *[b""] * 17)}, lambda picture: picture.render(ASKED, [FOUND])),
        ({"open": (*OPENED, bytes(3_000_000))}, lambda picture: None),
        ({"open": ({"error": "broken-picture", "message": "x" * 2_000_000, "parameter": None},)}, lambda picture: None),
    ],
    ids=["a file", "a large file", "a view", "pixels", "pieces", "what nobody asked for", "words"],
)
def test_more_than_was_asked_for_is_not_taken(answers, ask):
    with Pool(lying(answers), 256 * 1024 * 1024) as pool:
        with pytest.raises(PictureTooCostly), opened(pool, b"fine") as picture:
            ask(picture)
        assert not pool._processes.idle


@pytest.mark.parametrize(
    ("answers", "ask"),
    [
        ({"resized": ({},)}, lambda picture: picture.resized(5, 5)),
        ({"thinned": ({"shape": [2, 2, 3]},)}, lambda picture: picture.thinned(4)),
        ({"render": (RENDERED,)}, lambda picture: picture.render(ASKED, [FOUND])),
    ],
    ids=["a view", "pixels", "a file"],
)
def test_less_than_was_asked_for_is_no_answer(answers, ask):
    with Pool(lying(answers), 256 * 1024 * 1024) as pool:
        with pytest.raises(WorkerFailed), opened(pool, b"fine") as picture:
            ask(picture)
        assert not pool._processes.idle


def test_what_a_worker_tells_the_client_is_short():
    words = {"error": "broken-picture", "message": "x" * 100_000, "parameter": None}
    with (
        Pool(lying({"open": (words,)}), 256 * 1024 * 1024) as pool,
        pytest.raises(BrokenPicture) as caught,
        opened(pool, b"fine"),
    ):
        pass

    assert len(caught.value.public_message) <= 500


def test_what_a_worker_tells_the_log_is_short():
    with (
        Pool(lying({"open": ({"failed": "x" * 1_000_000},)}), 256 * 1024 * 1024) as pool,
        pytest.raises(WorkerFailed) as caught,
        opened(pool, b"fine"),
    ):
        pass

    assert len(str(caught.value)) <= 10_000


def test_a_file_does_not_change_after_it_was_checked():
    """The worker goes on writing to the memory that both share."""

    def scribble(wire, _):
        wire.tell(RENDERED, b"a picture")
        for _ in range(50):
            wire._shared[:] = bytes([0xFF]) * len(wire._shared)

    with Pool(lying({"render": scribble}), 256 * 1024 * 1024) as pool, opened(pool, b"fine") as picture:
        rendered = [picture.render(ASKED, [FOUND]).encoded.content for _ in range(20)]
        seen = [bytearray(content) for content in rendered]
        time.sleep(0.2)

    assert all(isinstance(content, bytes) and len(content) == 9 for content in rendered)
    assert seen == rendered


def test_a_view_that_came_with_the_picture_is_not_taken_for_what_lies_there_now(pool):
    isolation = isolated(pool)
    with isolation.open(b"fine", time.monotonic() + 20) as there:
        there.resized(20, 20)

    with isolation.open(b"fine", time.monotonic() + 20) as there:
        there.thinned(4)
        np.testing.assert_array_equal(there.resized(20, 20), DecodedPicture(craft(), b"fine").resized(20, 20))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="the system does not tell who is whose child")
def test_a_worker_that_holds_off_its_end_is_ended_all_the_same():
    """It ignores its timer and the end of its connection, and goes on for ever."""

    def stubborn(wire):
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        wire.tell({})
        wire.hear()
        while True:
            time.sleep(0.01)

    with Pool(stubborn, 256 * 1024 * 1024) as pool:
        nursery = pool._processes.nursery.pid
        with pytest.raises(PictureTooCostly), opened(pool, b"fine", seconds=0.2):
            pass

        assert eventually(lambda: not Path(f"/proc/{nursery}/task/{nursery}/children").read_text(encoding="ascii"))


def eventually(is_so):
    for _ in range(1000):
        if is_so():
            return True
        time.sleep(0.01)
    return False
