"""The application: an event in, a response out.

Owns the routes, and is the only place where errors become responses. Whatever happens, the client gets an answer and
the next request works: nothing is raised from here.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from recognizer import VERSION, telemetry
from recognizer.compat.desk import Desk
from recognizer.errors import InternalError, LoopDetected, MethodNotAllowed, NotFound, RequestError, quoted
from recognizer.http import access, caching, classification, detection, encoding, gateway, headers, responses
from recognizer.http.negotiation import prefers_html
from recognizer.http.parameters import Rules
from recognizer.job import COSTLY, EXPORTS
from recognizer.telemetry import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recognizer import compat
    from recognizer.http.messages import Request, Response
    from recognizer.job import DetectRequest, Labelling, Outcome, Source
    from recognizer.pipeline import Pipeline
    from recognizer.settings import Settings
    from recognizer.site.answer_pages import AnswerPages
    from recognizer.site.assets import Asset
    from recognizer.vision.model import Model

    ReadClassification = Callable[[Request, Rules], tuple[DetectRequest, bool]]
    Endpoint = Callable[[Request, Record], Response]

# API Gateway gives up after 30 s, and none of them can be had back.
_MAX_REQUEST_S = 28.0
_TO_ANSWER_S = 0.5  # what is left of Lambda's time to say what went wrong


class App:
    """The service, ready to answer: ``app(event, context)``.

    Safe to call from several threads (the local server does); Lambda calls it from one.

    Attributes:
        routes: endpoints by path and method; where the last part of a path may be any, it is written ``{id}``, and
            ``{owner}`` where the one before may be too.

    Args:
        settings: limits and how long answers may be kept.
        model: what detects; only what it is and its labels matter here.
        pipeline: what does a request's work.
        pages: answers that are made into pages, for people.
        labelling: what tells the labels of whole pictures, called at each request for them.
        site: what is the same for everyone, by path; made when somebody asks for it.
        foreign: other services' addresses that are answered here, by path and method.
        colour_of: machine id of a label -> the colour that its boxes are drawn in (``#d55e00``).
    """

    def __init__(  # noqa: PLR0913 - the parts that build makes
        self,
        settings: Settings,
        model: Model,
        pipeline: Pipeline,
        *,
        pages: AnswerPages,
        labelling: Callable[[], Labelling],
        site: Mapping[str, Callable[[], Asset]] | None = None,
        foreign: Mapping[str, Mapping[str, compat.Endpoint]] | None = None,
        colour_of: Callable[[str], str],
    ) -> None:
        self._settings = settings
        self._model = model
        self._pipeline = pipeline
        self._pages = pages
        self._labelling = labelling
        self._colour_of = colour_of
        self._foreign = foreign or {}
        self._rules = Rules(model.labels, model.default_min_score, settings.max_bytes)
        self._is_cold = True
        self.routes: dict[str, Mapping[str, Endpoint]] = {
            "/detector": {"GET": self._detect_from_query, "POST": self._detect_from_body},
            "/classifier": {
                "GET": partial(self._classify, classification.from_query),
                "POST": partial(self._classify, classification.from_body),
            },
            "/labels": {"GET": self._labels},
            "/health": {"GET": self._health},
            **{path: {"GET": partial(_asset, made)} for path, made in (site or {}).items()},
        }
        for path, methods in self._foreign.items():
            answers = {method: partial(self._answer_abroad, endpoint) for method, endpoint in methods.items()}
            self.routes[path] = {**self.routes.get(path, {}), **answers}

    def renew(self) -> None:
        """To be called where this becomes another instance: the next request is its first."""
        self._is_cold = True

    def __call__(self, event: object, context: object) -> Any:
        """What the handler returns for an event: for a gateway's event its proxy response; never raises."""
        record = Record(getattr(context, "aws_request_id", None), self._is_cold)
        self._is_cold = False
        record.ends_at_s = _ends_at_s(context)
        format_ = gateway.format_of(event)
        request = None
        try:
            request = format_.read(event)
            response = self._response(request, record)
        except Exception as error:  # noqa: BLE001 - the one place where errors become responses
            record.error = _told(error)
            response = self._problem(record.error, record.request_id, request)
        answer = format_.write(headers.complete(response))
        telemetry.report(record, response.status)
        # Its traceback leads back to this frame and so to `record`: a circle that would keep what was downloaded until
        # the garbage collector comes by.
        record.error = None
        return answer

    def _problem(self, error: RequestError, request_id: str | None, request: Request | None) -> Response:
        """The problem document, or the page that says the same to someone who opened an address."""
        foreign = None if request is None else self._foreign_of(request)
        if request is not None and foreign is not None:
            return foreign.problem(error, request)
        if request is None or not prefers_html(request.header("accept")):
            return responses.problem(error, request_id)
        page = self._pages.problem(responses.problem_document(error, request_id), request.path)
        return responses.problem_page(error, page.media_type, page.body, page.policy)

    def _response(self, request: Request, record: Record) -> Response:
        if self._settings.origin_secret is not None:
            access.require_origin(request, self._settings.origin_secret)
        endpoints = self.routes.get(self._pattern(request.path))
        if endpoints is None and request.method != "OPTIONS":
            raise NotFound(
                f"There is nothing at {quoted(request.path)}. Try / for the page, or /detector?url=https://….jpg"
            )
        endpoints = endpoints or {}
        methods = _methods(request.path, endpoints)
        if request.method == "OPTIONS":
            return headers.preflight(methods)
        if request.method not in methods:
            allowed = ", ".join(methods)
            raise MethodNotAllowed(
                f"{request.path} does not take {quoted(request.method)}, but {allowed}.", headers={"Allow": allowed}
            )
        foreign = self._foreign_of(request)
        is_costly = request.path in COSTLY if foreign is None else foreign.is_costly
        is_guarded = self._settings.access != "NONE" and is_costly
        if is_guarded and self._settings.access == "KEY":
            access.require_key(request if foreign is None else foreign.with_key(request), self._settings.access_keys)
        elif is_guarded:
            access.require_judgement(request)
        if is_costly:
            access.require_route(request)
        is_head = request.method == "HEAD"
        response = endpoints["GET" if is_head else request.method](request, record)
        if is_guarded:
            response = caching.private(response)
        if request.method != "POST":
            response = caching.conditional(response, request.header("if-none-match"))
        return response._replace(body="") if is_head else response

    def _detect_from_query(self, request: Request, record: Record) -> Response:
        return self._detect(request, detection.from_query(request, self._rules), record)

    def _detect_from_body(self, request: Request, record: Record) -> Response:
        return self._detect(request, detection.from_body(request, self._rules), record)

    def _detect(self, request: Request, wanted: DetectRequest, record: Record) -> Response:
        source = self._source(request, wanted, record)
        identity, max_age_s = self._model.identity, self._settings.cache_max_age_s
        if_none_match = request.header("if-none-match")
        if request.method == "GET" and if_none_match:
            known = responses.detection_cache_headers(wanted, source.sha256, identity, max_age_s)
            if caching.names(if_none_match, known["ETag"]):
                return caching.not_modified(known)
        outcome = self._detected(wanted, source, record)
        if wanted.answer in EXPORTS:
            from recognizer.http import exports  # noqa: PLC0415 - most requests need none

            return exports.response(outcome, identity, max_age_s, self._model.labels)
        return responses.detected(outcome, identity, max_age_s)

    def _detected(self, wanted: DetectRequest, source: Source, record: Record) -> Outcome:
        record.outcome = self._pipeline.run(wanted, source, record.ends_at_s)
        return record.outcome

    def _classify(self, read: ReadClassification, request: Request, record: Record) -> Response:
        by = self._labelling()
        wanted, as_pairs = read(request, Rules(by.labels, by.default_min_score, self._settings.max_bytes))
        outcome = self._classified(request, record, wanted, by)
        return responses.classified(outcome, by, self._settings.cache_max_age_s, as_pairs=as_pairs)

    def _classified(self, request: Request, record: Record, wanted: DetectRequest, by: Labelling) -> Outcome:
        source = self._source(request, wanted, record)
        record.outcome = self._pipeline.label(wanted, source, record.ends_at_s, by.label)
        return record.outcome

    def _answer_abroad(self, endpoint: compat.Endpoint, request: Request, record: Record) -> Response:
        desk = Desk(
            self._model.identity,
            self._rules,
            run=lambda wanted: self._detected(wanted, self._source(request, wanted, record), record),
            label=partial(self._classified, request, record),
            labelling=self._labelling,
        )
        return endpoint.answer(request, desk)

    def _foreign_of(self, request: Request) -> compat.Endpoint | None:
        return self._foreign.get(self._pattern(request.path), {}).get(request.method)

    def _pattern(self, path: str) -> str:
        """The path as the routes have it."""
        folder, _, _ = path.rpartition("/")
        patterns = (path, f"{folder}/{{id}}", f"{folder.rpartition('/')[0]}/{{owner}}/{{id}}")
        return next((pattern for pattern in patterns if pattern in self.routes), path)

    def _source(self, request: Request, wanted: DetectRequest, record: Record) -> Source:
        if wanted.content is None and headers.is_looped(request):
            raise LoopDetected("The address of the picture leads back to this service.", parameter="url")
        record.has_picture = True
        return self._pipeline.source(wanted, record.ends_at_s)

    def _labels(self, request: Request, _: Record) -> Response:
        known = self._model.labels
        labels = [
            {"name": label.name, "id": label.id, "parents": list(label.parents), "color": self._colour_of(label.id)}
            for label in known.listed
        ]
        groups = sorted(name for name, _ in known.groups.values())
        body = {"model": self._model.identity.name, "labels": labels, "groups": groups}
        max_age_s = self._settings.cache_max_age_s
        if prefers_html(request.header("accept")):
            response = _sent(self._pages.labels(body)._replace(max_age_s=max_age_s), request)
        else:
            response = responses.document(body, max_age_s)
        return headers.varied(response, "Accept")

    def _health(self, _: Request, record: Record) -> Response:
        model = self._model.identity
        facts = {"name": model.name, "engine": model.engine, "graph": model.graph, "sha256": model.sha256}
        # Not warm: the request that made this instance start.
        body = {"status": "ok", "version": VERSION, "model": facts, "warm": not record.is_cold}
        return responses.document(body, 0)


def _ends_at_s(context: object) -> float:
    """When the answer must be ready, by ``time.monotonic``: before Lambda's time is up, and the gateway's."""
    left_s = _MAX_REQUEST_S
    remaining_ms = getattr(context, "get_remaining_time_in_millis", None)
    if callable(remaining_ms):
        left_s = min(left_s, remaining_ms() / 1000 - _TO_ANSWER_S)
    return time.monotonic() + left_s


def _asset(made: Callable[[], Asset], request: Request, _: Record) -> Response:
    return _sent(made(), request)


def _sent(asset: Asset, request: Request) -> Response:
    body, encoding_headers = encoding.encoded(asset.body, request.header("accept-encoding"))
    response = responses.representation(asset.media_type, body, asset.max_age_s, asset.policy)
    return response._replace(headers={**response.headers, **encoding_headers})


def _methods(path: str, endpoints: Mapping[str, Endpoint]) -> list[str]:
    """The methods that a path takes; link checkers and uptime checks ask for heads."""
    methods = [*endpoints, "OPTIONS"]
    # The head of what is costly would cost as much as all of it.
    return ["HEAD", *methods] if "GET" in endpoints and path not in COSTLY else methods


def _told(error: Exception) -> RequestError:
    """The error that the client is told of: its own, or that something went wrong here."""
    if isinstance(error, RequestError):
        return error
    internal = InternalError("Something went wrong on our side; the request id helps to find out what.")
    internal.__cause__ = error
    return internal
