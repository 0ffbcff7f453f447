"""The application: built once at cold start, then event in, proxy response out.

Owns routing, and is the only place where errors become responses and are logged: one structured record and one set of
metrics a request. Refuses to raise: whatever happens, the client gets an answer and the next request works.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.api_gateway import (
    APIGatewayHttpResolver,
    APIGatewayRestResolver,
    CORSConfig,
    Response,
)
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from recognizer import VERSION
from recognizer.drawing.palette import ink_for
from recognizer.errors import InternalError, MethodNotAllowed, NotFound, RequestError, TooLarge
from recognizer.http import events, responses
from recognizer.http.responses import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from recognizer.job import DetectRequest, Outcome
    from recognizer.pipeline import Pipeline
    from recognizer.settings import Settings
    from recognizer.site.assets import Asset
    from recognizer.vision.model import Model

_CORS = CORSConfig(
    allow_origin="*",
    allow_headers=["If-None-Match"],
    expose_headers=list(responses.EXPOSED_HEADERS),
    max_age=86_400,
)

logger = Logger()  # its service is POWERTOOLS_SERVICE_NAME
# TensorFlow gives the root logger a handler of its own: every record would come twice.
logging.getLogger(logger.name).propagate = False


class _OwnEvent:
    """Keeps the event on the resolver itself: Powertools keeps it on a class that all threads share."""

    _own_event: Any = None

    @property
    def current_event(self) -> Any:
        """The event being resolved."""
        return self._own_event

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Resolves an event; see ApiGatewayResolver."""
        self._own_event = self._to_proxy_event(dict(event))  # type: ignore[attr-defined]
        return super().resolve(event, context)  # type: ignore[misc, no-any-return]


class _HttpResolver(_OwnEvent, APIGatewayHttpResolver):  # type: ignore[override]
    """HTTP API, payload 2.0."""


class _RestResolver(_OwnEvent, APIGatewayRestResolver):  # type: ignore[override]
    """REST API, payload 1.0."""


_RESOLVERS = {"2.0": _HttpResolver, "1.0": _RestResolver}


@dataclass(slots=True)
class _Record:
    """What is logged and measured of one request; filled in as it proceeds."""

    request_id: str | None
    cold_start: bool
    outcome: Outcome | None = None
    error: RequestError | None = None


class App:
    """The service, ready to answer: ``app(event, context)``.

    Safe to call from several threads (the local server does); Lambda calls it from one.
    """

    def __init__(
        self, settings: Settings, model: Model, pipeline: Pipeline, site: Mapping[str, Asset] | None = None
    ) -> None:
        """Takes the parts; ``build`` makes them from the environment."""
        site = site or {}
        self._settings = settings
        self._model = model
        self._pipeline = pipeline
        self._cold = True
        self._routes: dict[tuple[str, str], Callable[[Mapping[str, Any]], Answer]] = {
            ("/detector", "GET"): self._detect_url,
            ("/detector", "POST"): self._detect_body,
            ("/labels", "GET"): self._labels,
            ("/health", "GET"): self._health,
            **{(path, "GET"): partial(_asset, asset) for path, asset in site.items()},
        }
        # Link checkers and uptime checks ask for heads; that of a detection would cost as much as the detection.
        for path, method in list(self._routes):
            if method == "GET" and path != "/detector":
                self._routes[path, "HEAD"] = partial(_head, self._routes[path, method])
        self._own = threading.local()  # a router builds itself up on first use and keeps state: one for each thread

    def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """The proxy response to a proxy event; never raises."""
        started_s = time.perf_counter()
        record = _Record(request_id=getattr(context, "aws_request_id", None), cold_start=self._cold)
        self._cold = False
        self._own.record = record
        try:
            answer: dict[str, Any] = self._resolver(events.payload_version(event)).resolve(event, context)
        except Exception as error:  # noqa: BLE001 - the last line of defence; see the module's docstring
            answer = _plain(self._failed(error))
        try:
            self._report(record, answer["statusCode"], (time.perf_counter() - started_s) * 1000)
        except Exception:
            logger.exception("the request could not be logged")
        return answer

    def _detect_url(self, event: Mapping[str, Any]) -> Answer:
        request = events.parse(event, self._model.labels, self._model.default_min_score)
        return self._detect(request, events.header_of(event, "if-none-match"))

    def _detect_body(self, event: Mapping[str, Any]) -> Answer:
        request = events.parse_post(event, self._model.labels, self._model.default_min_score)
        if request.content is not None and len(request.content) > self._settings.max_bytes:
            raise TooLarge(f"The picture has more than {self._settings.max_bytes:,} bytes.", parameter="image")
        return self._detect(request, "")

    def _detect(self, request: DetectRequest, if_none_match: str) -> Answer:
        source = self._pipeline.source(request)
        tag = responses.etag(request, source.sha256, self._model.identity)
        if responses.is_known(tag, if_none_match):
            return responses.not_modified(tag, self._settings.cache_max_age_s)
        self._own.record.outcome = outcome = self._pipeline.run(request, source)
        return responses.detected(outcome, self._model.identity, self._settings.cache_max_age_s)

    def _labels(self, event: Mapping[str, Any]) -> Answer:
        labels = [
            {"name": label.name, "id": label.id, "parents": list(label.parents), "color": ink_for(label.id).hex}
            for label in sorted(self._model.labels.by_index.values(), key=lambda label: label.name.casefold())
        ]
        groups = sorted(name for name, _ in self._model.labels.groups.values())
        body = {"model": self._model.identity.name, "labels": labels, "groups": groups}
        return self._unless_known(responses.document(body, self._settings.cache_max_age_s), event)

    def _health(self, _: Mapping[str, Any]) -> Answer:
        model = self._model.identity
        facts = {"name": model.name, "engine": model.engine, "graph": model.graph, "sha256": model.sha256}
        # Cold: the request that made this instance start.
        body = {"status": "ok", "version": VERSION, "model": facts, "warm": not self._own.record.cold_start}
        return responses.document(body, 0)

    def _unless_known(self, answer: Answer, event: Mapping[str, Any]) -> Answer:
        known = responses.is_known(answer.headers["ETag"], events.header_of(event, "if-none-match"))
        return Answer(304, "", answer.headers, "") if known else answer

    def _no_route(self, path: str, method: str) -> Answer:
        methods = [known for route, known in self._routes if route == path]
        if methods:
            allowed = ", ".join([*methods, "OPTIONS"])
            raise MethodNotAllowed(f"{path} does not take {method}, but {allowed}.", headers={"Allow": allowed})
        raise NotFound(f"There is nothing at {path}. Try / for the page, or /detector?url=https://….jpg")

    def _resolver(self, version: str) -> Any:
        resolvers = self._own.__dict__.setdefault("resolvers", {})
        if version not in resolvers:
            resolvers[version] = self._wired(_RESOLVERS[version](cors=_CORS))
        return resolvers[version]

    def _wired(self, resolver: Any) -> Any:
        for (path, method), endpoint in self._routes.items():
            resolver.route(path, method=method)(self._guarded(partial(_with_raw_event, endpoint), resolver))
        # The router's own path: without the stage that API Gateway puts before it.
        resolver.not_found(self._guarded(lambda own: self._no_route(own.path, own.http_method), resolver))
        return resolver

    def _guarded(self, respond: Callable[[Any], Answer], resolver: Any) -> Callable[..., Response[str | bytes]]:
        """An endpoint as the router wants it: no event in, no exception out."""

        def endpoint(_: object = None) -> Response[str | bytes]:
            try:
                answer = respond(resolver.current_event)
            except Exception as error:  # noqa: BLE001 - the one place where errors become responses
                answer = self._failed(error)
            return Response(answer.status, answer.media_type, answer.body, dict(answer.headers))

        return endpoint

    def _failed(self, error: Exception) -> Answer:
        record = self._own.record
        if not isinstance(error, RequestError):
            logger.error("unexpected error", exc_info=error, extra={"request_id": record.request_id})
            error = InternalError("Something went wrong on our side; the request id helps to find out what.")
        record.error = error
        return responses.problem(error, record.request_id)

    def _report(self, record: _Record, status: int, duration_ms: float) -> None:
        """One log record and one set of metrics; of the picture's address only the host, a path can hold secrets."""
        facts: dict[str, Any] = {
            "request_id": record.request_id,
            "cold_start": record.cold_start,
            "status": status,
            "duration_ms": round(duration_ms, 1),
        }
        metrics = EphemeralMetrics(namespace="Recognizer")
        metrics.add_metric("Duration", MetricUnit.Milliseconds, duration_ms)
        metrics.add_metric(f"Status{status // 100}xx", MetricUnit.Count, 1)
        if record.cold_start:
            metrics.add_metric("ColdStart", MetricUnit.Count, 1)
        if record.error is not None:
            facts |= {"error": record.error.code, "detail": record.error.public_message}
            # Types only: the text of a network error repeats the address.
            facts["causes"] = [type(cause).__name__ for cause in _causes(record.error)]
        if record.outcome is not None:
            facts |= _facts(record.outcome)
            metrics.add_metric("Detections", MetricUnit.Count, len(record.outcome.detections))
            for step, ms in record.outcome.timings_ms.items():
                metrics.add_metric(step.capitalize(), MetricUnit.Milliseconds, ms)
        logger.info("request", extra=facts)
        metrics.flush_metrics()


def _asset(asset: Asset, event: Mapping[str, Any]) -> Answer:
    known = asset.is_known_to(events.header_of(event, "if-none-match"))
    return Answer(304 if known else 200, asset.media_type, dict(asset.headers), "" if known else asset.body)


def _head(endpoint: Callable[[Mapping[str, Any]], Answer], event: Mapping[str, Any]) -> Answer:
    answer = endpoint(event)
    return Answer(answer.status, answer.media_type, answer.headers, "")


def _with_raw_event(endpoint: Callable[[Mapping[str, Any]], Answer], event: Any) -> Answer:
    return endpoint(event.raw_event)


def _causes(error: BaseException) -> Iterator[BaseException]:
    while (cause := error.__cause__ or error.__context__) is not None:
        yield cause
        error = cause


def _facts(outcome: Outcome) -> dict[str, Any]:
    return {
        "host": urlsplit(outcome.request.url).hostname if outcome.request.url else None,
        "source_bytes": outcome.source_bytes,
        "width": outcome.width_px,
        "height": outcome.height_px,
        "format": outcome.format,
        "detections": len(outcome.detections),
        "timings_ms": {step: round(ms, 1) for step, ms in outcome.timings_ms.items()},
    }


def _plain(answer: Answer) -> dict[str, Any]:
    """An answer where there is no router to send it: the event was none of API Gateway's."""
    headers = {"Content-Type": answer.media_type, **answer.headers}
    return {"statusCode": answer.status, "headers": headers, "body": answer.body, "isBase64Encoded": False}
