"""Which picture formats are read, what their files are called on the web, and what Pillow raises on damaged ones.

Owns the choice of decoders, and that Pillow writes nothing into the log. Only those named here may open a file: Pillow
has some forty more, among them ones that start other programs.
"""

from __future__ import annotations

import struct
import warnings
import zlib

from PIL import Image
from PIL.AvifImagePlugin import SUPPORTED as HAS_AVIF
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

# The limit is ours (``max_pixels``), checked on every picture; Pillow's own only warns below 179 megapixels.
Image.MAX_IMAGE_PIXELS = None

# It writes a warning for each tag of damaged metadata; what matters of a damaged file, it raises.
warnings.filterwarnings("ignore", module=r"PIL\.")

Image.preinit()  # what Pillow would import when it opens its first picture

# Importing a decoder registers it; otherwise Pillow would import all that it has when it meets the first WebP or TIFF.
_DECODERS = (JpegImageFile, PngImageFile, GifImageFile, WebPImageFile, BmpImageFile, TiffImageFile, AvifImageFile)

READABLE = tuple(str(decoder.format) for decoder in _DECODERS if decoder is not AvifImageFile or HAS_AVIF)
"""Pillow's names of the formats that are read and written."""

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}

TRANSPARENT = frozenset({"PNG", "GIF", "WEBP", "TIFF", "AVIF"})
"""Formats that can be transparent."""

# Pillow's decoders and EXIF reader promise no set of errors, so these are all that a parser stumbles with, seen or not
# in the half million damaged files that were tried. MemoryError is not among them: it says nothing about the file.
DAMAGE = (
    *(OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error, zlib.error),
    *(AssertionError, AttributeError),  # the first for a PNG with palette colours and no palette
    RuntimeError,  # of AVIF's decoder
)
"""What decoding a damaged file may raise."""
