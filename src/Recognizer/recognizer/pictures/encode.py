"""An image -> a picture file of at most so many bytes.

Owns the encoders' settings and what gives way where a file does not fit: quality first, then size.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from recognizer.pictures.formats import MEDIA_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator

# Encoder settings, best first; measured in docs/performance.md. Formats without a quality shrink at once.
_QUALITIES: dict[str, tuple[int, ...]] = {"JPEG": (85, 70, 55), "WEBP": (80, 65, 50), "AVIF": (70, 55, 40)}
_OPTIONS: dict[str, dict[str, object]] = {
    "PNG": {"compress_level": 3},
    "WEBP": {"method": 2},
    "AVIF": {"speed": 9},
    "TIFF": {"compression": "tiff_lzw"},
}
_LIMIT_PX = {"WEBP": 16_383, "JPEG": 65_500, "GIF": 65_535, "AVIF": 65_535}

_SAMPLE_PX = 1024
_NEAR = 0.8  # of the size that would fit by the estimate: near enough to be worth a try, the estimate is rough


class Encoded(NamedTuple):
    """A picture file.

    Attributes:
        content: its bytes.
        media_type: its Content-Type.
        reduced: how it was made to fit (``quality=55, width=1200, height=800``); empty when it was not.
    """

    content: bytes
    media_type: str
    reduced: str


def encode(image: Image.Image, image_format: str, icc_profile: bytes | None, max_bytes: int) -> Encoded:
    """The file of an image, of at most ``max_bytes``: quality gives way first, then size.

    Args:
        image: mode RGB, without metadata; RGBA for formats that can be transparent.
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
        if scale >= _NEAR:
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
    image.save(file, image_format, **options)
    return file.getvalue()
