"""A picture file -> Picture: opened, judged and decoded.

Owns the order in which a file is judged. What is not one of the readable formats, has too many pixels, or has by its
first look so much beside them that reading it would take minutes, is refused before a pixel is decoded. The looks make
the usual attacks cheap; they prove nothing, and what ends every attack is that this happens in a process of its own.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from recognizer.errors import BrokenPicture, TooLarge, UnsupportedMediaType
from recognizer.pictures import avif_items, gif_frame, jpeg_segments, png_chunks, tiff_tags
from recognizer.pictures.formats import DAMAGE, READABLE, TRANSPARENT
from recognizer.pictures.jpeg_scans import has_too_many_scans
from recognizer.pictures.rgb import rgb_profile, upright
from recognizer.pictures.tiff_jpegs import jpegs_in

_WEB_PAGE = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)

# Each by itself tells whether a file is its concern.
_LOOKS = (jpeg_segments.excess, png_chunks.excess, gif_frame.excess, tiff_tags.excess, avif_items.excess)


class Picture(NamedTuple):
    """A decoded picture.

    Attributes:
        image: upright RGB pixels.
        format: Pillow's name of the format it came in.
        animated: whether it has more frames than the first, which is the one decoded.
        icc_profile: colour profile of the pixels, if it came with a sound one of RGB.
        layer: the pixels in mode RGBA where some are transparent; these lie over white in ``image``.
    """

    image: Image.Image
    format: str
    animated: bool
    icc_profile: bytes | None
    layer: Image.Image | None = None

    def image_for(self, image_format: str) -> Image.Image:
        """What to draw on for an answer in a format: with its transparency where the format has it too."""
        return self.layer if self.layer and image_format in TRANSPARENT else self.image


def read(content: bytes, max_pixels: int) -> Picture:
    """The picture in a file.

    Args:
        content: the file's bytes; what it is is told by them alone, never by a name or Content-Type.
        max_pixels: largest width times height.

    Raises:
        UnsupportedMediaType: no picture, or not of a format in ``READABLE``.
        TooLarge: more pixels than ``max_pixels``.
        BrokenPicture: truncated or corrupt, or with more scans, metadata or strips than any ordinary file has.
    """
    if not content:
        raise UnsupportedMediaType("There is no picture: the file is empty.")
    for excess in _LOOKS:
        if (what := excess(content)) is not None:
            raise BrokenPicture(f"The picture's file has {what}. Save it again, without its metadata.")
    _check_size(gif_frame.size_px(content) or (0, 0), max_pixels)
    try:
        image = Image.open(BytesIO(content), formats=READABLE)
    except UnidentifiedImageError as error:
        raise _unidentified(content) from error
    except DAMAGE as error:
        raise _broken(error) from error
    with image:
        _check_size(image.size, max_pixels)
        try:
            jpegs = [slice(None)] if image.format in {"JPEG", "MPO"} else jpegs_in(image)
        except DAMAGE as error:
            raise _broken(error) from error
        if jpegs and has_too_many_scans(content, image.size, jpegs):
            raise BrokenPicture("The JPEG has too many scans to decode in time. Save it again, as an ordinary JPEG.")
        try:
            image.load()
            source_format = "JPEG" if image.format == "MPO" else str(image.format)
            animated = bool(getattr(image, "is_animated", False)) and image.format != "MPO"
            profile = rgb_profile(image)
            rgb, layer = upright(image)
            return Picture(rgb, source_format, animated, profile, layer)
        except DAMAGE as error:
            raise _broken(error) from error


def _check_size(size_px: tuple[int, int], max_pixels: int) -> None:
    width, height = size_px
    if width * height > max_pixels:
        raise TooLarge(
            f"The picture has {width} x {height} pixels; at most {max_pixels:,} in all are read. "
            "Give a smaller version."
        )


def _unidentified(content: bytes) -> UnsupportedMediaType | BrokenPicture:
    if any(accept is not None and accept(content[:16]) is True for _, accept in map(Image.OPEN.__getitem__, READABLE)):
        return _broken(None)
    if _WEB_PAGE.match(content):
        return UnsupportedMediaType(
            "This is a web page, not a picture. Give the image's own address: in most browsers a right click on the "
            "picture offers to copy it."
        )
    kind = "HEIC is not read" if content[4:8] == b"ftyp" else "This is no picture of a format that is read"
    return UnsupportedMediaType(
        f"{kind}. Read are {', '.join(READABLE[:-1])} and {READABLE[-1]}; convert it to one of them."
    )


def _broken(error: Exception | None) -> BrokenPicture:
    reason = "it ends too early" if error is not None and "truncated" in str(error) else "its data are damaged"
    return BrokenPicture(f"The picture cannot be decoded: {reason}.")
