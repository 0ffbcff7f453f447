"""Settings -> the application: the only room that knows every wing.

Owns which part does which step. It does not read the environment: what it needs of it is in the settings.
"""

from __future__ import annotations

import functools
import math
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from recognizer import VERSION, compat, pictures, site, snapshot
from recognizer.app import App
from recognizer.detections import Criteria
from recognizer.drawing import hide
from recognizer.drawing.annotate import Annotator
from recognizer.drawing.crop import cut_out
from recognizer.drawing.palette import ink_for
from recognizer.errors import InvalidSetting, StartupError
from recognizer.fetch.addresses import Policy
from recognizer.fetch.download import Downloader
from recognizer.http.parameters import Rules
from recognizer.imaging import Craft
from recognizer.isolation import Isolation, serve
from recognizer.job import DEFAULT_LIMIT, DEFAULT_MIN_SCORE, DetectRequest, Labelling
from recognizer.pipeline import Pipeline
from recognizer.sandbox.pool import NoWorker, Pool
from recognizer.settings import Settings
from recognizer.site import assets
from recognizer.site.answer_pages import AnswerPages
from recognizer.vision import classifier, detector
from recognizer.vision.model import CLASSIFIER, Model
from recognizer.vision.view import PixelView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from recognizer.detections import Detection
    from recognizer.job import View
    from recognizer.reception import Reception
    from recognizer.settings import Buckets
    from recognizer.site.assets import Asset
    from recognizer.worker import Worker

USER_AGENT = f"Recognizer/{VERSION} (object detection; fetches a picture once for whoever gave its address)"

_WEB = Path(__file__).resolve().parent.parent / "web"
_REHEARSAL = _WEB / "samples" / "cat.jpg"


def _spans() -> Callable[[str], AbstractContextManager[object]]:
    """Opens X-Ray subsegments. Imported only here: the X-Ray SDK brings botocore, 0.3 s of a cold start."""
    from aws_lambda_powertools import Tracer  # noqa: PLC0415

    provider = Tracer().provider
    return lambda step: provider.in_subsegment(f"## {step}")


def build(environ: Mapping[str, str]) -> App:
    """The application that an environment describes, its model loaded and warmed up.

    Raises:
        StartupError: a setting, the model, its labels or the font cannot be used.
    """
    settings = Settings.from_environ(environ)
    foreign = compat.endpoints(settings.compat)
    model, pipeline, downloader = recognition(settings, settings.max_response_bytes)
    made = functools.cache(partial(_site, settings, model))
    app = App(
        settings,
        model,
        pipeline,
        labelling=_labelling(model, pipeline.detect, settings),
        pages=AnswerPages(_WEB),
        site={path: partial(_part, made, path) for path in site.paths(_WEB)},
        foreign=foreign,
        colour_of=lambda label_id: ink_for(label_id).hex,
    )
    if settings.buckets is not None:
        app.routes |= _reception(settings.buckets, rules_of(settings, model)).routes
    if settings.is_snapshot:
        snapshot.register(
            before=[partial(_rehearse, pipeline), downloader.prepare, made], after=[downloader.close, app.renew]
        )
    return app


def build_worker(environ: Mapping[str, str]) -> Worker:
    """What takes messages about uploaded pictures, its model loaded and warmed up.

    Raises:
        StartupError: as ``build``, or the environment names no buckets.
    """
    # Only here: the detector's start does not pay for it.
    from recognizer.uploads.results import Results  # noqa: PLC0415
    from recognizer.uploads.storage import Bucket  # noqa: PLC0415
    from recognizer.worker import Worker  # noqa: PLC0415

    settings = Settings.from_environ(environ)
    if settings.buckets is None:
        raise InvalidSetting("UPLOADS_BUCKET and RESULTS_BUCKET are not set: there is nothing to take pictures from.")
    # No answer of Lambda's that it would have to fit into.
    model, pipeline, _ = recognition(settings, settings.max_bytes)
    uploads, results = Bucket(settings.buckets.uploads), Results(Bucket(settings.buckets.results))
    return Worker(settings, rules_of(settings, model), model.identity, pipeline, uploads, results)


def recognition(settings: Settings, max_answer_bytes: int) -> tuple[Model, Pipeline, Downloader]:
    """The model, what recognises with it, and what fetches for it.

    Args:
        settings: limits.
        max_answer_bytes: largest picture of an answer.

    Raises:
        StartupError: the model, its labels or the font cannot be used.
    """
    # Before an engine has started its threads: see the nursery.
    craft = _craft(settings, max_answer_bytes)
    pool = Pool(partial(serve, craft, assets.bytes_of(_REHEARSAL)), settings.picture_memory_bytes)
    pool.start()
    model = Model.load(settings.model_dir, settings.release)
    policy = Policy(
        allowed_ports=settings.allowed_ports, allowed_hosts=settings.allowed_hosts, allow_private=settings.allow_private
    )
    downloader = Downloader(
        policy, max_bytes=settings.max_bytes, timeout_s=settings.download_timeout_s, user_agent=USER_AGENT
    )
    pipeline = Pipeline(
        fetch=downloader.fetch,
        open=Isolation(
            craft,
            pool,
            settings.picture_timeout_s,
            settings.plain_px,
            max_pixels=settings.max_pixels,
            max_bytes=max_answer_bytes,
        ).open,
        detect=detector.load(model, settings.threads),
        **({"span": _spans()} if settings.is_traced else {}),
    )
    try:
        pool.make_ready()
    except NoWorker as error:
        raise StartupError("The process that pictures are worked on in does not start.") from error
    return model, pipeline, downloader


def _rehearse(pipeline: Pipeline) -> None:
    """One picture through all steps, so that the first request finds everything in its place."""
    content = assets.bytes_of(_REHEARSAL)
    request = DetectRequest("", Criteria(DEFAULT_LIMIT, DEFAULT_MIN_SCORE), "image", content=content)
    pipeline.run(request, pipeline.source(request, math.inf), math.inf)


def _labelling(
    model: Model, detect: Callable[[View, Criteria], tuple[Detection, ...]], settings: Settings
) -> Callable[[], Labelling]:
    """What tells the labels of whole pictures: a classifier, loaded when it is first asked for, or the detector."""
    folder = model.folder / CLASSIFIER
    if not folder.is_dir():
        by_detections = Labelling(
            model.identity, model.labels, model.default_min_score, "detections", classifier.of_detections(detect)
        )
        return lambda: by_detections
    one_at_a_time = threading.Lock()

    @functools.cache
    def load() -> Labelling:
        found = Model.load(folder, settings.release)
        return Labelling(found.identity, found.labels, 0.0, "classifier", classifier.load(found, settings.threads))

    def loaded() -> Labelling:
        with one_at_a_time:
            return load()

    return loaded


def rules_of(settings: Settings, model: Model) -> Rules:
    """What parameters can mean for a model."""
    return Rules(model.labels, model.default_min_score, settings.max_bytes)


def _reception(buckets: Buckets, rules: Rules) -> Reception:
    from recognizer.reception import Reception  # noqa: PLC0415 - only where there are buckets
    from recognizer.uploads.results import Results  # noqa: PLC0415
    from recognizer.uploads.storage import Bucket  # noqa: PLC0415

    return Reception(rules, Bucket(buckets.uploads), Results(Bucket(buckets.results)))


def _craft(settings: Settings, max_answer_bytes: int) -> Craft:
    """How pixels are worked on.

    Raises:
        FontNotUsable: the font is missing or is none.
    """
    annotator = Annotator()
    return Craft(
        read=partial(pictures.read, max_pixels=settings.max_pixels),
        view=lambda image: PixelView(pictures.pixels_of(image)),
        drawings={
            "labels": annotator.annotate,
            "boxes": partial(annotator.annotate, labels=False),
            "blur": hide.blur,
            "none": lambda image, _: image,
        },
        cut_out=cut_out,
        encode=partial(pictures.encode, max_bytes=max_answer_bytes),
    )


def _site(settings: Settings, model: Model) -> dict[str, Asset]:
    """What is the same for every request: the page, its samples, the API's description and the reference.

    Made when somebody first asks for a part of it: most instances answer nothing but requests about pictures. What is
    missing of it is an internal error of theirs, and pictures are recognised all the same.

    Raises:
        StartupError: a part of it is missing or cannot be read.
    """
    from recognizer.site import openapi, page, reference, security  # noqa: PLC0415 - no part of a cold start

    buckets = (settings.buckets.origins, settings.max_bytes) if settings.buckets else ()
    pages = page.assets(_WEB, model.default_min_score, *buckets)
    media_types = [pictures.MEDIA_TYPES[name] for name in pictures.READABLE]
    description = openapi.document(
        model.labels,
        default_min_score=model.default_min_score,
        media_types=media_types,
        max_bytes=settings.max_bytes,
        max_pixels=settings.max_pixels,
        samples=site.samples(_WEB),
    )
    if settings.buckets is not None:
        from recognizer.site import uploads  # noqa: PLC0415 - only where there are buckets

        description = uploads.added(description, media_types, settings.max_bytes)
    return pages | reference.assets(security.secured(description, settings.access), _WEB)


def _part(made: Callable[[], Mapping[str, Asset]], path: str) -> Asset:
    return made()[path]
