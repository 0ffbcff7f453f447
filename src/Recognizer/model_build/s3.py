"""Models in S3: ``s3://bucket/key``, with whatever AWS credentials are found where the build runs.

Owns the download. botocore finds credentials (environment, profiles, single sign-on, roles) and the bucket's region; it
is there because tracing needs it. An image is built without credentials on purpose: what is passed into a build can be
read out of its layers.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tqdm import tqdm

from model_build.errors import FetchFailed

if TYPE_CHECKING:
    from botocore.response import StreamingBody

SCHEME = "s3://"

_CHUNK_BYTES = 1024 * 1024
_WITHOUT_CREDENTIALS = (
    "there are no AWS credentials here, and in the build of an image there never are. Build the model where they are "
    "(make model MODEL_URL=s3://…) and the image without MODEL_URL: it takes what lies in src/Recognizer/model. "
    "Or give a presigned address (aws s3 presign)"
)

logger = logging.getLogger(__name__)


def downloaded(address: str, cache: Path) -> Path:
    """The file at an address, as it is kept in the cache: fetched once, and whole or not at all.

    Raises:
        FetchFailed: it cannot be fetched; the message says why.
    """
    url = urlsplit(address)
    bucket, key = url.netloc, url.path.removeprefix("/")
    if not bucket or not key or url.query or url.fragment:
        raise FetchFailed("an address in S3 looks like s3://bucket/folder/1.tar.gz")
    cache.mkdir(parents=True, exist_ok=True)
    file = cache / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}-{Path(key).name}"
    if not file.exists():
        logger.info("fetching %s", address)
        part = file.with_name(f"{file.name}.part")
        _fetch(bucket, key, part)
        part.rename(file)
    return file


def _fetch(bucket: str, key: str, part: Path) -> None:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415 - takes 0.3 s
    from botocore.session import get_session  # noqa: PLC0415

    try:
        client: Any = get_session().create_client("s3")  # its methods are made of S3's description as it runs
        found = client.get_object(Bucket=bucket, Key=key)
        _write(found["Body"], found["ContentLength"], part)
    except NoCredentialsError as error:
        raise FetchFailed(_WITHOUT_CREDENTIALS) from error
    except ClientError as error:
        raise FetchFailed(
            f"S3 answered {error.response['Error']['Code']}: {error.response['Error']['Message']}"
        ) from error
    except (BotoCoreError, OSError) as error:
        raise FetchFailed(f"it cannot be fetched: {error}") from error


def _write(body: StreamingBody, total_bytes: int, part: Path) -> None:
    with part.open("wb") as file, tqdm(total=total_bytes, unit="B", unit_scale=True, desc=part.stem) as bar:
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            file.write(chunk)
            bar.update(len(chunk))
