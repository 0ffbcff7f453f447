"""What can be taken from the page: files, links, and snippets that run or parse as they are pasted."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.browser.scripted import CAR, SIZE_PX, WHEEL, found, png, problem
from tests.functional.serving import served

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")
expect = sync_api.expect

URL = "https://example.com/a car's.jpg"
FORMATS = ("curl", "Python", "JavaScript", "JSON", "COCO", "YOLO", "CSV")
COPIES = {"permissions": ["clipboard-read", "clipboard-write"]}


def upload(name="it's my car.png"):
    return {"name": name, "mimeType": "image/png", "buffer": png()}


@pytest.fixture(scope="module")
def real(tiny_model):
    """The address of the real service with a tiny model."""
    from recognizer.build import build

    settings = {"MODEL_DIR": str(tiny_model), "ALLOW_PRIVATE_ADDRESSES": "true", "ALLOWED_URL_PORTS": "*"}
    with served(build({**settings, "THREADS": "2"})) as address:
        yield address


def address_of_a_picture(address):
    return f"{address}?url={address}samples/astronaut.jpg&min_score=0.1&n=4&region=0,0,1,1&exclude=Dog"


def by_address(open_page, address):
    page = open_page(address_of_a_picture(address), **COPIES)
    expect(page.locator("#findings")).to_be_visible()
    return page


def by_address_with_scores(open_page, address):
    page = open_page(f"{address_of_a_picture(address)}&scores=Car:0.2", **COPIES)
    expect(page.locator("#findings")).to_be_visible()
    return page


def by_file(open_page, address):
    page = open_page(f"{address}?min_score=0.1", **COPIES)
    page.locator("#file").set_input_files(upload())
    expect(page.locator("#findings")).to_be_visible()
    return page


def by_file_with_scores(open_page, address):
    page = by_file(open_page, address)
    page.locator("summary", has_text="A score for each label").click()
    page.locator("#scores input").first.fill("0.1")
    return page


def by_sample(open_page, address):
    page = open_page(f"{address}?sample=astronaut&min_score=0.1", **COPIES)
    expect(page.locator("#findings")).to_be_visible()
    return page


each_way = pytest.mark.parametrize(
    "opened", [by_address, by_address_with_scores, by_file, by_file_with_scores, by_sample], ids=lambda f: f.__name__
)


def copied(page, name):
    """A snippet as the clipboard has it once its button was pressed."""
    page.get_by_role("tab", name=name, exact=True).click()
    page.get_by_role("button", name=re.compile("Copy$|Copied")).last.click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    page.get_by_role("status").evaluate("status => { status.textContent = ''; }")
    return page.evaluate("navigator.clipboard.readText()")


def shown(page):
    """The objects that the page shows, as its JSON has them."""
    return json.loads(copied(page, "JSON"))["detections"]


def run(command, folder):
    """What a program prints; the file of the page lies beside it."""
    (folder / "it's my car.png").write_bytes(png())
    environ = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@each_way
def test_the_curl_line_runs_as_pasted_and_saves_the_picture(open_page, real, tmp_path, opened):
    page = opened(open_page, real)
    run(["bash", "-c", copied(page, "curl")], tmp_path)
    (saved,) = tmp_path.glob("*-objects.*")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert saved.name == download.value.suggested_filename
    assert saved.read_bytes() == download.value.path().read_bytes(), "what is saved is what curl gives"


@each_way
def test_the_python_program_runs_as_pasted_and_prints_what_is_shown(open_page, real, tmp_path, opened):
    page = opened(open_page, real)
    printed = run([sys.executable, "-c", copied(page, "Python")], tmp_path)
    assert printed == "".join(f"{one['label']} {one['score']} {one['box']}\n" for one in shown(page))
    assert printed


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
@each_way
def test_the_javascript_module_runs_as_pasted_and_prints_what_is_shown(open_page, real, tmp_path, opened):
    page = opened(open_page, real)
    (tmp_path / "pasted.mjs").write_text(copied(page, "JavaScript"), encoding="utf-8")
    printed = run(["node", "pasted.mjs"], tmp_path)
    rows = [line.split(" {")[0] for line in printed.splitlines() if " {" in line]
    assert rows == [f"{one['label']} {one['score']}" for one in shown(page)]
    assert rows


def test_json_is_what_the_service_answers(open_page, real):
    import requests

    page = by_address(open_page, real)
    query = page.url.partition("?")[2]
    answer = requests.get(f"{real}detector?{query}&format=json", timeout=30).json()
    assert json.loads(copied(page, "JSON")) == answer


@pytest.fixture
def car(service, open_page):
    """The page with a car and its wheel."""
    service.answers = [found({**CAR, "label": 'Car, "fast"'}, WHEEL)]
    page = open_page(f"{service.address}?url={URL}", **COPIES)
    expect(page.locator("#findings")).to_be_visible()
    return page


def test_coco_has_images_categories_and_annotations_that_fit_together(car):
    document = json.loads(copied(car, "COCO"))
    assert document["images"] == [{"id": 1, "file_name": "a%20car's.jpg", "width": 320, "height": 240}]
    categories = {category["id"]: category["name"] for category in document["categories"]}
    first, second = document["annotations"]
    assert [categories[one["category_id"]] for one in (first, second)] == ['Car, "fast"', "Wheel"]
    assert first["bbox"] == [80, 60, 120, 90]
    assert first["area"] == 120 * 90
    assert (first["image_id"], first["iscrowd"], first["score"]) == (1, 0, 0.925)
    assert len({one["id"] for one in (first, second)}) == 2


def test_yolo_has_class_centre_and_size_as_fractions(car):
    rows = [line.split() for line in copied(car, "YOLO").splitlines()]
    assert [int(row[0]) for row in rows] == [0, 1]
    assert [float(value) for value in rows[0][1:]] == pytest.approx([140 / 320, 105 / 240, 120 / 320, 90 / 240])
    expect(car.locator("#code-hint")).to_have_text('Classes: 0 Car, "fast", 1 Wheel')


def test_csv_is_read_as_it_is_pasted(car):
    rows = list(csv.DictReader(io.StringIO(copied(car, "CSV"), newline="")))
    assert rows[0] == {
        "label": 'Car, "fast"',
        "id": "/m/0k4j",
        "score": "0.925",
        "xmin": "80",
        "ymin": "60",
        "xmax": "200",
        "ymax": "150",
    }
    assert len(rows) == 2


def test_no_label_in_the_csv_is_a_formula(service, open_page):
    service.answers = [found({**CAR, "label": "=1+1"})]
    page = open_page(f"{service.address}?url={URL}", **COPIES)
    expect(page.locator("#findings")).to_be_visible()

    [row] = csv.DictReader(io.StringIO(copied(page, "CSV"), newline=""))

    assert row["label"] == "'=1+1"


def test_the_curl_line_of_an_address(service, open_page):
    page = open_page(f"{service.address}?url={URL}", **COPIES)
    assert copied(page, "curl") == (
        f"curl --get '{service.address}detector' \\\n"
        "  --data-urlencode 'url=https://example.com/a car'\\''s.jpg' \\\n"
        "  --data-urlencode 'n=100' \\\n"
        "  --data-urlencode 'min_score=0.1' \\\n"
        "  --output 'a-20car-s-objects.png'"
    )


def test_the_curl_line_of_a_sample_is_one_command_with_its_address(service, open_page):
    page = open_page(f"{service.address}?sample=coffee", **COPIES)
    expect(page.locator("#findings")).to_be_visible()
    line = copied(page, "curl")
    assert f"'url={service.address}samples/coffee.jpg'" in line
    assert "|" not in line


def test_what_is_shown_is_what_is_asked_for(service, open_page):
    page = open_page(
        f"{service.address}?url={URL}&draw=blur&hide=Wheel&exclude=Dog&image_format=webp&region=0,0,1,1&n=5", **COPIES
    )
    expect(page.locator("#findings")).to_be_visible()
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_role("status")).to_have_text("Saved")
    wanted = {"n": "5", "min_score": "0.1", "exclude": "Dog,Wheel", "region": "0,0,1,1", "draw": "blur"}
    asked = service.asked[-1]
    assert asked == {"method": "GET", "url": URL, **wanted, "image_format": "webp", "format": "image"}


def test_hiding_a_label_does_not_hide_what_it_covers_in_the_saved_picture(service, open_page):
    person = {**CAR, "label": "Person", "parents": []}
    woman = {**WHEEL, "label": "Woman", "parents": ["Person"]}
    service.answers = [found(person, woman, {**WHEEL, "label": "Tie"})]
    page = open_page(f"{service.address}?url={URL}&hide=Person,Tie")
    expect(page.locator("#objects .label")).to_have_text(["Woman"])
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_role("status")).to_have_text("Saved")
    assert (service.asked[-1]["include"], service.asked[-1].get("exclude")) == ("Woman", "Tie")


def test_the_download_is_the_picture_of_the_service(service, open_page):
    service.answers = [found(CAR), found(CAR, picture=b"drawn by the service")]
    page = open_page(service.address)
    page.locator("#file").set_input_files(upload())
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "it-s-my-car-objects.png"
    assert download.value.path().read_bytes() == b"drawn by the service"


def test_a_download_that_fails_says_why_and_leaves_the_page_as_it_is(service, open_page):
    service.answers = [found(CAR), problem(502, "Download failed", "example.com answered 404 Not Found.")]
    page = open_page(f"{service.address}?url={URL}")
    page.get_by_role("button", name="Download").click()
    expect(page.locator("#keep-problem")).to_have_text("example.com answered 404 Not Found.")
    expect(page.locator("#objects li")).to_have_count(1)


def test_the_picture_can_be_copied(service, open_page):
    page = open_page(f"{service.address}?url={URL}", **COPIES)
    page.get_by_role("button", name="Copy picture").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    size = page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read();
            const picture = await createImageBitmap(await item.getType("image/png"));
            return [picture.width, picture.height];
        }"""
    )
    assert size == [*SIZE_PX]
    assert service.asked[-1]["image_format"] == "png"


def test_the_link_can_be_copied(service, open_page):
    page = open_page(f"{service.address}?url={URL}&hide=Wheel&n=7", **COPIES)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.locator("#file").set_input_files(upload())
    expect(page.get_by_role("button", name="Copy link")).to_be_hidden()


def test_tabs_are_changed_with_the_arrow_keys(car):
    car.get_by_role("tab", name="curl").focus()
    for name in FORMATS[1:]:
        car.keyboard.press("ArrowRight")
        expect(car.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
        expect(car.get_by_role("tab", name=name, exact=True)).to_be_focused()


# --- Several pictures ---


@pytest.fixture
def three(service, open_page):
    """The page after three files, the second of which is no picture to the service."""
    broken = problem(422, "Broken picture", "The PNG ends in the middle.", parameter="image")
    service.answers = [found(CAR, WHEEL), broken, found(CAR)]
    page = open_page(service.address)
    page.locator("#file").set_input_files([upload("one.png"), upload("two.png"), upload("one.png")])
    expect(page.get_by_role("status")).to_have_text("3 pictures done.")
    return page


def test_several_files_make_a_strip_with_their_counts(service, three):
    expect(three.locator("#strip .count")).to_have_text(["2", "!", "1"])
    expect(three.locator("#objects li")).to_have_count(2)
    three.get_by_role("button", name="one.png: 1").click()
    expect(three.locator("#objects li")).to_have_count(1)
    expect(three.get_by_role("button", name="one.png: 1")).to_have_attribute("aria-current", "true")
    assert len(service.asked) == 3, "each picture once"


def test_one_that_failed_says_why(three):
    three.get_by_role("button", name="two.png: !").click()
    expect(three.get_by_role("alert").filter(has_text="The PNG ends in the middle.")).to_be_visible()
    three.get_by_role("button", name="Back to the last picture").click()
    expect(three.locator("#objects li")).to_have_count(2)


def test_the_options_are_those_of_all(three):
    three.get_by_role("button", name="Wheel 1", exact=True).click()
    expect(three.locator("#strip .count")).to_have_text(["1", "!", "1"])


def test_all_results_can_be_saved_as_a_zip(service, three):
    service.answers = [found(picture=b"first"), found(picture=b"second")]
    with three.expect_download() as download:
        three.get_by_role("button", name="Save all (zip)").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        names = ["one-objects.png", "one.json", "one-2-objects.png", "one-2.json"]
        assert archive.namelist() == names
        assert [archive.read(name) for name in names[::2]] == [b"first", b"second"]
        assert [len(json.loads(archive.read(name))["detections"]) for name in names[1::2]] == [2, 1]


def test_all_results_can_be_saved_as_json_lines(three):
    with three.expect_download() as download:
        three.get_by_role("button", name="JSON lines").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert [(json.loads(line)["file"], len(json.loads(line)["detections"])) for line in lines] == [
        ("one.png", 2),
        ("one.png", 1),
    ]


def test_several_files_can_be_dropped_and_a_new_picture_ends_the_strip(service, three):
    three.locator("[data-sample=cat]").click()
    expect(three.locator("#strip")).to_be_hidden()
    expect(three).to_have_url(re.compile("sample=cat"))


def test_files_none_of_which_is_a_picture_are_told(service, open_page):
    page = open_page(service.address)
    text = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"}
    page.locator("#file").set_input_files([text, {**text, "name": "more.txt"}])
    expect(page.get_by_role("alert").filter(has_text="Not a picture")).to_contain_text("notes.txt is not a picture.")
    assert service.asked == []
