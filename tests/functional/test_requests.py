"""Every field of every kind of event, in whatever form: a status of the table, never 500, a body of the type that is
said, and nothing of what was sent in the headers of the answer. And no two answers share an entity tag.
"""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import re
from collections import defaultdict
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from recognizer.build import build
from recognizer.job import ALIASES, EXPORTS, PARAMETERS

from tests.conftest import on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import VERSIONS, Context, event, reply
from tests.functional.serving import environment

pytestmark = on_loopback

STATUSES = {200, 204, 304, 400, 403, 404, 405, 413, 415, 422, 502, 508}
MAX_LAMBDA_BYTES = 6_291_556
CANARY = "kanarienvogel"
INJECTED = [
    f"{CANARY}\r\nSet-Cookie: {CANARY}=1",
    f"\n{CANARY}: {CANARY}",
    f"\r\n\r\n<html>{CANARY}",
    f"{CANARY}\0{CANARY}",
    f'"{CANARY}", W/"{CANARY}"',
    f"%0d%0a{CANARY}",
    f"{CANARY}\N{LINE SEPARATOR}{CANARY}\x85{CANARY}",
    f"{CANARY}\ud800",
]
EXAMPLES = 5000 if os.environ.get("TORTURE") == "full" else 150
fuzz = settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None)


@cache
def file_of(kind, image_format="PNG"):
    """One of a few pictures in which the tiny model finds different things."""
    pixels = np.random.default_rng(kind).integers(0, 256, (72, 96, 3), dtype=np.uint8)
    pixels[20:50, 20 : 50 + 9 * kind] = (255, 0, 0)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, image_format)
    return file.getvalue()


PICTURE = file_of(0)


@pytest.fixture(scope="module")
def server():
    routes = {
        f"/{kind}.{image_format.lower()}": lambda exchange, kind=kind, image_format=image_format: exchange.answer(
            200, file_of(kind, image_format)
        )
        for kind in range(4)
        for image_format in ("PNG", "JPEG", "WEBP")
    }
    with LoopbackServer(routes) as running:
        yield running


@pytest.fixture(scope="module")
def app(tiny_model_of_both, server):
    """The service; nothing but the server on loopback may be fetched from, whatever address is made up here."""
    allowed = {"ALLOWED_URL_HOSTS": "127.0.0.1", "ALLOWED_URL_PORTS": str(server.port)}
    return build(environment(tiny_model_of_both["litert"], **allowed, MAX_BYTES="2000000"))


def holds(answer):
    """Whether an answer is one of those there are, and is what it says."""
    assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
    headers = answer["headers"]
    assert answer["statusCode"] in STATUSES, answer["body"]
    assert len(json.dumps(answer)) <= MAX_LAMBDA_BYTES
    for name, value in headers.items():
        assert re.fullmatch(r"[A-Za-z-]+", name)
        assert re.fullmatch(r"[ -~]*", value), (name, value)
        assert CANARY not in f"{name} {value}".lower()
    read = reply(answer)
    if read.status in {204, 304}:
        assert (read.body, "content-type" in read.headers) == (b"", False)
    elif read.body:
        is_what_it_says(read)
    return read


def is_what_it_says(read):
    media_type = read.media_type
    if media_type.startswith("image/") and media_type != "image/svg+xml":
        assert f"image/{Image.open(io.BytesIO(read.body)).format.lower()}" == media_type
    elif media_type.endswith("json"):
        document = json.loads(read.body, parse_constant=pytest.fail)
        assert (media_type == "application/problem+json") == (read.status >= 400)
        if read.status >= 400:
            assert (document["status"], document["title"] != "") == (read.status, True)
            assert len(document["detail"]) < 600
    elif media_type == "multipart/form-data":
        boundary = read.headers["content-type"].partition("boundary=")[2].strip('"')
        assert read.body.startswith(f"--{boundary}\r\n".encode())
    else:
        assert read.status == 200
        assert read.body.decode()


def holds_plain(answer):
    """The same of an answer without a gateway."""
    assert isinstance(answer, dict)
    assert len(json.dumps(answer)) <= MAX_LAMBDA_BYTES
    assert answer.get("status", 200) in STATUSES, answer


# Whatever is sent

texts = st.sampled_from(INJECTED) | st.text(st.characters(), max_size=30)
long_texts = texts | st.builds(lambda text, times: text * times, texts, st.sampled_from([100, 10_000]))
numbers = (
    st.integers()
    | st.floats()
    | st.sampled_from([10**400, -(10**4000), 1e308, 5e-324, float("nan"), float("inf"), 2**63, -0.0])
)
scalars = st.none() | st.booleans() | numbers | long_texts
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=10
)
meant = {
    "url": st.sampled_from(["/0.png", "/1.jpeg", "/2.webp", "/3.png", "/nothing"]),
    "image": st.just(base64.b64encode(PICTURE).decode()) | st.just("data:image/png;base64,iVBORw0KGgo="),
    "n": st.sampled_from(["1", "100", 5, 5.0]),
    "min_score": st.sampled_from(["0", "0.5", 0.2, {"*": 0.3, "Car": 0.1}]),
    "include": st.sampled_from(["Car", "dog,cat", ["Vehicle"], "/m/0k4j"]),
    "exclude": st.sampled_from(["Car", "dog,cat", ["Animal"]]),
    "region": st.sampled_from(["0,0,1,1", [0, 0.2, 0.5, 1]]),
    "format": st.sampled_from(["image", "json", "JSON", "both", *EXPORTS]),
    "image_format": st.sampled_from(["jpeg", "png", "webp", "gif"]),
    "draw": st.sampled_from(["labels", "boxes", "blur", "none"]),
    "crop": st.sampled_from(["", "1", True, False]),
}
meant |= {alias: meant[name] for alias, name in ALIASES.items()}
given_names = st.sampled_from(sorted(meant)) | texts


@st.composite
def parameters(draw, wrong):
    """Some parameters, most of them as they are meant, one or another not."""
    chosen = draw(st.lists(given_names, max_size=4))
    if draw(st.integers(0, 4)):
        chosen.append("url")
    return {
        name: draw(meant[name] if name in meant and draw(st.integers(0, 3)) else wrong)
        for name in dict.fromkeys(chosen)
    }


header_names = st.sampled_from(
    [
        *("accept", "Accept", "ACCEPT", "content-type", "Content-Type", "if-none-match", "If-None-Match", "cdn-loop"),
        *("origin", "host", "referer", "cookie", "x-forwarded-for", "content-length", "transfer-encoding", "range"),
    ]
)
media = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "image/png"]
header_values = st.sampled_from([*media, "multipart/form-data", "*/*", "image/webp;q=0.5,*/*;q=nan", "*", 'W/"x"'])
headers = st.dictionaries(header_names | texts, header_values | long_texts, max_size=5)
routes = st.sampled_from(["/detector", "/labels", "/health", "/", "/openapi.json", "/reference"]) | texts
methods = st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "get", "TRACE"]) | texts


@st.composite
def multiparts(draw):
    """A form in parts, with something wrong with it more often than not."""
    parts = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["form-data", "attachment", ""]),
                given_names,
                st.sampled_from(["", '; filename="a.png"', f'; filename="{INJECTED[0]}"']),
                st.sampled_from(["", "image/png", "text/plain; charset=utf-7", INJECTED[1]]),
                st.just(PICTURE) | st.binary(max_size=40) | st.just(b"/0.png"),
            ),
            max_size=4,
        )
    )
    content = b"".join(
        f'--b\r\nContent-Disposition: {kind}; name="{name}"{file}\r\nContent-Type: {type_}\r\n\r\n'.encode(
            errors="surrogatepass"
        )
        + body
        + b"\r\n"
        for kind, name, file, type_, body in parts
    )
    content += draw(st.sampled_from([b"--b--\r\n", b"--b", b"", b"\r\n--b--\r\n--b\r\n"]))
    cut = draw(st.integers(0, len(content)))
    return content if draw(st.booleans()) else content[:cut]


@st.composite
def bodies(draw):
    """A body, and whether it is said to be base64."""
    match draw(st.sampled_from(["json", "multipart", "form", "picture", "text", "bytes"])):
        case "json":
            content = json.dumps(draw(parameters(documents) | documents)).encode()
        case "multipart":
            content = draw(multiparts())
        case "form":
            pairs = draw(parameters(long_texts))
            content = "&".join(f"{name}={value}" for name, value in pairs.items()).encode(errors="surrogatepass")
        case "picture":
            content = PICTURE[: draw(st.integers(0, len(PICTURE)))]
        case "text":
            return draw(texts), draw(st.booleans())
        case _:
            content = draw(st.binary(max_size=60))
    encoded = base64.b64encode(content).decode()
    wrong = st.sampled_from([encoded[:-1], encoded + "=", encoded[:3] + "*" + encoded[3:], encoded.replace("A", "-")])
    return draw(
        st.just((encoded, True))
        | st.just((encoded, False))
        | wrong.map(lambda text: (text, True))
        | st.just((content.decode(errors="replace"), False))
    )


def with_address(server, given_parameters):
    """The parameters with the paths of the server's pictures as addresses."""
    return {
        name: server.url(value) if ALIASES.get(name, name) == "url" and str(value).startswith("/") else value
        for name, value in given_parameters.items()
    }


def as_query(given_parameters):
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given_parameters.items()}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", ["/detector", "any"])
@fuzz
@given(data=st.data())
def test_any_request_gets_one_of_the_answers_there_are(app, server, version, path, data):
    query = as_query(with_address(server, data.draw(parameters(long_texts))))
    made = event(
        version,
        path=data.draw(routes) if path == "any" else path,
        method=data.draw(st.just("GET") | methods),
        query=query or None,
        headers=data.draw(headers),
    )
    if version == "1.0" and query and data.draw(st.booleans()):
        repeated = made["multiValueQueryStringParameters"]
        repeated[data.draw(st.sampled_from(sorted(repeated)))] *= 2

    holds(app(made, Context()))


@pytest.mark.parametrize("version", VERSIONS)
@fuzz
@given(data=st.data())
def test_any_body_gets_one_of_the_answers_there_are(app, version, data):
    body, is_base64 = data.draw(bodies())
    sent = {"Content-Type": data.draw(header_values | long_texts)} | data.draw(headers)
    made = event(version, method="POST", headers=sent) | {"body": body, "isBase64Encoded": is_base64}

    holds(app(made, Context()))


@fuzz
@given(data=st.data())
def test_any_event_without_a_gateway_gets_one_of_the_answers_there_are(app, server, data):
    holds_plain(app(with_address(server, data.draw(parameters(documents))), Context()))


FIELDS = ("version", "rawPath", "path", "httpMethod", "headers", "multiValueHeaders", "queryStringParameters")
FIELDS += ("multiValueQueryStringParameters", "requestContext", "body", "isBase64Encoded", "rawQueryString", "cookies")


@pytest.mark.parametrize("version", VERSIONS)
@fuzz
@given(field=st.sampled_from(FIELDS), value=documents)
def test_a_field_of_an_event_may_be_anything(app, server, version, field, value):
    made = event(version, query={"url": server.url("/0.png"), "format": "json"}, headers={"Accept": "*/*"})
    answer = app(made | {field: value}, Context())

    (holds if "statusCode" in answer else holds_plain)(answer)


# What hypothesis would not come upon

LIMITS = [10, 100, *range(900, 1001), 5_000, 200_000]


@pytest.mark.parametrize("parameter", PARAMETERS)
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_json_of_any_depth_is_read_or_refused(app, server, parameter, opening, closing):
    url = "" if parameter in {"url", "image"} else f'"url": "{server.url("/0.png")}", '
    made = event(method="POST", headers={"Content-Type": "application/json"})
    for depth in LIMITS:
        body = f'{{{url}"{parameter}": {opening * depth}1{closing * depth}}}'

        assert holds(app(made | {"body": body}, Context())).status == 400


def test_an_event_of_any_depth_is_read_or_refused(app, server):
    for depth in LIMITS:
        nested = 1
        for _ in range(depth):
            nested = [nested]

        assert app({"url": server.url("/0.png"), "n": nested}, Context())["status"] == 400


@pytest.mark.parametrize("number", ["9" * 4300, "9" * 5000, "-1e999", "NaN", "Infinity", "1e-999", "0" * 50 + "1"])
@pytest.mark.parametrize("parameter", ["n", "min_score", "region", "crop"])
def test_no_number_is_too_odd(app, server, parameter, number):
    value = f"[0, 0, 1, {number}]" if parameter == "region" else number
    body = f'{{"url": "{server.url("/0.png")}", "{parameter}": {value}}}'
    made = event(method="POST", headers={"Content-Type": "application/json"})

    assert holds(app(made | {"body": body}, Context())).status in {200, 400}


@pytest.mark.parametrize("text", INJECTED)
@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_that_is_sent_comes_back_in_a_header(app, server, version, text):
    """In each place alone, so that no other refusal comes first."""
    url = server.url("/0.png")
    queries = [{"url": url, name: text} for name in (*PARAMETERS[1:], text)]
    queries += [{"url": text}, {"url": f"{url}?{text}"}, {"url": f"{url}#{text}"}, {"url": f"http://{text}/"}]
    for query in queries:
        holds(app(event(version, query=query), Context()))
    for name in ("Accept", "If-None-Match", "Origin", "Host", "Access-Control-Request-Headers", "CDN-Loop", text):
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            holds(app(event(version, query={"url": url}, method=method, headers={name: text}), Context()))
    for path, method in ((f"/{text}", "GET"), ("/health", text), ("/health", f"GET {text}"), (text, "OPTIONS")):
        holds(app(event(version, path=path, method=method), Context()))


@pytest.mark.parametrize("path", ["/" + "x" * 3_000_000, "/" + "\0" * 3_000_000, "/" + "\ud800" * 100_000])
def test_a_long_path_is_not_repeated_at_length(app, path):
    assert len(holds(app(event(path=path), Context())).body) < 1000
    assert len(holds(app(event(path="/health", method=path), Context())).body) < 1000


def test_headers_that_differ_in_case_alone_are_one(app, server):
    made = event(
        "1.0", query={"url": server.url("/0.png")}, headers={"Accept": "image/*", "ACCEPT": "application/json"}
    )

    assert holds(app(made, Context())).media_type == "application/json"


# Entity tags

OPTIONS = [
    *[{"n": n} for n in ("1", "2", "100")],
    *[{"min_score": score} for score in ("0", "0.3", "0.9", "0.30000001")],
    *[{"include": labels} for labels in ("Car", "Dog,Cat", "Vehicle", "Person")],
    *[{"exclude": labels} for labels in ("Car", "Dog")],
    *[{"region": region} for region in ("0,0,0.5,1", "0.5,0,1,1", "0,0.5,1,1")],
    *[{"draw": draw} for draw in ("boxes", "blur", "none")],
    *[{"crop": "1"}, {"crop": "1", "draw": "blur"}, {"crop": "1", "n": "2"}, {}],
]
ANSWERS = [{}, *[{"format": kind} for kind in ("json", *EXPORTS)]]
ANSWERS += [{"image_format": name} for name in ("jpeg", "png", "webp", "gif")]
ACCEPTED = ["application/json", "image/webp", "image/gif, image/jpeg;q=0.9"]


def test_no_two_answers_share_an_entity_tag(app, server):
    by_tag, count = defaultdict(set), 0
    pictures = ["/0.png", "/1.jpeg", "/2.webp"] if EXAMPLES < 1000 else sorted(server.routes)
    asked = [
        event(query={"url": server.url(path), **options, **kind})
        for path, options, kind in itertools.product(pictures, OPTIONS, ANSWERS)
    ]
    asked += [
        event(query={"url": server.url(path), **options}, headers={"Accept": accept})
        for path, options, accept in itertools.product(pictures[:1], OPTIONS, ACCEPTED)
    ]
    asked += [event(path=path) for path in app.routes if path != "/detector"]
    for made in asked:
        answer = holds(app(made, Context()))
        if answer.status == 200:
            count += 1
            by_tag[answer.headers["etag"]].add((answer.media_type, answer.body, answer.headers.get("x-detections")))

    bodies_ = {answer for answers in by_tag.values() for answer in answers}
    assert [answers for answers in by_tag.values() if len(answers) > 1] == []
    assert len(bodies_) > 200
    assert count > 400


def test_a_tag_means_the_same_answer_again(app, server):
    made = event(query={"url": server.url("/1.jpeg"), "n": "5"})
    first, second = (holds(app(made, Context())) for _ in range(2))

    assert (first.headers["etag"], first.body) == (second.headers["etag"], second.body)
