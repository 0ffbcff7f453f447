"""The page in a real browser: every way in, and what is seen of the answer."""

# ruff: noqa: RUF001 - the page has a real multiplication sign and dash

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.browser.scripted import CAR, SIZE_PX, as_json, found, png
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


def test_opening_the_page_costs_one_request(service, page):
    expect(page.get_by_text("What is in this picture?")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert service.paths == ["/"]


def test_an_address_costs_one_request_for_the_picture_and_its_objects(service, page):
    detect(page)
    asked = {"method": "GET", "url": URL, "n": "100", "min_score": "0.05", "format": "both", "draw": "none"}
    assert service.asked == [asked]
    expect(page.get_by_role("img", name="2 objects found: Car 93%, Wheel 15%.")).to_be_visible()
    assert page.locator("#picture").evaluate("picture => [picture.naturalWidth, picture.naturalHeight]") == [*SIZE_PX]
    expect(page.locator("#objects li")).to_have_text(
        [re.compile(r"Car\s*93%\s*120 × 90 px at 80, 60"), re.compile(r"Wheel\s*15%\s*30 × 30 px at 100, 120")]
    )
    expect(page.get_by_role("status")).to_have_text("2 objects found: Car 93%, Wheel 15%.")
    expect(page.locator("#model")).to_have_text("openimages_v4/ssd/mobilenet_v2")
    expect(page).to_have_title("Car – Recognizer")


def test_the_options_are_sent_and_kept_in_the_address(service, page):
    page.get_by_label("At most").fill("7")
    page.get_by_label("Minimum score, as a slider").fill("0.35")
    expect(page.get_by_label("Minimum score", exact=True)).to_have_value("0.35")
    page.locator("summary", has_text="More options").click()
    expect(page.locator("#known-labels option")).not_to_have_count(0)  # from then on, "dog" becomes "Dog"
    page.get_by_label("Only these labels").press_sequentially("dog,Animal,")
    page.get_by_label("None of these labels").fill("Car")
    detect(page)
    expected = {"n": "100", "min_score": "0.05", "include": "Dog,Animal", "exclude": "Car"}
    assert {name: service.asked[0].get(name) for name in expected} == expected
    expect(page).to_have_url(re.compile(r"\?url=https.*&n=7&min_score=0\.35&include=Dog%2CAnimal&exclude=Car$"))


def test_a_link_with_an_address_runs_at_once(service, open_page):
    page = open_page(f"{service.address}?url=https://example.com/car.jpg&n=5&include=Car")
    expect(page.locator("#findings")).to_be_visible()
    assert service.asked[0]["url"] == "https://example.com/car.jpg"
    assert service.asked[0]["include"] == "Car"
    expect(page.get_by_label("At most")).to_have_value("5")
    expect(page.locator("#more-told")).to_have_text("Car")
    page.locator("summary", has_text="More options").click()
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
    assert (asked["method"], asked["n"], asked["min_score"], asked["format"]) == ("POST", 100, 0.05, "json")
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
    page.get_by_role("button", name="Paste", exact=True).click()
    expect(page.locator("#findings")).to_be_visible()
    assert service.asked[0]["url"] == "https://example.com/copied.jpg"


@pytest.mark.parametrize("name", ["wall", "cat", "astronaut", "coffee"])
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
    expect(page.locator("#code-hint")).to_have_text("my car.png is too big as it is: make it smaller first.")


def test_taking_the_picture_away_gives_an_empty_page(service, page):
    page.locator("#file").set_input_files(UPLOAD)
    expect(page.locator("#findings")).to_be_visible()
    page.get_by_role("button", name="Take this picture away").click()
    expect(page.get_by_text("What is in this picture?")).to_be_visible()
    expect(page.get_by_label("Picture", exact=True)).to_be_focused()
    expect(page).to_have_url(service.address)


def test_with_a_file_chosen_an_address_can_be_given(service, page):
    page.locator("#file").set_input_files(UPLOAD)
    expect(page.locator("#file-name")).to_have_text("my car.png")
    detect(page, "https://example.com/other.jpg")
    expect(page.locator("#file-name")).to_be_hidden()
    assert service.asked[1]["url"] == "https://example.com/other.jpg"


def test_the_empty_stage_is_a_way_to_choose_files(page):
    with page.expect_file_chooser() as chooser:
        page.get_by_text("What is in this picture?").click()
    assert chooser.value.is_multiple()


def test_a_picture_can_be_taken_with_the_camera(service, open_page):
    page = open_page(service.address, permissions=["camera"])
    page.get_by_role("button", name="Camera").click()
    expect(page.get_by_role("dialog", name="Camera")).to_be_visible()
    expect(page.locator("#video")).not_to_have_js_property("videoWidth", 0)
    page.get_by_role("button", name="Take the picture").click()
    expect(page.locator("#findings")).to_be_visible()
    expect(page.locator("#file-name")).to_have_text("camera.jpg")
    assert Image.open(io.BytesIO(base64.b64decode(service.asked[0]["image"]))).format == "JPEG"
    assert page.evaluate("document.querySelector('#video').srcObject") is None, "the camera is let go"


def test_where_there_is_no_camera_none_is_offered(service, open_page):
    page = open_page("about:blank")
    page.add_init_script("navigator.mediaDevices.enumerateDevices = async () => []")
    page.goto(service.address)
    page.get_by_role("button", name="Choose files").wait_for()

    expect(page.get_by_role("button", name="Camera")).to_be_hidden()


def test_closing_the_camera_takes_no_picture(service, open_page):
    page = open_page(service.address, permissions=["camera"])
    page.get_by_role("button", name="Camera").click()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("What is in this picture?")).to_be_visible()
    assert service.asked == []


def tiff():
    file = io.BytesIO()
    Image.open(io.BytesIO(png())).save(file, "TIFF")
    return file.getvalue()


def test_an_address_of_a_picture_that_browsers_cannot_show_is_asked_for_as_one_that_they_can(service, page):
    service.answers = [replace(found(CAR, picture=tiff()), media_type="image/tiff"), found(CAR)]
    detect(page, "https://example.com/scan.tif")
    expect(page.locator("#objects li")).to_have_count(1)
    assert [asked.get("image_format") for asked in service.asked] == [None, "jpeg"]
    assert page.locator("#picture").evaluate("picture => picture.naturalWidth") == SIZE_PX[0]


def test_a_file_that_browsers_cannot_show_comes_back_as_one_that_they_can(service, page):
    page.locator("#file").set_input_files({"name": "scan.tif", "mimeType": "image/tiff", "buffer": tiff()})
    expect(page.locator("#objects li")).to_have_count(2)
    (asked,) = service.asked
    assert (asked["format"], asked["image_format"], base64.b64decode(asked["image"])) == ("both", "jpeg", tiff())
    assert page.locator("#picture").evaluate("picture => picture.naturalWidth") == SIZE_PX[0]


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


def test_labels_become_chips_that_can_be_taken_back(service, page):
    page.locator("summary", has_text="More options").click()
    expect(page.locator("#known-labels option")).to_have_count(4)  # three labels and the group that is no label
    field = page.get_by_label("Only these labels")
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
    assert service.asked == [], "Enter made a chip, it did not send the form"


def test_text_of_the_service_is_never_markup(service, page):
    nasty = "<img src=x onerror=alert(1)>"
    service.answers = [found({**CAR, "label": nasty})]
    service.labels = as_json({"labels": [{"name": nasty, "id": "/m/1", "parents": [nasty]}]})
    detect(page)
    expect(page.locator("#objects .label")).to_have_text(nasty)
    assert page.locator("#findings img, .top img, datalist img, #overlay img").count() == 0


@pytest.mark.parametrize("path", ["prod", "prod/"])
def test_works_below_the_name_of_a_stage(service, open_page, path):
    service.stage = "/prod"
    page = open_page(service.address + path)
    page.locator("#file").set_input_files(UPLOAD)
    expect(page.locator("#findings")).to_be_visible()
    expect(page.locator("#code-text")).to_contain_text(f"{service.address}prod/detector?")
    expect(page.get_by_role("link", name="All labels")).to_have_attribute("href", f"{service.address}prod/labels")


def test_works_as_a_plain_form_without_scripts(service, open_page):
    page = open_page(service.address, java_script_enabled=False)
    page.get_by_label("Picture", exact=True).fill("https://example.com/car.jpg")
    page.get_by_role("button", name="Detect").click()
    expect(page).to_have_url(re.compile(r"/detector\?url=https"))
    assert service.asked[0]["url"] == "https://example.com/car.jpg"


def test_the_real_service_finds_the_car(open_page, tiny_model):
    from recognizer.build import build

    handler = build(
        {"MODEL_DIR": str(tiny_model), "ALLOW_PRIVATE_ADDRESSES": "true", "ALLOWED_URL_PORTS": "*", "THREADS": "2"}
    )
    red = Image.new("RGB", SIZE_PX)
    red.paste("red", (80, 60, 200, 150))
    file = io.BytesIO()
    red.save(file, "PNG")
    with served(handler) as address:
        page = open_page(address)
        page.locator("#file").set_input_files({**UPLOAD, "buffer": file.getvalue()})
        expect(page.locator("#objects .label").first).to_have_text("Car")
        assert page.locator("#picture").evaluate("picture => picture.naturalWidth") == SIZE_PX[0]
        page.get_by_role("tab", name="JSON").click()
        expect(page.locator("#code-text")).to_contain_text('"label": "Car"')
        detect(page, f"{address}samples/wall.jpg")  # picture and objects in one answer
        expect(page.locator("#facts")).to_contain_text("840 × 560 px, JPEG")
        assert page.locator("#picture").evaluate("picture => picture.naturalWidth") == 840
