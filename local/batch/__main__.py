"""``python -m local.batch FOLDER``: every picture of a folder or a bucket, recognised; see ``--help``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import BrokenExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from local.batch.engines import NotDone, Recognised
    from local.batch.record import Record
    from local.batch.sources import Source

    Found = Generator[Recognised | NotDone]
    Recogniser = Callable[[Source, Sequence[str]], Found]

_RECOGNIZER = Path(__file__).resolve().parents[2] / "src" / "Recognizer"
_INTERRUPTED = 130
_GOES_ON = "the same command goes on from here"


@dataclass(slots=True)
class _Tally:
    """What a run came to.

    Attributes:
        new: pictures that it did.
        unreadable: those of them that are none, or are broken.
        not_done: pictures that it could not do, by no fault of their content.
        took_s: how long it took, start included.
        steady_s: how long from the first picture that was done to the last.
    """

    new: int = 0
    unreadable: int = 0
    not_done: int = 0
    took_s: float = 0.0
    steady_s: float = 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Recognises what the arguments name; the exit code."""
    if str(_RECOGNIZER) not in sys.path:
        sys.path.insert(0, str(_RECOGNIZER))
    # The processes of a pool find it there.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_RECOGNIZER), os.environ.get("PYTHONPATH"))))
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - what follows is importable only now
    from recognizer.errors import InvalidParameter, StartupError  # noqa: PLC0415

    from local.batch.cloud import NoVersions  # noqa: PLC0415
    from local.batch.record import OtherRun  # noqa: PLC0415
    from local.batch.sources import CannotRead  # noqa: PLC0415

    given = _arguments(arguments)
    try:
        return _run(given)
    except (InvalidParameter, StartupError, CannotRead, NoVersions, OtherRun) as error:
        print(f"recognizer: {error}", file=sys.stderr)
    except (BotoCoreError, ClientError, OSError) as error:  # of S3, or of the folder that is written to
        print(f"recognizer: {error}. When that is mended, {_GOES_ON}", file=sys.stderr)
    except BrokenExecutor:
        print(f"recognizer: a process ended, perhaps for lack of memory; {_GOES_ON}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"\nrecognizer: stopped; {_GOES_ON}", file=sys.stderr)
        return _INTERRUPTED
    return 1


def _run(given: argparse.Namespace) -> int:
    """Recognises, and says what came of it; the exit code."""
    from recognizer.http import stored  # noqa: PLC0415

    from local.batch import engines, sources  # noqa: PLC0415
    from local.batch.record import Record  # noqa: PLC0415

    options = stored.in_query(given.options)
    source = sources.source_of(given.source)
    recognise = _by_deployment(given, options) if given.to else _by_engines(given, options)
    asked = {"source": str(source), "options": options, "to": given.to, "results": given.results}
    with Record(given.out, asked) as record:
        names = [name for name in source.names() if name not in record.done]
        tally = _recorded(record, recognise(source, names), len(names))
        images, objects = record.write_coco()
    print(f"{images} pictures with {objects} objects, {tally.unreadable} new ones unreadable: {given.out}")
    if tally.new:
        print(f"{tally.new} in {tally.took_s:.1f} s, start included: {tally.new / tally.took_s:.1f} a second")
    if given.limit:
        limit = engines.limit(given.processes)
        print(f"the engines alone, on {given.processes} processes: {limit:.1f} a second")
        if tally.new > 1:
            rate = (tally.new - 1) / tally.steady_s
            print(f"without the start: {rate:.1f} a second, {rate / limit:.2f} of what the engines alone get through")
    if tally.not_done:
        print(f"recognizer: {tally.not_done} not done; the same command tries them again", file=sys.stderr)
    return 1 if tally.not_done else 0


def _recorded(record: Record, found: Found, number: int) -> _Tally:
    """Keeps what comes, under a progress bar."""
    from local.batch.engines import NotDone  # noqa: PLC0415 - after the path is set

    tally = _Tally()
    earlier = len(record.done)
    began_s = first_s = time.perf_counter()
    with closing(found), tqdm(total=earlier + number, initial=earlier, unit="picture") as bar:
        for each in found:
            if isinstance(each, NotDone):
                tally.not_done += 1
                bar.write(f"recognizer: {each.name}: {each.reason}", file=sys.stderr)
                continue
            record.add(each.name, each.document, each.picture, each.media_type)
            bar.update()
            first_s = first_s if tally.new else time.perf_counter()
            tally.new += 1
            tally.unreadable += "detections" not in each.document
    ended_s = time.perf_counter()
    tally.took_s, tally.steady_s = ended_s - began_s, ended_s - first_s
    return tally


def _by_engines(given: argparse.Namespace, options: dict[str, Any]) -> Recogniser:
    from local.batch import engines  # noqa: PLC0415 - after the path is set

    engines.check(options)
    return lambda source, names: engines.recognised(source, names, options, given.processes)


def _by_deployment(given: argparse.Namespace, options: dict[str, Any]) -> Recogniser:
    from recognizer.http import stored  # noqa: PLC0415 - after the path is set

    from local.batch.cloud import Deployment  # noqa: PLC0415
    from local.batch.sources import bucket_and_prefix  # noqa: PLC0415

    uploads, prefix = bucket_and_prefix(given.to)
    results, _ = bucket_and_prefix(given.results)
    return Deployment(uploads, prefix, results, stored.as_metadata(options), given.timeout).recognised


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
    parser.add_argument("--timeout", type=float, default=3600, help="with --to: seconds to wait while no result comes")
    given = parser.parse_args(arguments)
    if (given.to is None) is not (given.results is None):
        parser.error("--to and --results go together")
    if given.processes < 1:
        parser.error(f"--processes must be 1 or more, not {given.processes}")
    return given


if __name__ == "__main__":
    sys.exit(main())
