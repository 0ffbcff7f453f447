"""The page for everyone: by keyboard, with assistive technology, in any window, in the dark and without motion."""

from __future__ import annotations

import re

import pytest

from tests.browser.scripted import CAR, WHEEL, found, png, problem

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe
expect = sync_api.expect

URL = "?url=https://example.com/a-picture-with-a-rather-long-name-of-its-own.jpg"
BROKEN = problem(
    500, "Internal error", "Something went wrong on our side.", request_id="d6e05367-c5da-42fc-8e11-58fabb"
)
WRONG = problem(400, "Invalid parameter", "'Doog' is no label of this model. Did you mean Dog?", parameter="include")
LONG = {**CAR, "label": "Kitchen & dining room table with an unusually long name"}


def empty(page, service):
    page.goto(service.address)
    expect(page.get_by_text("What is in this picture?")).to_be_visible()


def busy(page, service):
    service.hold()
    page.goto(service.address + URL)
    expect(page.locator("#cancel")).to_be_visible()


def result(page, service):
    service.answers = [found(CAR, LONG, WHEEL)]
    page.goto(f"{service.address}{URL}&exclude=Dog,Coffee cup&scores=Wheel:0.12&hide=Wheel&region=0,0,1,0.9")
    expect(page.locator("#objects li")).to_have_count(2)
    page.locator("summary", has_text="A score for each label").click()
    page.locator("#objects button").first.click()


def hidden(page, service):
    page.goto(f"{service.address}{URL}&draw=blur")
    page.get_by_role("tab", name="JSON").click()
    expect(page.locator("#covering")).to_be_visible()


def cut_out(page, service):
    page.goto(f"{service.address}{URL}&crop=1")
    expect(page.locator("#covering")).to_be_visible()


def whole(page, service):
    page.goto(f"{service.address}{URL}")
    page.get_by_role("button", name="As a whole").click()
    expect(page.locator("#classes .chip")).to_have_count(2)


def zoomed(page, service):
    page.goto(f"{service.address}{URL}")
    for _ in range(5):
        page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Original").click()
    page.get_by_role("button", name="Mark a part").click()


def several(page, service):
    broken = problem(422, "Broken picture", "The PNG ends in the middle.", parameter="image")
    service.answers = [found(CAR, WHEEL), broken, found(CAR)]
    page.goto(service.address)
    files = [{"name": f"{name}.png", "mimeType": "image/png", "buffer": png()} for name in ("one", "two", "three")]
    page.locator("#file").set_input_files(files)
    expect(page.get_by_role("status")).to_have_text("3 pictures done.")


def camera(page, service):
    page.context.grant_permissions(["camera"])
    page.goto(service.address)
    page.get_by_role("button", name="Camera").click()
    expect(page.get_by_role("dialog", name="Camera")).to_be_visible()


def nothing(page, service):
    service.answers = [found()]
    page.goto(service.address + URL)
    expect(page.locator("#none")).to_be_visible()


def all_hidden(page, service):
    page.goto(f"{service.address}{URL}&hide=Car,Wheel")
    expect(page.locator("#none")).to_be_visible()


def failure(page, service):
    service.answers = [BROKEN]
    page.goto(service.address + URL)
    expect(page.locator("#failure-title")).to_be_visible()


def wrong_field(page, service):
    service.answers = [WRONG]
    page.goto(f"{service.address}{URL}&include=Doog")
    expect(page.locator("#include-problem")).to_be_visible()


in_each_state = pytest.mark.parametrize(
    "reach",
    [empty, busy, result, hidden, cut_out, whole, zoomed, several, camera, nothing, all_hidden, failure, wrong_field],
    ids=lambda reach: reach.__name__,
)


@in_each_state
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_to_object_to(service, open_page, reach, scheme, width):
    viewport = {"width": width, "height": 800}
    page = open_page("about:blank", color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    reach(page, service)
    page.mouse.move(0, 0)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@in_each_state
def test_fits_every_width_without_scrolling_sideways(service, open_page, reach):
    page = open_page("about:blank")
    for width in (320, 360, 768, 1088, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        reach(page, service)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_ways_to_give_a_picture_stay_within_their_panel(service, open_page, width):
    page = open_page(service.address, permissions=["camera", "clipboard-read"])
    page.set_viewport_size({"width": width, "height": 800})
    expect(page.get_by_role("button", name="Camera")).to_be_visible()

    edges = page.evaluate(
        """[...document.querySelectorAll(".ways .plain")].filter((each) => each.checkVisibility())
            .map((each) => [each, each.parentElement].map((one) => one.getBoundingClientRect().right))"""
    )
    assert len(edges) == 3
    assert all(right <= panel for right, panel in edges)


def test_everything_can_be_reached_and_used_by_keyboard(service, page):
    def focused():
        return page.evaluate(
            """() => {
                const { id, dataset, className, value, tagName, parentElement } = document.activeElement;
                if (className === "chip") return `chip ${dataset.label}`;
                const place = [...(parentElement.parentElement?.children ?? [])].indexOf(parentElement);
                if (className === "object") return `object ${place}`;
                if (tagName === "SUMMARY") return `${parentElement.id}-summary`;
                return id || dataset.sample || (tagName === "INPUT" && value) || "";
            }"""
        )

    order = []

    def tab_to(name):
        while not order or order[-1] != name:
            page.keyboard.press("Tab")
            order.append(focused())
            assert len(order) < 80, order

    tab_to("url")
    page.keyboard.type("https://example.com/car.jpg")
    tab_to("more-summary")
    ways_in = ["url", "", "choose", "paste", "snap", "wall", "coffee", "astronaut", "cat", "labels"]
    assert order[order.index("url") :] == [*ways_in, "score-slider", "min_score", "n", "more-summary"]
    page.keyboard.press("Enter")
    expect(page.get_by_label("Only these labels")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("Car,Wheel,")
    page.keyboard.press("Enter")
    expect(page.locator("#findings")).to_be_visible()
    assert service.asked[0]["include"] == "Car,Wheel"

    tab_to("classify")
    tab_to("mark")
    tab_to("zoom-in")
    page.keyboard.press("Enter")
    expect(page.locator("#zoom-told")).to_have_text("140 %")
    tab_to("chip Car")
    tab_to("chip Wheel")
    tab_to("object 0")
    expect(page.locator("#overlay .region.lit")).to_have_attribute("data-index", "0")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#overlay .region.lit")).to_have_attribute("data-index", "1")
    page.keyboard.press("Enter")
    expect(page.locator("#objects button").nth(1)).to_have_attribute("aria-pressed", "true")
    for name in ("download", "copy-picture", "copy-link", "tab-curl", "code-text", "copy-code"):
        tab_to(name)


def test_focus_is_always_seen(page):
    for element in page.locator("button:visible, input:visible, summary:visible, a:visible").all():
        page.keyboard.press("Tab")  # so that the browser shows focus at all
        element.focus()
        ring = element.evaluate(
            "e => getComputedStyle("
            "e.closest('.chipbox') ?? (e.type === 'radio' ? e.nextElementSibling : e)).outlineStyle"
        )
        assert ring == "solid", element.evaluate("e => e.outerHTML.slice(0, 80)")


def test_what_to_touch_is_large_enough(service, open_page):
    page = open_page(service.address + URL, viewport={"width": 360, "height": 740}, has_touch=True)
    expect(page.locator("#findings")).to_be_visible()
    for element in page.locator("button:visible, summary:visible, .plain:visible").all():
        box = element.bounding_box()
        assert box["height"] >= 30, element.evaluate("e => e.outerHTML.slice(0, 80)")
        assert box["width"] >= 30


def test_a_touched_object_brings_the_picture_into_view(service, open_page):
    page = open_page(service.address + URL, viewport={"width": 360, "height": 740}, has_touch=True)
    page.locator("#objects button").nth(1).tap()
    expect(page.locator("#picture")).to_be_in_viewport()
    expect(page.locator("#overlay .region.lit")).to_have_attribute("data-index", "1")


def test_nothing_moves_for_those_who_want_it_still(service, open_page):
    page = open_page("about:blank", reduced_motion="reduce")
    busy(page, service)
    moving = "document.getAnimations().filter((a) => a.effect.getComputedTiming().duration > 0).length"
    assert page.evaluate(moving) == 0


def test_dark_and_light_are_two_looks(service, open_page):
    grounds = set()
    for scheme in ("light", "dark"):
        page = open_page(service.address, color_scheme=scheme)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(grounds) == 2


def test_the_picture_is_described_to_those_who_do_not_see_it(service, open_page):
    service.answers = [found(CAR)]
    page = open_page(service.address + URL)
    expect(page.get_by_role("img", name=re.compile(r"1 object found: Car 93%\."))).to_be_visible()
    expect(page.get_by_role("region", name="The picture")).to_be_visible()
    expect(page.get_by_role("main")).to_be_visible()
