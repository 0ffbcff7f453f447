"""Models in S3: ``s3://bucket/key``, with whatever AWS credentials are found where the build runs.

Owns the download. botocore finds credentials (environment, profiles, single sign-on, roles) and the bucket's region; it
is there because tracing needs it. An image is built without credentials on purpose: what is passed into a build can be
read out of its layers.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tqdm import tqdm

from model_build import kept
from model_build.errors import FetchFailed, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.response import StreamingBody

SCHEME = "s3://"

_CHUNK_BYTES = 1024 * 1024
_WITHOUT_CREDENTIALS = (
    "there are no AWS credentials here, and in the build of an image there never are. Build the model where they are "
    "(make model MODEL_URL=s3://…) and the image without MODEL_URL: it takes what lies in src/Recognizer/model. "
    "Or give a presigned address (aws s3 presign)"
)


def downloaded(address: str, cache: Path, sha256: str | None = None) -> Path:
    """The file at an address, as it is kept in the cache; see ``kept.current``.

    Raises:
        FetchFailed: it cannot be fetched; the message says why.
    """
    url = urlsplit(address)
    bucket, key = url.netloc, url.path.removeprefix("/")
    if not bucket or not key or url.query or url.fragment:
        raise FetchFailed("an address in S3 looks like s3://bucket/folder/1.tar.gz")

    def fetch(file: Path, validators: Mapping[str, str]) -> dict[str, str] | None:
        part = file.with_name(f"{file.name}.part")
        found = _fetch(bucket, key, part, validators.get("ETag"))
        if found is not None:
            part.replace(file)
        return found

    return kept.current(address, Path(key).name, cache, sha256, fetch)


def _fetch(bucket: str, key: str, part: Path, etag: str | None) -> dict[str, str] | None:
    """Writes an object to a file and returns its entity tag, or None where it has the one that is given."""
    from botocore.exceptions import (  # noqa: PLC0415 - takes 0.3 s
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004
        HTTPClientError,
        NoCredentialsError,
    )
    from botocore.session import get_session  # noqa: PLC0415

    try:
        client: Any = get_session().create_client("s3")  # its methods are made of S3's description as it runs
        found = client.get_object(Bucket=bucket, Key=key, **({"IfNoneMatch": etag} if etag else {}))
        _write(found["Body"], found["ContentLength"], part)
    except NoCredentialsError as error:
        raise FetchFailed(_WITHOUT_CREDENTIALS) from error
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_MODIFIED:
            return None
        raise FetchFailed(
            f"S3 answered {error.response['Error']['Code']}: {error.response['Error']['Message']}"
        ) from error
    except (ConnectionError, HTTPClientError) as error:
        raise Unreachable(f"it cannot be fetched: {error}") from error
    except (BotoCoreError, OSError) as error:
        raise FetchFailed(f"it cannot be fetched: {error}") from error
    return {"ETag": found["ETag"]} if "ETag" in found else {}


def _write(body: StreamingBody, total_bytes: int, part: Path) -> None:
    with part.open("wb") as file, tqdm(total=total_bytes, unit="B", unit_scale=True, desc=part.stem) as bar:
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            file.write(chunk)
            bar.update(len(chunk))
