"""Where a model can come from, tried in order.

Owns the published addresses and the order of the attempts. A model that was asked for by MODEL_URL is never replaced by
another: when it cannot be obtained, that is the end of it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from model_build import fetch, kept, s3
from model_build.confidential import public, without_secrets
from model_build.errors import FetchFailed, NotObtained

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from model_build.fetch import Fetched

# Its page: https://www.kaggle.com/models/google/mobilenet-v2/tensorFlow1/openimages-v4-ssd-mobilenet-v2/1 (Apache-2.0).
# Several addresses, because any may fail: since October 2025 tfhub.dev answers 403 for some handles
# (https://github.com/tensorflow/hub/issues/931, /932 and /933).
PUBLISHED_ARCHIVE = "https://storage.googleapis.com/tfhub-modules/google/openimages_v4/ssd/mobilenet_v2/1.tar.gz"
# A .tar.gz; public models need no account: https://www.kaggle.com/docs/api#interacting-with-models
KAGGLE_ARCHIVE = (
    "https://www.kaggle.com/api/v1/models/google/mobilenet-v2/tensorFlow1/openimages-v4-ssd-mobilenet-v2/1/download"
)
PUBLISHED_HANDLE = "https://tfhub.dev/google/openimages_v4/ssd/mobilenet_v2/1"

PUBLISHED = "published"  # what stands for the published classifier's addresses
# https://www.kaggle.com/models/google/mobilenet-v2/tensorFlow2/100-224-classification (Apache-2.0)
_CLASSIFIER_ARCHIVE = (
    "https://storage.googleapis.com/tfhub-modules/google/imagenet/mobilenet_v2_100_224/classification/5.tar.gz"
)
_CLASSIFIER_HANDLE = "https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/classification/5"
PUBLISHED_CLASSIFIER_LABELS = "https://storage.googleapis.com/download.tensorflow.org/data/ImageNetLabels.txt"

_ADVICE = """What you can do:
  - check this machine's route to the addresses above (proxy: HTTPS_PROXY), then run it again; a download resumes;
  - or fetch the archive elsewhere and name it: MODEL_URL=/path/to/1.tar.gz (a URL, s3://…, a folder, .tar.gz or .zip);
    from a machine that reaches them, `make mirror TO=…` keeps a copy for your team;
  - or, for an image, put the archive or a prepared model/ into src/Recognizer/ and build."""


def obtain(address: str | None, sha256: str | None, cache: Path) -> Fetched:
    """The model at an address of the user's own, or the published one.

    Args:
        address: URL or path of a folder, .tar.gz, .zip or .tflite; None for the published model.
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


def file(address: str, cache: Path) -> Path:
    """A single file at a URL or path, such as a label file.

    Raises:
        FetchFailed: it cannot be reached.
    """
    if address.startswith(("http://", "https://")):
        return fetch.downloaded(address, cache)
    if address.startswith(s3.SCHEME):
        return s3.downloaded(address, cache)
    path = Path(address).expanduser()
    if not path.is_file():
        raise FetchFailed(f"{address}: there is no such file")
    return path


def _attempts(address: str | None, sha256: str | None, cache: Path) -> list[tuple[str, Callable[[], Fetched]]]:
    if address is None:
        return [
            (PUBLISHED_ARCHIVE, lambda: fetch.from_url(PUBLISHED_ARCHIVE, sha256, cache)),
            (KAGGLE_ARCHIVE, lambda: fetch.from_url(KAGGLE_ARCHIVE, sha256, cache, _kaggle_account(os.environ))),
            (PUBLISHED_HANDLE, lambda: fetch.from_hub(PUBLISHED_HANDLE, sha256)),
        ]
    if address == PUBLISHED:
        return [
            (_CLASSIFIER_ARCHIVE, lambda: fetch.from_url(_CLASSIFIER_ARCHIVE, sha256, cache)),
            (_CLASSIFIER_HANDLE, lambda: fetch.from_hub(_CLASSIFIER_HANDLE, sha256)),
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
    file = s3.downloaded(address, cache, sha256)
    try:
        fetched = fetch.from_file(file, sha256, cache, source=address)
    except NotObtained:
        kept.forget(file)  # else the wrong file would be found again next time
        raise
    return fetched if fetched.path != file else replace(fetched, beside=None)  # only other downloads lie beside it


def _kaggle_account(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """User name and key, as Kaggle's own tools find them in the environment."""
    name, key = environ.get("KAGGLE_USERNAME"), environ.get("KAGGLE_KEY")
    return (name, key) if name and key else None


def _from_path(path: Path, sha256: str | None, cache: Path) -> Fetched:
    if path.is_dir():
        return fetch.from_folder(path, sha256)
    if path.is_file():
        return fetch.from_file(path, sha256, cache)
    raise FetchFailed("there is no such file or folder")
