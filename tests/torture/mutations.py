"""Picture files of every kind that is read, and what can be done to them.

Owns the damage: bits turned over, bytes overwritten, left out, put in or repeated, ends cut off, pieces of another file
put in, fields that say a length or a number made to say another, blocks left out, doubled and swapped. A PNG's
checksums are made right again most of the time, as its reader would look no further. The same seed makes the same
files.
"""

from __future__ import annotations

import functools
import itertools
import random
import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms
from recognizer.pictures import READABLE

_PNG = b"\x89PNG\r\n\x1a\n"
_TELLING = (0, 1, 2, 3, 4, 7, 8, 0x10, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000)
_TELLING += (0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_HEADER_BYTES = 200  # where parsers stumble


@functools.cache
def originals():
    """Small files that are fine, by a name that begins with their format."""
    grey, colour, clear = _image("L"), _image("RGB"), _image("RGBA")
    palette = colour.quantize(16)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8769] = 6, "maker", {0x9286: b"ASCII\0\0\0comment", 0x829A: (1, 30)}
    files = {
        "JPEG": _file(colour, "JPEG"),
        "JPEG progressive, with metadata": _file(colour, "JPEG", progressive=True, exif=exif, icc_profile=profile),
        "JPEG of four colours": _file(colour.convert("CMYK"), "JPEG"),
        "JPEG in grey, with restarts": _file(grey, "JPEG", restart_marker_blocks=1),
        "JPEG of two pictures": _file(colour, "MPO", frames=3),
        "PNG": _file(colour, "PNG"),
        "PNG with transparency": _file(clear, "PNG", exif=exif, icc_profile=profile),
        "PNG with a palette": _file(palette, "PNG", transparency=0, bits=4),
        "PNG of 16 bits": _file(Image.fromarray(np.arange(384, dtype=np.uint16).reshape(16, 24) * 170), "PNG"),
        "PNG, animated": _file(colour, "PNG", frames=3),
        "GIF": _file(palette, "GIF", interlace=True, comment=b"comment"),
        "GIF, animated": _file(palette, "GIF", transparency=1, disposal=2, frames=3),
        "WEBP": _file(colour, "WEBP"),
        "WEBP lossless": _file(clear, "WEBP", lossless=True, exif=exif),
        "WEBP, animated": _file(colour, "WEBP", frames=3),
        "BMP": _file(colour, "BMP"),
        "BMP with a palette": _file(palette, "BMP"),
        "BMP, run lengths of 8 bits": bmp_of_runs(bytes([5, 1, 3, 2, 0, 4, 1, 2, 3, 4, 0, 2, 3, 1, 9, 2, 0, 0]) * 8, 1),
        "BMP, run lengths of 4 bits": bmp_of_runs(bytes([5, 0x12, 3, 0x21, 0, 4, 1, 2, 0, 2, 3, 1, 9, 2, 0, 0]) * 8, 2),
        "TIFF": _file(colour, "TIFF", tiffinfo={274: 6, 271: "maker"}),
        "TIFF, LZW": _file(colour, "TIFF", compression="tiff_lzw"),
        "TIFF, deflate with a predictor": _file(colour, "TIFF", compression="tiff_deflate", tiffinfo={317: 2}),
        "TIFF, JPEG": _file(colour, "TIFF", compression="jpeg"),
        "TIFF, packed bits": _file(grey, "TIFF", compression="packbits"),
        "TIFF, fax": _file(grey.convert("1"), "TIFF", compression="group4"),
        "TIFF of floating points": _file(grey.convert("F"), "TIFF"),
        "TIFF, big": _file(colour, "TIFF", big_tiff=True),
        "TIFF of three pictures": _file(colour, "TIFF", frames=3),
    }
    if "AVIF" in READABLE:
        files["AVIF"] = _file(colour, "AVIF", speed=10)
        files["AVIF with transparency"] = _file(clear, "AVIF", speed=10, exif=exif, icc_profile=profile)
        files["AVIF, animated"] = _file(colour, "AVIF", speed=10, frames=3)
    return files


def bmp_of_runs(runs, compression, width=24, height=16):
    """A BMP with a palette whose pixels are run lengths (1: of 8 bits, 2: of 4)."""
    bits = 8 if compression == 1 else 4
    palette = b"".join(bytes([level, 255 - level, level // 2, 0]) for level in range(0, 256, 256 >> bits))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(runs), 0, 0, 1 << bits, 0)
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(runs) + 2, 0, 0, start) + header + palette + runs + b"\0\1"


def mutated(name, rng):
    """One of the files, damaged."""
    content = originals()[name]
    made = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        if made:
            rng.choice(_KINDS)(made, rng)
    return _checked(bytes(made)) if made.startswith(_PNG) and rng.random() < 0.9 else bytes(made)


def _image(mode, seed=1):
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 6, 4), dtype=np.uint8)
    return Image.fromarray(pixels, "RGBA").resize((24, 16), Image.Resampling.BICUBIC).convert(mode)


def _file(image, image_format, frames=1, **options):
    file = BytesIO()
    if frames > 1:
        options |= {"save_all": True, "append_images": [_image("RGB", seed) for seed in range(2, frames + 1)]}
    image.copy().save(file, image_format, **options)  # encoders leave their settings on an image
    return file.getvalue()


def _place(made, rng):
    return rng.randrange(min(len(made), _HEADER_BYTES) if rng.random() < 0.6 else len(made))


def _turn_bits(made, rng):
    for _ in range(rng.choice((1, 1, 2, 8))):
        made[_place(made, rng)] ^= 1 << rng.randrange(8)


def _overwrite(made, rng):
    place = _place(made, rng)
    made[place : place + rng.randint(1, 4)] = bytes([rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))])


def _cut(made, rng):
    del made[rng.randrange(len(made)) :]


def _leave_out(made, rng):
    place = _place(made, rng)
    del made[place : place + rng.randint(1, 40)]


def _put_in(made, rng):
    place = _place(made, rng)
    made[place:place] = rng.randbytes(rng.randint(1, 16))


def _repeat(made, rng):
    place = _place(made, rng)
    made[place:place] = made[place : place + rng.randint(1, 60)] * rng.choice((1, 1, 2, 50))


def _splice(made, rng):
    other = rng.choice(list(originals().values()))
    start, place = rng.randrange(len(other)), _place(made, rng)
    piece = other[start : start + rng.randint(1, 400)]
    made[place : place + (len(piece) if rng.random() < 0.5 else 0)] = piece


def _say_another_number(made, rng):
    """A field of 2 or 4 bytes of either order says something telling, or a little more or less than before."""
    place, (length, order) = _place(made, rng), rng.choice(((2, "big"), (2, "little"), (4, "big"), (4, "little")))
    said = int.from_bytes(made[place : place + length], order)
    value = rng.choice((*_TELLING, len(made), said + 1, said - 1, said * 2, said ^ (1 << rng.randrange(length * 8))))
    made[place : place + length] = (value % (1 << 8 * length)).to_bytes(length, order)


def _say_another_length(made, rng):
    """The same at a place that holds a length: what it says is not beyond the end."""
    for _ in range(30):
        place, (length, order) = _place(made, rng), rng.choice(((2, "big"), (4, "big"), (4, "little")))
        said = int.from_bytes(made[place : place + length], order)
        if 4 <= said <= len(made) - place:
            value = rng.choice((0, 1, said - 1, said + 1, said + 4, len(made), (1 << 8 * length) - 1))
            made[place : place + length] = (value % (1 << 8 * length)).to_bytes(length, order)
            return


def _move_blocks(made, rng):
    """Two blocks change places, or one is left out or doubled: as the format has them, or pieces of any length."""
    ends = _blocks(made) or sorted(rng.sample(range(len(made) + 1), min(5, len(made) + 1)))
    blocks = [bytes(made[start:end]) for start, end in itertools.pairwise(ends)]
    if len(blocks) < 2:
        return
    one, other = rng.sample(range(len(blocks)), 2)
    match rng.randrange(3):
        case 0:
            blocks[one], blocks[other] = blocks[other], blocks[one]
        case 1:
            del blocks[one]
        case 2:
            blocks[other : other + 1] = [blocks[other]] * rng.choice((2, 2, 200))
    made[:] = bytes(made[: ends[0]]) + b"".join(blocks) + bytes(made[ends[-1] :])


_KINDS = (
    *(_turn_bits, _overwrite, _cut, _leave_out, _put_in, _repeat, _splice),
    *(_say_another_number, _say_another_number, _say_another_length, _move_blocks, _move_blocks),
)


def _blocks(made):
    """Where the blocks of a file start, and its last one ends; nothing where there are none that are known."""
    if made.startswith(_PNG):
        return _walk(made, 8, lambda place: 12 + int.from_bytes(made[place : place + 4]))
    if made.startswith(b"\xff\xd8"):
        return _walk(made, 2, lambda place: 2 + max(2, int.from_bytes(made[place + 2 : place + 4])))
    if made.startswith(b"RIFF"):
        return _walk(made, 12, lambda place: 8 + (1 + int.from_bytes(made[place + 4 : place + 8], "little") & ~1))
    if made[4:8] == b"ftyp":
        return _walk(made, 0, lambda place: max(8, int.from_bytes(made[place : place + 4])))
    if made.startswith((b"II", b"MM")):  # the entries of the first directory
        order = "little" if made.startswith(b"II") else "big"
        start = int.from_bytes(made[4:8], order)
        count = int.from_bytes(made[start : start + 2], order)
        return [*range(start + 2, min(len(made), start + 2 + 12 * count) + 1, 12)]
    return []


def _walk(made, place, length_at):
    places = [place]
    while places[-1] < len(made) and len(places) < 100:
        places.append(min(len(made), places[-1] + length_at(places[-1])))
    return places


def _checked(content):
    """A PNG with the right checksums."""
    places = _blocks(bytearray(content))
    parts = [content[start:end] for start, end in itertools.pairwise(places)]
    return (
        content[:8]
        + b"".join(part[:-4] + zlib.crc32(part[4:-4]).to_bytes(4) if len(part) >= 12 else part for part in parts)
        + content[places[-1] :]
    )


def batch(seed, count, of=""):
    """So many damaged files, of one format where one is named, each with the name of what it was."""
    rng = random.Random(seed)  # noqa: S311 - the same files each time
    names = [name for name in originals() if name.startswith(of)]
    for number in range(count):
        name = names[number % len(names)]
        yield name, mutated(name, rng)
