"""``python -m local.batch FOLDER``: every picture of a folder or a bucket, recognised; see ``--help``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.batch.engines import Recognised
    from local.batch.sources import Folder, Prefix

_RECOGNIZER = Path(__file__).resolve().parents[2] / "src" / "Recognizer"
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Recognises what the arguments name; the exit code."""
    if str(_RECOGNIZER) not in sys.path:
        sys.path.insert(0, str(_RECOGNIZER))
    # The processes of a pool find it there.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_RECOGNIZER), os.environ.get("PYTHONPATH"))))
    from recognizer.errors import InvalidParameter, StartupError  # noqa: PLC0415 - importable only now
    from recognizer.http import stored  # noqa: PLC0415

    from local.batch import engines, sources  # noqa: PLC0415
    from local.batch.record import Record  # noqa: PLC0415

    given = _arguments(arguments)
    try:
        options = stored.in_query(given.options)
        source = sources.source_of(given.source)
        with Record(given.out) as record:
            names = [name for name in source.names() if name not in record.done]
            earlier = len(record.done)
            began_s = time.perf_counter()
            failed = 0
            with tqdm(total=earlier + len(names), initial=earlier, unit="picture") as bar:
                for found in _recognised(given, source, names, options):
                    record.add(found.name, found.document, found.picture, found.media_type)
                    failed += "detections" not in found.document
                    bar.update()
            took_s = time.perf_counter() - began_s
            images, objects = record.write_coco()
    except (InvalidParameter, StartupError, sources.CannotRead) as error:
        print(f"recognizer: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nrecognizer: stopped; the same command goes on from here", file=sys.stderr)
        return _INTERRUPTED
    print(f"{images} pictures with {objects} objects, {failed} new ones unreadable: {given.out}")
    if names:
        print(f"{len(names)} in {took_s:.1f} s, start included: {len(names) / took_s:.1f} a second")
    if given.limit:
        print(f"the engines alone, on {given.processes} processes: {engines.limit(given.processes):.1f} a second")
    return 0


def _recognised(
    given: argparse.Namespace, source: Folder | Prefix, names: list[str], options: dict[str, str]
) -> Iterator[Recognised]:
    from local.batch import engines  # noqa: PLC0415 - after the path is set

    if given.to is None:
        return engines.recognised(source, names, options, given.processes)
    from local.batch.cloud import Deployment  # noqa: PLC0415

    to = urlsplit(given.to)
    prefix = to.path.removeprefix("/")
    deployment = Deployment(to.netloc, prefix, urlsplit(given.results).netloc, options, given.timeout)
    return deployment.recognised(source, names)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.batch", description="Recognises many pictures.")
    parser.add_argument("source", help="a folder, or s3://bucket/prefix")
    parser.add_argument(
        "--out", type=Path, default=Path("recognised"), help="folder for results.jsonl, coco.json and annotated/"
    )
    parser.add_argument("--options", default="", help="as in a query: 'n=5&draw=blur'")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="on this machine, one a core")
    parser.add_argument("--limit", action="store_true", help="afterwards measure the engines alone, to compare with")
    parser.add_argument("--to", help="s3://UPLOADS_BUCKET/prefix of a deployment that is to do it")
    parser.add_argument("--results", help="with --to: s3://RESULTS_BUCKET")
    parser.add_argument("--timeout", type=float, default=3600, help="with --to: seconds to wait for one result")
    given = parser.parse_args(arguments)
    if (given.to is None) is not (given.results is None):
        parser.error("--to and --results go together")
    return given


if __name__ == "__main__":
    sys.exit(main())
