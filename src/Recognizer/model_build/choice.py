"""Which model is taken: the one that is there, a prepared one, one that is fetched, or the fallback.

Owns the order in which they are considered, and the one decision about the fallback: only where it is allowed (a local
run), only in place of the published model, and never without saying so.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recognizer.vision.classifier import TASK
from recognizer.vision.model import FORMAT

from model_build import existing, fallback, fetch, labels, naming, noise, sources, unpack, writer
from model_build.confidential import public
from model_build.errors import NotConvertible, NotObtained, WrongDigest
from model_build.normalisation import Normalisation

if TYPE_CHECKING:
    from pathlib import Path

    from model_build.form import Form

DETECTION = "detection"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """A model that is asked for.

    Attributes:
        url: URL or path of a model of the user's own; None for the published one.
        sha256: digest to insist on, if any.
        engine: what will run it, ``tensorflow`` or ``litert``.
        labels: URL or path of a label file; None for the names that the model brings.
        normalization: how pixels become the values that it takes, by name; None for what the model says.
        task: what the model is to do, ``detection`` or ``classification``.
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
    labels: str | None = None
    normalization: str | None = None
    task: str = DETECTION

    @property
    def facts(self) -> dict[str, Any]:
        """What model.json says of a model that was made for this order."""
        return {
            "format": FORMAT,
            "requested": public(self.url) if self.url else None,
            "requested_sha256": self.sha256,
            "requested_labels": public(self.labels) if self.labels else None,
            "requested_normalization": self.normalization,
            "engine": self.engine,
        }


def fulfil(order: Order) -> dict[str, Any]:
    """Puts the model into its folder; returns what its model.json says.

    Raises:
        BuildFailed: there is no such model, or it cannot be used.
        ModelNotUsable: the prepared model is not one that this version reads.
    """
    # Two addresses that differ in what is not recorded cannot be told apart: the model is built again.
    is_told_apart = all(address is None or public(address) == address for address in (order.url, order.labels))
    there = existing.facts_in(order.output) if order.keep and is_told_apart else None
    if there is not None and existing.fits(there, order.facts):
        return there
    prepared = _prepared(order)
    if prepared is not None:
        return prepared
    fetched, extra = _fetched(order)
    form = _read(fetched, order) if not extra else _fallback_form(fetched, order)
    return writer.write(form, _named(form, fetched, order), fetched, order.output, {**order.facts, **extra})


def _read(fetched: fetch.Fetched, order: Order) -> Form:
    """What was fetched, understood.

    Raises:
        BuildFailed: it is of no kind that is known, or not for the engine.
    """
    chosen = None if order.normalization is None else Normalisation.named(order.normalization)
    if unpack.is_flatbuffer(fetched.path):
        if order.engine != "litert":
            raise NotConvertible(f"{fetched.path.name} is a .tflite file, which LiteRT alone runs: ENGINE=litert")
        from model_build import flatbuffer  # noqa: PLC0415 - imports LiteRT, which a model that is kept need not wait for

        return flatbuffer.read(fetched.path, chosen, order.task)
    logger.info("checking the model with TensorFlow (whose first start takes longer)")
    with noise.left_out():
        from model_build import graph  # noqa: PLC0415 - imports TensorFlow, likewise

        if order.task == TASK:
            from model_build import whole_picture  # noqa: PLC0415 - imports TensorFlow, likewise

            return whole_picture.read(fetched.path, order.engine, chosen)
    return graph.read(fetched.path, order.engine, chosen)


def _named(form: Form, fetched: fetch.Fetched, order: Order) -> labels.Table:
    given = None if order.labels is None else (sources.file(order.labels, order.cache), public(order.labels))
    return naming.table(form, given, fetched.beside, fetched.path)


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
        logger.info("no way to the published model from here:\n%s", "\n".join(error.reasons))
    folder = order.cache / "fallback" / "saved_model"
    shutil.rmtree(folder, ignore_errors=True)
    made = fallback.build(folder, order.cache / "fallback", labels.open_images())
    fetched = fetch.Fetched(folder, f"npm:{made.package}", made.package.sha256)
    return fetched, {"name": made.model, "fallback": True, "default_min_score": made.min_score}


def _fallback_form(fetched: fetch.Fetched, order: Order) -> Form:
    from model_build import points  # noqa: PLC0415 - imports TensorFlow

    return points.read(fetched.path, order.cache / "fallback", order.engine)
