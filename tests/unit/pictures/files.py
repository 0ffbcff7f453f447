"""Picture files of every kind, made for the tests."""

from __future__ import annotations

import functools
import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms
from recognizer.pictures import READABLE

PLENTY = 50_000_000
LOSSLESS = {"PNG": {}, "WEBP": {"lossless": True}, "TIFF": {}, "BMP": {}}
LOSSY = {"JPEG": {"quality": 95}, "GIF": {}, **({"AVIF": {"quality": 95}} if "AVIF" in READABLE else {})}
SAVE_OPTIONS = {**LOSSLESS, **LOSSY}
WITH_EXIF = [name for name in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF") if name in READABLE]
RED, GREEN, BLUE, WHITE, MAGENTA = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (255, 0, 255)


def quarters(width=96, height=64):
    """A picture whose quarters tell which way up it is: red, green / blue, white."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = RED
    pixels[: height // 2, width // 2 :] = GREEN
    pixels[height // 2 :, : width // 2] = BLUE
    pixels[height // 2 :, width // 2 :] = WHITE
    return Image.fromarray(pixels)


def noise(width, height):
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8))


def file_of(image, image_format, **options):
    file = BytesIO()
    image.save(file, image_format, **{**SAVE_OPTIONS.get(image_format, {}), **options})
    return file.getvalue()


def png(width, height, bit_depth, colour_type, rows):
    """A PNG of raw rows: Pillow writes no 16-bit colours, and no header that lies."""
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    body = (struct.pack(">I", len(d)) + kind + d + struct.pack(">I", zlib.crc32(kind + d)) for kind, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def colours(image):
    """The colours of the four quarters, in reading order."""
    width, height = image.size
    places = [(width // 4, height // 4), (3 * width // 4, height // 4)]
    places += [(x, 3 * height // 4) for x, _ in places]
    return [image.getpixel(place) for place in places]


def near(found, expected, tolerance=12):
    return bool(np.abs(np.asarray(found, int) - np.asarray(expected, int)).max() <= tolerance)


def profile(space):
    """The smallest thing that passes for a colour profile of a colour space."""
    return bytes(16) + space + bytes(108)


def progressive(scans_added):
    """A progressive JPEG whose last scan is there that many more times."""
    content = file_of(quarters(), "JPEG", progressive=True)
    last_scan = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last_scan * scans_added + b"\xff\xd9"


@functools.cache  # a profile carries the second it was made in
def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
