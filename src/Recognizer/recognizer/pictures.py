"""Bytes <-> upright RGB pixels: every decoder, encoder and limit of a picture.

Owns Pillow's decoding and encoding. Refuses, before a pixel is decoded, what is not one of the named formats (only
their decoders may open a file), what has too many pixels, and JPEGs built of so many scans that decoding would take
minutes. Pixels come out upright (EXIF orientation applied), in RGB, over white where the picture is transparent.
Metadata is dropped (EXIF can hold where a photo was taken), but the colour profile of RGB pictures is kept.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from recognizer.errors import BrokenPicture, TooLarge, UnsupportedMediaType

if TYPE_CHECKING:
    from collections.abc import Iterator

# The limit is ours (``max_pixels``), checked on every picture; Pillow's own only warns below 179 megapixels.
Image.MAX_IMAGE_PIXELS = None

Image.preinit()  # the ones that Pillow would look up when it opens its first picture

# Naming the plugins spares Pillow from importing all of them when it meets the first WebP or TIFF.
_PLUGINS = (JpegImagePlugin, PngImagePlugin, GifImagePlugin, WebPImagePlugin, BmpImagePlugin, TiffImagePlugin)
READABLE = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", *(("AVIF",) if AvifImagePlugin.SUPPORTED else ()))

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}

# Ordinary progressive files have about 10 scans; each scan is a pass over the whole picture.
# https://libjpeg-turbo.org/pmwiki/uploads/About/TwoIssueswiththeJPEGStandard.pdf
MAX_JPEG_SCANS = 100
# What follows 0xff in a JPEG and has no length of its own: stuffing, restarts, start and temporary markers.
_WITHOUT_LENGTH = frozenset((0x00, 0x01, 0xFF, *range(0xD0, 0xD9)))
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9

_WITHOUT_RIDERS = {"JPEG", "PNG", "WEBP"}  # formats whose encoders take metadata from `info` alone

# EXIF orientation -> what turns the stored pixels upright (EXIF 2.32, section 4.6.4).
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow's decoders and EXIF reader raise on damaged files; it promises no narrower set.
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error, IndexError, KeyError, TypeError, OverflowError),
    RuntimeError,  # of AVIF's decoder
)

_STRIP_PX = 4_000_000

# Ordinary ones have 0.5 to 4 kB; a few megabytes would leave an answer no room for the picture.
_MAX_PROFILE_BYTES = 64 * 1024

# Encoder settings, best first; measured in docs/performance.md. Formats without a quality shrink at once.
_QUALITIES: dict[str, tuple[int, ...]] = {"JPEG": (85, 70, 55), "WEBP": (80, 65, 50), "AVIF": (70, 55, 40)}
_OPTIONS: dict[str, dict[str, object]] = {
    "PNG": {"compress_level": 3},
    "WEBP": {"method": 2},
    "AVIF": {"speed": 9},
    "TIFF": {"compression": "tiff_lzw"},
}
_LIMIT_PX = {"WEBP": 16_383, "JPEG": 65_500, "GIF": 65_535, "AVIF": 65_535}


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        image: upright RGB pixels.
        format: Pillow's name of the format it came in.
        animated: whether it has more frames than the first, which is the one decoded.
        icc_profile: colour profile of the pixels, if it came with an ordinary one that describes RGB.
    """

    image: Image.Image
    format: str
    animated: bool
    icc_profile: bytes | None


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as bytes.

    Attributes:
        content: the file.
        media_type: its Content-Type.
        reduced: how it was made to fit (``quality=55, width=1200, height=800``); empty when it was not.
    """

    content: bytes
    media_type: str
    reduced: str


def read(content: bytes, max_pixels: int) -> Picture:
    """The upright RGB pixels of a picture file.

    Args:
        content: the file's bytes; what it is is told by them alone, never by a name or Content-Type.
        max_pixels: largest width times height.

    Raises:
        UnsupportedMediaType: no picture, or not of a format in ``READABLE``.
        TooLarge: more pixels than ``max_pixels``.
        BrokenPicture: truncated or corrupt, or a JPEG of more than ``MAX_JPEG_SCANS`` scans.
    """
    if not content:
        raise UnsupportedMediaType("There is no picture: the file is empty.")
    try:
        image = Image.open(BytesIO(content), formats=READABLE)
    except UnidentifiedImageError as error:
        raise _unidentified(content) from error
    except _DAMAGE as error:
        raise _broken(error) from error
    with image:
        width, height = image.size
        if width * height > max_pixels:
            raise TooLarge(
                f"The picture has {width} x {height} pixels; at most {max_pixels:,} in all are read. "
                "Give a smaller version."
            )
        if content.startswith(b"\xff\xd8") and _has_too_many_scans(content):
            raise BrokenPicture(f"The JPEG has too many scans to decode in time; at most {MAX_JPEG_SCANS} are read.")
        try:
            image.load()
            animated = bool(getattr(image, "is_animated", False)) and image.format != "MPO"
            profile = _rgb_profile(image)
            upright = _upright(image)
        except _DAMAGE as error:
            raise _broken(error) from error
        source = "JPEG" if image.format == "MPO" else str(image.format)
        return Picture(upright, source, animated, profile)


def pixels_of(image: Image.Image) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """The pixels of an RGB image as an array of shape (height, width, 3)."""
    if image.width * image.height <= _STRIP_PX:
        return np.asarray(image)
    # Pillow exports an image through two copies of it; by strips, it is one and a bit.
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, _STRIP_PX // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return pixels


def encode(image: Image.Image, image_format: str, icc_profile: bytes | None, max_bytes: int) -> Encoded:
    """A picture file of at most ``max_bytes``: quality gives way first, then size.

    Args:
        image: RGB pixels.
        image_format: Pillow's name of a format in ``MEDIA_TYPES``.
        icc_profile: colour profile to embed, if any.
        max_bytes: largest file.
    """
    for candidate, quality in _attempts(image, image_format, max_bytes):
        content = _write(candidate, image_format, icc_profile, quality)
        if len(content) <= max_bytes:
            best = _QUALITIES.get(image_format, (None,))[0]
            notes = [f"quality={quality}"] if quality != best else []
            if candidate.size != image.size:
                notes += [f"width={candidate.width}", f"height={candidate.height}"]
            return Encoded(content, MEDIA_TYPES[image_format], ", ".join(notes))
    raise AssertionError("a picture of one pixel fits any limit")  # pragma: no cover


def _attempts(image: Image.Image, image_format: str, max_bytes: int) -> Iterator[tuple[Image.Image, int | None]]:
    """Ever smaller ways to write a picture: every quality at full size, then the lowest at ever smaller sizes."""
    qualities: tuple[int | None, ...] = _QUALITIES.get(image_format, (None,))
    within = _within(image, _LIMIT_PX.get(image_format))
    # Encoding tens of megapixels only to learn that they do not fit costs seconds: ask a sample first.
    scale = 1.0
    for quality in qualities:
        scale = min(1.0, (max_bytes / _estimate_bytes(within, image_format, quality)) ** 0.5)
        if scale >= 0.8:  # noqa: PLR2004 - near enough to be worth a try, the estimate is rough
            yield within, quality
            scale = 0.9
    size = within.size
    while size != (1, 1):
        size = (max(1, int(size[0] * scale)), max(1, int(size[1] * scale)))
        yield within.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0), qualities[-1]
        scale = 0.8


def _within(image: Image.Image, limit_px: int | None) -> Image.Image:
    if limit_px is None or max(image.size) <= limit_px:
        return image
    ratio = limit_px / max(image.size)
    return image.resize((max(1, int(image.width * ratio)), max(1, int(image.height * ratio))))


_SAMPLE_PX = 1024


def _estimate_bytes(image: Image.Image, image_format: str, quality: int | None) -> float:
    """The size of the file to expect, from a crop of its middle; 1 for pictures so small that trying is cheaper."""
    if image.width * image.height <= 4 * _SAMPLE_PX**2:
        return 1.0
    width, height = min(image.width, _SAMPLE_PX), min(image.height, _SAMPLE_PX)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    sample = image.crop((left, top, left + width, top + height))
    bytes_per_px = len(_write(sample, image_format, None, quality)) / (width * height)
    return max(1.0, bytes_per_px * image.width * image.height)


def _write(image: Image.Image, image_format: str, icc_profile: bytes | None, quality: int | None) -> bytes:
    options = dict(_OPTIONS.get(image_format, {}))
    if quality is not None:
        options["quality"] = quality
    if icc_profile:
        options["icc_profile"] = icc_profile
    file = BytesIO()
    # A new image: what Pillow read (EXIF, comments, XMP) must not ride along.
    image.save(file, image_format, **options)
    return file.getvalue()


def _has_too_many_scans(content: bytes) -> bool:
    """Counts a JPEG's scans without decoding: segments are skipped by their length, what follows the end is left out.

    A phone's motion photo has a film behind the picture and a thumbnail inside a segment.
    """
    scans, place = 0, 2
    while (place := content.find(b"\xff", place)) != -1 and place + 4 <= len(content):
        marker = content[place + 1]
        if marker == _END_OF_IMAGE:
            return False
        if marker in _WITHOUT_LENGTH:
            place += 1 if marker == 0xFF else 2  # noqa: PLR2004 - fill bytes may repeat
            continue
        scans += marker == _START_OF_SCAN
        if scans > MAX_JPEG_SCANS:
            return True
        place += 2 + max(2, int.from_bytes(content[place + 2 : place + 4]))
    return False


def _upright(image: Image.Image) -> Image.Image:
    """Loaded pixels as a new RGB image, turned upright; TIFFs are turned by Pillow itself as they load."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except _DAMAGE:
        orientation = 1  # a picture with damaged metadata is still a picture
    rgb = _rgb(image)
    turn = _UPRIGHT.get(orientation)
    upright = rgb if turn is None else rgb.transpose(turn)
    upright.info = {}
    return upright


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode in {"I", "F"}:
        image = _eight_bits(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        flat = Image.new("RGB", layer.size, "white")
        flat.paste(layer, mask=layer.getchannel("A"))
        return flat
    # A copy of the pixels is 200 MB at 50 megapixels. A TIFF's tags and an MPO's frames would ride along without one.
    return image if image.mode == "RGB" and image.format in _WITHOUT_RIDERS else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit and floating-point grey levels scaled to 0..255; Pillow's own conversion clips them to white."""
    levels = np.asarray(image, dtype=np.float32)
    levels = np.nan_to_num(levels, nan=0.0, posinf=0.0, neginf=0.0)
    peak = float(levels.max(initial=0.0))
    full = next((full for full in (1.0, 255.0, 65535.0) if peak <= full), peak) if image.mode == "F" else 65535.0
    return Image.fromarray((levels.clip(0.0, full) * (255.0 / full)).astype(np.uint8))


def _rgb_profile(image: Image.Image) -> bytes | None:
    """The embedded profile when it describes RGB (ICC.1:2022, 7.2.6): a CMYK or grey one is wrong for our pixels."""
    profile = image.info.get("icc_profile")
    is_kept = isinstance(profile, bytes) and profile[16:20] == b"RGB " and len(profile) <= _MAX_PROFILE_BYTES
    return profile if is_kept else None


def _unidentified(content: bytes) -> UnsupportedMediaType | BrokenPicture:
    if any(accept is not None and accept(content[:16]) is True for _, accept in map(Image.OPEN.__getitem__, READABLE)):
        return _broken(None)
    kind = "HEIC is not read" if content[4:8] == b"ftyp" else "This is no picture of a format that is read"
    return UnsupportedMediaType(
        f"{kind}. Read are {', '.join(READABLE[:-1])} and {READABLE[-1]}; convert it to one of them."
    )


def _broken(error: Exception | None) -> BrokenPicture:
    reason = "it ends too early" if error is not None and "truncated" in str(error) else "its data are damaged"
    return BrokenPicture(f"The picture cannot be decoded: {reason}.")
