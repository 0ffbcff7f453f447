"""The page asks for a key or token when the service wants one, sends it from then on, and forgets it with the tab."""

from __future__ import annotations

import pytest

from tests.browser.scripted import gateway_error, problem

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe
expect = sync_api.expect

URL = "?url=https://example.com/cat.jpg"
KEY = "a-key-for-friends"


class Guarded:
    """In front of a scripted service: lets through who has the key, and notes what each request carried."""

    def __init__(self, service, refusal):
        self.keys, self.key = [], KEY
        self._service, self._refusal, self._detect = service, refusal, service._detect
        service._detect = self._judged

    def _judged(self, event):
        self.keys.append(event["headers"].get("authorization"))
        return self._detect(event) if self.keys[-1] == f"Bearer {self.key}" else self._refusal


@pytest.fixture
def guarded(service):
    return Guarded(service, problem(401, "Unauthorized", "This asks for a key."))


def question(page, name="Key"):
    return page.get_by_role("dialog", name=name)


def give(page, key, name="Key"):
    question(page, name).get_by_label(name).fill(key)
    question(page, name).get_by_role("button", name="Continue").click()


def test_a_key_is_asked_for_once_and_sent_from_then_on(service, guarded, open_page):
    page = open_page(service.address + URL)
    give(page, KEY)
    expect(page.locator("#findings")).to_be_visible()
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_role("status")).to_have_text("Saved")
    page.get_by_role("button", name="Detect").click()
    expect(page.locator("#stage")).to_have_attribute("data-state", "shown")

    assert guarded.keys[0] is None
    assert set(guarded.keys[1:]) == {f"Bearer {KEY}"}
    assert len(guarded.keys) >= 3


def test_a_wrong_key_is_asked_for_again(service, guarded, open_page):
    page = open_page(service.address + URL)
    give(page, "wrong")
    expect(question(page)).to_contain_text("That key is not taken.")
    give(page, f" {KEY} ")
    expect(page.locator("#findings")).to_be_visible()

    assert guarded.keys == [None, "Bearer wrong", f"Bearer {KEY}"]


def test_a_key_that_holds_no_longer_is_asked_for_again(service, guarded, open_page):
    page = open_page(service.address + URL)
    give(page, KEY)
    expect(page.locator("#findings")).to_be_visible()
    guarded.key = "another"
    page.get_by_role("button", name="Detect").click()
    give(page, "another")
    expect(question(page)).to_be_hidden()
    expect(page.locator("#findings")).to_be_visible()


def test_where_the_gateway_judges_a_token_is_asked_for(service, open_page):
    guarded = Guarded(service, gateway_error(401, "Unauthorized"))
    page = open_page(service.address + URL)
    give(page, KEY, "Token")
    expect(page.locator("#findings")).to_be_visible()

    assert guarded.keys == [None, f"Bearer {KEY}"]


@pytest.mark.parametrize("way", ["Cancel", "Escape"])
def test_the_question_can_be_put_away(service, guarded, open_page, way):
    page = open_page(service.address + URL)
    if way == "Cancel":
        question(page).get_by_role("button", name="Cancel").click()
    else:
        expect(question(page)).to_be_visible()
        page.keyboard.press("Escape")
    expect(page.get_by_role("alert").filter(has_text="Unauthorized")).to_contain_text("This asks for a key.")
    assert guarded.keys == [None]

    page.get_by_role("button", name="Try again").click()
    give(page, KEY)
    expect(page.locator("#findings")).to_be_visible()


def test_it_survives_a_reload_and_is_gone_with_the_tab(service, guarded, open_page):
    page = open_page(service.address + URL)
    give(page, KEY)
    expect(page.locator("#findings")).to_be_visible()
    page.reload()
    expect(page.locator("#findings")).to_be_visible()
    assert guarded.keys[-1] == f"Bearer {KEY}"
    stored = page.evaluate(
        "[Object.values(sessionStorage), Object.values(localStorage), document.cookie, location.href]"
    )
    assert [stored[0], stored[1], stored[2], KEY in stored[3]] == [[KEY], [], "", False]

    other = page.context.new_page()  # another tab of the same browser
    other.goto(service.address + URL)
    expect(question(other)).to_be_visible()


@pytest.mark.parametrize(
    ("tab", "line"),
    [
        ("curl", '--header "Authorization: Bearer $KEY"'),
        ("Python", '"Authorization": "Bearer " + os.environ["KEY"],'),
        ("JavaScript", "Authorization: `Bearer ${process.env.KEY}`,"),
    ],
)
def test_what_is_copied_names_a_variable_not_the_key(service, guarded, open_page, tab, line):
    page = open_page(service.address + URL)
    give(page, KEY)
    page.get_by_role("tab", name=tab, exact=True).click()
    expect(page.locator("#code-text")).to_contain_text(line)
    assert KEY not in page.content()


def test_where_everyone_may_ask_nothing_is_asked(service, open_page):
    page = open_page(service.address + URL)
    expect(page.locator("#findings")).to_be_visible()
    assert page.get_by_role("dialog").count() == 0
    for name in ("curl", "Python", "JavaScript"):
        page.get_by_role("tab", name=name, exact=True).click()
        expect(page.locator("#code-text")).not_to_contain_text("Authorization")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_question_is_for_everyone(service, guarded, open_page, scheme, width):
    viewport = {"width": width, "height": 800}
    page = open_page(service.address + URL, color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    expect(question(page).get_by_label("Key")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
