"""Small files that ask for far too much work, made here: what was found by attacking decoders and encoders."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

AS_MANY_SCANS_AS_ARE_READ = 20  # of 36 megapixels: seconds of work


def jpeg_of_many_scans(side_px=6000, scans=90):
    """A progressive JPEG in which the last scan, a pass over the whole picture, is there again and again."""
    file = BytesIO()
    Image.new("L", (side_px, side_px), 128).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    last_scan = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last_scan * (scans - content.count(b"\xff\xda")) + b"\xff\xd9"


def tiff_around(jpeg, width, height):
    """A TIFF of one strip that is a JPEG."""
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


def jpeg_of_exif_tags(tags=5000):
    """A JPEG with one Exif segment of so many tags, each of which is said to be larger than the file."""
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    content = file.getvalue()
    entries = b"".join(struct.pack(">HHII", tag, 2, 2**31, 8) for tag in range(1, tags + 1))
    exif = b"Exif\0\0MM\0\x2a\0\0\0\x08" + struct.pack(">H", tags) + entries + bytes(4)
    return content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:]


def jpeg_of_empty_segments(segments=2_000_000):
    """A JPEG with empty application segments by the million, each of which Pillow keeps."""
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    content = file.getvalue()
    return content[:2] + b"\xff\xe5\0\2" * segments + content[2:]


def jpeg_behind_junk(junk_bytes=9_000_000):
    """A JPEG whose picture is megabytes behind its beginning, through which Pillow goes byte by byte."""
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    content = file.getvalue()
    return content[:2] + b"\xff\xe5\0\2" + bytes(junk_bytes) + content[2:]


def png_of_chunks(kind, data, chunks, *, before_pixels=True):
    """A PNG with the same chunk again and again, before its pixels or behind them."""
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    content = file.getvalue()
    place = content.index(b"IDAT" if before_pixels else b"IEND") - 4
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return content[:place] + chunk * chunks + content[place:]


def png_of_profiles(chunks=4000):
    """A PNG of 4 MB whose colour profiles inflate to a mebibyte each."""
    return png_of_chunks(b"iCCP", b"p\0\0" + zlib.compress(bytes(1024 * 1024 - 1)), chunks)


def png_of_texts(chunks=4000):
    """A PNG of 4 MB whose texts inflate to a mebibyte each and are no UTF-8, so that Pillow does not count them."""
    return png_of_chunks(b"iTXt", b"t\0\1\0\0\0" + zlib.compress(b"\xff" * (1024 * 1024 - 1)), chunks)


def tiff_of(tags, data=b"", *, big=False, order="<"):
    """A TIFF of tags (number, type, count, value or place of the values) and whatever is behind its directory."""
    directory, counted, entry = ("Q", "Q", "HHQQ") if big else ("I", "H", "HHII")
    start = b"II" if order == "<" else b"MM"
    start += struct.pack(order + "HHH", 43, 8, 0) if big else struct.pack(order + "H", 42)
    start += struct.pack(order + directory, len(start) + struct.calcsize(order + directory))
    # A short value stands first in its field, whatever the order of its bytes.
    fields = [
        (number, kind, count, value << 8 * (struct.calcsize(entry[-1]) - 2))
        if kind == 3 and count == 1 and order == ">"
        else (number, kind, count, value)
        for number, kind, count, value in sorted(tags)
    ]
    entries = b"".join(struct.pack(order + entry, *field) for field in fields)
    return start + struct.pack(order + counted, len(tags)) + entries + bytes(struct.calcsize(directory)) + data


def tiff_of_strips(strips, *, width=1000, height=1000, rows=None, **layout):
    """A grey TIFF of so many strips, of which nobody says how many bytes they have; all are the same one."""
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (277, 3, 1, 1)]
    tags += [(278, 4, 1, rows or height), (279, 4, strips, 0)]
    end = len(tiff_of([*tags, (273, 4, strips, 0)], **layout))
    offsets = struct.pack(layout.get("order", "<") + "I", end) * strips
    return tiff_of([*tags, (273, 4, strips, end)], offsets + bytes(width * (rows or height)), **layout)


def avif_of_items(items=100_000):
    """An AVIF that lists properties of items by the thousand; libavif looks for each of them among all the others."""
    file = BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, "AVIF")
    content = bytearray(file.getvalue())
    place = content.index(b"ipma") - 4
    size = int.from_bytes(content[place : place + 4])
    # Version 1 has numbers of 4 bytes; the few items of the picture itself are left out.
    listed = b"".join(struct.pack(">IB", 1000 + number, 0) for number in range(items))
    box = b"ipma" + bytes([1, 0, 0, 0]) + struct.pack(">I", items) + listed
    for name in (b"iprp", b"meta"):
        outer = content.index(name) - 4
        grown = int.from_bytes(content[outer : outer + 4]) + 4 + len(box) - size
        content[outer : outer + 4] = grown.to_bytes(4)
    return bytes(content[:place]) + struct.pack(">I", 4 + len(box)) + box + bytes(content[place + size :])


def flat_middle(side_px=5000):
    """A PNG of noise with a flat middle, from which the encoder takes it for small."""
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (side_px, side_px), dtype=np.uint8)
    low, high = side_px // 2 - 700, side_px // 2 + 700
    pixels[low:high, low:high] = 0
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def large_flat(side_px=6000, image_format="PNG", **options):
    """Nothing wrong with it but its size."""
    file = BytesIO()
    Image.new("RGB", (side_px, side_px), "navy").save(file, image_format, **options)
    return file.getvalue()


def claiming_size(image_format, side_px):
    """A small JPEG, PNG or GIF whose header says that it is large."""
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, image_format)
    content = bytearray(file.getvalue())
    side = side_px.to_bytes(2)
    match image_format:
        case "JPEG":
            place = content.index(b"\xff\xc0") + 5
            content[place : place + 4] = side * 2
        case "PNG":
            content[16:24] = side_px.to_bytes(4) * 2
            content[29:33] = zlib.crc32(content[12:29]).to_bytes(4)
        case "GIF":
            content[6:10] = side_px.to_bytes(2, "little") * 2
    return bytes(content)


def gif_of_frames(frames=200_000):
    """A GIF of so many frames of a pixel."""
    frame = b"!\xf9\4\4\0\0\0\0" + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    return b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + frame * frames + b";"


def gif_of_comments(comments=1_000_000):
    """A GIF of so many comments, and one that is as long as all of them, before its picture."""
    comment, long = b"!\xfe\1x\0", b"!\xfe" + (b"\1x" * comments) + b"\0"
    picture = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
    return b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + comment * comments + long + picture


def webp_of_frames(frames=5000, side_px=2000):
    """An animated WebP whose frames cover all of a picture that one pixel each would tell."""
    file = BytesIO()
    Image.new("RGB", (side_px, side_px)).save(
        file, "WEBP", lossless=True, save_all=True, append_images=[Image.new("RGB", (side_px, side_px), "white")]
    )
    content = file.getvalue()
    first = content.index(b"ANMF")
    made = content[:first] + content[first:] * (frames // 2)
    return made[:4] + (len(made) - 8).to_bytes(4, "little") + made[8:]


def gif_of_size(width, height, *, left=0, top=0, disposal=0):
    """A GIF with a screen of one pixel and a frame that is said to be larger, to be disposed of in some way."""
    frame = b"!\xf9\4" + bytes([disposal << 2]) + b"\0\0\0\0," + struct.pack("<HHHH", left, top, width, height)
    return b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + frame + b"\0\2\2D\1\0;"
