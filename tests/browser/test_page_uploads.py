"""Pictures too large for one request: by a bucket and a queue, with the real service, S3 on loopback and its worker."""

# ruff: noqa: RUF001 - the page has real apostrophes

from __future__ import annotations

import hashlib
import io
import random
import threading

import pytest
from PIL import Image
from recognizer.build import build, build_worker

from tests.contract.cloudformation import TEMPLATE
from tests.functional.object_store import ObjectStore, use
from tests.functional.serving import environment, served
from tests.functional.test_worker import RESULTS, UPLOADS, batch, message, picture

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe
expect = sync_api.expect

MAX_BYTES = 6_000_000
LARGE_BYTES = 4_500_000
"""More than one request can carry, and less than the bucket takes."""


@pytest.fixture(scope="module")
def store():
    with ObjectStore() as running:
        yield running


@pytest.fixture(autouse=True)
def _bucket(store, monkeypatch):
    """Empty buckets that pages may use as those of the template."""
    use(store, monkeypatch)
    store.cors = {
        name: _methods(logical) for name, logical in {UPLOADS: "UploadsBucket", RESULTS: "ResultsBucket"}.items()
    }


def _methods(bucket):
    [rule] = TEMPLATE["Resources"][bucket]["Properties"]["CorsConfiguration"]["CorsRules"]
    assert (rule["AllowedOrigins"], rule["AllowedHeaders"]) == (["*"], ["*"])
    return set(rule["AllowedMethods"])


@pytest.fixture(scope="module")
def settings(tiny_model, store):
    limits = {"MAX_BYTES": str(MAX_BYTES)}
    return environment(tiny_model, UPLOADS_BUCKET=UPLOADS, RESULTS_BUCKET=RESULTS, AWS_ENDPOINT_URL=store.url, **limits)


@pytest.fixture(scope="module")
def address(settings):
    with served(build(settings)) as address:
        yield address


@pytest.fixture(scope="module")
def worker(settings):
    return build_worker(settings)


@pytest.fixture
def queue(store, worker):
    """Has the worker look at each picture as soon as it is there."""

    def work(bucket, key, version_id):
        assert worker(batch(message(key, version_id, bucket=bucket)), None) == {"batchItemFailures": []}

    store.after_post = work


@pytest.fixture
def page(open_page, address):
    return open_page(address)


def large(image_format="PNG", size_bytes=LARGE_BYTES):
    """A picture of so many bytes: those behind its end are not looked at."""
    kind = image_format.lower()
    content = picture(image_format).ljust(size_bytes, b"\0")
    return {"name": f"large.{kind}", "mimeType": f"image/{kind}", "buffer": content}


def choose(page, *files):
    page.locator("#file").set_input_files(list(files))


def sent(store):
    return [key for method, _, key in store.asked if method == "POST"]


def test_a_large_picture_goes_by_the_bucket_and_is_shown_as_any_other(page, store, queue):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    choose(page, large())

    expect(page.locator("#objects .label").first).to_have_text("Car")
    assert page.locator("#picture").evaluate("picture => picture.naturalWidth") == 160
    expect(page.locator("#facts")).to_have_text("160 × 120 px, PNG, 4,500 kB")
    expect(page.locator("#times")).to_contain_text("upload")
    expect(page.locator("#times")).not_to_contain_text("in the service")
    assert not any("/detector" in url for url in asked)
    [key] = sent(store)
    assert len(store.content(UPLOADS, key)) == LARGE_BYTES
    page.get_by_role("tab", name="JSON").click()
    expect(page.locator("#code-text")).to_contain_text('"label": "Car"')
    expect(page.locator("#code-text")).not_to_contain_text(UPLOADS)


def test_its_command_says_that_it_is_too_large(page, queue):
    choose(page, large())
    page.get_by_role("tab", name="curl").click()
    expect(page.locator("#code-hint")).to_have_text(
        "large.png is too big as it is: send it by POST /uploads, as the API reference says."
    )


def test_what_is_saved_is_drawn_by_the_worker_with_the_options_of_the_page(page, store, queue):
    choose(page, large())
    page.locator("summary", has_text="A score for each label").click()
    page.get_by_label("Minimum score of Car").fill("0.2")
    page.get_by_role("radio", name="Cut out").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()

    assert download.value.suggested_filename == "large-objects.png"
    assert len(sent(store)) == 2
    box = page.locator("#objects .where").first.inner_text().partition(" px")[0]
    with Image.open(download.value.path()) as saved:
        assert saved.size == tuple(map(int, box.split(" × ")))


def test_what_a_request_would_save_smaller_is_saved_whole(open_page, settings, store, queue):
    noise = Image.frombytes("RGB", (300, 200), random.Random(1).randbytes(180_000))  # noqa: S311 - no PNG of it is small
    file = io.BytesIO()
    noise.save(file, "PNG")
    with served(build(settings | {"MAX_RESPONSE_BYTES": "20000"})) as address:
        page = open_page(address)
        choose(page, {**large(), "buffer": file.getvalue()})
        with page.expect_download() as download:
            page.get_by_role("button", name="Download").click()
        expect(page.get_by_role("status")).to_have_text("Saved")

    with Image.open(download.value.path()) as saved:
        assert saved.size == (300, 200)
    assert len(sent(store)) == 1


def test_what_the_browser_cannot_show_comes_back_as_a_jpeg(page, queue):
    choose(page, large("TIFF"))

    expect(page.locator("#objects .label").first).to_have_text("Car")
    expect(page.locator("#facts")).to_contain_text("160 × 120 px, TIFF")
    assert page.locator("#picture").evaluate("picture => picture.naturalWidth") == 160


def test_as_a_whole_it_is_looked_at_in_a_smaller_copy(page, queue):
    choose(page, large())
    page.get_by_role("button", name="As a whole").click()

    expect(page.locator("#classes .chip").first).to_contain_text("Car")
    expect(page.locator("#classes")).to_contain_text("From the objects found")


def test_several_pictures_go_their_own_ways(page, store, queue):
    choose(page, {**large(), "name": "one.png"}, {**large(), "name": "two.png", "buffer": picture()})

    expect(page.get_by_role("status")).to_have_text("2 pictures done.")
    expect(page.locator("#strip [data-state=done]")).to_have_count(2)
    assert len(sent(store)) == 1


def test_a_picture_that_no_request_can_carry_goes_by_the_bucket_whatever_its_size(page, store, queue):
    refusal = {"status": 413, "content_type": "application/json", "body": '{"message":"Request Entity Too Large"}'}
    page.route("**/detector*", lambda route: route.fulfill(**refusal))
    choose(page, {**large(), "buffer": picture()})

    expect(page.locator("#objects .label").first).to_have_text("Car")
    assert len(sent(store)) == 1


def test_what_the_service_itself_calls_too_large_is_not_sent_again(page, store):
    choose(page, {**large(), "buffer": picture("GIF", (9000, 9000))})

    expect(page.get_by_role("alert").filter(has_text="Too large")).to_contain_text("pixels")
    assert sent(store) == []


def test_what_is_too_large_for_the_bucket_is_made_smaller(page, store):
    choose(page, large(size_bytes=MAX_BYTES + 1))

    expect(page.locator("#objects .label").first).to_have_text("Car")
    expect(page.locator("#facts")).to_contain_text("so it was sent at 160 × 120 px")
    assert sent(store) == []


def sending(page, store):
    """Until the end of the test, or of the event."""
    store.reading = threading.Event()
    store.before_post = lambda bucket: store.reading.wait(60)
    choose(page, large())
    expect(page.get_by_role("progressbar", name="Sent")).to_be_visible()
    expect(page.locator("#doing")).to_have_text("Sending the picture…")


def queued(page, _):
    choose(page, large())
    expect(page.locator("#doing")).to_have_text("Waiting for its turn…")
    expect(page.get_by_role("progressbar", name="Sent")).to_be_hidden()


@pytest.fixture(autouse=True)
def _read(store):
    """What a test keeps from being read is read in the end."""
    store.reading = threading.Event()
    yield
    store.reading.set()


@pytest.mark.parametrize("reach", [sending, queued], ids=lambda reach: reach.__name__)
@pytest.mark.parametrize("way", ["Cancel", "Escape"])
def test_it_can_be_cancelled_at_any_time(page, store, reach, way):
    reach(page, store)
    if way == "Cancel":
        page.get_by_role("button", name="Cancel").click()
    else:
        page.keyboard.press("Escape")
    expect(page.locator("#stage")).not_to_have_attribute("data-state", "busy")
    expect(page.locator("#findings")).to_be_hidden()


def test_the_bar_tells_how_much_has_gone(page, store):
    sending(page, store)
    assert page.locator("#progress").evaluate("bar => bar.value") < 1
    store.reading.set()
    expect(page.locator("#doing")).to_have_text("Waiting for its turn…")


@pytest.mark.parametrize("reach", [sending, queued], ids=lambda reach: reach.__name__)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_to_object_to(open_page, address, store, reach, scheme, width):
    viewport = {"width": width, "height": 800}
    page = open_page(address, color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    reach(page, store)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_picture_that_cannot_be_recognised_is_told_as_any_other(page, queue):
    choose(page, {**large(), "buffer": picture()[:200].ljust(LARGE_BYTES, b"x")})

    expect(page.get_by_role("alert").filter(has_text="Broken picture")).to_be_visible()


def test_what_the_storage_refuses_is_told(page, store):
    def tampered(route):
        form = route.fetch()
        fields = {**form.json()["fields"], "Content-Type": "text/html"}
        route.fulfill(response=form, json={**form.json(), "fields": fields})

    page.route("**/uploads", tampered)
    choose(page, large())

    alert = page.get_by_role("alert").filter(has_text="The picture was not sent")
    expect(alert).to_contain_text("This service’s storage refused it: AccessDenied.")


def test_a_connection_that_breaks_off_is_told(page, store, queue):
    page.route(f"{store.url}/**", lambda route: route.abort())
    choose(page, large())
    alert = page.get_by_role("alert").filter(has_text="The picture was not sent")
    expect(alert).to_contain_text("The connection broke off")

    page.unroute(f"{store.url}/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#objects .label").first).to_have_text("Car")


def test_a_key_is_for_the_service_and_not_for_its_storage(open_page, settings, store, queue):
    key = "a-key-for-friends"
    guarded = build(settings | {"ACCESS": "KEY", "ACCESS_KEY_SHA256": hashlib.sha256(key.encode()).hexdigest()})
    carried = {}
    with served(guarded) as address:
        page = open_page(address)
        page.on("request", lambda request: carried.update({request.url: request.headers.get("authorization")}))
        choose(page, large())
        page.get_by_role("textbox", name="Key").fill(key)
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("#objects .label").first).to_have_text("Car")

    assert carried[f"{address}uploads"] == f"Bearer {key}"
    results = [value for url, value in carried.items() if url.startswith(f"{address}uploads/")]
    stored = [value for url, value in carried.items() if url.startswith(store.url)]
    assert results
    assert len(stored) >= 2  # the form and the result
    assert set(results + stored) == {None}


def test_the_page_says_what_is_kept(page):
    expect(page.locator("#kept")).to_have_text("Pictures are not kept, but files above 4.4 MB are, for a while.")
