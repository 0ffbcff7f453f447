"""``python -m model_build.mirror TO``: keeps a copy of the model where a team's builds can always reach it.

Owns the copy and its digest, in a folder or in S3. What was fetched as a file is copied as it is; what came as a folder
is packed, the same each time.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_build import digests, s3, sources
from model_build.errors import BuildFailed, FetchFailed

if TYPE_CHECKING:
    from model_build.fetch import Fetched

_NAME = "openimages_v4_ssd_mobilenet_v2.tar.gz"
_EXIT_FAILED = 1

logger = logging.getLogger("model_build.mirror")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; the exit code is 0 when copy and digest are in their place."""
    logging.basicConfig(level=logging.INFO, format="mirror: %(message)s", stream=sys.stderr)
    environ = os.environ
    parser = argparse.ArgumentParser(prog="python -m model_build.mirror", description=__doc__)
    parser.add_argument("to", help="a folder, or s3://bucket/prefix")
    parser.add_argument("--url", default=environ.get("MODEL_URL") or None, help="a model of your own (MODEL_URL)")
    parser.add_argument("--sha256", default=environ.get("MODEL_SHA256") or None, help="its digest (MODEL_SHA256)")
    parser.add_argument(
        "--cache", type=Path, default=Path(__file__).resolve().parents[3] / ".cache" / "model", help="for downloads"
    )
    options = parser.parse_args(arguments)
    try:
        fetched = sources.obtain(options.url, options.sha256, options.cache)
        with tempfile.TemporaryDirectory() as work:
            copy = Path(work) / (_NAME if options.url is None else _name_of(fetched))
            _pack(fetched, copy)
            digest = digests.of_file(copy)
            written = Path(f"{copy}.sha256")
            written.write_text(f"{digest}  {copy.name}\n", encoding="ascii")
            address = _put([copy, written], options.to)
    except BuildFailed as error:
        logger.error("%s", error)  # noqa: TRY400 - the message says it all
        return _EXIT_FAILED
    logger.info("from %s", fetched.source)
    sys.stdout.write(f"MODEL_URL={address} MODEL_SHA256={digest}\n")
    return 0


def _name_of(fetched: Fetched) -> str:
    """As what was fetched is called; folders get the name of what they are packed as."""
    if fetched.archive is None:
        return f"{fetched.path.name}.tar.gz"
    return fetched.source.partition("?")[0].rstrip("/").rpartition("/")[2]


def _pack(fetched: Fetched, to: Path) -> None:
    if fetched.archive is not None:
        shutil.copyfile(fetched.archive, to)
        return
    folder = fetched.beside or fetched.path

    def nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = 0
        return member

    with (
        to.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=nobodys)


def _put(files: list[Path], to: str) -> str:
    """Writes files into a folder or below a prefix in S3; returns the address of the first.

    Raises:
        FetchFailed: they cannot be written.
    """
    if not to.startswith(s3.SCHEME):
        folder = Path(to).expanduser().resolve()
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)
        return str(folder / files[0].name)
    bucket, _, prefix = to.removeprefix(s3.SCHEME).partition("/")
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - takes 0.3 s
    from botocore.session import get_session  # noqa: PLC0415

    try:
        client: Any = get_session().create_client("s3")
        for file in files:
            key = f"{prefix.rstrip('/')}/{file.name}".lstrip("/")
            with file.open("rb") as content:
                client.put_object(Bucket=bucket, Key=key, Body=content)
    except (BotoCoreError, ClientError) as error:
        raise FetchFailed(f"{to} cannot be written: {error}") from error
    return f"{s3.SCHEME}{bucket}/{prefix.rstrip('/')}/{files[0].name}".replace(f"{bucket}//", f"{bucket}/")


if __name__ == "__main__":
    sys.exit(main())
