"""Bytes from an address to a verified folder on disk.

Owns downloading a file (with a progress bar, resumed where the server can, whole or not at all) and where what was
unpacked is kept. Nothing half-done is left under its final name.
"""

from __future__ import annotations

import logging
import os
import tarfile
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from model_build import digests, kept, noise, unpack
from model_build.confidential import public
from model_build.errors import FetchFailed, NotObtained, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHUNK_BYTES = 1024 * 1024
_TIMEOUT_S = (10.0, 60.0)  # to connect, and between two reads
_ATTEMPTS = 3
_CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}  # asked with what was answered

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A model as it was obtained.

    Attributes:
        path: a SavedModel's folder, or a ``.tflite`` file.
        source: where it came from: a URL, a hub handle or a path.
        sha256: digest of the file that was fetched, or of the folder's files where there was no file.
        beside: the folder in which files that belong to it lie, if there is one.
        archive: the file that was fetched, if there was one.
    """

    path: Path
    source: str
    sha256: str
    beside: Path | None = None
    archive: Path | None = None


def from_url(url: str, sha256: str | None, cache: Path, account: tuple[str, str] | None = None) -> Fetched:
    """Downloads a file, where what is in the cache is not the same.

    Args:
        url: its address.
        sha256: digest to insist on, if any.
        cache: folder where downloads are kept.
        account: user name and password, where the server may want them.

    Raises:
        FetchFailed: the address cannot be reached.
        WrongDigest: what it delivers is not what was asked for.
        NotAModel: what it delivers is neither a ``.tflite`` file nor an archive of a model.
    """
    file = downloaded(url, cache, account, sha256)
    try:
        fetched = from_file(file, sha256, cache, source=public(url))
    except NotObtained:
        kept.forget(file)  # else the wrong file would be found again next time
        raise
    return fetched if fetched.path != file else replace(fetched, beside=None)  # only other downloads lie beside it


def downloaded(url: str, cache: Path, account: tuple[str, str] | None = None, sha256: str | None = None) -> Path:
    """The file at an address, as it is kept in the cache; see ``kept.current``.

    Raises:
        FetchFailed: the address cannot be reached, or answers with an error.
    """

    def fetch(file: Path, validators: Mapping[str, str]) -> dict[str, str] | None:
        return _download(url, file, account, validators)

    return kept.current(url, Path(urlsplit(url).path).name, cache, sha256, fetch)


def from_file(file: Path, sha256: str | None, cache: Path, source: str | None = None) -> Fetched:
    """A ``.tflite`` file as it lies there, or what is in a .tar.gz or .zip, unpacked into the cache beside its digest.

    Raises:
        WrongDigest: the digest is not the expected one.
        NotAModel: it is neither, or holds no model.
    """
    digest = digests.of_file(file)
    digests.require(digest, sha256, file.name)
    if unpack.is_flatbuffer(file) or unpack.is_keras(file):
        return Fetched(file, source or str(file), digest, beside=file.parent, archive=file)
    folder = cache / f"unpacked-{digest[:16]}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            unpacked = Path(work) / file.name
            unpack.unpack(file, unpacked)
            unpack.model_in(unpacked)
            unpacked.rename(folder)
    return Fetched(unpack.model_in(folder), source or str(file), digest, beside=folder, archive=file)


def from_folder(folder: Path, sha256: str | None) -> Fetched:
    """The model that lies in a folder.

    Raises:
        NotAModel: there is none.
        WrongDigest: its digest is not the expected one.
    """
    model = unpack.model_in(folder)
    digest = digests.of_folder(model) if model.is_dir() else digests.of_file(model)
    digests.require(digest, sha256, folder.name)
    return Fetched(model, str(folder), digest, beside=folder)


def from_hub(handle: str, sha256: str | None) -> Fetched:
    """A TF Hub handle, resolved and cached by tensorflow_hub.

    Raises:
        FetchFailed: it cannot be resolved.
        NotAModel: it is no SavedModel.
        WrongDigest: its digest is not the expected one.
    """
    logger.info("asking TensorFlow Hub for %s (whose first start takes longer)", handle)
    os.environ.setdefault("TFHUB_DOWNLOAD_PROGRESS", "1")
    with noise.left_out(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports pkg_resources, which says at length that it is going away
        import tensorflow_hub  # noqa: PLC0415 - takes seconds, and only this address needs it

    try:
        folder = Path(tensorflow_hub.resolve(handle))
    except (OSError, ValueError, tarfile.TarError) as error:
        raise FetchFailed(f"tensorflow_hub cannot resolve it: {error}") from error
    fetched = from_folder(folder, sha256)
    return replace(fetched, source=handle)


class _StartOver(requests.ConnectionError):
    """What was begun cannot be continued; the next attempt starts at the first byte."""


class _TooLarge(OSError):
    """More than could be a model."""


def _download(
    url: str, destination: Path, account: tuple[str, str] | None, validators: Mapping[str, str]
) -> dict[str, str] | None:
    """Writes to a .part file beside the destination, resumed on the next try, renamed once it is whole.

    Args:
        url: the address.
        destination: the file.
        account: user name and password.
        validators: what the server said of the destination, if that is there.

    Returns:
        What it says of the file now; None where the destination is the same.
    """
    part = destination.with_name(destination.name + ".part")
    failure: Exception | None = None
    for _ in range(_ATTEMPTS):
        try:
            found = _continue(url, part, account, validators)
        except requests.HTTPError as error:
            raise FetchFailed(f"it answered {error.response.status_code} {error.response.reason}") from error
        except _TooLarge as error:
            kept.forget(part)
            raise FetchFailed(str(error)) from error
        except (requests.RequestException, OSError) as error:
            failure = error
            if isinstance(error, requests.ConnectionError) and not part.exists() and not isinstance(error, _StartOver):
                break  # not even a connection
        else:
            if found is not None:
                part.replace(destination)
                kept.forget(part)
            return found
    raise Unreachable(_plainly(failure)) from failure


def _continue(
    url: str, part: Path, account: tuple[str, str] | None, validators: Mapping[str, str]
) -> dict[str, str] | None:
    have_bytes = part.stat().st_size if part.exists() else 0
    # Identity: a server that calls a .tar.gz gzip-encoded would have it unpacked on the way.
    headers = {"Accept-Encoding": "identity"}
    if have_bytes:
        headers["Range"] = f"bytes={have_bytes}-"
        if begun := kept.noted(part):  # else the end of another file might follow the beginning of this one
            headers["If-Range"] = begun.get("ETag") or begun["Last-Modified"]
    else:
        headers |= {_CONDITIONS[name]: value for name, value in validators.items()}
    with requests.get(url, headers=headers, auth=account, stream=True, timeout=_TIMEOUT_S) as response:
        if response.status_code == requests.codes.not_modified:
            return None
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            kept.forget(part)
            raise _StartOver("the server no longer has what was begun")
        response.raise_for_status()
        found = {name: response.headers[name] for name in kept.VALIDATORS if name in response.headers}
        kept.note(part, found)
        resumed = response.status_code == requests.codes.partial_content
        total_bytes = int(response.headers.get("Content-Length", 0)) + (have_bytes if resumed else 0)
        with (
            part.open("ab" if resumed else "wb") as file,
            tqdm(
                total=total_bytes or None,
                initial=file.tell(),
                unit="B",
                unit_scale=True,
                desc=Path(urlsplit(url).path).name,
            ) as bar,
        ):
            for chunk in response.iter_content(_CHUNK_BYTES):
                if file.tell() + len(chunk) > unpack.MAX_BYTES:
                    raise _TooLarge(f"it delivers more than {unpack.MAX_BYTES:,} bytes")
                file.write(chunk)
                bar.update(len(chunk))
        if total_bytes and part.stat().st_size != total_bytes:
            raise requests.ConnectionError(f"the connection broke after {part.stat().st_size} of {total_bytes} bytes")
        return found


def _plainly(failure: Exception | None) -> str:
    """The innermost reason of a chain of network errors: the outer ones repeat the address."""
    reason: BaseException | None = failure
    while reason is not None and (inner := reason.__cause__ or reason.__context__) is not None:
        reason = inner
    return f"it cannot be reached: {reason}"
