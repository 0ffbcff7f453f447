"""What the page shows of what was found, without asking again: scores, labels, looks, parts, one object, and zoom."""

# ruff: noqa: RUF001 - the page has a real multiplication sign

from __future__ import annotations

import re

import pytest

from tests.browser.scripted import CAR, WHEEL, found, problem

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = sync_api.expect

URL = "https://example.com/street.jpg"
PERSON = {"label": "Person", "id": "/m/01g317", "score": 0.6, "box": {"xmin": 10, "ymin": 20, "xmax": 60, "ymax": 120}}
WOMAN = {
    "label": "Woman",
    "id": "/m/03bt1vf",
    "parents": ["Person"],
    "score": 0.5,
    "box": {"xmin": 220, "ymin": 150, "xmax": 300, "ymax": 230},
}
FAINT = {**PERSON, "score": 0.06, "box": {"xmin": 300, "ymin": 10, "xmax": 310, "ymax": 30}}
ALL = (CAR, PERSON, WOMAN, WHEEL, FAINT)


@pytest.fixture
def street(service, open_page):
    """The page with five objects, four of them above the minimum."""
    service.answers = [found(*ALL)]
    page = open_page(f"{service.address}?url={URL}")
    expect(page.locator("#findings")).to_be_visible()
    return page


def listed(page):
    return page.locator("#objects .label").all_text_contents()


def drawn(page):
    """The labels in the picture."""
    return page.locator("#overlay .name text").all_text_contents()


def lit(page):
    """The places in the list of the objects that are lit in the picture."""
    return [int(box.get_attribute("data-index")) for box in page.locator("#overlay .region.lit").all()]


def test_everything_above_the_minimum_is_shown_at_first(service, street):
    assert listed(street) == ["Car", "Person", "Woman", "Wheel"]
    expect(street.locator("#overlay .mark")).to_have_count(4)
    assert {"Car 93%", "Person 60%", "Woman 50%"} <= set(drawn(street))
    expect(street.locator("#objects-title")).to_have_text("4 objects")


def test_the_slider_filters_at_once_and_without_a_request(service, street):
    street.get_by_label("Minimum score, as a slider").fill("0.55")
    assert listed(street) == ["Car", "Person"]
    expect(street.locator("#overlay .mark")).to_have_count(2)
    street.get_by_label("Minimum score, as a slider").fill("0.06")
    assert len(listed(street)) == 5
    expect(street).to_have_url(re.compile(r"min_score=0\.06"))
    assert len(service.asked) == 1


def test_at_most_keeps_the_most_confident(service, street):
    street.get_by_label("At most").fill("2")
    assert listed(street) == ["Car", "Person"]
    expect(street.locator("#hidden-told")).to_have_text("2 more hidden")
    assert len(service.asked) == 1


def test_a_chip_for_each_label_with_its_count_hides_and_shows_it(service, street):
    street.get_by_label("Minimum score, as a slider").fill("0.05")
    expect(street.locator("#chips .chip")).to_have_text(["Person2", "Car1", "Wheel1", "Woman1"])
    chip = street.get_by_role("button", name="Person 2", exact=True)
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "false")
    assert listed(street) == ["Car", "Woman", "Wheel"], "the label alone, not what it covers"
    expect(street).to_have_url(re.compile("hide=Person"))
    chip.click()
    assert len(listed(street)) == 5
    assert len(service.asked) == 1


def test_what_only_the_labels_hide_comes_back_with_one_click(street):
    for chip in street.locator("#chips .chip").all():
        chip.click()
    expect(street.locator("#none-told")).to_have_text("All labels are hidden.")
    street.get_by_role("button", name="Show all labels").click()
    assert len(listed(street)) == 4


def test_each_label_can_have_a_score_of_its_own(service, street):
    street.locator("summary", has_text="A score for each label").click()
    street.get_by_label("Minimum score of Car").fill("0.95")
    assert listed(street) == ["Person", "Woman", "Wheel"]
    expect(street.get_by_role("button", name="Car 0, from 95%")).to_be_visible()
    street.get_by_label("Minimum score of Person").fill("0.55")
    assert listed(street) == ["Person", "Wheel"], "a label's score is that of what it covers too"
    street.get_by_role("button", name="Car: as all").click()
    assert listed(street) == ["Car", "Person", "Wheel"]
    expect(street).to_have_url(re.compile(r"scores=Person%3A0\.55"))
    assert len(service.asked) == 1


def test_only_some_labels_is_told_at_once_where_they_are_known_here(service, street):
    street.locator("summary", has_text="More options").click()
    street.get_by_label("Only these labels").fill("person,")
    assert listed(street) == ["Person", "Woman"]
    expect(street.locator("#more-told")).to_have_text("person")
    assert len(service.asked) == 1


def test_whether_there_is_a_label_is_asked_of_the_service(service, street):
    service.answers = [problem(400, "Invalid parameter", '"dgo" is no label. Did you mean Dog?', parameter="include")]
    street.locator("summary", has_text="More options").click()
    street.get_by_label("Only these labels").fill("dgo,")
    expect(street.locator("#include-problem")).to_have_text('"dgo" is no label. Did you mean Dog?')
    assert service.asked[1]["include"] == "dgo"
    assert service.asked[1]["format"] == "json", "the picture is here already"


def test_more_is_asked_for_where_an_answer_was_cut_at_its_limit(service, open_page):
    many = [{**CAR, "score": 0.9 - place / 200} for place in range(100)]  # down to 0.405
    service.answers = [found(*many), found(PERSON)]
    page = open_page(f"{service.address}?url={URL}")
    expect(page.locator("#objects li")).to_have_count(100)
    page.get_by_label("Minimum score, as a slider").fill("0.5")
    page.locator("summary", has_text="More options").click()
    page.get_by_label("Only this part").fill("0,0,0.5,1")
    assert len(service.asked) == 1, "what is above the lowest score is here"
    page.get_by_label("Minimum score, as a slider").fill("0.3")
    expect(page.locator("#objects .label")).to_have_text(["Person"])
    assert service.asked[1]["region"] == "0,0,0.5,1"


@pytest.mark.parametrize(
    ("name", "marks", "names", "covered"),
    [
        ("Names", 4, True, False),
        ("Boxes", 4, False, False),
        ("Hidden", 0, False, True),
        ("Cut out", 0, False, True),
        ("Plain", 0, False, False),
    ],
)
def test_the_picture_can_be_shown_in_five_ways(service, street, name, marks, names, covered):
    street.get_by_role("radio", name=name).check(force=True)
    expect(street.locator("#overlay .mark")).to_have_count(marks)
    assert bool(drawn(street)) == names
    expect(street.locator("#covering")).to_be_visible(visible=covered)
    assert len(service.asked) == 1


PIXEL = """([x, y]) => {
    const copy = new OffscreenCanvas(320, 240).getContext("2d", {willReadFrequently: true});
    copy.drawImage(document.querySelector("#covering"), 0, 0);
    return [...copy.getImageData(x, y, 1, 1).data];
}"""


def test_what_is_hidden_is_covered_and_the_rest_is_not(street):
    street.get_by_role("radio", name="Hidden").check(force=True)
    assert street.evaluate(PIXEL, [140, 100])[3] == 255
    assert street.evaluate(PIXEL, [200, 20])[3] == 0
    street.get_by_role("button", name="Car 1", exact=True).click()
    assert street.evaluate(PIXEL, [140, 80])[3] == 0


def test_cut_out_is_the_most_confident_object(street):
    street.get_by_role("radio", name="Cut out").check(force=True)
    red, green, blue, _ = street.evaluate(PIXEL, [160, 120])
    assert (red, green, blue) == (0xCC, 0x33, 0x33), "the car alone"


def test_what_is_cut_out_can_be_hidden_too(service, street):
    choice = street.get_by_label("Hide what is cut out, too")
    expect(choice).to_be_hidden()
    street.get_by_role("radio", name="Cut out").check(force=True)
    clear = {str(street.evaluate(PIXEL, [x, 120])) for x in range(40, 280, 8)}
    choice.check()
    hidden = {str(street.evaluate(PIXEL, [x, 120])) for x in range(40, 280, 8)}
    assert hidden != clear
    expect(street).to_have_url(re.compile("draw=blur&crop=1"))
    with street.expect_download():
        street.get_by_role("button", name="Download").click()
    assert service.asked[-1].items() >= {"draw": "blur", "crop": "1"}.items()
    street.reload()
    expect(choice).to_be_checked()
    expect(street.get_by_role("radio", name="Cut out")).to_be_checked()
    street.get_by_role("radio", name="Names").check(force=True)
    expect(choice).to_be_hidden()
    expect(street).not_to_have_url(re.compile("draw="))


def test_looking_closely_asks_anew_and_is_kept_in_the_link(service, street):
    street.locator("summary", has_text="More options").click()
    service.answers = [found(*ALL, {**WHEEL, "score": 0.9})]
    held = service.hold()
    street.get_by_label("How closely to look").select_option("2")
    expect(street.locator("#hidden-told")).to_have_text("Looking again…")
    held.release()
    expect(street.locator("#objects li")).to_have_count(5)
    assert service.asked[-1]["tiles"] in {2, "2"}
    expect(street).to_have_url(re.compile("tiles=2"))
    expect(street.locator("#more-told")).to_have_text("closely")
    street.reload()
    expect(street.locator("#objects li")).to_have_count(5)
    assert service.asked[-1]["tiles"] in {2, "2"}


@pytest.mark.parametrize("way", ["at first", "later"])
def test_more_tiles_than_there_is_time_for_are_told_at_the_field(service, open_page, street, way):
    service.answers = [problem(422, "Too many tiles", "There is time for tiles=2.", parameter="tiles")]
    page = open_page(f"{service.address}?url={URL}&tiles=4") if way == "at first" else street
    if way == "later":
        page.locator("summary", has_text="More options").click()
        page.get_by_label("How closely to look").select_option("4")
    expect(page.locator("#tiles-problem")).to_have_text("There is time for tiles=2.")


def test_before_and_after(street):
    button = street.get_by_role("button", name="Original")
    button.click()
    expect(street.locator("#overlay .mark").first).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(street.locator("#overlay .mark").first).to_be_visible()


def drag(page, start, end):
    """A drag over the picture, between places given as fractions of it."""
    box = page.locator("#sheet").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=4)
    page.mouse.up()


def test_a_rectangle_dragged_on_the_picture_is_the_region(service, street):
    street.get_by_role("button", name="Mark a part").click()
    drag(street, (0.6, 0.5), (1, 1))
    assert listed(street) == ["Woman"]
    edges = [float(edge) for edge in street.locator("#region").input_value().split(",")]
    assert edges == pytest.approx([0.6, 0.5, 1, 1], abs=0.01)
    expect(street.locator("#band")).to_be_visible()
    expect(street).to_have_url(re.compile("region="))
    street.get_by_role("button", name="Whole picture", exact=True).click()
    assert len(listed(street)) == 4
    expect(street.locator("#band")).to_be_hidden()
    assert len(service.asked) == 1


def test_a_region_can_be_marked_with_the_keys(street):
    street.get_by_role("button", name="Mark a part").focus()
    street.keyboard.press("Enter")
    street.locator("#view").focus()
    street.keyboard.press("ArrowRight")
    expect(street.locator("#region")).to_have_value("0.3,0.25,0.8,0.75")


@pytest.mark.parametrize("written", ["0,0,1", "0.5,0,0.2,1", "a,b,c,d", "0,0,2,1"])
def test_a_region_that_cannot_be_right_is_told_and_changes_nothing(service, street, written):
    street.locator("summary", has_text="More options").click()
    street.locator("#region").fill(written)
    expect(street.locator("#region-problem")).to_contain_text("Give left, top, right and bottom as fractions")
    assert len(listed(street)) == 4
    assert len(service.asked) == 1


def test_pointing_at_an_object_brings_it_out_and_dims_the_rest(street):
    street.locator("#objects button").nth(1).hover()
    assert lit(street) == [1]
    expect(street.locator("#overlay")).to_have_class(re.compile(r"\blit\b"))
    expect(street.locator("#overlay .shade")).to_have_css("opacity", "1")
    street.locator("#objects-title").hover()
    assert lit(street) == []


def test_pointing_at_a_box_lights_up_its_object_and_the_smaller_one_wins(street):
    street.locator("#overlay .region[data-index='3']").hover()
    expect(street.locator("#objects li.lit")).to_have_text(re.compile("Wheel"))


def test_an_object_stays_lit_once_it_is_chosen(street):
    car = street.get_by_role("button", name=re.compile("Car 93%"))
    car.click()
    expect(car).to_have_attribute("aria-pressed", "true")
    street.locator("#objects-title").hover()
    assert lit(street) == [0]
    street.keyboard.press("Escape")
    expect(car).to_have_attribute("aria-pressed", "false")


def test_arrow_keys_go_through_the_list(street):
    street.locator("#objects button").first.focus()
    for key, place in [("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("End", 3), ("ArrowDown", 3), ("Home", 0)]:
        street.keyboard.press(key)
        expect(street.locator("#objects button").nth(place)).to_be_focused()
        assert lit(street) == [place]


def test_objects_chips_and_boxes_have_one_colour(street):
    swatch = street.locator("#objects .swatch").first
    colour = swatch.evaluate("each => getComputedStyle(each).backgroundColor")
    expect(street.locator("#overlay .mark[data-index='0'] rect").last).to_have_css("stroke", colour)
    expect(street.locator("#chips [data-label=Car] .swatch")).to_have_css("background-color", colour)


def width_of(page):
    return page.locator("#sheet").bounding_box()["width"]


def test_the_picture_can_be_zoomed_with_buttons(street):
    whole = width_of(street)
    street.get_by_role("button", name="Zoom in").click()
    assert width_of(street) == pytest.approx(1.4 * whole, rel=0.01)
    expect(street.locator("#zoom-told")).to_have_text("140 %")
    street.get_by_role("button", name="Zoom out").click()
    assert width_of(street) == pytest.approx(whole, rel=0.01)


def test_the_picture_can_be_zoomed_and_moved_with_keys(street):
    whole = width_of(street)
    street.locator("#view").focus()
    for _ in range(4):
        street.keyboard.press("+")
    assert width_of(street) > 3 * whole
    before = street.locator("#sheet").bounding_box()
    street.keyboard.press("ArrowRight")
    assert street.locator("#sheet").bounding_box()["x"] == pytest.approx(before["x"] - 60, abs=1)
    street.keyboard.press("0")
    assert width_of(street) == pytest.approx(whole, rel=0.01)


def test_the_wheel_zooms_at_the_pointer(street):
    box = street.locator("#sheet").bounding_box()
    at = (box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    street.mouse.move(*at)
    street.mouse.wheel(0, -300)
    expect(street.locator("#view")).to_have_class(re.compile("zoomed"))
    zoomed = street.locator("#sheet").bounding_box()
    assert (at[0] - zoomed["x"]) / zoomed["width"] == pytest.approx(0.25, abs=0.01)
    assert (at[1] - zoomed["y"]) / zoomed["height"] == pytest.approx(0.25, abs=0.01)


def test_a_zoomed_picture_is_moved_by_dragging(street):
    for _ in range(3):
        street.get_by_role("button", name="Zoom in").click()
    before = street.locator("#sheet").bounding_box()
    view = street.locator("#view").bounding_box()
    middle = (view["x"] + view["width"] / 2, view["y"] + view["height"] / 2)
    street.mouse.move(*middle)
    street.mouse.down()
    street.mouse.move(middle[0] + 50, middle[1] + 30, steps=3)
    street.mouse.up()
    after = street.locator("#sheet").bounding_box()
    assert (after["x"] - before["x"], after["y"] - before["y"]) == pytest.approx((50, 30), abs=1)


def test_two_fingers_zoom(service, open_page):
    service.answers = [found(*ALL)]
    page = open_page(f"{service.address}?url={URL}", viewport={"width": 390, "height": 800}, has_touch=True)
    expect(page.locator("#findings")).to_be_visible()
    whole = width_of(page)
    page.locator("#view").scroll_into_view_if_needed()
    view = page.locator("#view").bounding_box()
    x, y = view["x"] + view["width"] / 2, view["y"] + view["height"] / 2
    fingers = page.context.new_cdp_session(page)
    for kind, apart in [("touchStart", 30), ("touchMove", 45), ("touchMove", 60), ("touchMove", 75), ("touchEnd", 0)]:
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}] if apart else []
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert width_of(page) > 1.5 * whole


def test_labels_are_placed_anew_only_once_the_zoom_rests(street):
    # In one task, so that no rest comes in between, however slow this machine is.
    street.evaluate(
        """() => {
            let drawn = 0;
            const count = () => (document.body.dataset.drawn = ++drawn);
            new MutationObserver(count).observe(document.querySelector("#overlay"), {childList: true});
            for (let step = 0; step < 20; step++) document.querySelector("#zoom-in").click();
        }"""
    )
    expect(street.locator("body")).to_have_attribute("data-drawn", "1")
    street.locator("#view").press("ArrowLeft")
    street.locator("#view").press("ArrowUp")
    street.get_by_role("button", name="Zoom out").click()
    size = street.locator("#sheet").bounding_box()
    drawn_for = re.compile(f"^0 0 {round(size['width'])} {round(size['height'])}$")
    expect(street.locator("#overlay")).to_have_attribute("viewBox", drawn_for)
    expect(street.locator("body")).to_have_attribute("data-drawn", "2")  # twenty steps, two moves, and a step


def test_letters_and_lines_keep_their_size_at_every_zoom(street):
    sizes = "[...document.querySelectorAll('#overlay text')].map((text) => getComputedStyle(text).fontSize)"
    before = set(street.evaluate(sizes))
    for _ in range(4):
        street.get_by_role("button", name="Zoom in").click()
    assert set(street.evaluate(sizes)) <= before | {"13px"}
    size = street.locator("#sheet").bounding_box()
    drawn_for = re.compile(f"^0 0 {round(size['width'])} {round(size['height'])}$")
    expect(street.locator("#overlay")).to_have_attribute("viewBox", drawn_for)  # once the zoom rests
    matrix = street.locator("#overlay").evaluate("layer => layer.getScreenCTM().a")
    assert matrix == pytest.approx(1, abs=0.01), "one unit is one pixel of the screen"


def test_boxes_fit_a_picture_that_came_back_smaller(service, open_page):
    large = found({**CAR, "box": {name: 10 * edge for name, edge in CAR["box"].items()}}, X_Image_Reduced="width=320")
    large.document["image"] |= {"width": 3200, "height": 2400}
    service.answers = [large]
    page = open_page(f"{service.address}?url={URL}")
    expect(page.locator("#facts")).to_have_text(re.compile(r"3200 × 2400 px, PNG.*shown smaller to fit: width=320"))
    sheet, box = (page.locator(name).bounding_box() for name in ("#sheet", "#overlay .region"))
    assert (box["x"] - sheet["x"]) / sheet["width"] == pytest.approx(0.25, abs=0.01)


def test_nothing_found_suggests_the_best_score_there_is(service, street):
    street.get_by_label("Minimum score", exact=True).fill("0.99")
    expect(street.locator("#objects-title")).to_have_text("No objects")
    expect(street.locator("#none-told")).to_have_text(
        "Nothing reached a score of 0.99. The most certain is Car at 93%."
    )
    street.get_by_role("button", name="Show it: a minimum of 0.92").click()
    assert listed(street) == ["Car"]
    assert len(service.asked) == 1


def test_nothing_at_all_suggests_nothing(service, open_page):
    service.answers = [found()]
    page = open_page(f"{service.address}?url={URL}")
    expect(page.locator("#none-told")).to_have_text("Nothing reached a score of 0.1.")
    expect(page.locator("#lower")).to_be_hidden()


def test_a_link_brings_back_picture_options_and_hidden_labels(service, street, open_page):
    street.get_by_label("Minimum score", exact=True).fill("0.05")
    street.get_by_role("button", name="Woman 1", exact=True).click()
    street.get_by_role("radio", name="Boxes").check(force=True)
    street.locator("summary", has_text="More options").click()
    street.get_by_label("Only this part").fill("0,0,0.9,1")
    street.get_by_label("Format of the saved picture").select_option("webp")
    street.locator("summary", has_text="A score for each label").click()
    street.get_by_label("Minimum score of Wheel").fill("0.5")
    seen = listed(street)
    assert seen == ["Car", "Person"]
    other = open_page(street.url)
    expect(other.locator("#objects .label")).to_have_text(seen)
    expect(other.get_by_role("button", name="Woman 1", exact=True)).to_have_attribute("aria-pressed", "false")
    expect(other.get_by_role("radio", name="Boxes")).to_be_checked()
    expect(other.get_by_label("Format of the saved picture")).to_have_value("webp")
    expect(other).to_have_url(street.url)


def test_a_new_picture_starts_with_all_its_labels(service, street):
    street.get_by_role("button", name="Car 1", exact=True).click()
    street.get_by_label("Picture", exact=True).fill("https://example.com/other.jpg")
    street.keyboard.press("Enter")
    expect(street).to_have_url(re.compile("other"))
    expect(street.get_by_role("button", name="Car 1", exact=True)).to_have_attribute("aria-pressed", "true")
    assert "hide" not in street.url
