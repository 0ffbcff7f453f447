"""What a decoder made, whatever its mode and orientation -> upright RGB, and RGBA where it is transparent.

Owns what pixels mean: transparent ones lie over white for whoever knows no transparency, 16 bits and floating point
are scaled to 8, EXIF orientation is applied. Metadata is dropped (EXIF can hold where a photo was taken); the colour
profile of RGB pictures is kept.
"""

from __future__ import annotations

import numpy as np
from PIL import ExifTags, Image

from recognizer.pictures.colour_profile import is_sound
from recognizer.pictures.formats import DAMAGE

# Formats whose decoders attach nothing to an image but `info`. A TIFF's tags and an MPO's frames are attached as well.
_INFO_ALONE = {"JPEG", "PNG", "WEBP"}

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

_STRIP_PX = 4_000_000
_LAYER_UP_TO_PX = 16_000_000  # 64 MB; of a larger picture there is no second copy with its transparency


def upright(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """A decoder's image turned upright, without metadata; TIFFs are turned by Pillow itself as they load.

    Args:
        image: loaded; not to be used afterwards, as the result may be the same image.

    Returns:
        The image in mode RGB, over white where it is transparent, and again in mode RGBA if it is: None for one without
        transparency, and for one so large that both are too much.
    """
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except DAMAGE:
        orientation = 1  # a picture with damaged metadata is still a picture
    turn = _UPRIGHT.get(orientation)
    rgb, rgba = _modes(image)
    return _turned(rgb, turn), rgba and _turned(rgba, turn)


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


def rgb_profile(image: Image.Image) -> bytes | None:
    """The embedded profile when it is a sound one of RGB: a CMYK or grey one is wrong for our pixels."""
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and is_sound(profile) else None


def _turned(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    turned = image if turn is None else image.transpose(turn)
    turned.info = {}  # encoders write what they find here
    return turned


def _modes(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    if image.mode.startswith("I;16") or image.mode in {"I", "F"}:
        image = _eight_bits(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        flat = Image.new("RGB", layer.size, "white")
        alpha = layer.getchannel("A")
        flat.paste(layer, mask=alpha)
        is_opaque = alpha.getextrema() == (255, 255)
        # Through premultiplied levels, as a colour that nobody can see is nobody's business either.
        return flat, None if is_opaque or flat.width * flat.height > _LAYER_UP_TO_PX else layer.convert("RGBa").convert(
            "RGBA"
        )
    # A copy of the pixels is 200 MB at 50 megapixels, so it is made only to lose what is attached.
    return (image if image.mode == "RGB" and image.format in _INFO_ALONE else image.convert("RGB")), None


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit and floating-point grey levels scaled to 0..255; Pillow's own conversion clips them to white."""
    levels = np.asarray(image, dtype=np.float32)
    levels = np.nan_to_num(levels, nan=0.0, posinf=0.0, neginf=0.0)
    peak = float(levels.max(initial=0.0))
    full = next((full for full in (1.0, 255.0, 65535.0) if peak <= full), peak) if image.mode == "F" else 65535.0
    return Image.fromarray((levels.clip(0.0, full) * (255.0 / full)).astype(np.uint8))
