"""Bytes from an address to a verified folder on disk.

Owns downloading an archive (with a progress bar, resumed where the server can, whole or not at all) and unpacking it.
Nothing half-done is left under its final name, and no member of an archive is written outside its folder.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import shutil
import tarfile
import tempfile
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from model_build import digests, noise
from model_build.confidential import public
from model_build.errors import FetchFailed, NotAModel, NotObtained

_CHUNK_BYTES = 1024 * 1024
_TIMEOUT_S = (10.0, 60.0)  # to connect, and between two reads
_ATTEMPTS = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A model as it was obtained.

    Attributes:
        folder: a SavedModel folder.
        source: where it came from: a URL, a hub handle or a path.
        sha256: digest of the archive, or of the folder's files where there was no archive.
    """

    folder: Path
    source: str
    sha256: str


def from_url(url: str, sha256: str | None, cache: Path) -> Fetched:
    """Downloads a .tar.gz, once: what is in the cache with the right digest is not fetched again.

    Raises:
        FetchFailed: the address cannot be reached.
        WrongDigest: what it delivers is not what was asked for.
        NotAModel: what it delivers is no archive of a SavedModel.
    """
    cache.mkdir(parents=True, exist_ok=True)
    archive = cache / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{Path(urlsplit(url).path).name}"
    if not archive.exists():
        logger.info("fetching %s", public(url))
        _download(url, archive)
    try:
        return from_archive(archive, sha256, cache, source=public(url))
    except NotObtained:
        archive.unlink(missing_ok=True)  # else the wrong archive would be found again next time
        raise


def from_archive(archive: Path, sha256: str | None, cache: Path, source: str | None = None) -> Fetched:
    """Unpacks a .tar.gz into the cache, beside its digest.

    Raises:
        WrongDigest: the digest is not the expected one.
        NotAModel: it is no archive of a SavedModel.
    """
    digest = digests.of_file(archive)
    digests.require(digest, sha256, archive.name)
    folder = cache / f"unpacked-{digest[:16]}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            unpacked = Path(work) / "unpacked"
            try:
                with gzip.open(archive) as file, tarfile.open(fileobj=file, mode="r:") as tar:
                    _unpack(tar, unpacked)
                    while file.read(_CHUNK_BYTES):
                        pass  # gzip's own checksum is at the very end, behind all that tar reads
            except (tarfile.TarError, EOFError, OSError, ValueError, zlib.error) as error:
                raise NotAModel(f"{archive.name} is no readable .tar.gz: {error}") from error
            _saved_model_in(unpacked).rename(folder)
    return Fetched(folder, source or str(archive), digest)


def from_folder(folder: Path, sha256: str | None) -> Fetched:
    """A SavedModel folder as it lies there.

    Raises:
        NotAModel: it is none.
        WrongDigest: its digest is not the expected one.
    """
    saved_model = _saved_model_in(folder)
    digest = digests.of_folder(saved_model)
    digests.require(digest, sha256, folder.name)
    return Fetched(saved_model, str(folder), digest)


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
    return Fetched(fetched.folder, handle, fetched.sha256)


def _unpack(tar: tarfile.TarFile, folder: Path) -> None:
    """Writes an archive's files below a folder, as new files of this user's own.

    Not ``extractall``: Debian 12's Python 3.11.2 has none of its filters (https://peps.python.org/pep-0706/), and a
    model needs less than the strictest of them allows: no links, no modes, no owners.
    """
    root = folder.resolve()
    for member in tar:
        if member.isdir():
            continue
        target = (root / member.name).resolve()
        if not target.is_relative_to(root):
            raise tarfile.TarError(f"{member.name} would leave its folder")
        content = tar.extractfile(member) if member.isreg() else None
        if content is None:
            raise tarfile.TarError(f"{member.name} is neither a file nor a folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        with content, target.open("xb") as file:
            shutil.copyfileobj(content, file)


def _saved_model_in(folder: Path) -> Path:
    """The folder, or the only one below it, that holds a saved_model.pb."""
    found = sorted(path.parent for path in folder.rglob("saved_model.pb"))
    if len(found) != 1:
        raise NotAModel(f"{folder.name} holds {len(found)} files named saved_model.pb, not one")
    return found[0]


class _StartOver(requests.ConnectionError):
    """What was begun cannot be continued; the next attempt starts at the first byte."""


def _download(url: str, destination: Path) -> None:
    """Writes to a .part file beside the destination, resumed on the next try, renamed once it is whole."""
    part = destination.with_name(destination.name + ".part")
    failure: Exception | None = None
    for _ in range(_ATTEMPTS):
        try:
            _continue(url, part)
        except requests.HTTPError as error:
            raise FetchFailed(f"it answered {error.response.status_code} {error.response.reason}") from error
        except (requests.RequestException, OSError) as error:
            failure = error
            if isinstance(error, requests.ConnectionError) and not part.exists() and not isinstance(error, _StartOver):
                break  # not even a connection
        else:
            part.rename(destination)
            return
    raise FetchFailed(_plainly(failure)) from failure


def _continue(url: str, part: Path) -> None:
    have_bytes = part.stat().st_size if part.exists() else 0
    # Identity: a server that calls a .tar.gz gzip-encoded would have it unpacked on the way.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have_bytes}-"} if have_bytes else {})
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            raise _StartOver("the server no longer has what was begun")
        response.raise_for_status()
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
                file.write(chunk)
                bar.update(len(chunk))
        if total_bytes and part.stat().st_size != total_bytes:
            raise requests.ConnectionError(f"the connection broke after {part.stat().st_size} of {total_bytes} bytes")


def _plainly(failure: Exception | None) -> str:
    """The innermost reason of a chain of network errors: the outer ones repeat the address."""
    reason: BaseException | None = failure
    while reason is not None and (inner := reason.__cause__ or reason.__context__) is not None:
        reason = inner
    return f"it cannot be reached: {reason}"
