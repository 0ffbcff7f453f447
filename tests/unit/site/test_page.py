"""The page and its samples as they are served: paths, headers, and a policy that fits what it guards."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from recognizer.errors import StartupError
from recognizer.http.encoding import encoded
from recognizer.job import DRAWS, IMAGE_FORMATS, MAX_LIMIT, MAX_TILES, PARAMETERS
from recognizer.site.page import assets

SELECT = re.compile(r'<select id="(\w+)".*?>(.*?)</select>', re.DOTALL)
WEB = Path(__file__).parents[3] / "src" / "Recognizer" / "web"


@pytest.fixture(scope="module")
def site():
    return assets(WEB, default_min_score=0.1)


@pytest.fixture(scope="module")
def policy(site):
    """The page's Content Security Policy, directive -> sources."""
    directives = (part.split() for part in site["/"].policy.split(";"))
    return {name: sources for name, *sources in directives}


def small_site(folder, page="<p>Hello</p>"):
    (folder / "index.html").write_text(page, encoding="utf-8")
    return folder


def test_serves_the_page_and_the_samples_by_their_exact_paths(site):
    samples = {f"/samples/{name}.jpg" for name in ("astronaut", "cat", "coffee", "wall")}
    assert set(site) == {"/"} | samples
    assert site["/"].media_type == "text/html; charset=utf-8"
    assert isinstance(site["/"].body, str)
    assert site["/samples/cat.jpg"].media_type == "image/jpeg"
    assert site["/samples/cat.jpg"].body == (WEB / "samples" / "cat.jpg").read_bytes()


def test_the_page_is_one_document_that_needs_nothing_else(site):
    page = site["/"].body
    assert not re.findall(r"<link[^>]*stylesheet|<script[^>]* src=|src=\"(?!data:)", page)
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "").replace("http://127.0.0.1", "")


def test_the_site_stays_small(site):
    first_visit, _ = encoded(site["/"].body, "gzip")
    assert len(first_visit) < 120_000
    assert sum(len(asset.body) for path, asset in site.items() if path != "/") < 230_000


def test_every_inline_part_is_allowed_by_its_digest_and_nothing_else_is(site, policy):
    for directive, tag in (("script-src", "script"), ("style-src", "style")):
        parts = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", site["/"].body, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts]
        assert parts
        assert policy[directive] == [f"'sha256-{digest}'" for digest in digests]


def test_the_policy_allows_no_other_host_and_nothing_unsafe(policy):
    assert policy["default-src"] == ["'none'"]
    assert policy["connect-src"] == ["'self'"]
    assert policy["img-src"] == ["'self'", "blob:", "data:"]
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert not any("unsafe" in source or "*" in source for sources in policy.values() for source in sources)


def test_the_page_knows_of_the_bucket_where_there_is_one(site):
    bucket = assets(WEB, 0.1, ["https://pictures.s3.eu-central-1.amazonaws.com"], 20_000_000)["/"]

    assert "connect-src 'self' https://pictures.s3.eu-central-1.amazonaws.com;" in bucket.policy
    assert '<body data-max-upload-bytes="20000000">' in bucket.body
    assert '<body data-max-upload-bytes="0">' in site["/"].body


def test_every_option_of_the_api_is_in_the_page(site):
    page = site["/"].body
    fields = set(re.findall(r'<(?:input|select)[^>]* name="(\w+)"', page))
    values = {name: set(re.findall(r'value="(\w+)"', part)) for name, part in re.findall(SELECT, page)}

    assert fields >= set(PARAMETERS) - {"image", "format", "crop"}  # a file, the tabs of what is copied, and a look
    assert set(re.findall(r'name="draw" value="(\w+)"', page)) == {*DRAWS, "crop"}
    assert values["tiles"] == {str(number + 1) for number in range(MAX_TILES)}
    assert values["image_format"] == set(IMAGE_FORMATS) - {"jpg"}
    assert f"const MOST_TILES = {MAX_TILES};" in page
    assert f"const MOST = {MAX_LIMIT};" in page


def test_no_part_has_an_inline_style_or_event_handler(site):
    markup = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", site["/"].body, flags=re.DOTALL)
    assert not re.findall(r"\s(?:style|on\w+)=", markup)


def test_scripts_never_write_markup():
    for script in WEB.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text), script.name
        assert "</script" not in text, "would end the element it is written into"


def test_everything_may_be_kept_for_a_while_and_samples_for_longer(site):
    assert 0 < site["/"].max_age_s < site["/samples/cat.jpg"].max_age_s


def test_a_picture_needs_no_policy(site):
    assert site["/samples/cat.jpg"].policy == ""


def test_a_page_without_scripts_allows_none(tmp_path):
    assert "script-src 'none'" in assets(small_site(tmp_path), 0.1)["/"].policy


@pytest.mark.parametrize(
    "page", [None, '<script type="module" src="gone.js"></script>', '<img src="thumbs/gone.webp">']
)
def test_a_missing_file_stops_the_cold_start(tmp_path, page):
    if page is not None:
        small_site(tmp_path, page)
    with pytest.raises(StartupError, match=re.escape(str(tmp_path))):
        assets(tmp_path, 0.1)


def test_a_file_that_the_page_does_not_use_is_not_served(tmp_path):
    small_site(tmp_path)
    (tmp_path / "secret.js").write_text("1", encoding="utf-8")
    assert set(assets(tmp_path, 0.1)) == {"/"}


def test_the_page_starts_with_the_score_that_suits_the_model():
    page = assets(WEB, default_min_score=0.3)["/"].body
    assert page.count('value="0.3"') == 2, "the number and its slider"


def test_the_page_shows_as_many_objects_as_the_service_finds(site):
    assert f'max="{MAX_LIMIT}" step="1" value="{MAX_LIMIT}"' in site["/"].body


def test_nothing_is_left_to_fill_in(site):
    markup = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", site["/"].body, flags=re.DOTALL)
    assert "$" not in markup
