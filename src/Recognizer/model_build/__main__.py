"""``python -m model_build``: puts the model into the folder that the service loads it from.

Owns the command line, and the one decision about the fallback: only where it is allowed (a local run), and never
silently.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from recognizer.errors import ModelNotUsable
from recognizer.vision.model import FORMAT, Model

from model_build import fetch, sources
from model_build.folders import replace

_RECOGNIZER = Path(__file__).resolve().parent.parent
_ENGINES = ("tensorflow", "litert")
_FILES_OF_A_MODEL = ("model.json", "labels.csv", "model.tflite", "saved_model")
_EXIT_FAILED = 1

logger = logging.getLogger("model_build")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; the exit code is 0 when the model is in its place."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", stream=sys.stderr)
    for chatty in ("tensorflow", "absl"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.engine not in _ENGINES:  # argparse does not check what the environment says
        parser.error(f"ENGINE is {options.engine!r}; there are {' and '.join(_ENGINES)}")
    try:
        _run(options)
    except (fetch.BuildFailed, ModelNotUsable) as error:  # anything else is a bug and shows its traceback
        logger.error("%s", error)  # noqa: TRY400 - the message says it all
        return _EXIT_FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model_build", description=__doc__)
    environ = os.environ
    parser.add_argument("--url", default=environ.get("MODEL_URL") or None, help="a URL or path of your own (MODEL_URL)")
    parser.add_argument("--sha256", default=environ.get("MODEL_SHA256") or None, help="its digest (MODEL_SHA256)")
    parser.add_argument(
        "--engine", choices=_ENGINES, default=environ.get("ENGINE") or "tensorflow", help="what runs it (ENGINE)"
    )
    parser.add_argument("--output", type=Path, default=_RECOGNIZER / "model", help="the model folder")
    parser.add_argument(
        "--cache", type=Path, default=_RECOGNIZER.parent.parent / ".cache" / "model", help="for downloads"
    )
    parser.add_argument("--prepared", type=Path, help="take the model folder that lies here, if it fits")
    parser.add_argument(
        "--allow-fallback", action="store_true", help="use a COCO detector where nothing can be reached"
    )
    parser.add_argument("--keep", action="store_true", help="do nothing if the output already holds what is asked for")
    return parser


def _run(options: argparse.Namespace) -> None:
    wanted = {"format": FORMAT, "requested": options.url, "requested_sha256": options.sha256, "engine": options.engine}
    if options.keep and _fits(facts := _facts_in(options.output), wanted):
        _say(facts)
        return
    prepared = _facts_in(options.prepared) if options.prepared else None
    if options.url is None and prepared is not None:
        if options.sha256 is not None and prepared.get("sha256") != options.sha256.lower():
            raise fetch.FetchFailed(f"the prepared model was built from {prepared.get('sha256')}, not {options.sha256}")
        if prepared.get("engine") != options.engine:
            logger.warning("the prepared model is for %s, not for %s", prepared.get("engine"), options.engine)
        elif not prepared.get("fallback"):
            _take(options.prepared, options.output)
            logger.warning("taken as it lies prepared in the build context; delete it there to build another")
            _say(prepared)
            return
        else:
            logger.warning("the prepared model is the local fallback and is not put into an image")
    extra: dict[str, Any] = {}
    try:
        fetched = sources.obtain(options.url, options.sha256, options.cache)
    except fetch.FetchFailed as error:
        if not options.allow_fallback or options.url is not None or options.sha256 is not None:
            raise
        if options.engine == "litert":
            raise fetch.FetchFailed(
                f"{error}\n  - or leave ENGINE out: the local fallback runs on TensorFlow."
            ) from error
        logger.warning("%s\n", error)
        fetched, extra = _fallback(options.cache)

    from model_build import writer  # noqa: PLC0415 - imports TensorFlow, which `--keep` need not wait for

    _say(writer.write(fetched, options.output, options.engine, {**wanted, **extra}))


def _fallback(cache: Path) -> tuple[fetch.Fetched, dict[str, Any]]:
    from model_build import fallback, writer  # noqa: PLC0415 - see _run

    folder = cache / "fallback" / "saved_model"
    shutil.rmtree(folder, ignore_errors=True)
    made = fallback.build(folder, cache / "fallback", writer.open_images_labels())
    fetched = fetch.Fetched(folder, f"npm:{made.package}@{made.version}", made.digest)
    return fetched, {"name": made.model, "fallback": True, "default_min_score": made.min_score}


def _take(prepared: Path, output: Path) -> None:
    """Copies a prepared model, whole or not at all; what else lies in its folder stays there."""
    Model.load(prepared)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as work:
        unfinished = Path(work) / "model"
        unfinished.mkdir()
        for name in _FILES_OF_A_MODEL:
            if (prepared / name).is_dir():
                shutil.copytree(prepared / name, unfinished / name)
            elif (prepared / name).is_file():
                shutil.copyfile(prepared / name, unfinished / name)
        replace(output, unfinished, Path(work) / "old")


def _facts_in(folder: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def _fits(facts: dict[str, Any] | None, wanted: dict[str, Any]) -> bool:
    return facts is not None and all(facts.get(key) == value for key, value in wanted.items())


def _say(facts: dict[str, Any] | None) -> None:
    if facts is None:
        return
    logger.info("model: %(name)s, graph %(graph)s for %(engine)s, from %(source)s", facts)
    if facts.get("fallback"):
        logger.warning(
            "THIS IS THE FALLBACK: a COCO detector with 80 of the 601 classes, for trying things out. "
            "`make model` tries for the published model again."
        )


if __name__ == "__main__":
    sys.exit(main())
