"""What the page says and does when something is slow or goes wrong."""

# ruff: noqa: RUF001 - the page has real apostrophes

from __future__ import annotations

import pytest

from tests.browser.scripted import CAR, WHEEL, found, gateway_error, png, problem

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = sync_api.expect

URL = "https://example.com/cat.jpg"
UPLOAD = {"name": "car.png", "mimeType": "image/png", "buffer": png()}
UNAVAILABLE = gateway_error(503, "Service Unavailable")


def ask(page, url=URL):
    page.get_by_label("Picture", exact=True).fill(url)
    page.get_by_role("button", name="Detect").click()


@pytest.fixture
def timed_page(service, open_page):
    """The page with a clock that the test can put forward."""
    page = open_page("about:blank")
    page.clock.install()
    page.goto(service.address)
    return page


def test_a_request_under_way_is_seen_and_can_be_cancelled(service, page):
    service.hold()
    ask(page)
    expect(page.locator("#doing")).to_have_text("Looking…")
    expect(page.locator("#stage")).to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("What is in this picture?")).to_be_visible()
    expect(page.locator("#stage")).to_have_attribute("aria-busy", "false")


def test_an_upload_is_seen_while_it_is_looked_at(service, page):
    service.hold()
    page.locator("#file").set_input_files(UPLOAD)
    expect(page.locator("#stage[data-state=busy][data-picture] #picture")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#stage[data-state=shown] #picture")).to_be_visible()


def test_the_last_of_two_requests_is_the_one_shown(service, page):
    first = service.hold(found(CAR))
    ask(page, "https://example.com/1.jpg")
    expect(page.locator("#stage")).to_have_attribute("data-state", "busy")
    ask(page, "https://example.com/2.jpg")
    expect(page.locator("#objects li")).to_have_count(2)
    first.release()
    expect(page.locator("#objects li")).to_have_count(2)
    expect(page.locator("#code-text")).to_contain_text("2.jpg")


def test_a_first_answer_that_takes_long_is_called_waking_up(service, timed_page):
    held, service.health = service.hold(), service.held(service.health)
    ask(timed_page)
    expect(timed_page.locator("#doing")).to_have_text("Looking…")
    timed_page.clock.run_for(2_000)
    expect(timed_page.locator("#doing")).to_have_text("Still looking…")
    timed_page.clock.run_for(2_000)
    expect(timed_page.locator("#doing")).to_have_text("Waking up the model…")
    expect(timed_page.get_by_role("status")).to_contain_text("After a pause the service has to load it first.")
    held.release()
    expect(timed_page.locator("#findings")).to_be_visible()


def test_a_service_that_is_awake_is_not_called_waking_up(service, timed_page):
    held = service.hold()
    ask(timed_page)
    timed_page.clock.run_for(2_000)
    expect(timed_page.locator("#why")).to_have_text("The service is awake; the picture’s own server is slow.")
    timed_page.clock.run_for(5_000)
    expect(timed_page.locator("#doing")).to_have_text("Still looking…")
    held.release()
    expect(timed_page.locator("#findings")).to_be_visible()


def test_a_later_answer_that_takes_long_is_not_either(service, timed_page):
    ask(timed_page)
    expect(timed_page.locator("#findings")).to_be_visible()
    service.hold()
    ask(timed_page, "https://example.com/other.jpg")
    expect(timed_page.locator("#doing")).to_have_text("Looking…")
    timed_page.clock.run_for(2_000)
    expect(timed_page.locator("#doing")).to_have_text("Still looking…")
    assert "/health" not in service.paths


def test_cancelling_keeps_the_last_result(service, page):
    ask(page)
    expect(page.locator("#objects li")).to_have_count(2)
    address = page.url
    service.hold()
    ask(page, "https://example.com/other.jpg")
    expect(page.locator("#stage")).to_have_attribute("data-state", "busy")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#stage")).to_have_attribute("data-state", "shown")
    expect(page.locator("#objects li")).to_have_count(2)
    expect(page.get_by_label("Picture", exact=True)).to_have_value(URL)
    expect(page).to_have_url(address)


def test_after_a_failure_one_can_go_back_to_the_last_result(service, page):
    service.answers = [found(CAR, WHEEL), problem(502, "Download failed", "example.com answered 404 Not Found.")]
    ask(page)
    expect(page.locator("#objects li")).to_have_count(2)
    ask(page, "https://example.com/other.jpg")
    page.get_by_role("button", name="Back to the last picture").click()
    expect(page.locator("#stage")).to_have_attribute("data-state", "shown")
    expect(page.get_by_label("Picture", exact=True)).to_have_value(URL)


@pytest.mark.parametrize(
    "answer",
    [
        UNAVAILABLE,
        gateway_error(500, "Internal Server Error"),
        gateway_error(504, "Endpoint request timed out"),
        gateway_error(429, "Too Many Requests"),
    ],
    ids=lambda answer: str(answer["statusCode"]),
)
def test_what_the_gateway_could_not_deliver_is_asked_for_again(service, timed_page, answer):
    held = service.hold()
    service.answers.insert(0, answer)
    ask(timed_page)
    expect(timed_page.locator("#why")).to_contain_text("Trying again, 1 of 3.")
    timed_page.clock.fast_forward(1_000)
    held.release()
    expect(timed_page.locator("#findings")).to_be_visible()
    assert len(service.asked) == 2


def test_after_three_more_tries_it_is_left_to_the_user(service, timed_page):
    service.answers = [UNAVAILABLE]
    ask(timed_page)
    for retry in (1, 2, 3):
        expect(timed_page.locator("#why")).to_contain_text(f"Trying again, {retry} of 3.")
        timed_page.clock.fast_forward(6_000)
    alert = timed_page.get_by_role("alert").filter(has_text="The service did not answer in time")
    expect(alert).to_be_visible()
    assert len(service.asked) == 4
    service.answers = [found(CAR)]
    alert.get_by_role("button", name="Try again").click()
    expect(timed_page.locator("#findings")).to_be_visible()


def test_a_service_that_cannot_be_reached_is_asked_again(service, timed_page):
    timed_page.context.set_offline(True)
    ask(timed_page)
    expect(timed_page.locator("#why")).to_have_text("The service cannot be reached. Trying again, 1 of 3.")
    timed_page.context.set_offline(False)
    timed_page.clock.fast_forward(1_000)
    expect(timed_page.locator("#findings")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "title", "detail"),
    [
        (413, "Picture too large", "The picture has 60 megapixels; at most 50 are taken."),
        (415, "Not a supported picture", "This is a web page, not a picture."),
        (422, "Broken picture", "The JPEG ends in the middle."),
        (502, "Download failed", "example.com answered 404 Not Found."),
        (504, "Download timed out", "example.com did not send it within 10 s."),
    ],
)
def test_what_the_service_says_is_shown_and_not_asked_again(service, page, status, title, detail):
    service.answers = [problem(status, title, detail, parameter="url"), found(CAR)]
    ask(page)
    alert = page.get_by_role("alert").filter(has_text=title)
    expect(alert).to_contain_text(detail)
    assert len(service.asked) == 1
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator("#findings")).to_be_visible()
    expect(alert).to_be_hidden()


def test_an_internal_error_comes_with_its_request_id(service, page):
    service.answers = [problem(500, "Internal error", "Something went wrong on our side.", request_id="7b6c-1a52")]
    ask(page)
    expect(page.get_by_role("alert").filter(has_text="Internal error")).to_contain_text("Request 7b6c-1a52")


@pytest.mark.parametrize("field", ["url", "n", "min_score", "include", "exclude"])
def test_an_error_about_a_field_is_told_there_and_brings_one_to_it(service, page, field):
    service.answers = [problem(400, "Invalid parameter", "That cannot be right.", parameter=field), found(CAR)]
    ask(page)
    expect(page.locator(f"#{field}-problem")).to_have_text("That cannot be right.")
    expect(page.locator(f"#{field}")).to_be_focused()
    expect(page.locator(f"#{field}")).to_have_attribute("aria-invalid", "true")
    assert f"{field}-problem" in page.locator(f"#{field}").get_attribute("aria-describedby")
    page.get_by_role("button", name="Detect").click()
    expect(page.locator("#findings")).to_be_visible()
    expect(page.locator(f"#{field}-problem")).to_be_empty()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("url", "", "Give the address of a picture, or choose a file."),
        ("url", "ftp://example.com/cat.jpg", "That is not a web address"),
        ("url", "my cat", "That is not a web address"),
        ("n", "0", "Give a whole number from 1 to 100."),
        ("n", "2.5", "Give a whole number from 1 to 100."),
        ("min_score", "1.5", "Give a number from 0 to 1."),
        ("min_score", "", "Give a number from 0 to 1."),
    ],
)
def test_what_cannot_be_right_is_not_even_sent(service, page, field, value, words):
    page.locator("#url").fill(URL)
    page.locator(f"#{field}").fill(value)
    page.get_by_role("button", name="Detect").click()
    expect(page.locator(f"#{field}-problem")).to_contain_text(words)
    expect(page.locator(f"#{field}")).to_be_focused()
    assert service.asked == []


def test_an_address_that_may_not_be_called_is_told_at_its_field(service, page):
    service.answers = [problem(403, "Address not allowed", "10.0.0.1 is a private address.", parameter="url")]
    ask(page)
    expect(page.locator("#url-problem")).to_have_text("10.0.0.1 is a private address.")


def test_a_result_stays_when_the_next_request_has_a_wrong_field(service, page):
    service.answers = [found(CAR), problem(400, "Invalid parameter", "No such label.", parameter="include")]
    ask(page)
    expect(page.locator("#findings")).to_be_visible()
    page.get_by_role("button", name="Detect").click()
    expect(page.locator("#include-problem")).to_have_text("No such label.")
    expect(page.locator("#findings")).to_be_visible()
    expect(page.locator("#stage")).to_have_attribute("data-state", "shown")


def test_a_file_that_is_no_picture_is_not_sent(service, page):
    page.locator("#file").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"})
    expect(page.get_by_role("alert").filter(has_text="Not a picture")).to_contain_text("notes.txt is not a picture.")
    assert service.asked == []


def test_a_big_file_that_the_browser_cannot_shrink_is_refused_in_words(service, page):
    page.locator("#file").set_input_files({"name": "photo.heic", "mimeType": "image/heic", "buffer": bytes(5_000_000)})
    alert = page.get_by_role("alert").filter(has_text="Picture too large")
    expect(alert).to_contain_text("photo.heic is 5.0 MB. At most 4.4 MB can be sent")
    assert service.asked == []


@pytest.mark.parametrize("message", ["Forbidden", "Missing Authentication Token"])
def test_a_service_that_wants_signed_requests_says_that_a_browser_cannot_send_them(service, page, message):
    service.answers = [gateway_error(403, message)]
    ask(page)
    alert = page.get_by_role("alert").filter(has_text="This service asks for signed requests")
    expect(alert).to_contain_text("which a browser cannot send")
    assert len(service.asked) == 1


def test_a_token_that_is_good_but_not_for_this_is_told(service, page):
    service.answers = [gateway_error(401, "Unauthorized"), gateway_error(403, "Forbidden")]
    ask(page)
    page.get_by_role("textbox", name="Token").fill("a-token")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert").filter(has_text="Not allowed")).to_contain_text("Your token is good")


@pytest.mark.parametrize("status", [404, 405])
def test_a_service_that_takes_no_files_is_told_in_words(service, page, status):
    service.answers = [problem(status, "Method not allowed", "/detector does not take POST, but GET.")]
    page.locator("#file").set_input_files(UPLOAD)
    expect(page.get_by_role("alert").filter(has_text="This service takes no files.")).to_be_visible()


def test_a_service_without_labels_still_takes_them(service, page):
    service.labels = problem(404, "Not found", "There is nothing at /labels.")
    page.locator("summary", has_text="More options").click()
    page.get_by_label("Only these labels").fill("Dog, Cat")
    ask(page)
    expect(page.locator("#findings")).to_be_visible()
    assert service.asked[0]["include"] == "Dog,Cat"
