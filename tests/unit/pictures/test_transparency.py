"""A transparent picture stays transparent wherever the answer's format can be, and nothing else changes."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import ExifTags, Image
from recognizer.build import _craft
from recognizer.detections import Box, Criteria, Detection, Label
from recognizer.imaging import DecodedPicture
from recognizer.job import DetectRequest
from recognizer.pictures import READABLE, rgb
from recognizer.pictures.decode import read
from recognizer.settings import Settings

from tests.unit.pictures.files import file_of

PLENTY = 10**6
SETTINGS = Settings.from_environ({})
CRAFT = _craft(SETTINGS, SETTINGS.max_response_bytes)
CAN = [name for name in ("PNG", "GIF", "WEBP", "TIFF", "AVIF") if name in READABLE]
CLEAR_CORNER = (90, 70)
FOUND = [Detection(Label("/m/01yrx", "Cat"), 0.9, Box(0.3, 0.3, 0.7, 0.8))]


@pytest.fixture
def half():
    """Red on the left, and on the right a secret green that is wholly transparent."""
    image = Image.new("RGBA", (96, 80), (0, 200, 0, 0))
    image.paste((220, 0, 0, 255), (0, 0, 64, 80))
    return image


def answered(content, image_format, draw):
    request = DetectRequest(
        url="", criteria=Criteria(limit=1, min_score=0.0), answer="image", image_format=image_format, draw=draw
    )
    encoded = DecodedPicture(CRAFT, content).render(request, FOUND).encoded
    with Image.open(BytesIO(encoded.content)) as answer:
        return answer.convert("RGBA")


@pytest.mark.parametrize("draw", ["labels", "boxes", "blur", "none"])
@pytest.mark.parametrize("image_format", CAN)
def test_stays_transparent_where_the_format_can_be(half, image_format, draw):
    answer = answered(file_of(half, "PNG"), image_format, draw)

    assert answer.getpixel(CLEAR_CORNER)[3] == 0
    assert answer.getpixel((3, 76)) == pytest.approx((220, 0, 0, 255), abs=8)


@pytest.mark.parametrize("image_format", ["JPEG", "BMP"])
def test_lies_over_white_where_the_format_cannot_be(half, image_format):
    assert answered(file_of(half, "PNG"), image_format, "none").getpixel(CLEAR_CORNER) == pytest.approx(
        (255, 255, 255, 255), abs=3
    )


@pytest.mark.parametrize("image_format", CAN)
def test_boxes_over_transparent_parts_are_opaque(half, image_format):
    answer = answered(file_of(half, "PNG"), image_format, "boxes")

    assert answer.getpixel((70, 23)) == pytest.approx((204, 121, 167, 255), abs=40)


def test_colours_that_nobody_saw_are_not_in_the_answer(half):
    for draw in ("labels", "none"):
        assert answered(file_of(half, "PNG"), "PNG", draw).getpixel(CLEAR_CORNER) == (0, 0, 0, 0)


def test_transparency_turns_with_the_picture(half):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3

    picture = read(file_of(half, "PNG", exif=exif), PLENTY)

    assert picture.layer.getpixel((5, 5))[3] == 0
    assert picture.layer.getpixel((90, 70)) == (220, 0, 0, 255)


def test_an_opaque_picture_has_no_second_copy(half):
    half.putalpha(255)

    assert read(file_of(half, "PNG"), PLENTY).layer is None
    assert read(file_of(half.convert("RGB"), "JPEG"), PLENTY).layer is None


def test_a_picture_too_large_for_a_second_copy_lies_over_white(half, monkeypatch):
    monkeypatch.setattr(rgb, "_LAYER_UP_TO_PX", 96 * 80 - 1)

    picture = read(file_of(half, "PNG"), PLENTY)

    assert picture.layer is None
    assert picture.image_for("PNG").getpixel(CLEAR_CORNER) == (255, 255, 255)
