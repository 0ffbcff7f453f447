"""Where a model can come from, tried in order.

Owns the published addresses and the order of the attempts. A model that was asked for by MODEL_URL is never replaced by
another: when it cannot be obtained, that is the end of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from model_build import fetch, s3
from model_build.confidential import public, without_secrets
from model_build.errors import FetchFailed, NotObtained

if TYPE_CHECKING:
    from collections.abc import Callable

    from model_build.fetch import Fetched

# https://www.kaggle.com/models/google/mobilenet-v2/tensorFlow1/openimages-v4-ssd-mobilenet-v2/1 (Apache-2.0)
PUBLISHED_ARCHIVE = "https://storage.googleapis.com/tfhub-modules/google/openimages_v4/ssd/mobilenet_v2/1.tar.gz"
PUBLISHED_HANDLE = "https://tfhub.dev/google/openimages_v4/ssd/mobilenet_v2/1"

_ADVICE = """What you can do:
  - check this machine's route to the addresses above (proxy: HTTPS_PROXY), then run it again; a download resumes;
  - or fetch the archive elsewhere and name it: MODEL_URL=/path/to/1.tar.gz (a URL, s3://…, a .tar.gz or a folder);
  - or, for an image, put the archive or a prepared model/ into src/Recognizer/ and build."""


def obtain(address: str | None, sha256: str | None, cache: Path) -> Fetched:
    """The model at an address of the user's own, or the published one.

    Args:
        address: URL or path of a .tar.gz or a folder in TF Hub layout; None for the published model.
        sha256: digest to insist on, if any.
        cache: folder where downloads are kept.

    Raises:
        NotObtained: none of the addresses worked; the message names each, why, and what can be done.
    """
    reasons: list[str] = []
    for name, attempt in _attempts(address, sha256, cache):
        try:
            return attempt()
        except NotObtained as error:
            reasons.append(f"  - {public(name)}: {without_secrets(str(error), address)}")
    raise NotObtained("\n".join(["There is no model to build. Tried:", *reasons, _ADVICE]), tuple(reasons))


def _attempts(address: str | None, sha256: str | None, cache: Path) -> list[tuple[str, Callable[[], Fetched]]]:
    if address is None:
        return [
            (PUBLISHED_ARCHIVE, lambda: fetch.from_url(PUBLISHED_ARCHIVE, sha256, cache)),
            (PUBLISHED_HANDLE, lambda: fetch.from_hub(PUBLISHED_HANDLE, sha256)),
        ]
    if address.startswith(("http://", "https://")):
        return [(address, lambda: _from_url(address, sha256, cache))]
    if address.startswith(s3.SCHEME):
        return [(address, lambda: _from_s3(address, sha256, cache))]
    return [(address, lambda: _from_path(Path(address).expanduser(), sha256, cache))]


def _from_url(address: str, sha256: str | None, cache: Path) -> Fetched:
    try:
        urlsplit(address)
    except ValueError as error:
        raise FetchFailed(f"this is no address: {error}") from error
    return fetch.from_url(address, sha256, cache)


def _from_s3(address: str, sha256: str | None, cache: Path) -> Fetched:
    archive = s3.downloaded(address, cache)
    try:
        return fetch.from_archive(archive, sha256, cache, source=address)
    except NotObtained:
        archive.unlink()  # else the wrong archive would be found again next time
        raise


def _from_path(path: Path, sha256: str | None, cache: Path) -> Fetched:
    if path.is_dir():
        return fetch.from_folder(path, sha256)
    if path.is_file():
        return fetch.from_archive(path, sha256, cache)
    raise FetchFailed("there is no such file or folder")
