"""Parts of the site are read, or the start says which one cannot be; inline parts are allowed by their digests."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from recognizer.errors import StartupError
from recognizer.site.assets import bytes_of, sources, text_of


def test_text_is_utf_8(tmp_path):
    (tmp_path / "page.css").write_bytes("a::after{content:'✕'}".encode())

    assert text_of(tmp_path / "page.css") == "a::after{content:'✕'}"


@pytest.mark.parametrize("read", [text_of, bytes_of])
def test_a_part_that_is_missing_is_named(tmp_path, read):
    with pytest.raises(StartupError, match=re.escape(str(tmp_path / "page.css"))):
        read(tmp_path / "page.css")


def test_a_part_that_is_no_text_is_named(tmp_path):
    (tmp_path / "page.css").write_bytes(b"\xff")

    with pytest.raises(StartupError, match=r"page\.css"):
        text_of(tmp_path / "page.css")


def test_each_part_is_allowed_by_its_own_digest():
    digests = [base64.b64encode(hashlib.sha256(part).digest()).decode() for part in (b"a", "✕".encode())]

    assert sources(["a", "✕"]) == f"'sha256-{digests[0]}' 'sha256-{digests[1]}'"


def test_where_there_is_no_part_none_is_allowed():
    assert sources([]) == "'none'"
