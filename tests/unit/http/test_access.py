"""Keys and the secret of a distribution in front: what passes, what does not, and that all keys are compared."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from recognizer.errors import OriginBypassed, Unauthorized
from recognizer.http import access
from recognizer.http.messages import Request

KEYS = ("first key", "second-key", "k\u00e9y")
DIGESTS = frozenset(hashlib.sha256(key.encode()).digest() for key in KEYS)


def request(path="/detector", **headers):
    return Request("GET", path, {}, {name.replace("_", "-"): value for name, value in headers.items()}, b"")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("spelling", ["Bearer {}", "bearer {}", "BEARER   {}", "  Bearer {}  "])
def test_each_key_opens(key, spelling):
    access.require_key(request(authorization=spelling.format(key)), DIGESTS)


@pytest.mark.parametrize(
    "header", ["", " ", "Bearer", "Bearer ", "Basic Zmlyc3Qga2V5", "first key", "Token second-key"]
)
def test_without_a_key_it_is_asked_for(header):
    with pytest.raises(Unauthorized, match="asks for a key") as refused:
        access.require_key(request(authorization=header), DIGESTS)

    assert refused.value.headers == {"WWW-Authenticate": 'Bearer realm="recognizer"'}


@pytest.mark.parametrize(
    "key",
    [
        "x",
        "first",
        "first keys",
        "FIRST KEY",
        "first key, first key",
        hashlib.sha256(b"first key").hexdigest(),
        "\udc80",
    ],
)
def test_another_key_is_refused_and_not_repeated(key):
    with pytest.raises(Unauthorized) as refused:
        access.require_key(request(authorization=f"Bearer {key}"), DIGESTS)

    assert refused.value.headers == {"WWW-Authenticate": 'Bearer realm="recognizer", error="invalid_token"'}
    assert refused.value.public_message == refused.value.log_message == "The key is none of this service's."


@pytest.mark.parametrize("key", ["first key", "none of them"])
def test_every_key_is_compared_whichever_fits(key, monkeypatch):
    """Else the time that an answer takes would tell which keys there are."""
    compared = []
    real = access.compare_digest
    monkeypatch.setattr(access, "compare_digest", lambda given, digest: compared.append(digest) or real(given, digest))

    with contextlib.suppress(Unauthorized):
        access.require_key(request(authorization=f"Bearer {key}"), DIGESTS)

    assert sorted(compared) == sorted(DIGESTS)


def test_what_came_through_the_distribution_passes():
    access.require_origin(request(x_origin_secret="first key"), hashlib.sha256(b"first key").digest())


@pytest.mark.parametrize(
    "headers", [{}, {"x_origin_secret": ""}, {"x_origin_secret": "first"}, {"authorization": "Bearer first key"}]
)
@pytest.mark.parametrize("path", ["/detector", "/", "/labels", "/nothing", "/health/", "/Health"])
def test_what_came_past_it_does_not(headers, path):
    with pytest.raises(OriginBypassed):
        access.require_origin(request(path, **headers), hashlib.sha256(b"first key").digest())


def test_the_health_of_a_container_can_be_asked_from_beside_it():
    access.require_origin(request("/health"), hashlib.sha256(b"first key").digest())
