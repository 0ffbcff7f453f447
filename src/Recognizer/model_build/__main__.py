"""``python -m model_build``: puts the model into the folder that the service loads it from.

Owns the command line and what it says in the end; which model is taken is ``choice``'s.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from recognizer.errors import ModelNotUsable
from recognizer.vision.classifier import TASK
from recognizer.vision.model import CLASSIFIER

from model_build import choice, fallback, sources, writer
from model_build.errors import BuildFailed
from model_build.normalisation import NAMED
from model_build.sources import PUBLISHED

_RECOGNIZER = Path(__file__).resolve().parent.parent
_ENGINES = ("tensorflow", "litert")
_EXIT_FAILED = 1

logger = logging.getLogger("model_build")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; the exit code is 0 when the model is in its place."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(level=logging.INFO, format="model_build: %(message)s", stream=sys.stderr)
    for chatty in ("tensorflow", "absl"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    parser = _parser()
    options = parser.parse_args(arguments)
    given = vars(options)
    is_engine_named = options.engine is not None
    given["engine"] = options.engine or _engine_for(options.url)
    if options.engine not in _ENGINES:  # argparse does not check what the environment says
        parser.error(f"ENGINE is {options.engine!r}; there are {' and '.join(_ENGINES)}")
    classifier = {name: given.pop(f"classifier_{name}") for name in ("url", "sha256", "labels", "normalization")}
    order = choice.Order(**given)
    try:
        facts = choice.fulfil(order)
        labels_pictures = _classifier(order, classifier, is_engine_named=is_engine_named)
    except (BuildFailed, ModelNotUsable) as error:  # anything else is a bug and shows its traceback
        logger.error("%s", error)  # noqa: TRY400 - the message says it all
        return _EXIT_FAILED
    if not options.keep:  # else whoever starts the server is told by the server
        logger.info("the model is ready\n%s", writer.report(facts))
        if labels_pictures is not None:
            logger.info("and a classifier\n%s", writer.report(labels_pictures))
        if facts.get("fallback"):
            logger.warning("WARNING: %s", fallback.NOTICE)
    return 0


def _engine_for(url: str | None) -> str:
    """What runs a model where nobody said: LiteRT alone runs ``.tflite`` files."""
    return "litert" if (url or "").partition("?")[0].endswith(".tflite") else "tensorflow"


def _classifier(order: choice.Order, asked: dict[str, str | None], *, is_engine_named: bool) -> dict[str, Any] | None:
    """What model.json says of the classifier that is asked for; without one, none is left from an earlier build."""
    output = order.output / CLASSIFIER
    if asked["url"] is None:
        if order.prepared is None:
            shutil.rmtree(output, ignore_errors=True)
        return None
    if asked["url"] == PUBLISHED:
        asked = {**asked, "labels": asked["labels"] or sources.PUBLISHED_CLASSIFIER_LABELS}
    runs_anywhere = is_engine_named or _engine_for(asked["url"]) == "tensorflow"
    changed = dataclasses.replace(
        order,
        url=asked["url"],
        sha256=asked["sha256"],
        labels=asked["labels"],
        normalization=asked["normalization"],
        engine=order.engine if runs_anywhere else "litert",
        output=output,
        prepared=None,
        allow_fallback=False,
        task=TASK,
    )
    return choice.fulfil(changed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model_build", description=__doc__)
    environ = os.environ
    parser.add_argument("--url", default=environ.get("MODEL_URL") or None, help="a URL or path of your own (MODEL_URL)")
    parser.add_argument("--sha256", default=environ.get("MODEL_SHA256") or None, help="its digest (MODEL_SHA256)")
    parser.add_argument(
        "--engine",
        choices=_ENGINES,
        default=environ.get("ENGINE") or None,
        help="what runs it (ENGINE); by default what can",
    )
    parser.add_argument(
        "--labels", default=environ.get("LABELS_URL") or None, help="URL or path of its class names (LABELS_URL)"
    )
    parser.add_argument(
        "--normalization",
        default=environ.get("NORMALIZATION") or None,
        help=f"what pixels become: {', '.join(NAMED)} (NORMALIZATION); by default what the model says",
    )
    for name, what in (
        ("url", "a classifier to build in, or 'published'"),
        ("sha256", "its digest"),
        ("labels", "URL or path of its class names"),
        ("normalization", "what pixels become for it"),
    ):
        variable = f"CLASSIFIER_{name.upper()}{'_URL' if name == 'labels' else ''}"
        parser.add_argument(f"--classifier-{name}", default=environ.get(variable) or None, help=f"{what} ({variable})")
    parser.add_argument("--output", type=Path, default=_RECOGNIZER / "model", help="the model folder")
    parser.add_argument(
        "--cache", type=Path, default=_RECOGNIZER.parent.parent / ".cache" / "model", help="for downloads"
    )
    parser.add_argument("--prepared", type=Path, help="take the model folder that lies here, if it fits")
    parser.add_argument(
        "--allow-fallback", action="store_true", help="use a COCO detector where the published model is out of reach"
    )
    parser.add_argument("--keep", action="store_true", help="do nothing if the output already holds what is asked for")
    return parser


if __name__ == "__main__":
    sys.exit(main())
