"""A real Chromium before a real local server; what the service answers is up to each test.

Needs Debian's chromium (or Chrome) and Playwright's Python package, which brings no browser of its own here.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.browser.scripted import ScriptedService
from tests.functional.serving import served

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",  # a camera that needs no hardware
    "--no-sandbox",  # CI is root in a container; the only pages are ours
)
_PATIENCE_MS = 20_000


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
            item.add_marker("enable_socket")


@pytest.fixture(scope="package")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    from playwright.sync_api import expect, sync_playwright  # here: the test modules skip where it is missing

    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def service():
    """The service under the page: answers with one car, unless the test says otherwise."""
    scripted = ScriptedService()
    with served(scripted) as scripted.address, scripted:  # what is held is released before the server waits for it
        yield scripted


@pytest.fixture
def open_page(browser):
    """Opens pages, each in a browser profile of its own, and checks in the end that none complained."""
    contexts, complaints = [], []

    def complain(message):
        # Chromium itself reports each answer that is an error; whether one is right is for the test to say.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            complaints.append(message.text)

    def opened(address, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        context.set_default_timeout(_PATIENCE_MS)
        page = context.new_page()
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(service, open_page):
    """The page as it opens, in a wide window."""
    return open_page(service.address)
