"""The page draws by the rules of docs/drawing.md: the same scenes as the service's own drawing, the same results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.browser.scripted import WEB

pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed")

SCENES = json.loads((Path(__file__).parents[1] / "fixtures" / "placements.json").read_text(encoding="utf-8"))["scenes"]
PLACED = """async (scene) => {
    const { placeLabels, frameAround } = await import("/modules/placement.js");
    const { percent } = await import("/modules/overlay.js");
    const length = (text, font) => Math.floor((11 * font * Array.from(text).length + 19) / 20);
    const objects = scene.objects.map(({ box, name, score }) => ({ box, name, score: percent(score) }));
    return {
        labels: placeLabels(scene.image, objects, scene, length),
        frames: scene.objects.map(({ box }) => frameAround(box, scene.image, scene)),
    };
}"""
INKS = """async (objects) => {
    const { inks } = await import("/modules/palette.js");
    const box = ([xmin, ymin, xmax, ymax]) => ({ xmin, ymin, xmax, ymax });
    return inks(objects.map((object) => ({ ...object, box: box(object.box) })));
}"""


@pytest.fixture(scope="module")
def modules(browser):
    """A page that can import the modules as they lie in the folder, each a file of its own."""
    context = browser.new_context()
    page = context.new_page()
    page.route(
        "**/*", lambda route: route.fulfill(body="<!doctype html><title>Modules</title>", content_type="text/html")
    )

    def module(route):
        text = (WEB / route.request.url.rpartition("/")[2]).read_text(encoding="utf-8")
        route.fulfill(body=text, content_type="text/javascript")

    page.route("**/modules/*.js", module)
    page.goto("http://modules.test/")
    yield page
    context.close()


@pytest.mark.parametrize("name", SCENES)
def test_labels_go_where_the_service_puts_them(modules, name):
    scene = SCENES[name]
    placed = modules.evaluate(PLACED, scene)
    assert placed["labels"] == [{"leader": None, **label} for label in scene["labels"]]
    assert placed["frames"] == [thing["frame"] for thing in scene["objects"]]


@pytest.mark.parametrize("name", SCENES)
def test_objects_have_the_colours_that_the_service_gives_them(modules, name):
    things = SCENES[name]["objects"]
    inks = modules.evaluate(INKS, things)
    assert [(ink["line"], ink["halo"], ink["text"], ink["isDashed"]) for ink in inks] == [
        (thing["line"], thing["halo"], thing["text"], thing["dashed"]) for thing in things
    ]
