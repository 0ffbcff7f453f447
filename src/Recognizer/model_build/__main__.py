"""``python -m model_build``: puts the model into the folder that the service loads it from.

Owns the command line and what it says in the end; which model is taken is ``choice``'s.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from recognizer.errors import ModelNotUsable

from model_build import choice, fallback
from model_build.errors import BuildFailed

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
    if options.engine not in _ENGINES:  # argparse does not check what the environment says
        parser.error(f"ENGINE is {options.engine!r}; there are {' and '.join(_ENGINES)}")
    try:
        facts = choice.fulfil(choice.Order(**vars(options)))
    except (BuildFailed, ModelNotUsable) as error:  # anything else is a bug and shows its traceback
        logger.error("%s", error)  # noqa: TRY400 - the message says it all
        return _EXIT_FAILED
    if not options.keep:  # else whoever starts the server is told by the server
        logger.info("model: %(name)s, graph %(graph)s for %(engine)s, from %(source)s", facts)
        if facts.get("fallback"):
            logger.warning("WARNING: %s", fallback.NOTICE)
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
        "--allow-fallback", action="store_true", help="use a COCO detector where the published model is out of reach"
    )
    parser.add_argument("--keep", action="store_true", help="do nothing if the output already holds what is asked for")
    return parser


if __name__ == "__main__":
    sys.exit(main())
