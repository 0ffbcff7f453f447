"""Picture files <-> upright RGB pixels: every decoder, encoder and limit of a picture.

    decode | encode         a file -> Picture; an RGB image -> a file that fits
    rgb | colour_profile    what a decoder made -> upright RGB (and RGBA); whether its colour profile may be passed on
    jpeg_scans | jpeg_segments | png_chunks | gif_frame | tiff_tags | avif_items    what a file asks for, told unread
    tiff_jpegs              where the JPEGs within a TIFF are, whose scans count too
    plain_jpeg              whether it asks for so little that nobody need be able to stop it
    formats                 which formats there are, and what their decoders raise

The words: ``content`` is a file's bytes, a ``Picture`` is what was decoded with the facts about it, an ``image`` is
Pillow's, in mode RGB or RGBA, and ``pixels`` are an array of shape (height, width, 3).
"""

from recognizer.pictures.decode import Picture, read
from recognizer.pictures.encode import Encoded, encode
from recognizer.pictures.formats import MEDIA_TYPES, READABLE
from recognizer.pictures.plain_jpeg import is_plain
from recognizer.pictures.rgb import pixels_of

__all__ = ["MEDIA_TYPES", "READABLE", "Encoded", "Picture", "encode", "is_plain", "pixels_of", "read"]
