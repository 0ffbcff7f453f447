"""The page under `sam local start-api`, whose HTTP API does not carry binary request bodies."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.browser.conftest import CHROMIUM, FLAGS

playwright_api = pytest.importorskip("playwright.sync_api")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)")
def test_a_picture_that_is_chosen_and_one_that_has_an_address_are_shown_with_their_objects(api, pictures):
    picture = Image.new("RGB", (320, 240))
    picture.paste("red", (80, 60, 200, 150))
    file = io.BytesIO()
    picture.save(file, "PNG")
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{api}/")
        page.locator("#file").set_input_files({"name": "car.png", "mimeType": "image/png", "buffer": file.getvalue()})
        playwright_api.expect(page.locator("#objects .label").first).to_have_text("Car", timeout=60_000)
        page.get_by_label("Picture", exact=True).fill(f"{pictures}/cat.jpg")
        page.get_by_role("button", name="Detect").click()
        playwright_api.expect(page.locator("#facts")).to_contain_text("300 px, JPEG", timeout=60_000)
        assert page.locator("#picture").evaluate("picture => picture.naturalWidth") == 451
        browser.close()
