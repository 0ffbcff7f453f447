"""Whatever a decoder makes comes out as upright RGB pixels."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import ExifTags, Image
from recognizer import pictures
from recognizer.pictures import READABLE, read

from tests.unit.pictures.files import (
    BLUE,
    GREEN,
    LOSSLESS,
    MAGENTA,
    PLENTY,
    RED,
    WHITE,
    WITH_EXIF,
    colours,
    file_of,
    near,
    noise,
    png,
    profile,
    quarters,
    srgb,
)

# EXIF orientation -> what the stored picture's first row and first column are in the upright one (EXIF 2.32, 4.6.4).
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}


def stored(upright, orientation):
    """The picture as a camera stores it that gives this orientation."""
    first_row, first_column = SIDES[orientation]
    pixels = np.asarray(upright)
    if first_row in {"left", "right"}:
        pixels = pixels.swapaxes(0, 1)
    if first_row in {"bottom", "right"}:
        pixels = pixels[::-1]
    if first_column in {"bottom", "right"}:
        pixels = pixels[:, ::-1]
    return Image.fromarray(np.ascontiguousarray(pixels))


@pytest.mark.parametrize("image_format", LOSSLESS)
def test_lossless_formats_keep_every_pixel(image_format):
    original = noise(31, 17)

    assert read(file_of(original, image_format), PLENTY).image.tobytes() == original.tobytes()


def test_cmyk_comes_out_in_its_own_colours_not_inverted():
    content = file_of(quarters().convert("CMYK"), "JPEG")

    assert near(colours(read(content, PLENTY).image), [RED, GREEN, BLUE, WHITE], tolerance=20)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "BMP"])
def test_grey_pictures_get_three_channels(image_format):
    picture = read(file_of(Image.new("L", (8, 8), 100), image_format), PLENTY)

    assert near(picture.image.getpixel((4, 4)), (100, 100, 100), tolerance=2)


def test_one_bit_pictures_are_black_and_white():
    picture = read(file_of(Image.new("1", (8, 8), 1), "PNG"), PLENTY)

    assert picture.image.getpixel((0, 0)) == WHITE


def test_palette_pictures_get_their_colours():
    picture = read(file_of(quarters().convert("P", palette=Image.Palette.ADAPTIVE), "PNG"), PLENTY)

    assert near(colours(picture.image), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("image_format", ["PNG", "GIF"])
def test_a_transparent_palette_entry_is_white_not_its_colour(image_format):
    image = Image.new("P", (8, 8), 0)
    image.putpalette([*MAGENTA, *BLUE])
    image.paste(1, (4, 0, 8, 8))

    picture = read(file_of(image, image_format, transparency=0), PLENTY)

    assert [picture.image.getpixel((x, 4)) for x in (1, 6)] == [WHITE, BLUE]


@pytest.mark.parametrize("image_format", [name for name in ("PNG", "WEBP", "TIFF", "AVIF") if name in READABLE])
def test_transparency_lies_over_white(image_format):
    image = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    image.paste((0, 0, 255, 255), (8, 0, 16, 16))

    picture = read(file_of(image, image_format), PLENTY)

    assert near([picture.image.getpixel((x, 8)) for x in (2, 13)], [WHITE, BLUE])


def test_half_transparent_is_half_white():
    picture = read(file_of(Image.new("LA", (4, 4), (0, 128)), "PNG"), PLENTY)

    assert picture.image.getpixel((0, 0)) == (127, 127, 127)


def test_a_transparent_colour_of_an_rgb_png_is_white():
    picture = read(file_of(Image.new("RGB", (4, 4), MAGENTA), "PNG", transparency=MAGENTA), PLENTY)

    assert picture.image.getpixel((0, 0)) == WHITE


def test_16_bit_grey_is_scaled_not_clipped():
    row = struct.pack(">4H", 0, 0x4000, 0x8000, 0xFFFF)

    picture = read(png(4, 1, 16, 0, [row]), PLENTY)

    assert [picture.image.getpixel((x, 0))[0] for x in range(4)] == [0, 63, 127, 255]


def test_16_bit_colours_are_scaled_not_clipped():
    row = struct.pack(">6H", 0xFFFF, 0x4000, 0, 0x8000, 0, 0xC000)

    picture = read(png(2, 1, 16, 2, [row]), PLENTY)

    assert near([picture.image.getpixel((x, 0)) for x in range(2)], [(255, 64, 0), (128, 0, 192)], tolerance=1)


@pytest.mark.parametrize(("levels", "expected"), [((0.0, 0.5, 1.0), 127), ((0.0, 127.6, 255.0), 127)])
def test_floating_point_grey_is_scaled_by_its_range(levels, expected):
    content = file_of(Image.fromarray(np.array([levels], np.float32)), "TIFF")

    assert [read(content, PLENTY).image.getpixel((x, 0))[0] for x in range(3)] == [0, expected, 255]


def test_floating_point_grey_that_is_no_number_is_black():
    content = file_of(Image.fromarray(np.array([[np.nan, np.inf, 1.0]], np.float32)), "TIFF")

    assert [read(content, PLENTY).image.getpixel((x, 0))[0] for x in range(3)] == [0, 0, 255]


@pytest.mark.parametrize("orientation", SIDES)
@pytest.mark.parametrize("image_format", WITH_EXIF)
def test_the_orientation_is_applied_to_the_pixels(image_format, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    picture = read(file_of(stored(quarters(), orientation), image_format, exif=exif), PLENTY)

    assert picture.image.size == (96, 64)
    assert near(colours(picture.image), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("orientation", [0, 9, 6000])
def test_an_orientation_that_does_not_exist_is_ignored(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    assert read(file_of(quarters(), "JPEG", exif=exif), PLENTY).image.size == (96, 64)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_a_picture_with_damaged_metadata_is_still_a_picture(exif):
    assert near(colours(read(file_of(quarters(), "JPEG", exif=exif), PLENTY).image), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
def test_the_thinnest_pictures_are_read(size):
    assert read(file_of(Image.new("RGB", size), "PNG"), PLENTY).image.size == size


def test_pixels_are_rows_of_columns_of_rgb():
    pixels = pictures.pixels_of(quarters())

    assert (pixels.shape, pixels.dtype, tuple(pixels[0, -1])) == ((64, 96, 3), np.uint8, GREEN)


@pytest.mark.parametrize("image_format", WITH_EXIF)
def test_the_colour_profile_of_an_rgb_picture_is_kept(image_format):
    content = file_of(quarters(), image_format, icc_profile=srgb())

    assert read(content, PLENTY).icc_profile == srgb()


@pytest.mark.parametrize(("mode", "space"), [("CMYK", b"CMYK"), ("L", b"GRAY"), ("RGB", b"Lab ")])
def test_a_profile_of_another_colour_space_is_dropped(mode, space):
    content = file_of(quarters().convert(mode), "JPEG", icc_profile=profile(space))

    assert read(content, PLENTY).icc_profile is None


@pytest.mark.parametrize("icc", [b"", b"x", b"RGB " * 4])
def test_a_profile_too_short_to_be_one_is_dropped(icc):
    assert read(file_of(quarters(), "JPEG", icc_profile=icc), PLENTY).icc_profile is None
