"""Whether a colour profile may go into an answer.

Owns the check. A profile is passed on as it came, from one stranger's file into an answer of ours, so it has to be what
it says: a profile of RGB pixels whose header and tag table hold together and which says what the colours are. What is
merely called one, a web page for instance, is dropped. A profile cannot be checked for what its tables mean; with the
answer's Content-Type and ``nosniff`` it is never anything but part of a picture.

Sources: ICC.1:2022, 7.2 (header), 7.3 (tag table), 8 (required tags), 10.1 (types of tags).
"""

from __future__ import annotations

import struct

# Ordinary ones have 0.5 to 4 kB; a few megabytes would leave an answer no room for the picture.
MAX_PROFILE_BYTES = 64 * 1024

_MAX_TAGS = 100
_HEADER_BYTES = 128
_HEADER = struct.Struct(">I8x4s4s4s12x4s")  # size, class, colour space, connection space, signature
_COUNT = struct.Struct(">I")
_TAG = struct.Struct(">4sII")  # signature, where its data are, their size
_TYPE_RESERVED = bytes(4)  # behind the name of the type that each tag's data start with
_CLASSES = {b"scnr", b"mntr", b"prtr", b"spac"}
_CONNECTION_SPACES = {b"XYZ ", b"Lab "}
# What makes colours of numbers: a curve and a column of a matrix for each channel, or a table.
_MATRIX = {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"}
_TABLE = {b"A2B0"}


def is_sound(profile: bytes) -> bool:
    """Whether bytes are a well-formed profile of RGB pixels."""
    if not _HEADER_BYTES + _COUNT.size <= len(profile) <= MAX_PROFILE_BYTES:
        return False
    size, kind, space, connection, signature = _HEADER.unpack_from(profile)
    if (size, space, signature) != (len(profile), b"RGB ", b"acsp"):
        return False
    (count,) = _COUNT.unpack_from(profile, _HEADER_BYTES)
    table_end = _HEADER_BYTES + _COUNT.size + count * _TAG.size
    if kind not in _CLASSES or connection not in _CONNECTION_SPACES or count > _MAX_TAGS or table_end > len(profile):
        return False
    tags = list(_TAG.iter_unpack(profile[_HEADER_BYTES + _COUNT.size : table_end]))
    named = {name for name, _, _ in tags}
    return (named >= _MATRIX or named >= _TABLE) and all(
        table_end <= start <= size - length and profile[start : start + length][4:8] == _TYPE_RESERVED
        for _, start, length in tags
    )
