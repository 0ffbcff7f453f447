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
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
PAGE_CACHE_CONTROL = "public, max-age=300"
SAMPLE_CACHE_CONTROL = "public, max-age=86400"

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
        headers: all others, ETag included.
    """

    path: str
    media_type: str
    body: str | bytes
    headers: Mapping[str, str]

    def is_known_to(self, if_none_match: str) -> bool:
        """Whether an If-None-Match header names this very content, so that a 304 is the answer (RFC 9110, 13.1.2)."""
        known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return not known.isdisjoint({self.headers["ETag"], "*"})


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
            _asset(f"/samples/{file.name}", "image/jpeg", file.read_bytes(), {"Cache-Control": SAMPLE_CACHE_CONTROL})
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
    headers = {"Cache-Control": PAGE_CACHE_CONTROL, "Content-Security-Policy": policy}
    return _asset("/", "text/html; charset=utf-8", document, headers)


def _asset(path: str, media_type: str, body: str | bytes, headers: dict[str, str]) -> Asset:
    content = body.encode() if isinstance(body, str) else body
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return Asset(path, media_type, body, {**SECURITY_HEADERS, **headers, "ETag": etag})


def _digests(parts: Iterable[str]) -> str:
    """The CSP sources that allow exactly these inline parts; ``'none'`` where there are none."""
    digests = (base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts)
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"


def _data_url(picture: Path) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture.read_bytes()).decode()}"
