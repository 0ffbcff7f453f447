"""Which model is taken: the one that is there, a prepared one, one that is fetched, or the fallback.

Owns the order in which they are considered, and the one decision about the fallback: only where it is allowed (a local
run), only in place of the published model, and never without saying so.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recognizer.vision.model import FORMAT

from model_build import existing, fallback, fetch, labels, noise, sources
from model_build.confidential import public
from model_build.errors import NotObtained, WrongDigest

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """A model that is asked for.

    Attributes:
        url: URL or path of a model of the user's own; None for the published one.
        sha256: digest to insist on, if any.
        engine: what will run it, ``tensorflow`` or ``litert``.
        output: the model folder.
        cache: folder for downloads.
        prepared: a model folder to take as it is, if it fits.
        keep: whether the output may stay as it is if it already holds what is asked for.
        allow_fallback: whether the fallback may stand in for the published model.
    """

    url: str | None
    sha256: str | None
    engine: str
    output: Path
    cache: Path
    prepared: Path | None = None
    keep: bool = False
    allow_fallback: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """What model.json says of a model that was made for this order."""
        return {
            "format": FORMAT,
            "requested": public(self.url) if self.url else None,
            "requested_sha256": self.sha256,
            "engine": self.engine,
        }


def fulfil(order: Order) -> dict[str, Any]:
    """Puts the model into its folder; returns what its model.json says.

    Raises:
        BuildFailed: there is no such model, or it cannot be used.
        ModelNotUsable: the prepared model is not one that this version reads.
    """
    # Two addresses that differ in what is not recorded cannot be told apart: the model is built again.
    is_told_apart = order.url is None or public(order.url) == order.url
    there = existing.facts_in(order.output) if order.keep and is_told_apart else None
    if there is not None and existing.fits(there, order.facts):
        return there
    prepared = _prepared(order)
    if prepared is not None:
        return prepared
    fetched, extra = _fetched(order)
    logger.info("checking the model with TensorFlow (whose first start takes longer)")
    with noise.left_out():
        from model_build import writer  # noqa: PLC0415 - imports TensorFlow, which a model that is kept need not wait for
    return writer.write(fetched, order.output, order.engine, {**order.facts, **extra})


def _prepared(order: Order) -> dict[str, Any] | None:
    """What the prepared model's model.json says, if it was taken."""
    facts = existing.facts_in(order.prepared) if order.prepared is not None and order.url is None else None
    if order.prepared is None or facts is None:
        return None
    if order.sha256 is not None and facts.get("sha256") != order.sha256.lower():
        raise WrongDigest(f"the prepared model was built from {facts.get('sha256')}, not from {order.sha256}")
    if facts.get("engine") != order.engine:
        logger.warning("the prepared model is for %s, not for %s", facts.get("engine"), order.engine)
        return None
    if facts.get("fallback"):
        logger.warning("the prepared model is the local fallback and is not put into an image")
        return None
    existing.copy(order.prepared, order.output)
    logger.warning("taken as it lies prepared in the build context; delete it there to build another")
    return facts


def _fetched(order: Order) -> tuple[fetch.Fetched, dict[str, Any]]:
    """A SavedModel, and what else its model.json is to say."""
    try:
        return sources.obtain(order.url, order.sha256, order.cache), {}
    except NotObtained as error:
        if not order.allow_fallback or order.url is not None or order.sha256 is not None:
            raise
        if order.engine == "litert":
            raise NotObtained(f"{error}\n  - or leave ENGINE out: the local fallback runs on TensorFlow.") from error
        logger.info("no way to the published model from here:\n%s", "\n".join(error.reasons))
    folder = order.cache / "fallback" / "saved_model"
    shutil.rmtree(folder, ignore_errors=True)
    made = fallback.build(folder, order.cache / "fallback", labels.open_images())
    fetched = fetch.Fetched(folder, f"npm:{made.package}", made.package.sha256)
    return fetched, {"name": made.model, "fallback": True, "default_min_score": made.min_score}
