"""The page at ``GET /`` and the sample pictures it offers, read once at cold start.

Owns what is served, by which exact paths, and with which headers. Refuses to read a file for a request: a path that is
not in the mapping does not exist, so there is nothing to traverse.

The page goes out as one document, with its style sheet, scripts and thumbnails written into it. Whatever a browser asks
for at the same time, Lambda answers from as many instances, each of which would load the model first. The Content
Security Policy names each part by its digest, so nothing else runs, not even a script that was slipped into the page.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recognizer.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PAGE_MAX_AGE_S = 300
SAMPLE_MAX_AGE_S = 86_400

_STYLE = re.compile(r'<link rel="stylesheet" href="([\w-]+\.css)">')
_SCRIPT = re.compile(r'<script src="([\w-]+\.js)"></script>')
_MIN_SCORE = 'value="0.1"'
_THUMB = re.compile(r'(?<=src=")thumbs/[\w-]+\.webp(?=")')


@dataclass(frozen=True, slots=True)
class Asset:
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


def assets(folder: Path, default_min_score: float = 0.1) -> dict[str, Asset]:
    """Everything the site consists of, by path.

    Args:
        folder: where index.html lies, with what it names, and the samples.
        default_min_score: what the page starts with; models differ in which scores mean something.

    Raises:
        StartupError: a file is missing or cannot be read.
    """
    try:
        samples = [
            Asset(f"/samples/{file.name}", "image/jpeg", file.read_bytes(), SAMPLE_MAX_AGE_S)
            for file in sorted((folder / "samples").glob("*.jpg"))
        ]
        return {asset.path: asset for asset in [_page(folder, default_min_score), *samples]}
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"The page in {folder} cannot be read: {error!r}.") from error


def _page(folder: Path, default_min_score: float) -> Asset:
    document = (folder / "index.html").read_text(encoding="utf-8")
    styles = {name: (folder / name).read_text(encoding="utf-8") for name in _STYLE.findall(document)}
    scripts = {name: (folder / name).read_text(encoding="utf-8") for name in _SCRIPT.findall(document)}
    document = _STYLE.sub(lambda match: f"<style>{styles[match[1]]}</style>", document)
    document = _SCRIPT.sub(lambda match: f"<script>{scripts[match[1]]}</script>", document)
    document = _THUMB.sub(lambda match: _data_url(folder / match[0]), document)
    document = document.replace(_MIN_SCORE, f'value="{default_min_score:g}"')
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_digests(scripts.values())}",
            f"style-src {_digests(styles.values())}",
            "img-src 'self' blob: data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
    return Asset("/", "text/html; charset=utf-8", document, PAGE_MAX_AGE_S, policy)


def _digests(parts: Iterable[str]) -> str:
    """The CSP sources that allow exactly these inline parts; ``'none'`` where there are none."""
    digests = (base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts)
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"


def _data_url(picture: Path) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture.read_bytes()).decode()}"
