"""What is served as it is: the value, the files it is made of, and what may run in it.

Owns the value ``Asset``, reading a part of the site from its folder, and the digests by which a Content Security Policy
names inline parts. An asset says what it is and how long it may be kept; the headers that follow from that are made
where answers are made.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from recognizer.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PAGE_MAX_AGE_S = 300
HTML = "text/html; charset=utf-8"


class Asset(NamedTuple):
    """One thing that is served.

    Attributes:
        path: where, exactly.
        media_type: Content-Type.
        body: text as str, anything else as bytes.
        max_age_s: seconds that any cache may keep it.
        policy: its Content-Security-Policy; empty for none.
    """

    path: str
    media_type: str
    body: str | bytes
    max_age_s: int
    policy: str = ""


def text_of(file: Path) -> str:
    """What is written in a file of the site.

    Raises:
        StartupError: it is missing or cannot be read.
    """
    try:
        return bytes_of(file).decode()
    except UnicodeDecodeError as error:
        raise StartupError(f"{file}, a part of the site, is not UTF-8: {error}.") from error


def bytes_of(file: Path) -> bytes:
    """What is in a file of the site.

    Raises:
        StartupError: it is missing or cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise StartupError(f"{file}, a part of the site, cannot be read: {error.strerror}.") from error


def sources(parts: Iterable[str]) -> str:
    """The sources of a policy that allow exactly these inline parts; ``'none'`` where there are none.

    See https://www.w3.org/TR/CSP3/#grammardef-hash-source.
    """
    digests = (base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts)
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
