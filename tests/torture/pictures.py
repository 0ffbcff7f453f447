"""Damaged pictures by the hundred thousand, through the process that works on pictures, and what came of them.

Owns the run and its reading. Each file goes the way of a real one: to a worker with the service's own craft and limits,
to be decoded and, where that is possible, drawn on and written anew. It has to come out as a picture or as one of four
errors, in time, and the picture after it has to come out as it always does.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from recognizer import build
from recognizer.detections import Box, Criteria, Detection, Label
from recognizer.errors import BrokenPicture, PictureTooCostly, TooLarge, UnsupportedMediaType
from recognizer.isolation import Isolation, serve
from recognizer.job import DetectRequest
from recognizer.sandbox.pool import Pool
from recognizer.settings import Settings

from benchmarks.report import table
from tests.torture import mutations

SAMPLE = Path(__file__).resolve().parents[2] / "src" / "Recognizer" / "web" / "samples" / "cat.jpg"
FILES = {"short": 4_000, "full": 200_000}
SEEDS = (1, 2, 3, 4)
LIMIT_S = 4.0
GRACE_S = 1.0
# Damaged sizes are mostly large: with the 50 megapixels of the default, most of the time would go to clearing memory.
MAX_PIXELS = 2_000_000
# With time to spare, small and plain JPEGs are worked on in the service's own process.
HERE = {"PICTURE_TIMEOUT": "15", "PLAIN_PIXELS": "1000000"}
_EVERY = 200  # files, and a sound picture has to come out as it always does
ERRORS = (UnsupportedMediaType, TooLarge, BrokenPicture, PictureTooCostly)
_SAID = {
    "served": None,
    "413": TooLarge,
    "415": UnsupportedMediaType,
    "422 broken": BrokenPicture,
    "422 too costly": PictureTooCostly,
    "500": "500",
}
AFTER = "the picture after it is not right"
_FOUND = [Detection(Label("/m/1", "Dog"), 0.9, Box(0.25, 0.25, 0.75, 0.75))]
_ASKED = DetectRequest("https://example.com/", Criteria(1, 0.1), "image")
_MB = 1e6


@dataclass
class Tally:
    """What came of the files that were one format once."""

    outcomes: Counter = field(default_factory=Counter)
    longest_s: float = 0.0

    @classmethod
    def of(cls, tallies):
        """Several in one."""
        found = cls()
        for tally in tallies:
            found.outcomes += tally.outcomes
            found.longest_s = max(found.longest_s, tally.longest_s)
        return found

    def row(self):
        """As a row of a table."""
        counts = {"files": self.outcomes.total()} | {says: self.outcomes[what] for says, what in _SAID.items()}
        return {says: f"{count:,}" for says, count in counts.items()} | {"longest s": self.longest_s}


class Way:
    """The way of a picture, from its file to the file of the answer.

    Args:
        environ: the service's settings.
    """

    def __init__(self, **environ):
        settings = Settings.from_environ({"PICTURE_TIMEOUT": str(LIMIT_S), **environ})
        self._timeout_s = settings.picture_timeout_s
        craft = build._craft(settings, settings.max_response_bytes)
        self._pool = Pool(partial(serve, craft, SAMPLE.read_bytes()), settings.picture_memory_bytes)
        self._isolation = Isolation(
            craft,
            self._pool,
            settings.picture_timeout_s,
            settings.plain_px,
            max_pixels=settings.max_pixels,
            max_bytes=settings.max_response_bytes,
        )

    def __enter__(self):
        self.sound = self.outcome(SAMPLE.read_bytes())[1]
        return self

    def __exit__(self, *_):
        self._pool.close()

    def outcome(self, content):
        """What comes of a file: the error, or nothing and the file of the answer; raises what would be a 500."""
        try:
            with self._isolation.open(content, time.monotonic() + self._timeout_s) as picture:
                return None, picture.render(_ASKED, _FOUND).encoded.content
        except ERRORS as error:
            return type(error), None

    def is_sound(self):
        """Whether a sound picture comes out as ever."""
        return self.outcome(SAMPLE.read_bytes()) == (None, self.sound)

    def peak_bytes(self):
        """The most memory that a worker has taken which is there now."""
        nursery = self._pool._processes.nursery.pid
        peaks = [0]
        for pid in Path(f"/proc/{nursery}/task/{nursery}/children").read_text(encoding="ascii").split():
            with suppress(OSError):
                lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
                peaks += [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
        return max(peaks)


def attack(way, files, keep=None):
    """Sends files, each with its name, along the way; gives a tally by format, the peak of memory, and what failed."""
    tallies, failed, peak = {}, [], 0
    for number, (name, content) in enumerate(files):
        tally = tallies.setdefault(name.split(" ")[0].strip(","), Tally())
        began_s = time.monotonic()
        try:
            outcome, _ = way.outcome(content)
        except Exception as error:  # noqa: BLE001 - whatever it is, it would be a 500
            outcome = "500"
            failed.append(_kept(keep, name, content, repr(error)))
        seconds = time.monotonic() - began_s
        tally.outcomes[outcome] += 1
        tally.longest_s = max(tally.longest_s, seconds)
        if seconds > LIMIT_S + GRACE_S:
            failed.append(_kept(keep, name, content, f"took {seconds:.1f} s"))
        if number % _EVERY == 0 or outcome in {PictureTooCostly, "500"}:
            peak = max(peak, way.peak_bytes())
            if not way.is_sound():
                failed.append(_kept(keep, name, content, AFTER))
    return tallies, peak, failed


def cut(names):
    """Each of the files cut at each of its bytes."""
    for name in names:
        content = mutations.originals()[name]
        yield from ((name, content[:length]) for length in range(len(content)))


def run(form, keep=None):
    """The tables of a form of the run, and what failed; files that failed are kept in a folder, where one is given."""
    count = FILES[form]
    large = count // 20
    ways = {
        f"damaged, up to {MAX_PIXELS // 1_000_000} megapixels": (
            (item for seed in SEEDS for item in mutations.batch(seed, (count - large) // len(SEEDS))),
            {"MAX_PIXELS": str(MAX_PIXELS)},
        ),
        "damaged, up to 50 megapixels": (mutations.batch(len(SEEDS) + 1, large), {}),
        "damaged JPEGs, small and plain ones here": (mutations.batch(len(SEEDS) + 2, large, "JPEG"), HERE),
    }
    if form == "full":
        ways["cut at each byte"] = (cut(mutations.originals()), {})
    by_format, runs, failed = {}, {}, []
    for what, (files, environ) in ways.items():
        began_s = time.monotonic()
        with Way(**environ) as way:
            tallies, peak, broken = attack(way, files, keep)
        failed += broken
        runs[what] = Tally.of(tallies.values()).row() | {
            "next one wrong": f"{sum(AFTER in each for each in broken):,}",
            "worker's peak MB": peak / _MB,
            "in s": time.monotonic() - began_s,
        }
        for name, tally in tallies.items():
            by_format.setdefault(name, []).append(tally)
    rows = {name: Tally.of(by_format[name]).row() for name in sorted(by_format)}
    return {"pictures": rows, "runs": runs}, failed


def _kept(keep, name, content, what):
    """Keeps a file that failed, and says what it did."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"{abs(hash(content)):x}").write_bytes(content)
    return f"{name} ({len(content)} bytes): {what}"


def main(folder):
    """Sends all files below a folder; says what came of them."""
    files = (path for path in sorted(Path(folder).rglob("*")) if path.is_file())
    with Way() as way:
        tallies, _, failed = attack(way, ((path.suffix.lstrip(".") or "none", path.read_bytes()) for path in files))
    everything = {name: tally.row() for name, tally in sorted(tallies.items())}
    sys.stdout.write(table(everything | {"all": Tally.of(tallies.values()).row()}) + "\n" + "\n".join(failed) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
