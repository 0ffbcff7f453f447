"""The page in a real browser: every way in, what is seen of the answer, and every way on from there."""

# ruff: noqa: RUF001 - the page has a real multiplication sign and dash

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from tests.browser.scripted import CAR, SIZE_PX, as_json, document, picture, png
from tests.functional.serving import served

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = sync_api.expect

URL = "https://example.com/a car's.jpg"
UPLOAD = {"name": "my car.png", "mimeType": "image/png", "buffer": png()}


def detect(page, url=URL):
    page.get_by_label("Picture", exact=True).fill(url)
    page.keyboard.press("Enter")
    expect(page.locator("#findings")).to_be_visible()


def transfer(page, files=(), **texts):
    """A DataTransfer, as dropping and pasting bring it."""
    return page.evaluate_handle(
        """([files, texts]) => {
            const transfer = new DataTransfer();
            for (const [name, type, content] of files) {
                const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
                transfer.items.add(new File([bytes], name, {type}));
            }
            for (const [type, text] of Object.entries(texts)) transfer.setData(type.replace("_", "/"), text);
            return transfer;
        }""",
        [[[name, media, base64.b64encode(content).decode()] for name, media, content in files], texts],
    )


def paste(page, target, data):
    page.evaluate(
        "([target, clipboardData]) => document.querySelector(target).dispatchEvent("
        "new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true}))",
        [target, data],
    )


def lit(page):
    """The boxes that are lit, in source pixels: x, y, width, height."""
    names = ("x", "y", "width", "height")
    return [tuple(int(box.get_attribute(name)) for name in names) for box in page.locator("#overlay rect.lit").all()]


def test_opening_the_page_costs_one_request(service, page):
    expect(page.get_by_text("What is in this picture?")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert service.paths == ["/"]


def test_an_address_gives_the_annotated_picture_and_its_objects(service, page):
    detect(page)
    assert service.asked == [{"method": "GET", "url": URL, "n": "3", "min_score": "0.1", "format": "image"}]
    expect(page.get_by_role("img", name="2 objects found: Car 93 %, Wheel 15 %.")).to_be_visible()
    assert page.locator("#picture").evaluate("picture => [picture.naturalWidth, picture.naturalHeight]") == [*SIZE_PX]
    expect(page.locator("#objects li")).to_have_text(
        [re.compile(r"Car\s*93 %\s*120 × 90 px at 80, 60"), re.compile(r"Wheel\s*15 %\s*30 × 30 px at 100, 120")]
    )
    expect(page.get_by_role("status")).to_have_text("2 objects found: Car 93 %, Wheel 15 %.")
    expect(page.locator("#model")).to_have_text("openimages_v4/ssd/mobilenet_v2")
    expect(page).to_have_title("Car – Recognizer")


def test_the_options_are_sent_and_kept_in_the_address(service, page):
    page.get_by_label("Objects, at most").fill("7")
    page.get_by_label("Minimum score, as a slider").fill("0.35")
    expect(page.get_by_label("Minimum score", exact=True)).to_have_value("0.35")
    page.locator("summary", has_text="Labels").click()
    expect(page.locator("#known-labels option")).not_to_have_count(0)  # from then on, "dog" becomes "Dog"
    page.get_by_label("Only these").press_sequentially("dog,Animal,")
    page.get_by_label("None of these").fill("Car")
    detect(page)
    expected = {"n": "7", "min_score": "0.35", "include": "Dog,Animal", "exclude": "Car"}
    assert {name: service.asked[0].get(name) for name in expected} == expected
    expect(page).to_have_url(re.compile(r"\?url=https.*&n=7&min_score=0\.35&include=Dog%2CAnimal&exclude=Car$"))


def test_a_link_with_an_address_runs_at_once(service, open_page):
    page = open_page(f"{service.address}?url=https://example.com/car.jpg&n=5&include=Car")
    expect(page.locator("#findings")).to_be_visible()
    assert service.asked[0]["url"] == "https://example.com/car.jpg"
    assert (service.asked[0]["n"], service.asked[0]["include"]) == ("5", "Car")
    expect(page.get_by_role("button", name="Remove Car")).to_be_visible()


def test_back_and_forward_bring_back_what_was_seen(service, page):
    detect(page, "https://example.com/1.jpg")
    detect(page, "https://example.com/2.jpg")
    page.locator("#file").set_input_files(UPLOAD)
    expect(page.locator("#file-name")).to_have_text("my car.png")
    page.go_back()
    expect(page.get_by_label("Picture", exact=True)).to_have_value("https://example.com/2.jpg")
    page.go_back()
    expect(page.get_by_label("Picture", exact=True)).to_have_value("https://example.com/1.jpg")
    page.go_back()
    expect(page.get_by_text("What is in this picture?")).to_be_visible()
    expect(page.locator("#findings")).to_be_hidden()
    page.go_forward()
    page.go_forward()
    page.go_forward()
    expect(page.locator("#file-name")).to_have_text("my car.png")
    expect(page.locator("#findings")).to_be_visible()


@pytest.mark.parametrize(
    ("written", "sent"),
    [("example.com/cat.jpg", "https://example.com/cat.jpg"), ("localhost:8000/a.png", "https://localhost:8000/a.png")],
)
def test_an_address_without_a_scheme_is_understood(service, page, written, sent):
    detect(page, written)
    assert service.asked[0]["url"] == sent


def test_an_address_too_long_for_a_request_line_goes_in_a_body(service, page):
    long = f"https://example.com/cat.jpg?signature={'x' * 7000}"
    detect(page, long)
    assert (service.asked[0]["method"], service.asked[0]["url"]) == ("POST", long)


def test_a_file_goes_as_base64_in_json(service, page):
    page.locator("#file").set_input_files(UPLOAD)
    expect(page.locator("#findings")).to_be_visible()
    asked = service.asked[0]
    assert (asked["method"], asked["n"], asked["min_score"], asked["format"]) == ("POST", 3, 0.1, "image")
    assert base64.b64decode(asked["image"]) == UPLOAD["buffer"]
    expect(page.locator("#file-name")).to_have_text("my car.png")


def test_a_file_can_be_dropped(service, page):
    data = transfer(page, [("dropped.png", "image/png", png())])
    page.dispatch_event("#stage", "dragover", {"dataTransfer": data})
    expect(page.locator("body")).to_have_class("dropping")
    page.dispatch_event("#stage", "drop", {"dataTransfer": data})
    expect(page.locator("#findings")).to_be_visible()
    expect(page.locator("body")).not_to_have_class("dropping")
    assert base64.b64decode(service.asked[0]["image"]) == png()


def test_a_picture_from_another_page_can_be_dropped(service, page):
    page.dispatch_event("#stage", "drop", {"dataTransfer": transfer(page, text_plain="https://example.com/cat.jpg")})
    expect(page.locator("#findings")).to_be_visible()
    assert service.asked[0]["url"] == "https://example.com/cat.jpg"


@pytest.mark.parametrize("target", ["body", "#url"])
def test_a_picture_can_be_pasted_anywhere(service, page, target):
    paste(page, target, transfer(page, [("image.png", "image/png", png())]))
    expect(page.locator("#findings")).to_be_visible()
    assert base64.b64decode(service.asked[0]["image"]) == png()


def test_an_address_can_be_pasted_beside_the_fields(service, page):
    paste(page, "#n", transfer(page, text_plain="https://example.com/1.jpg"))  # text in a field is the field's own
    paste(page, "body", transfer(page, text_plain="https://example.com/2.jpg"))
    expect(page.locator("#findings")).to_be_visible()
    assert [asked["url"] for asked in service.asked] == ["https://example.com/2.jpg"]


def test_the_paste_button_reads_the_clipboard(service, open_page):
    page = open_page(service.address, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('https://example.com/copied.jpg')")
    page.get_by_role("button", name="Paste").click()
    expect(page.locator("#findings")).to_be_visible()
    assert service.asked[0]["url"] == "https://example.com/copied.jpg"


@pytest.mark.parametrize("name", ["cat", "astronaut", "coffee"])
def test_a_sample_is_one_click_and_has_a_link(service, page, name):
    page.locator(f"[data-sample={name}]").click()
    expect(page.locator("#findings")).to_be_visible()
    assert Image.open(io.BytesIO(base64.b64decode(service.asked[0]["image"]))).format == "JPEG"
    expect(page).to_have_url(f"{service.address}?sample={name}")


def test_a_picture_over_the_limit_is_made_smaller_and_said_so(service, page):
    noise = np.random.default_rng(1).integers(0, 256, (1300, 1300, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    page.locator("#file").set_input_files({**UPLOAD, "buffer": file.getvalue()})
    expect(page.locator("#findings")).to_be_visible()
    assert len(service.asked[0]["image"]) < 5_900_000
    assert Image.open(io.BytesIO(base64.b64decode(service.asked[0]["image"]))).size == (1300, 1300)
    expect(page.locator("#facts")).to_contain_text(
        "is over what one request can carry, so it was sent at 1300 × 1300 px"
    )
    expect(page.locator("#curl")).to_contain_text("# my car.png is too big as it is")


def test_taking_the_picture_away_gives_an_empty_page(service, page):
    page.locator("#file").set_input_files(UPLOAD)
    expect(page.locator("#findings")).to_be_visible()
    page.get_by_role("button", name="Take this picture away").click()
    expect(page.get_by_text("What is in this picture?")).to_be_visible()
    expect(page.get_by_label("Picture", exact=True)).to_be_focused()
    expect(page).to_have_url(service.address)


def test_pointing_at_an_object_lights_up_its_box(page):
    detect(page)
    page.locator("#objects button").nth(1).hover()
    assert lit(page) == [(100, 120, 30, 30)]
    expect(page.locator("#ruler-x .end")).to_have_text(["100", "130"])
    expect(page.locator("#ruler-y .end")).to_have_text(["120", "150"])
    page.locator("#objects-title").hover()
    assert lit(page) == []


def test_pointing_at_a_box_lights_up_its_object_and_the_smaller_one_wins(page):
    detect(page)
    page.locator("#overlay rect[data-index='1']").hover()
    expect(page.locator("#objects li.lit")).to_have_text(re.compile("Wheel"))


def test_an_object_stays_lit_once_it_is_chosen(page):
    detect(page)
    car = page.get_by_role("button", name="Car 93 %")
    car.click()
    expect(car).to_have_attribute("aria-pressed", "true")
    page.locator("#objects-title").hover()
    page.locator("#curl").focus()
    assert lit(page) == [(80, 60, 120, 90)]
    page.keyboard.press("Escape")
    expect(car).to_have_attribute("aria-pressed", "false")
    assert lit(page) == []


def test_boxes_fit_a_picture_that_came_back_smaller(service, page):
    service.answers = [picture(CAR, X_Image_Size="3200x2400", X_Image_Reduced="width=320, height=240")]
    detect(page)
    expect(page.locator("#overlay")).to_have_attribute("viewBox", "0 0 3200 2400")
    expect(page.locator("#facts")).to_have_text(re.compile(r"3200 × 2400 px, PNG.*made smaller to fit: width=320"))


def test_the_time_of_each_step_is_told(page):
    detect(page)
    rows = page.locator("#times div").all_text_contents()
    assert rows[:6] == [
        "download12 ms",
        "decode3 ms",
        "detect20 ms",
        "annotate1.5 ms",
        "encode3.5 ms",
        "in the service40 ms",
    ]
    assert re.fullmatch(r"round trip[\d,.]+ ms", rows[6])


def test_the_curl_line_of_an_address_can_be_copied(service, open_page):
    page = open_page(service.address, permissions=["clipboard-read", "clipboard-write"])
    detect(page)
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == (
        f"curl --get '{service.address}detector' \\\n"
        "  --data-urlencode 'url=https://example.com/a car'\\''s.jpg' \\\n"
        "  --data-urlencode 'n=3' \\\n"
        "  --data-urlencode 'min_score=0.1' \\\n"
        "  --output 'a-20car-s-objects.png'"
    )


def test_the_curl_line_of_a_file_sends_the_file(service, page):
    page.locator("#file").set_input_files(UPLOAD)
    expect(page.locator("#curl")).to_have_text(
        f"curl '{service.address}detector?n=3&min_score=0.1' \\\n"
        "  --header 'Content-Type: image/png' \\\n"
        "  --header 'Accept: image/*' \\\n"
        "  --data-binary '@my car.png' \\\n"
        "  --output 'my-car-objects.png'",
        use_inner_text=True,
    )


def test_the_json_is_fetched_once_it_is_wanted(service, page):
    detect(page)
    assert [asked["format"] for asked in service.asked] == ["image"]
    page.locator("summary", has_text="JSON answer").click()
    expect(page.locator("#json")).to_contain_text('"id": "/m/0k4j"')
    page.locator("summary", has_text="JSON answer").click()
    page.locator("summary", has_text="JSON answer").click()
    assert [asked["format"] for asked in service.asked] == ["image", "json"]


def test_more_objects_than_a_header_holds_come_from_the_json(service, page):
    many = [{**CAR, "score": 0.9 - place / 100} for place in range(60)]
    service.answers, service.document = [picture(*many[:20], count=60)], document(*many)
    detect(page)
    expect(page.locator("#objects li")).to_have_count(60)
    expect(page.locator("#overlay rect")).to_have_count(60)
    expect(page.get_by_role("heading", name="60 objects")).to_be_visible()


def test_the_annotated_picture_can_be_downloaded(page):
    page.locator("#file").set_input_files(UPLOAD)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "my-car-objects.png"
    assert download.value.path().read_bytes() == png()


def test_nothing_found_says_why_and_offers_a_lower_score(service, page):
    service.answers = [picture(), picture(CAR)]
    page.get_by_label("Minimum score", exact=True).fill("0.8")
    detect(page)
    expect(page.get_by_role("heading", name="No objects")).to_be_visible()
    expect(page.get_by_text("Nothing reached a score of 0.8.")).to_be_visible()
    page.get_by_role("button", name="Try a minimum of 0.1").click()
    expect(page.locator("#objects li")).to_have_count(1)
    assert service.asked[1]["min_score"] == "0.1"


def test_labels_become_chips_that_can_be_taken_back(service, page):
    page.locator("summary", has_text="Labels").click()
    expect(page.locator("#known-labels option")).to_have_count(4)  # three labels and a group
    field = page.get_by_label("Only these")
    field.press_sequentially("coffee CUP")
    field.press("Enter")
    expect(page.get_by_role("button", name="Remove Coffee cup")).to_be_visible()
    # Headless, there is no list to pick from: what a browser does with a picked completion.
    field.evaluate(
        "field => { field.value = 'Dog';"
        " field.dispatchEvent(new InputEvent('input', {inputType: 'insertReplacementText', bubbles: true})); }"
    )
    expect(page.get_by_role("button", name="Remove Dog")).to_be_visible()
    field.press("Backspace")
    expect(page.get_by_role("button", name="Remove Dog")).to_be_hidden()
    page.get_by_role("button", name="Remove Coffee cup").click()
    expect(field).to_be_focused()
    expect(page.locator("#labels-told")).to_have_text("all")
    assert service.asked == [], "Enter made a chip, it did not send the form"


def test_objects_have_the_colour_of_their_box(page):
    detect(page)
    expect(page.locator("#objects .swatch").first).to_have_css("border-top-color", "rgb(0, 114, 178)")


def test_text_of_the_service_is_never_markup(service, page):
    nasty = "<img src=x onerror=alert(1)>"
    service.answers = [picture({**CAR, "label": nasty}, X_Model=f"{nasty};")]
    service.labels = as_json({"labels": [{"name": nasty, "id": "/m/1", "parents": [nasty]}]})
    detect(page)
    expect(page.locator("#objects .label")).to_have_text(nasty)
    assert page.locator("#findings img, .top img, datalist img").count() == 0


@pytest.mark.parametrize("path", ["prod", "prod/"])
def test_works_below_the_name_of_a_stage(service, open_page, path):
    service.stage = "/prod"
    page = open_page(service.address + path)
    page.locator("#file").set_input_files(UPLOAD)
    expect(page.locator("#findings")).to_be_visible()
    expect(page.locator("#curl")).to_contain_text(f"{service.address}prod/detector?")
    expect(page.get_by_role("link", name="All labels")).to_have_attribute("href", f"{service.address}prod/labels")


def test_works_as_a_plain_form_without_scripts(service, open_page):
    page = open_page(service.address, java_script_enabled=False)
    page.get_by_label("Picture", exact=True).fill("https://example.com/car.jpg")
    page.get_by_role("button", name="Detect").click()
    expect(page).to_have_url(re.compile(r"/detector\?url=https"))
    assert service.asked[0]["url"] == "https://example.com/car.jpg"


def test_the_real_service_finds_the_car(open_page, tiny_model):
    from recognizer.build import build

    handler = build({"MODEL_DIR": str(tiny_model), "ALLOW_PRIVATE_ADDRESSES": "true", "THREADS": "2"})
    red = Image.new("RGB", SIZE_PX)
    red.paste("red", (80, 60, 200, 150))
    file = io.BytesIO()
    red.save(file, "PNG")
    with served(handler) as address:
        page = open_page(address)
        page.locator("#file").set_input_files({**UPLOAD, "buffer": file.getvalue()})
        expect(page.locator("#objects .label").first).to_have_text("Car")
        expect(page.locator("#overlay")).to_have_attribute("viewBox", "0 0 320 240")
        assert page.locator("#picture").evaluate("picture => picture.naturalWidth") == SIZE_PX[0]
        page.locator("summary", has_text="JSON answer").click()
        expect(page.locator("#json")).to_contain_text('"label": "Car"')
        page.locator("#objects button").first.hover()
        assert len(lit(page)) == 1
