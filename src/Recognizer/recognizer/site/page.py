"""The page at ``GET /`` and the sample pictures it offers.

Owns how the page becomes one document, with its style sheet, scripts and thumbnails written into it. Whatever else a
browser had to ask for at the same time, Lambda would answer from as many instances, each of which would load the model
first. The Content Security Policy names each part by its digest, so that nothing else runs, not even a script that was
slipped into the page.
"""

from __future__ import annotations

import base64
import re
from string import Template
from typing import TYPE_CHECKING

from recognizer.job import MAX_LIMIT
from recognizer.site import samples
from recognizer.site.assets import HTML, PAGE_MAX_AGE_S, Asset, bytes_of, sources, text_of
from recognizer.site.modules import joined

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SAMPLE_MAX_AGE_S = 86_400

_STYLE = re.compile(r'<link rel="stylesheet" href="([\w-]+\.css)">')
_SCRIPT = re.compile(r'<script type="module" src="([\w-]+\.js)"></script>')
_THUMB = re.compile(r'(?<=src=")thumbs/[\w-]+\.webp(?=")')


def assets(
    folder: Path, default_min_score: float, origins: Sequence[str] = (), max_upload_bytes: int = 0
) -> dict[str, Asset]:
    """The page and its samples, by path.

    Args:
        folder: where index.html lies, with what it names, and the samples.
        default_min_score: what the page starts with; models differ in which scores mean something.
        origins: where the page may send pictures to, and read results from, beside the service itself.
        max_upload_bytes: of the largest picture that it may send there; 0 where there is no such place.

    Raises:
        StartupError: a file is missing or cannot be read.
    """
    page = _page(folder, default_min_score, origins, max_upload_bytes)
    pictures = [Asset(path, "image/jpeg", bytes_of(file), SAMPLE_MAX_AGE_S) for path, file in samples(folder).items()]
    return {asset.path: asset for asset in [page, *pictures]}


def _page(folder: Path, default_min_score: float, origins: Sequence[str], max_upload_bytes: int) -> Asset:
    document = Template(text_of(folder / "index.html")).substitute(
        min_score=f"{default_min_score:g}", max_limit=MAX_LIMIT, max_upload_bytes=max_upload_bytes
    )
    styles = {name: text_of(folder / name) for name in _STYLE.findall(document)}
    scripts = {name: joined(folder, name) for name in _SCRIPT.findall(document)}
    document = _THUMB.sub(lambda match: _data_url(folder / match[0]), document)
    document = _STYLE.sub(lambda match: f"<style>{styles[match[1]]}</style>", document)
    document = _SCRIPT.sub(lambda match: f'<script type="module">{scripts[match[1]]}</script>', document)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {sources(scripts.values())}",
            f"style-src {sources(styles.values())}",
            "img-src 'self' blob: data:",
            " ".join(("connect-src 'self'", *origins)),
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
    return Asset("/", HTML, document, PAGE_MAX_AGE_S, policy)


def _data_url(picture: Path) -> str:
    return f"data:image/webp;base64,{base64.b64encode(bytes_of(picture)).decode()}"
