"""Who may ask, through the whole service: with a key, with the gateway as judge, behind a distribution, or everyone."""

from __future__ import annotations

import hashlib
import io
import json
import urllib.error
import urllib.request

import pytest
from PIL import Image
from recognizer.build import build

from tests.conftest import THREADS, on_loopback
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import VERSIONS, Context, event, reply
from tests.functional.serving import served

pytestmark = on_loopback

KEYS = ("one-key", "another-key")
DIGESTS = ",".join(hashlib.sha256(key.encode()).hexdigest() for key in KEYS)
SECRET = "from-the-distribution"
OPEN = ["/", "/labels", "/health", "/openapi.json", "/reference", "/samples/cat.jpg"]


def picture():
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def url():
    with LoopbackServer({"/a.png": lambda exchange: exchange.answer(200, picture())}) as running:
        yield running.url("/a.png")


@pytest.fixture(scope="module")
def service(tiny_model):
    """Builds the service with some settings."""
    environ = {"MODEL_DIR": str(tiny_model), "THREADS": str(THREADS)}
    return lambda **settings: build(environ | {"ALLOW_PRIVATE_ADDRESSES": "true", "ALLOWED_URL_PORTS": "*"} | settings)


@pytest.fixture(scope="module")
def with_keys(service):
    return service(ACCESS="KEY", ACCESS_KEY_SHA256=DIGESTS)


@pytest.fixture(scope="module")
def behind(service):
    return service(ORIGIN_SECRET=SECRET)


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def ask(app, path="/detector", version="2.0", method="GET", headers=None, **query):
    return reply(app(event(version, path=path, method=method, query=query, headers=headers), Context()))


def posted(app, body, headers=None):
    made = event(method="POST", headers={"Content-Type": "application/json", **(headers or {})})
    return reply(app(made | {"body": body}, Context()))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("key", KEYS)
def test_a_key_opens_the_detector(with_keys, url, version, key):
    assert ask(with_keys, version=version, headers=bearer(key), url=url, format="json").status == 200
    assert posted(with_keys, json.dumps({"url": url}), bearer(key)).status == 200


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("headers", [None, bearer("wrong"), {"Authorization": "Basic b25lLWtleQ=="}])
def test_without_a_right_one_it_stays_shut(with_keys, url, version, headers):
    answer = ask(with_keys, version=version, headers=headers, url=url)

    assert (answer.status, answer.media_type) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="recognizer"')
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json["type"] == "urn:problem-type:recognizer:unauthorized"


def test_nothing_is_read_or_fetched_for_who_has_no_key(with_keys):
    """What is wrong with the rest of the request is told only to who may ask."""
    assert posted(with_keys, "{ no json").status == 401
    assert ask(with_keys, url="nonsense").status == 401


def test_an_event_without_a_gateway_has_no_key(with_keys, url):
    """A REST method without proxy integration makes such events of anyone's requests."""
    assert with_keys({"url": url}, Context())["status"] == 401


@pytest.mark.parametrize("path", OPEN)
def test_the_rest_is_open(with_keys, path):
    assert ask(with_keys, path).status == 200


@pytest.mark.parametrize("path", ["/detector", "/labels"])
def test_a_preflight_request_needs_no_key(with_keys, path):
    answer = ask(with_keys, path, method="OPTIONS")

    assert answer.status == 204
    assert "Authorization" in answer.headers["access-control-allow-headers"]


def test_what_does_not_exist_is_told_without_a_key(with_keys):
    assert (ask(with_keys, method="PUT").status, ask(with_keys, "/detect").status) == (405, 404)


@pytest.mark.parametrize("access", ["KEY", "JWT", "AWS_IAM"])
def test_no_shared_cache_keeps_what_not_everyone_may_ask_for(service, url, access):
    """RFC 9111, 3.5: `public` would let it hand the answer to those without a key."""
    app = service(ACCESS=access, ACCESS_KEY_SHA256=DIGESTS)
    answer = ask(app, headers=bearer(KEYS[0]), url=url)
    again = ask(app, headers={**bearer(KEYS[0]), "If-None-Match": answer.headers["etag"]}, url=url)

    assert (answer.status, answer.headers["cache-control"]) == (200, "private, max-age=3600")
    assert (again.status, again.headers["cache-control"]) == (304, "private, max-age=3600")
    assert ask(app, "/labels").headers["cache-control"] == "public, max-age=3600"


def test_what_everyone_may_ask_for_anyone_may_keep(service, url):
    assert ask(service(), url=url).headers["cache-control"] == "public, max-age=3600"


@pytest.mark.parametrize("access", ["JWT", "AWS_IAM"])
def test_what_the_gateway_let_through_passes(service, url, access):
    assert ask(service(ACCESS=access), url=url, format="json").status == 200


@pytest.mark.parametrize("access", ["JWT", "AWS_IAM"])
def test_the_gateways_default_route_is_no_way_round_its_judgement(service, url, access):
    """It takes every spelling of a path that is no route of its own, and hands it on decoded."""
    app = service(ACCESS=access)
    by_default = {**event(query={"url": url}), "routeKey": "$default"}
    of_function_url = {"domainName": "abc.lambda-url.eu-central-1.on.aws", "authorizer": {"iam": {}, "jwt": None}}
    signed = {**by_default, "requestContext": {**by_default["requestContext"], **of_function_url}}

    answer = reply(app(by_default, Context()))

    assert (answer.status, answer.json["type"].endswith("unauthorized")) == (401, True)
    assert "www-authenticate" in answer.headers
    assert reply(app(signed, Context())).status == 200  # a function URL has no other route
    assert reply(app({**event(path="/labels"), "routeKey": "$default"}, Context())).status == 200


@pytest.mark.parametrize("access", ["NONE", "KEY"])
def test_the_gateways_default_route_is_no_way_round_a_throttle(service, url, access):
    app = service(ACCESS=access, ACCESS_KEY_SHA256=DIGESTS)
    asked = {**event(query={"url": url}, headers=bearer(KEYS[0])), "routeKey": "$default"}
    context = asked["requestContext"]
    of_function_url = {**asked, "requestContext": {**context, "domainName": "abc.lambda-url.eu-central-1.on.aws"}}

    assert reply(app(asked, Context())).status == 404
    assert reply(app(of_function_url, Context())).status == 200


@pytest.mark.parametrize(
    ("access", "scheme", "in_shell"),
    [
        ("KEY", {"type": "http", "scheme": "bearer"}, "Authorization: Bearer $KEY"),
        ("JWT", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}, "Authorization: Bearer $TOKEN"),
        ("AWS_IAM", {"type": "apiKey", "x-amazon-apigateway-authtype": "awsSigv4"}, "--aws-sigv4"),
    ],
)
def test_the_description_says_what_is_asked_for(service, access, scheme, in_shell):
    described = ask(service(ACCESS=access, ACCESS_KEY_SHA256=DIGESTS), "/openapi.json").json

    assert scheme.items() <= described["components"]["securitySchemes"][access].items()
    guarded = {path: methods for path, methods in described["paths"].items() if path in {"/detector", "/classifier"}}
    secured = {path for path, methods in described["paths"].items() for one in methods.values() if "security" in one}
    assert secured == guarded.keys()
    for operation in (one for methods in guarded.values() for one in methods.values()):
        assert operation["security"] == [{access: []}]
        assert ("401" in operation["responses"]) is (access == "KEY")
        assert all(in_shell in sample["source"] for sample in operation["x-codeSamples"])
    assert DIGESTS[:64] not in json.dumps(described)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", ["/", "/labels", "/detector", "/nothing"])
def test_who_comes_past_the_distribution_is_told_so(behind, version, path):
    answer = ask(behind, path, version)

    assert (answer.status, answer.json["type"]) == (403, "urn:problem-type:recognizer:origin-bypassed")
    assert SECRET not in json.dumps(answer.headers) + answer.body.decode()


def test_who_comes_through_it_is_served(behind, url):
    assert ask(behind, headers={"X-Origin-Secret": SECRET}, url=url).status == 200
    assert ask(behind, "/health").status == 200


def test_behind_a_distribution_a_key_is_still_asked_for(service, url):
    app = service(ORIGIN_SECRET=SECRET, ACCESS="KEY", ACCESS_KEY_SHA256=DIGESTS)

    assert ask(app, headers=bearer(KEYS[0]), url=url).status == 403
    assert ask(app, headers={"X-Origin-Secret": SECRET}, url=url).status == 401
    assert ask(app, headers={"X-Origin-Secret": SECRET, **bearer(KEYS[0])}, url=url).status == 200


def test_over_http_it_is_the_same(with_keys, url):
    with served(with_keys) as address:
        question = f"{address}detector?format=json&url={url}"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(question)
        with refused.value as answer:
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="recognizer"')
        with urllib.request.urlopen(urllib.request.Request(question, headers=bearer(KEYS[1]))) as answer:
            assert answer.status == 200
