"""Damaged, cut and exploding pictures: a picture or one of four errors comes out, and the next picture works."""

from __future__ import annotations

import base64
import os
import zlib

import pytest
from recognizer.build import build
from recognizer.errors import BrokenPicture
from recognizer.pictures import READABLE, is_plain

from tests.conftest import THREADS
from tests.functional import hostile
from tests.functional.proxy_events import Context, event, reply
from tests.torture import mutations, pictures

pytestmark = [pytest.mark.enable_socket, pytest.mark.filterwarnings("ignore")]

SEED = 8
STATUSES = {200, 413, 415, 422}


@pytest.fixture(scope="module")
def app(tiny_model):
    return build({"MODEL_DIR": str(tiny_model), "THREADS": str(THREADS), "PICTURE_TIMEOUT": "2"})


def sent(app, content):
    """The answer to a picture that is sent."""
    asked = event(method="POST", headers={"Content-Type": "image/jpeg", "Accept": "image/*"})
    asked |= {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}
    return reply(app(asked, Context()))


def test_damaged_files_are_answered_and_the_next_one_is_answered_as_ever(app):
    sound = sent(app, pictures.SAMPLE.read_bytes())
    for number, (name, content) in enumerate(mutations.batch(SEED, 600)):
        assert sent(app, content).status in STATUSES, f"{name}, number {number} of seed {SEED}"
        if number % 60 == 0:
            assert sent(app, pictures.SAMPLE.read_bytes()).body == sound.body


def test_damaged_files_come_out_of_the_worker_or_not_and_hurt_nothing():
    with pictures.Way(MAX_PIXELS=str(pictures.MAX_PIXELS)) as way:
        tallies, _, failed = pictures.attack(way, mutations.batch(SEED, 2000))
        assert way.is_sound()

    assert not failed
    assert {*tallies} == {*READABLE}
    outcomes = pictures.Tally.of(tallies.values()).outcomes
    assert outcomes[None] > 200, "most of the damage must not be so great that nothing is decoded"
    assert outcomes.total() - outcomes[None] > 200


def test_damaged_plain_files_hurt_nothing_in_the_services_own_process():
    with pictures.Way(**pictures.HERE) as way:
        plain = [content for _, content in mutations.batch(SEED, 2000, "JPEG") if is_plain(content, 1_000_000)]
        tallies, _, failed = pictures.attack(way, (("JPEG", content) for content in plain))

    assert not failed
    assert tallies["JPEG"].outcomes.keys() == {None, BrokenPicture}
    assert tallies["JPEG"].outcomes.total() > 300, "most damage must leave a file plain"


def test_a_file_of_each_format_is_cut_at_each_byte():
    with pictures.Way() as way:
        tallies, _, failed = pictures.attack(way, pictures.cut(READABLE))

    assert not failed
    assert {*tallies} == {*READABLE}


def test_the_same_seed_makes_the_same_files():
    assert [*mutations.batch(SEED, 100)] == [*mutations.batch(SEED, 100)]


BOMBS = {
    "JPEG: flat, 400 megapixels": lambda: hostile.claiming_size("JPEG", 20_000),
    "PNG: profiles": hostile.png_of_profiles,
    "PNG: pixels that never end": lambda: hostile.png_of_chunks(b"IDAT", zlib.compress(bytes(50_000_000)), 20),
    "PNG: 400 megapixels": lambda: hostile.claiming_size("PNG", 20_000),
    "GIF: frames by the hundred thousand": hostile.gif_of_frames,
    "GIF: comments by the million": hostile.gif_of_comments,
    "GIF: a frame to be disposed of": lambda: hostile.gif_of_size(65_535, 65_535, disposal=2),
    "GIF: 4,000 megapixels": lambda: hostile.claiming_size("GIF", 65_535),
    "WEBP: frames by the thousand": hostile.webp_of_frames,
    "BMP: runs of 4 bits, 49 megapixels": lambda: mutations.bmp_of_runs(b"\xff\x11" * 10_000, 2, 7000, 7000),
    "BMP: runs of 8 bits, 49 megapixels": lambda: mutations.bmp_of_runs(b"\xff\x11" * 10_000, 1, 7000, 7000),
    "BMP: steps": lambda: mutations.bmp_of_runs(b"\0\2\xff\xff" * 10_000, 1, 7000, 7000),
    "BMP: ends of lines by the million": lambda: mutations.bmp_of_runs(b"\0\0" * 2_000_000, 1, 7000, 7000),
    "TIFF: strips": lambda: hostile.tiff_of_strips(100_000, rows=999),
    "AVIF: items": hostile.avif_of_items,
}

LARGE = {  # the making of which takes longer than all the rest
    "JPEG: scans": hostile.jpeg_of_many_scans,
    "TIFF: many scans": lambda: hostile.tiff_around(hostile.jpeg_of_many_scans(), 6000, 6000),
    "JPEG: flat, 49 megapixels": lambda: hostile.large_flat(7000, "JPEG"),
    "PNG: flat, 49 megapixels": lambda: hostile.large_flat(7000, "PNG"),
    "GIF: flat, 49 megapixels": lambda: hostile.large_flat(7000, "GIF"),
    "WEBP: flat, 49 megapixels": lambda: hostile.large_flat(7000, "WEBP"),
    "TIFF: deflate, 49 megapixels": lambda: hostile.large_flat(7000, "TIFF", compression="tiff_deflate"),
    "AVIF: flat, 36 megapixels": lambda: hostile.large_flat(6000, "AVIF", speed=10),
}
if os.environ.get("TORTURE") == "full":
    BOMBS |= LARGE


@pytest.fixture(scope="module")
def way():
    with pictures.Way(PICTURE_TIMEOUT="1") as running:
        yield running


@pytest.mark.parametrize("name", mutations.originals())
def test_what_is_damaged_was_fine_before(way, name):
    assert way.outcome(mutations.originals()[name])[0] is None


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_each_format_ends_and_the_next_picture_works(way, name):
    _, _, failed = pictures.attack(way, [(name, BOMBS[name]())])

    assert not failed
    assert way.is_sound()


def test_there_is_a_bomb_of_each_format():
    assert {name.partition(":")[0] for name in BOMBS} == {*READABLE}
