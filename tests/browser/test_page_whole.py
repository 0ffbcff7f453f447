"""What the picture is as a whole, in a line above it, when that is asked for."""

from __future__ import annotations

import base64

import pytest

from tests.browser.scripted import CAR, classes, found, png, problem

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = sync_api.expect

URL = "https://example.com/cat.jpg"
UPLOAD = {"name": "cat.png", "mimeType": "image/png", "buffer": png()}


@pytest.fixture
def page(service, open_page):
    page = open_page(f"{service.address}?url={URL}")
    expect(page.locator("#findings")).to_be_visible()
    return page


def button(page):
    return page.get_by_role("button", name="As a whole")


def line(page):
    return page.locator("#classes")


def test_nothing_is_asked_before_the_button_is_pressed(service, page):
    expect(line(page)).to_be_hidden()
    assert service.classified == []


def test_its_labels_stand_above_the_picture_with_their_scores_and_where_they_come_from(service, page):
    button(page).click()

    expect(page.locator("#classes .chip")).to_have_text(["Egyptian cat82%", "tabby, tabby cat9%"])
    expect(line(page)).to_contain_text("From the classifier own/classifier.")
    expect(page.get_by_role("status")).to_contain_text("Egyptian cat 82%, tabby, tabby cat 9%")
    expect(button(page)).to_have_attribute("aria-pressed", "true")
    assert service.classified == [{"url": URL, "n": "5"}]
    assert line(page).bounding_box()["y"] < page.locator("#view").bounding_box()["y"]


def test_labels_that_come_from_objects_say_so(service, page):
    service.whole = classes(("Cat", 0.55), source="detections")
    button(page).click()
    expect(line(page)).to_contain_text("From the objects found: there is no classifier in this service.")


def test_the_line_goes_with_another_press_and_with_another_picture(service, page):
    button(page).click()
    expect(page.locator("#classes .chip")).to_have_count(2)
    button(page).click()
    expect(line(page)).to_be_hidden()
    button(page).click()
    expect(page.locator("#classes .chip")).to_have_count(2)
    service.answers = [found(CAR, picture=png((200, 100)))]
    page.get_by_label("Picture", exact=True).fill("https://example.com/car.jpg")
    page.get_by_role("button", name="Detect").click()
    expect(page.locator("#facts")).to_be_visible()
    expect(line(page)).to_be_hidden()
    expect(button(page)).to_have_attribute("aria-pressed", "false")


def test_options_of_the_objects_leave_it_as_it_is(service, page):
    button(page).click()
    expect(page.locator("#classes .chip")).to_have_count(2)
    page.get_by_role("radio", name="Boxes").check()
    expect(page.locator("#classes .chip")).to_have_count(2)
    assert len(service.classified) == 1


def test_an_answer_under_way_can_be_put_away(service, page):
    service.whole = service.held(service.whole)
    button(page).click()
    expect(line(page)).to_contain_text("Looking at the whole picture")
    button(page).click()
    expect(line(page)).to_be_hidden()
    service.whole.release()
    expect(button(page)).to_have_attribute("aria-pressed", "false")


def test_a_file_is_sent_as_it_is(service, open_page):
    page = open_page(service.address)
    page.locator("#file").set_input_files(UPLOAD)
    button(page).click()
    expect(page.locator("#classes .chip")).to_have_count(2)
    assert service.classified == [{"image": base64.b64encode(png()).decode(), "n": 5}]


def test_nothing_known_and_what_went_wrong_are_told_in_the_line(service, page):
    service.whole = classes()
    button(page).click()
    expect(line(page)).to_contain_text("It is nothing that is known here.")
    button(page).click()
    service.whole = problem(504, "Download timed out", "The picture's server took more than 10 seconds.")
    button(page).click()
    expect(line(page)).to_contain_text("The picture's server took more than 10 seconds.")
    expect(page.locator("#stage")).to_have_attribute("data-state", "shown")
