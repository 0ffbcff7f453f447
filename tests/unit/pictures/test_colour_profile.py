"""Only what is a colour profile through and through is passed on."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from recognizer.pictures import encode, read
from recognizer.pictures.colour_profile import MAX_PROFILE_BYTES, is_sound

from tests.conftest import SHARED, needs_shared
from tests.unit.pictures.files import PLENTY, WITH_EXIF, file_of, quarters, srgb

PAGE = b"<script>alert(document.domain)</script>" * 20
FIRST_TAG = 132


def with_bytes(place, new):
    profile = bytearray(srgb())
    profile[place : place + len(new)] = new
    return bytes(profile)


def with_length(length):
    """The profile padded with zeros to a length that its header knows."""
    return struct.pack(">I", length) + srgb()[4:] + bytes(length - len(srgb()))


def test_an_ordinary_profile_is_sound():
    assert is_sound(srgb())


UNSOUND = {
    "empty": b"",
    "a web page": PAGE,
    "a web page called RGB": PAGE[:16] + b"RGB " + PAGE[20:],
    "a web page behind a header": srgb()[:128] + PAGE,
    "a header alone": srgb()[:128],
    "something behind its end": srgb() + PAGE,
    "cut off": srgb()[:-1],
    "without its signature": with_bytes(36, b"abcd"),
    "of grey": with_bytes(16, b"GRAY"),
    "of CMYK": with_bytes(16, b"CMYK"),
    "a device link": with_bytes(12, b"link"),
    "of named colours": with_bytes(12, b"nmcl"),
    "connected to nothing": with_bytes(20, b"Luv "),
    "without tags": with_bytes(128, struct.pack(">I", 0)),
    "of a million tags": with_bytes(128, struct.pack(">I", 1_000_000)),
    "of more tags than fit": with_bytes(128, struct.pack(">I", 99)),
    "with a tag in the header": with_bytes(FIRST_TAG + 4, struct.pack(">I", 0)),
    "with a tag behind the end": with_bytes(FIRST_TAG + 4, struct.pack(">I", len(srgb()))),
    "with a tag over the end": with_bytes(FIRST_TAG + 8, struct.pack(">I", len(srgb()))),
    "with a tag of no type": with_bytes(FIRST_TAG + 8, struct.pack(">I", 4)),
    "that says nothing about red": srgb().replace(b"rTRC", b"page"),
    "too long for an answer": with_length(MAX_PROFILE_BYTES + 4),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_what_is_not_sound_is_noticed(name):
    assert not is_sound(UNSOUND[name])


def test_the_longest_profile_is_sound():
    assert is_sound(with_length(MAX_PROFILE_BYTES))


@pytest.mark.parametrize("image_format", WITH_EXIF)
@pytest.mark.parametrize("name", ["a web page", "a web page called RGB", "a web page behind a header"])
def test_a_web_page_in_place_of_a_profile_is_not_passed_on(image_format, name):
    picture = read(file_of(quarters(), image_format, icc_profile=UNSOUND[name]), PLENTY)

    answer = encode(picture.image, picture.format, picture.icc_profile, 1_000_000)

    assert b"<script" not in answer.content
    assert "icc_profile" not in Image.open(BytesIO(answer.content)).info


@given(st.binary(max_size=400))
def test_any_bytes_are_judged(rest):
    is_sound(rest)
    is_sound((srgb()[:128] + rest)[: 128 + len(rest)])


@given(st.lists(st.tuples(st.integers(0, len(srgb()) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_profile_is_judged(damage):
    profile = bytearray(srgb())
    for place, value in damage:
        profile[place] = value
    is_sound(bytes(profile))


@needs_shared
def test_the_profiles_of_real_photos_are_sound():
    found = 0
    for path in sorted((SHARED / "photos" / "dev").glob("*.jpg")):
        with Image.open(path) as image:
            profile = image.info.get("icc_profile")
        if profile:
            found += 1
            assert is_sound(profile), path.name
    assert found > 10
