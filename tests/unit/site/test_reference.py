"""The reference page: everything that the description says, in HTML that needs and runs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from recognizer.detections import Label
from recognizer.errors import RequestError, StartupError
from recognizer.job import ALIASES, PARAMETERS
from recognizer.labels import LabelMap
from recognizer.site import schemas
from recognizer.site.openapi import document
from recognizer.site.reference import assets

WEB = Path(__file__).parents[3] / "src" / "Recognizer" / "web"
VOID = {"meta", "link", "path", "circle"}


def described(name="Cat"):
    labels = LabelMap({1: Label("/m/01yrx", name, ("Animal",))})
    return document(
        labels,
        default_min_score=0.1,
        media_types=["image/png"],
        max_bytes=1,
        max_pixels=1,
        samples=["/samples/cat.jpg"],
    )


DOCUMENT = described()
SITE = assets(DOCUMENT, WEB)
PAGE = SITE["/reference"].body


class Outline(HTMLParser):
    """Ids and addresses of a page, and whether its elements are closed in order."""

    def __init__(self, page):
        super().__init__()
        self.ids, self.addresses, self.tags, self._open = [], [], set(), []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.add(tag)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.addresses += [attributes[name] for name in ("href", "src") if name in attributes]
        self._open += [] if tag in VOID else [tag]

    def handle_startendtag(self, tag, attrs):
        """Is closed by itself."""

    def handle_endtag(self, tag):
        assert self._open.pop() == tag


OUTLINE = Outline(PAGE)


def colours(sheet):
    """The custom properties of the light and of the dark scheme."""
    text = (WEB / sheet).read_text(encoding="utf-8")
    return [dict(re.findall(r"(--[\w-]+): (#\w+);", block)) for block in re.findall(r":root {(.*?)}", text, re.DOTALL)]


def test_the_description_is_served_as_it_is():
    assert SITE["/openapi.json"].media_type == "application/json"
    assert json.loads(SITE["/openapi.json"].body) == DOCUMENT


def test_the_page_is_served_beside_it():
    assert set(SITE) == {"/openapi.json", "/reference"}
    assert SITE["/reference"].media_type == "text/html; charset=utf-8"


def test_both_may_be_kept_for_a_while():
    assert SITE["/openapi.json"].max_age_s == SITE["/reference"].max_age_s > 0


@pytest.mark.parametrize(
    ("method", "path"), [(m, path) for path, methods in DOCUMENT["paths"].items() for m in methods]
)
def test_every_operation_is_on_the_page(method, path):
    assert f'<span class="verb {method}">{method.upper()}</span> <code>{path}</code>' in PAGE


@pytest.mark.parametrize("name", [*PARAMETERS, *(error.code for error in RequestError.__subclasses__())])
def test_every_parameter_and_error_is_on_the_page(name):
    assert f"<code>{name}</code>" in PAGE


def test_every_header_is_on_the_page():
    assert all(f"<code>{name}</code>" in PAGE for name in DOCUMENT["components"]["headers"])


@pytest.mark.parametrize("name", sorted(schemas.answers()))
def test_every_schema_of_an_answer_is_on_the_page(name):
    assert f'<h3 id="schema-{name}"><code>{name}</code></h3>' in PAGE


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "application/x-www-form-urlencoded"])
def test_what_a_body_refers_to_is_written_out_in_it(kind):
    body, _of_classify = re.findall(rf"<details><summary><code>{kind}</code></summary>(.*?)</details>", PAGE)

    assert all(f"<code>{name}</code>" in body for name in (*PARAMETERS, *ALIASES))
    assert "jpeg · jpg · png · webp · gif" in body


def test_what_only_requests_refer_to_is_not_among_the_schemas():
    assert "schema-DetectRequest" not in PAGE
    assert "schema-Draw" not in PAGE


def test_what_is_between_backticks_is_code():
    assert "`" not in PAGE
    assert "<code>format</code> wins over both" in PAGE


def test_every_link_on_the_page_leads_somewhere():
    anchors = {address[1:] for address in OUTLINE.addresses if address.startswith("#")}

    assert anchors <= set(OUTLINE.ids)
    assert len(OUTLINE.ids) == len(set(OUTLINE.ids))


def test_the_page_needs_nothing_from_elsewhere():
    others = {address for address in OUTLINE.addresses if not address.startswith(("#", "data:"))}

    assert others == {"./", "openapi.json"}
    assert not OUTLINE.tags & {"iframe", "img", "form"}
    assert not re.search(r'style="|\son\w+="', PAGE)


@pytest.mark.parametrize("tag", ["style", "script"])
def test_the_policy_allows_the_style_sheet_and_the_script_alone(tag):
    (part,) = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", PAGE, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
    policy = SITE["/reference"].policy

    assert policy.startswith("default-src 'none'; ")
    assert f"{tag}-src 'sha256-{digest}';" in policy


def test_what_a_model_calls_its_labels_is_text():
    page = assets(described("<b>Cat</b> & `co`"), WEB)["/reference"].body

    assert "<b>Cat" not in page
    assert "&lt;b&gt;Cat&lt;/b&gt; &amp;" in page


def test_the_colours_are_those_of_the_page():
    for ours, theirs in zip(colours("reference.css"), colours("page.css"), strict=True):
        assert ours.items() <= theirs.items()


@pytest.mark.parametrize("name", ["reference.html", "reference.css", "reference.js"])
def test_a_missing_file_stops_the_start(tmp_path, name):
    for other in {"reference.html", "reference.css", "reference.js"} - {name}:
        shutil.copy(WEB / other, tmp_path)

    with pytest.raises(StartupError, match=name):
        assets(DOCUMENT, tmp_path)
