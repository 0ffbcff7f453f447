"""What is left of a model's address once the build is over."""

from __future__ import annotations

import pytest
from model_build.confidential import public, without_secrets

SIGNED = "https://me:pa%20ss%2Fword@models.test:8443/a/1.tar.gz?X-Amz-Signature=4f5ca+e%2Bx&v=2#token"


@pytest.mark.parametrize(
    ("address", "left"),
    [
        (SIGNED, "https://models.test:8443/a/1.tar.gz"),
        ("https://models.test/1.tar.gz", "https://models.test/1.tar.gz"),
        ("HTTPS://me@models.test/1.tar.gz", "HTTPS://models.test/1.tar.gz"),
        ("https://me:p@ss@models.test/1.tar.gz?a", "https://models.test/1.tar.gz"),
        ("https://models.test?token", "https://models.test"),
        ("https://models.test/a@b.tar.gz", "https://models.test/a@b.tar.gz"),
        ("https://models.test/1.tar.gz?next=https://me:secret@b.test/", "https://models.test/1.tar.gz"),
        ("https://[::1", "https://[::1"),
        ("https://x:secret@[::1", "https://[::1"),
        ("s3://bucket/folder/1.tar.gz", "s3://bucket/folder/1.tar.gz"),
        ("/models/what? no#1.tar.gz", "/models/what? no#1.tar.gz"),
    ],
)
def test_only_the_place_is_left(address, left):
    assert public(address) == left


@pytest.mark.parametrize(
    "said",
    [
        SIGNED,
        "/a/1.tar.gz?X-Amz-Signature=4f5ca+e%2Bx&v=2",
        "the signature 4f5ca e+x does not fit",
        "4f5ca%20e%2Bx",
        "user me:pa%20ss%2Fword",
        "user me, password pa ss/word",
        "#token",
    ],
)
def test_what_was_said_of_it_is_left_without_secrets(said):
    told = without_secrets(f"before {said} after", SIGNED)

    assert told.startswith("before ")
    assert told.endswith(" after")
    assert not [secret for secret in ("4f5ca", "pa ss", "pa%20ss", "token") if secret in told]


@pytest.mark.parametrize("address", [None, "/a/1.tar.gz", "https://models.test/1.tar.gz"])
def test_where_nothing_is_secret_nothing_is_changed(address):
    assert without_secrets("it answered 404 at /a/1.tar.gz", address) == "it answered 404 at /a/1.tar.gz"
