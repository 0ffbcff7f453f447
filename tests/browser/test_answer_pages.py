"""What someone sees who opens an address of the API: errors, all labels, the reference, and the name of a picture."""

from __future__ import annotations

import pytest

from tests.functional.serving import served

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe
expect = sync_api.expect

ERROR = "detector?url=ftp://example.com/cat.jpg"


@pytest.fixture(scope="module")
def address(tiny_model):
    """Where the real service is, with a tiny model."""
    from recognizer.build import build

    settings = {"MODEL_DIR": str(tiny_model), "ALLOW_PRIVATE_ADDRESSES": "true", "ALLOWED_URL_PORTS": "*"}
    with served(build({**settings, "THREADS": "2"})) as address:
        yield address


def test_an_error_is_a_page_that_says_what_to_change(open_page, address):
    page = open_page(address + ERROR)
    expect(page.get_by_role("heading", level=1)).to_have_text("Invalid parameter")
    expect(page.locator(".detail")).to_contain_text("http")
    page.get_by_role("link", name="What this error means").click()
    expect(page.locator("#error-invalid-parameter")).to_be_in_viewport()
    page.go_back()
    page.get_by_role("link", name="Try it on the page").click()
    expect(page.get_by_text("What is in this picture?")).to_be_visible()


def test_a_path_that_does_not_exist_is_told_with_the_way_back(open_page, address):
    page = open_page(f"{address}some/where")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
    expect(page.get_by_role("link", name="Try it on the page")).to_have_attribute("href", "../")


def test_programs_get_the_problem_document(open_page, address):
    page = open_page(address)
    answer = page.request.get(address + ERROR, headers={"Accept": "*/*"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["parameter"] == "url"


def test_a_picture_opened_in_the_browser_has_a_name_to_save_it_under(open_page, address):
    page = open_page(address)
    answer = page.goto(f"{address}detector?url={address}samples/cat.jpg")
    assert answer.headers["content-disposition"] == 'inline; filename="cat-objects.jpg"'
    assert answer.headers["content-type"] == "image/jpeg"


def test_all_labels_can_be_searched(open_page, address):
    page = open_page(f"{address}labels")
    expect(page.get_by_role("heading", level=1)).to_have_text("5 labels")
    cat = page.locator(".tree li", has=page.locator("> span > .label", has_text="Cat"))
    expect(cat).to_be_visible()
    page.get_by_label("Search").fill("dO")
    expect(page.get_by_role("status")).to_have_text("1 name")
    expect(page.locator(".tree").get_by_text("Dog", exact=True)).to_be_visible()
    expect(page.locator(".tree").get_by_text("Animal", exact=True)).to_be_visible()
    expect(cat).to_be_hidden()
    page.reload()
    expect(page.get_by_label("Search")).to_have_value("dO")
    expect(cat).to_be_hidden()
    page.get_by_label("Search").fill("")
    expect(cat).to_be_visible()


def test_programs_get_the_labels_as_json(open_page, address):
    page = open_page(address)
    answer = page.request.get(f"{address}labels", headers={"Accept": "*/*"})
    assert {label["name"] for label in answer.json()["labels"]} >= {"Cat", "Dog"}
    assert "Accept" in answer.headers["vary"]


def test_the_page_leads_to_the_labels(open_page, address):
    page = open_page(address)
    page.get_by_role("link", name="All labels").click()
    expect(page.get_by_label("Search")).to_be_visible()


def test_examples_of_the_reference_name_its_own_address_and_can_be_copied(open_page, address):
    page = open_page(f"{address}reference", permissions=["clipboard-read", "clipboard-write"])
    expect(page.locator("pre", has_text="$API")).to_have_count(0)
    figure = page.locator("figure", has_text="/health").first
    figure.get_by_role("button", name="Copy").click()
    expect(figure.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f'curl "{address}health"'


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [ERROR, "labels", "reference"])
def test_axe_finds_nothing_to_object_to(open_page, address, path, scheme):
    page = open_page(address + path, color_scheme=scheme)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("path", [ERROR, "labels", "reference"])
def test_fits_every_width_without_scrolling_sideways(open_page, address, path):
    page = open_page(address + path)
    for width in (320, 768, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
