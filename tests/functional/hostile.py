"""Small files that ask for far too much work, made here: what was found by attacking decoders and encoders."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
from PIL import Image


def jpeg_of_many_scans(side_px=6000, scans=90):
    """A progressive JPEG in which the last scan, a pass over the whole picture, is there again and again."""
    file = BytesIO()
    Image.new("L", (side_px, side_px), 128).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    last_scan = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last_scan * (scans - content.count(b"\xff\xda")) + b"\xff\xd9"


def tiff_around(jpeg, width, height):
    """A TIFF of one strip that is a JPEG: what is inside, no look at the outside tells."""
    tags = [
        *((256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 7), (262, 3, 1)),
        *((273, 4, 8 + 2 + 12 * 9 + 4), (277, 3, 1), (278, 4, height), (279, 4, len(jpeg))),
    ]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, k, 1, value) for t, k, value in tags)
    return b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 0) + jpeg


def jpeg_of_exif_segments(segments=20_000):
    """A JPEG with Exif segments by the thousand, which Pillow joins one after the other."""
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    content = file.getvalue()
    exif = b"\xff\xe1" + struct.pack(">H", 1000) + b"Exif\0\0" + bytes(992)
    return content[:2] + exif * segments + content[2:]


def jpeg_of_empty_segments(segments=2_000_000):
    """A JPEG with empty application segments by the million, each of which Pillow keeps."""
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    content = file.getvalue()
    return content[:2] + b"\xff\xe5\0\2" * segments + content[2:]


def flat_middle(side_px=5000):
    """A PNG of noise with a flat middle, from which the encoder takes it for small."""
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (side_px, side_px), dtype=np.uint8)
    low, high = side_px // 2 - 700, side_px // 2 + 700
    pixels[low:high, low:high] = 0
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def large_flat(side_px=6000, image_format="PNG"):
    """Nothing wrong with it but its size."""
    file = BytesIO()
    Image.new("RGB", (side_px, side_px), "navy").save(file, image_format)
    return file.getvalue()
