"""The whole service from event to proxy response: a tiny model, a real server, and every error of the table."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from recognizer import telemetry
from recognizer.app import App
from recognizer.build import build
from recognizer.detections import Box, Detection, Label
from recognizer.drawing.crop import cut_out
from recognizer.errors import InvalidSetting, ModelNotUsable, RequestError
from recognizer.imaging import Craft, DecodedPicture
from recognizer.job import EXPORTS
from recognizer.pictures import Encoded, Picture
from recognizer.pipeline import Pipeline
from recognizer.settings import Settings
from recognizer.site.answer_pages import AnswerPages
from recognizer.vision.model import Model
from recognizer.vision.view import PixelView
from werkzeug.formparser import parse_form_data

from tests.conftest import on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import VERSIONS, Context, event, reply
from tests.functional.serving import environment

pytestmark = on_loopback

WEB = Path(__file__).parents[2] / "src" / "Recognizer" / "web"
MAX_BYTES = 300_000
MAX_PIXELS = 250_000
SIGNATURE = "X-Amz-Signature=4f5ca"


def file_of(image, image_format="PNG"):
    file = io.BytesIO()
    image.save(file, image_format)
    return file.getvalue()


def car():
    """A red area on a dark ground, which the tiny model takes for a car."""
    image = Image.new("RGB", (320, 240))
    image.paste("red", (80, 60, 200, 150))
    return image


def answers(body, media_type="image/png", status=200):
    return lambda exchange: exchange.answer(status, body, {"Content-Type": media_type})


def endless(exchange):
    exchange.send_response(200)
    exchange.end_headers()
    for _ in exchange.stalls(every_s=0):
        exchange.wfile.write(bytes(65536))


def silent(exchange):
    for _ in exchange.stalls():
        pass


def redirect(location):
    return lambda exchange: exchange.answer(302, b"", {"Location": location})


@pytest.fixture(scope="module")
def server():
    noise = np.random.default_rng(3).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    routes = {
        "/car.png": answers(file_of(car())),
        "/car.jpg": answers(file_of(car(), "JPEG"), "image/jpeg"),
        "/noise.png": answers(file_of(Image.fromarray(noise[:100, :100]))),
        "/page.html": answers(b"<!doctype html><title>Not a picture</title>", "image/png"),
        "/truncated.jpg": answers(file_of(Image.fromarray(noise), "JPEG")[:20_000], "image/jpeg"),
        "/large.png": answers(file_of(Image.new("L", (1000, 1000)))),
        "/endless.png": endless,
        "/silent.png": silent,
        "/broken.png": answers(b"oops", "text/plain", 503),
        "/to-metadata": redirect("http://169.254.169.254/latest/meta-data/"),
    }
    with LoopbackServer(routes) as running:
        yield running


@pytest.fixture(scope="module")
def environ(tiny_model_of_each_engine):
    return environment(tiny_model_of_each_engine, MAX_BYTES=str(MAX_BYTES), MAX_PIXELS=str(MAX_PIXELS))


@pytest.fixture(scope="module")
def app(environ):
    return build(environ)


@pytest.fixture(scope="module")
def hasty(environ):
    """The same service, that waits for no one."""
    return build(environ | {"DOWNLOAD_TIMEOUT": "0.3"})


@pytest.fixture(scope="module")
def public(environ):
    """The same service with Lambda's own settings for addresses."""
    return build(environ | {"ALLOW_PRIVATE_ADDRESSES": "", "ALLOWED_URL_PORTS": ""})


@pytest.fixture
def log():
    """The records logged during the test, parsed."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(telemetry.logger.registered_formatter)
    telemetry.logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger(telemetry.logger.name).removeHandler(handler)


def get(app, url, version="2.0", headers=None, **query):
    return reply(app(event(version, query={"url": url, **query}, headers=headers), Context()))


def with_steps(tiny_model, **steps):
    """The service over steps in memory, any of which can be given."""
    found = (Detection(Label("/m/0k4j", "Car"), 0.9, Box(0.25, 0.25, 0.5, 0.5)),)
    given = {
        "fetch": lambda url: url.encode(),
        "read": lambda content: Picture(car(), "PNG", animated=False, icc_profile=None),
        "detect": lambda pixels, criteria: found,
        "drawings": {"labels": lambda image, detections: image},
        "encode": lambda image, image_format, profile: Encoded(b"\x89PNG", "image/png", ""),
    } | steps
    craft = Craft(
        view=lambda image: PixelView(np.asarray(image)),
        cut_out=cut_out,
        **{name: given[name] for name in ("read", "drawings", "encode")},
    )
    pipeline = Pipeline(
        fetch=lambda url, _: given["fetch"](url),
        open=lambda content, _: nullcontext(DecodedPicture(craft, content)),
        detect=given["detect"],
    )
    return App(
        Settings.from_environ({}),
        Model.load(tiny_model),
        pipeline,
        pages=AnswerPages(WEB),
        labelling=None,
        colour_of=lambda _: "#d55e00",
    )


# Answers


@pytest.mark.parametrize("version", VERSIONS)
def test_a_picture_comes_back_with_its_objects_boxed(app, server, version):
    answer = get(app, server.url("/car.png"), version, n="1")

    assert (answer.status, answer.media_type) == (200, "image/png")
    annotated = Image.open(io.BytesIO(answer.body)).convert("RGB")
    assert annotated.size == (320, 240)
    assert annotated.tobytes() != car().tobytes()


@pytest.mark.parametrize("version", VERSIONS)
def test_json_tells_what_is_where(app, server, version):
    answer = get(app, server.url("/car.png"), version, {"Accept": "application/json"}, n="1")

    assert (answer.status, answer.media_type) == (200, "application/json")
    (found,) = answer.json["detections"]
    assert (found["label"], found["id"]) == ("Car", "/m/0k4j")
    box = found["box"]
    assert box["xmin"] < 140 < box["xmax"]
    assert box["ymin"] < 105 < box["ymax"]


def test_numbers_in_the_json_are_plain(app, server):
    document = get(app, server.url("/car.png"), format="json").json

    assert (document["image"]["width"], document["image"]["height"]) == (320, 240)
    assert all(type(edge) is int for found in document["detections"] for edge in found["box"].values())
    assert all(type(found["score"]) is float for found in document["detections"])


@pytest.mark.parametrize(("path", "media_type"), [("/car.png", "image/png"), ("/car.jpg", "image/jpeg")])
def test_the_answer_is_in_the_sources_own_format(app, server, path, media_type):
    assert get(app, server.url(path)).media_type == media_type


@pytest.mark.parametrize("image_format", ["jpeg", "png", "webp", "gif"])
def test_the_answer_is_in_the_format_asked_for(app, server, image_format):
    answer = get(app, server.url("/car.png"), image_format=image_format)

    assert answer.media_type == f"image/{image_format}"
    assert Image.open(io.BytesIO(answer.body)).format == image_format.upper()


def test_a_picture_tells_its_detections_and_timings_in_headers(app, server):
    answer = get(app, server.url("/car.png"), n="1")

    assert json.loads(answer.headers["x-detections"])[0]["label"] == "Car"
    assert answer.headers["x-detection-count"] == "1"
    assert "detect;dur=" in answer.headers["server-timing"]


def test_n_limits_and_scores_fall(app, server):
    scores = [
        found["score"]
        for found in get(app, server.url("/noise.png"), format="json", n="5", min_score="0").json["detections"]
    ]

    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)


def test_filters_are_applied(app, server):
    url = server.url("/noise.png")

    kept = get(app, url, format="json", n="100", min_score="0", include="dog,cat", exclude="cat").json["detections"]

    assert {found["label"] for found in kept} == {"Dog"}


def test_a_minimum_score_is_kept(app, server):
    found = get(app, server.url("/noise.png"), format="json", n="100", min_score="0.5").json["detections"]

    assert all(detection["score"] >= 0.5 for detection in found)


def test_the_same_request_has_the_same_etag_and_another_one_another(app, server):
    url = server.url("/car.png")

    first, again, other = (get(app, url, n=n).headers["etag"] for n in ("2", "2", "3"))

    assert first == again
    assert first != other


def test_a_picture_too_large_for_lambda_is_reduced_and_says_so(environ, server):
    app = build(environ | {"MAX_RESPONSE_BYTES": "10000"})

    answer = get(app, server.url("/noise.png"))

    assert len(answer.body) <= 10_000
    assert "width=" in answer.headers["x-image-reduced"]


def parts_of(answer):
    """The parts of a form, by name: media type and content."""
    environ = {
        "wsgi.input": io.BytesIO(answer.body),
        "CONTENT_TYPE": answer.headers["content-type"],
        "CONTENT_LENGTH": str(len(answer.body)),
    }
    _, _, files = parse_form_data(environ, stream_factory=lambda *_, **__: io.BytesIO())
    return {name: (part.content_type, part.read()) for name, part in files.items()}


def test_both_answers_with_the_json_and_the_picture(app, server):
    url = server.url("/car.png")

    answer = get(app, url, format="both", n="2", draw="none")

    parts = parts_of(answer)
    assert answer.media_type == "multipart/form-data"
    assert parts["detections"][0] == "application/json"
    assert json.loads(parts["detections"][1]) == get(app, url, format="json", n="2").json
    assert parts["picture"][0] == "image/png"
    assert np.array_equal(Image.open(io.BytesIO(parts["picture"][1])), car())


def test_the_picture_of_both_is_drawn_on_as_it_is_asked_for(app, server):
    url = server.url("/car.png")

    picture = parts_of(get(app, url, format="both", image_format="jpeg"))["picture"]

    assert picture == ("image/jpeg", get(app, url, image_format="jpeg").body)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", EXPORTS)
def test_other_programs_read_what_the_json_says(app, server, version, kind):
    url = server.url("/noise.png")
    found = get(app, url, format="json", n="100").json["detections"]
    listed = [label["name"] for label in reply(app(event(path="/labels"), Context())).json["labels"]]

    answer = get(app, url, version, format=kind, n="100")

    match kind:
        case "coco":
            names = {each["id"]: each["name"] for each in answer.json["categories"]}
            read = [(names[each["category_id"]], each["category_id"] - 1) for each in answer.json["annotations"]]
        case "yolo":
            numbers = [int(line.split()[0]) for line in answer.body.decode().splitlines()]
            read = [(json.loads(answer.headers["x-labels"])[str(number)], number) for number in numbers]
        case "csv":
            rows = csv.DictReader(io.StringIO(answer.body.decode(), newline=""))
            read = [(row["label"], listed.index(row["label"])) for row in rows]
    assert answer.media_type == EXPORTS[kind]
    assert len(found) > 3
    assert read == [(each["label"], listed.index(each["label"])) for each in found]


@pytest.mark.parametrize("kind", EXPORTS)
def test_what_other_programs_read_is_sent_only_to_who_does_not_have_it(app, server, kind):
    first = get(app, server.url("/car.png"), format=kind)
    known = {"If-None-Match": first.headers["etag"]}

    assert get(app, server.url("/car.png"), format=kind, headers=known).status == 304
    assert get(app, server.url("/car.png"), format="json", headers=known).status == 200


def test_who_calls_without_a_gateway_gets_text_as_text(app, server):
    answer = app({"url": server.url("/car.png"), "format": "csv"}, Context())

    assert answer["media_type"] == "text/csv; charset=utf-8"
    assert answer["text"].splitlines()[1].startswith("Car,")


def test_a_picture_has_a_name_to_save_it_under(app, server):
    answer = get(app, server.url("/car.png"), image_format="webp")

    assert answer.headers["content-disposition"] == 'inline; filename="car-objects.webp"'


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}


def test_someone_who_opens_an_address_reads_what_is_wrong_on_a_page(app):
    answer = get(app, "ftp://example.com/cat.jpg", headers=BROWSER)

    assert (answer.status, answer.media_type) == (400, "text/html")
    assert "<h1>Invalid parameter</h1>" in answer.body.decode()
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_someone_who_opens_the_address_of_a_picture_sees_it(app, server):
    assert get(app, server.url("/car.png"), headers=BROWSER).media_type == "image/png"


@pytest.mark.parametrize("accept", ["*/*", "image/avif,image/webp,*/*;q=0.8", "application/problem+json, text/html"])
def test_programs_get_the_problem_document(app, accept):
    assert get(app, "ftp://example.com/cat.jpg", headers={"Accept": accept}).media_type == "application/problem+json"


def test_labels_are_a_page_for_people_and_json_for_programs(app):
    page, data = (reply(app(event(path="/labels", headers=headers), Context())) for headers in (BROWSER, {}))

    assert (page.media_type, data.media_type) == ("text/html", "application/json")
    assert "Car" in page.body.decode()
    assert page.headers["etag"] != data.headers["etag"]
    assert all("Accept" in answer.headers["vary"].split(", ") for answer in (page, data))


def test_the_page_is_sent_compressed_to_those_who_take_it(app):
    plain, packed = (
        reply(app(event(path="/", headers={"Accept-Encoding": encoding}), Context())) for encoding in ("", "gzip, br")
    )

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["etag"] != packed.headers["etag"]
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"


# Errors, end to end

PROBLEMS = {
    "missing url": ("app", {}, 400, "invalid-parameter"),
    "blank url": ("app", {"url": " "}, 400, "invalid-parameter"),
    "n": ("app", {"url": "/car.png", "n": "abc"}, 400, "invalid-parameter"),
    "min_score": ("app", {"url": "/car.png", "min_score": "2"}, 400, "invalid-parameter"),
    "label": ("app", {"url": "/car.png", "include": "unicorn"}, 400, "invalid-parameter"),
    "format": ("app", {"url": "/car.png", "format": "xml"}, 400, "invalid-parameter"),
    "unknown parameter": ("app", {"url": "/car.png", "size": "9"}, 400, "invalid-parameter"),
    "file": ("app", {"url": "file:///etc/passwd"}, 400, "invalid-parameter"),
    "credentials": ("app", {"url": "http://user:pass@example.com/"}, 400, "invalid-parameter"),
    "loopback": ("public", {"url": "http://127.0.0.1/"}, 403, "address-not-allowed"),
    "metadata": ("public", {"url": "http://169.254.169.254/latest/meta-data/"}, 403, "address-not-allowed"),
    "port": ("public", {"url": "http://example.com:8080/"}, 403, "address-not-allowed"),
    "nothing to cut out": ("app", {"url": "/car.png", "crop": "1", "min_score": "1"}, 404, "nothing-detected"),
    "endless": ("app", {"url": "/endless.png"}, 413, "too-large"),
    "pixels": ("app", {"url": "/large.png"}, 413, "too-large"),
    "page": ("app", {"url": "/page.html"}, 415, "unsupported-media-type"),
    "truncated": ("app", {"url": "/truncated.jpg"}, 422, "broken-picture"),
    "upstream 404": ("app", {"url": "/nothing.png"}, 502, "download-failed"),
    "upstream 503": ("app", {"url": "/broken.png"}, 502, "download-failed"),
    "silent": ("hasty", {"url": "/silent.png"}, 504, "download-timed-out"),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.usefixtures("tiny_model_of_each_engine")  # what the fixtures below are made of
def test_a_request_that_cannot_be_served_gets_its_problem(problem, version, server, request):
    fixture, query, status, code = PROBLEMS[problem]
    query = {name: server.url(value) if value.startswith("/") else value for name, value in query.items()}

    answer = reply(request.getfixturevalue(fixture)(event(version, query=query), Context()))

    assert (answer.status, answer.media_type) == (status, "application/problem+json")
    assert answer.json["type"] == f"urn:problem-type:recognizer:{code}"
    assert answer.json["status"] == status
    assert answer.json["request_id"] == Context().aws_request_id


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_next_request_works(problem, app, server):
    _, query, *_ = PROBLEMS[problem]
    if problem != "silent":  # its time is up only after seconds, with this service's patience
        query = {name: server.url(value) if value.startswith("/") else value for name, value in query.items()}
        app(event(query=query), Context())

    assert get(app, server.url("/car.png")).status == 200


def test_the_next_request_works_after_a_time_out(hasty, server):
    get(hasty, server.url("/silent.png"))

    assert reply(hasty(event(path="/nowhere"), Context())).status == 404


@pytest.mark.parametrize("version", VERSIONS)
def test_an_unknown_path_is_not_found(app, version):
    answer = reply(app(event(version, path="/detectors"), Context()))

    assert (answer.status, answer.media_type) == (404, "application/problem+json")
    assert "/detectors" in answer.json["detail"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_is_refused_with_those_there_are(app, version, method):
    answer = reply(app(event(version, method=method), Context()))

    assert (answer.status, answer.media_type) == (405, "application/problem+json")
    assert "GET" in answer.headers["allow"].split(", ")
    assert method not in answer.headers["allow"]


@pytest.mark.parametrize("nothing", [None, {}, [], "x", {"Records": [{}]}, {"requestContext": {"stage": "prod"}}])
@pytest.mark.parametrize("context", [Context(), None])
def test_what_is_no_proxy_event_is_refused(app, nothing, context):
    answer = app(nothing, context)

    assert (answer["status"], answer["type"]) == (400, "urn:problem-type:recognizer:invalid-parameter")


def test_no_context_is_no_trouble(app, server):
    answer = reply(app(event(query={"url": server.url("/car.png")}), None))

    assert answer.status == 200


def test_a_redirect_to_a_forbidden_address_is_refused(environ, server):
    """Only loopback is open here, so the redirect's target must be refused by name, not by a failed connection."""
    app = build(environ | {"ALLOWED_URL_HOSTS": "127.0.0.1"})

    assert get(app, server.url("/to-metadata")).status == 403


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("step", ["fetch", "read", "detect", "annotate", "encode"])
def test_an_unforeseen_error_is_a_plain_500(tiny_model, version, step):
    def fail(*_):
        raise ZeroDivisionError("internals: /var/task")

    steps = {"drawings": {"labels": fail}} if step == "annotate" else {step: fail}
    answer = get(with_steps(tiny_model, **steps), "http://example.com/a.png", version)

    assert (answer.status, answer.media_type) == (500, "application/problem+json")
    assert answer.json["request_id"] == Context().aws_request_id
    assert b"internals" not in answer.body
    assert b"ZeroDivisionError" not in answer.body


def test_an_unforeseen_error_is_logged_once_with_its_traceback(tiny_model, log):
    def fail(*_):
        raise ZeroDivisionError("internals")

    get(with_steps(tiny_model, detect=fail), "http://example.com/a.png")

    (traced,) = [record for record in log() if "exception" in record]
    assert "ZeroDivisionError: internals" in traced["exception"]
    assert traced["request_id"] == Context().aws_request_id


def test_an_unforeseen_error_is_one_record_and_a_metric(tiny_model, log, metrics):
    def fail(*_):
        raise ZeroDivisionError

    get(with_steps(tiny_model, detect=fail), "http://example.com/a.png")

    (record,) = log()
    assert (record["status"], record["error"], record["causes"]) == (500, "internal-error", ["ZeroDivisionError"])
    assert metrics()[0]["InternalErrors"] == [1.0]


@pytest.mark.parametrize("path", ["/car.png", "/page.html", "/broken.png"])
def test_no_other_answer_counts_as_an_internal_error(app, server, path, metrics):
    get(app, server.url(path))

    assert "InternalErrors" not in metrics()[0]


def test_the_request_after_an_unforeseen_error_works(tiny_model):
    failures = iter([ZeroDivisionError()])

    def fail_once(*_):
        for failure in failures:
            raise failure
        return ()

    app = with_steps(tiny_model, detect=fail_once)

    assert [get(app, "http://example.com/a.png").status for _ in range(2)] == [500, 200]


def test_every_error_of_the_tree_is_met_here():
    elsewhere = {"picture-too-costly", "too-many-tiles", "not-found", "method-not-allowed"}
    elsewhere |= {"internal-error", "loop-detected", "overloaded", "unauthorized", "origin-bypassed"}

    assert {code for *_, code in PROBLEMS.values()} | elsewhere == {
        error.code for error in RequestError.__subclasses__()
    }


# Requests of our own


@pytest.mark.parametrize("version", VERSIONS)
def test_an_address_that_leads_back_to_the_service_is_not_followed_again(app, server, version):
    """One request would make the service call itself until it is throttled."""
    answer = get(app, server.url("/car.png"), version, {"CDN-Loop": "other.example, recognizer"})

    assert (answer.status, answer.json["type"]) == (508, "urn:problem-type:recognizer:loop-detected")


def test_a_fetch_of_our_own_may_ask_for_what_fetches_nothing(app):
    """The sample pictures are such an address."""
    answer = reply(app(event(path="/samples/cat.jpg", headers={"CDN-Loop": "recognizer"}), Context()))

    assert (answer.status, answer.media_type) == (200, "image/jpeg")


@pytest.mark.parametrize(
    "body", ['{"url": "http://example.com/\ud800"}', '{"\ud800": 1}', '{"include": "\udfff"}', "\udc80"]
)
@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded", "image/png"])
def test_half_a_surrogate_pair_is_the_clients_own_error(app, body, media_type):
    asked = event(method="POST", headers={"Content-Type": media_type}) | {"body": body}

    assert 400 <= reply(app(asked, Context())).status < 500


# Conditional requests


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", ["/", "/labels", "/openapi.json", "/reference", "/samples/cat.jpg"])
@pytest.mark.parametrize("header", ["{}", "*", 'W/"x", {}'])
def test_every_document_is_sent_only_to_who_does_not_have_it(app, version, path, header):
    first = reply(app(event(version, path=path), Context()))
    condition = {"If-None-Match": header.format(first.headers["etag"])}

    again = reply(app(event(version, path=path, headers=condition), Context()))

    assert (first.status, again.status, again.body) == (200, 304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_a_detection_that_the_client_has_is_not_made_again(tiny_model):
    made = []
    app = with_steps(tiny_model, detect=lambda *_: made.append(1) or ())
    tag = get(app, "http://example.com/a.png").headers["etag"]

    answer = get(app, "http://example.com/a.png", headers={"If-None-Match": tag})

    assert (answer.status, made) == (304, [1])
    assert answer.headers["vary"] == "Accept"


def test_a_star_stands_for_a_detection_only_where_there_is_one(app, server):
    star = {"If-None-Match": "*"}

    assert get(app, server.url("/car.png"), headers=star).status == 304
    assert get(app, server.url("/truncated.jpg"), headers=star).status == 422


# API Gateway


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("query", [{"n": "0"}, {}])
def test_pages_of_other_origins_may_read_every_answer(tiny_model, version, query):
    app = with_steps(tiny_model)

    answer = get(app, "http://example.com/a.png", version, {"Origin": "https://page.example"}, **query)

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "X-Detections" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("version", VERSIONS)
def test_pages_of_other_origins_may_read_an_unforeseen_error(tiny_model, version):
    def fail(*_):
        raise ZeroDivisionError

    answer = get(with_steps(tiny_model, fetch=fail), "http://example.com/", version, {"Origin": "https://page.example"})

    assert (answer.status, answer.headers["access-control-allow-origin"]) == (500, "*")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_preflight_request_is_answered(app, version):
    headers = {"Origin": "https://page.example", "Access-Control-Request-Method": "GET"}

    answer = reply(app(event(version, method="OPTIONS", headers=headers), Context()))

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "GET" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_stage_is_no_part_of_the_path(app, server, version):
    query = {"url": server.url("/car.png"), "format": "json"}

    assert reply(app(event(version, query=query, stage="prod"), Context())).status == 200


def test_a_path_that_is_not_found_is_named_without_its_stage(app):
    answer = reply(app(event(path="/nowhere", stage="prod"), Context()))

    assert 'nothing at "/nowhere".' in answer.json["detail"]


def test_threads_get_their_own_answers(tiny_model):
    """All are under way at once: each waits for the others before it answers."""
    together = threading.Barrier(4, timeout=30)

    def fetch(url):
        together.wait()
        return url.encode()

    app = with_steps(tiny_model, fetch=fetch)
    urls = [f"http://example.com/{number}.png" for number in range(8)]

    def ask(numbered):
        number, url = numbered
        context = SimpleNamespace(aws_request_id=f"request-{number}")
        return reply(app(event(VERSIONS[number % 2], query={"url": url, "format": "json"}), context)).json["image"][
            "url"
        ]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, enumerate(urls))) == urls


def test_threads_log_their_own_requests(tiny_model, log):
    together = threading.Barrier(3, timeout=30)

    def fetch(url):
        together.wait()
        raise ZeroDivisionError(url)

    app = with_steps(tiny_model, fetch=fetch)

    def ask(number):
        context = SimpleNamespace(aws_request_id=f"request-{number}")
        return reply(app(event(query={"url": f"http://example.com/{number}"}), context)).json["request_id"]

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, range(3))) == ["request-0", "request-1", "request-2"]
    traced = [record for record in log() if "exception" in record]
    assert all(f"example.com/{record['request_id'][-1]}" in record["exception"] for record in traced)


# Records


def test_a_request_is_one_record(app, server, log):
    get(app, server.url("/car.png"), format="json", n="1")

    (record,) = log()
    assert record["request_id"] == Context().aws_request_id
    assert (record["status"], record["host"], record["format"]) == (200, "127.0.0.1", "PNG")
    assert (record["width"], record["height"], record["detections"]) == (320, 240, 1)
    assert set(record["timings_ms"]) == {"download", "decode", "detect"}


def test_an_error_is_one_record_with_its_code(app, server, log):
    get(app, server.url("/page.html"))

    (record,) = log()
    assert (record["status"], record["error"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "path", ["/car.png", "/page.html", "/nothing.png", "/truncated.jpg", "/large.png", "/endless.png"]
)
def test_no_record_has_the_path_or_query_of_a_pictures_address(app, server, log, path):
    get(app, server.url(f"{path}?{SIGNATURE}"))

    text = json.dumps(log())
    assert SIGNATURE not in text
    assert path not in text


def test_the_log_does_not_repeat_the_address_that_the_client_is_told_to_try(app, log):
    answer = get(app, f"example.com/private/cat.jpg?{SIGNATURE}")

    assert f"https://example.com/private/cat.jpg?{SIGNATURE}" in answer.json["detail"]
    text = json.dumps(log())
    assert SIGNATURE not in text
    assert "private" not in text


def test_only_the_first_request_is_a_cold_start(tiny_model, log):
    app = with_steps(tiny_model)

    for _ in range(3):
        get(app, "http://example.com/a.png")

    assert [record["cold_start"] for record in log()] == [True, False, False]


@pytest.fixture
def metrics(monkeypatch, capsys):
    """The blobs of metrics printed during the test, parsed."""
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "false")
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]


@pytest.mark.parametrize("path", ["/car.png", "/page.html"])
def test_metrics_are_printed_once_a_request_in_the_embedded_format(app, server, path, metrics):
    get(app, server.url(path))

    (blob,) = metrics()
    (directive,) = blob["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Recognizer"
    assert type(blob["_aws"]["Timestamp"]) is int
    assert all(name in blob for dimensions in directive["Dimensions"] for name in dimensions)
    assert all(metric["Name"] in blob for metric in directive["Metrics"])
    assert "Duration" in {metric["Name"] for metric in directive["Metrics"]}


def test_what_pictures_take_is_measured_apart(app, server, metrics):
    get(app, server.url("/car.png"))
    get(app, server.url("/page.html"))
    get(app, server.url("/car.png"), n="many")
    app(event(path="/health"), Context())

    *pictures, wrong, health = metrics()
    assert [blob["PictureDuration"] for blob in pictures] == [blob["Duration"] for blob in pictures]
    assert len(pictures) == 2
    assert not {"PictureDuration"} & (wrong.keys() | health.keys())


@pytest.mark.parametrize(
    ("path", "metric"), [("/car.png", "Status2xx"), ("/page.html", "Status4xx"), ("/broken.png", "Status5xx")]
)
def test_metrics_count_the_class_of_the_status(app, server, path, metric, metrics):
    get(app, server.url(path))

    assert metrics()[0][metric] == [1.0]


# Without a gateway


def test_an_event_without_a_gateway_gets_the_plain_result(app, server):
    """What the console's test button and a REST method without proxy integration send."""
    answer = app({"url": server.url("/car.png"), "n": 1}, Context())

    (found,) = answer["detections"]
    assert (found["label"], answer["image"]["width"]) == ("Car", 320)


def test_an_event_without_a_gateway_gets_the_plain_problem(app):
    answer = app({"url": "http://example.com/a.png", "n": 0}, Context())

    assert (answer["status"], answer["parameter"]) == (400, "n")


def test_an_event_without_a_gateway_may_ask_for_the_picture(app, server):
    answer = app({"url": server.url("/car.png"), "format": "image"}, Context())

    assert answer["media_type"] == "image/png"
    assert Image.open(io.BytesIO(base64.b64decode(answer["image"]))).size == (320, 240)


# The start


def test_a_wrong_setting_stops_the_start(environ):
    with pytest.raises(InvalidSetting, match="MAX_PIXELS"):
        build(environ | {"MAX_PIXELS": "many"})


def test_a_host_that_is_none_stops_the_start(environ):
    with pytest.raises(InvalidSetting, match="ALLOWED_URL_HOSTS"):
        build(environ | {"ALLOWED_URL_HOSTS": "exa*mple.com"})


def test_a_missing_model_stops_the_start(environ, tmp_path):
    with pytest.raises(ModelNotUsable, match="nowhere"):
        build(environ | {"MODEL_DIR": str(tmp_path / "nowhere")})
