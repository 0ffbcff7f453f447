"""Scenes in, placements out: what holds the two ports of the drawing's rules to one another, in Python and JavaScript.

``python -m tests.unit.drawing.scenes`` writes tests/fixtures/placements.json anew after an intended change of the rules
(with src/Recognizer on PYTHONPATH).
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import NamedTuple

from recognizer.detections import PixelBox
from recognizer.drawing.forms import percent
from recognizer.drawing.palette import choices, ink
from recognizer.drawing.placement import Named, frame_around, place_labels
from recognizer.drawing.sizes import LOW_SCORE, Sizes

FIXTURE = Path(__file__).parents[2] / "fixtures" / "placements.json"
ABOUT = (
    "Written by tests/unit/drawing/scenes.py; the rules are in docs/drawing.md. Boxes, places and leaders are xmin, "
    "ymin, xmax, ymax in pixels, maxima exclusive. Here, a text of n characters in letters of size f is "
    "floor((11 f n + 19) / 20) pixels long."
)

IDS = {
    "Person": "/m/01g317",
    "Car": "/m/0k4j",
    "Dog": "/m/0bt9lr",
    "Cat": "/m/01yrx",
    "Tree": "/m/07j7r",
    "Bicycle": "/m/0199g",
    "Bus": "/m/01bjv",
    "Handbag": "/m/080hkjn",
    "Human face": "/m/0dzct",
    "Clothing": "/m/09j2d",
    "Footwear": "/m/09j5n",
    "Kitchen & dining room table": "/m/0h8n5zk",
    "Personal flotation device": "/m/0cxn2",
}


class Thing(NamedTuple):
    """An object of a scene."""

    name: str
    score: float
    box: tuple[int, int, int, int]


class Scene(NamedTuple):
    """A picture's objects, the most confident first."""

    image: tuple[int, int]
    things: list[Thing]


def length_px(text, font_px):
    """A length that every language works out alike."""
    return (11 * font_px * len(text) + 19) // 20


def crowd(seed, image, count, sides, names):
    """So many objects at random, their sides between two limits."""
    dice = random.Random(seed)  # noqa: S311 - the same at each run is what is wanted
    things = []
    for number in range(count):
        width, height = (min(dice.randint(*sides), side) for side in image)
        left, top = dice.randint(0, image[0] - width), dice.randint(0, image[1] - height)
        score = round(0.95 - 0.9 * number / count, 4)
        things.append(Thing(dice.choice(names), score, (left, top, left + width, top + height)))
    return Scene(image, things)


def queue(seed, image, count, width):
    """People side by side, each hidden by the next, with what they carry."""
    dice = random.Random(seed)  # noqa: S311 - likewise
    step = (image[0] - width) // count
    things = []
    for number in range(count):
        left, top = number * step + dice.randint(0, step), dice.randint(image[1] // 4, image[1] // 3)
        bottom = dice.randint(2 * image[1] // 3, image[1])
        things.append(Thing("Person", 0.9 - 0.5 * number / count, (left, top, left + width, bottom)))
        things.append(Thing("Human face", 0.6 - 0.3 * number / count, (left + 8, top, left + width - 8, top + width)))
        things.append(Thing("Handbag", 0.5 - 0.4 * number / count, (left, bottom - 40, left + width // 2, bottom - 12)))
    return Scene(image, sorted(things, key=lambda thing: -thing.score))


STREET = ["Person", "Car", "Bicycle", "Bus", "Tree", "Handbag"]
SCENES = {
    "nothing": Scene((640, 480), []),
    "one": Scene((640, 480), [Thing("Dog", 0.93, (200, 150, 420, 400))]),
    "edges": Scene(
        (640, 480),
        [
            Thing("Dog", 0.9, (0, 0, 640, 480)),
            Thing("Cat", 0.8, (250, 0, 330, 60)),
            Thing("Car", 0.7, (600, 200, 640, 300)),
            Thing("Person", 0.6, (0, 180, 20, 420)),
            Thing("Tree", 0.5, (300, 440, 380, 480)),
            Thing("Bus", 0.295, (620, 0, 640, 16)),
        ],
    ),
    "same box": Scene(
        (480, 320),
        [Thing(name, 0.5, (192, 144, 240, 176)) for name in ("Person", "Car", "Dog", "Cat", "Tree")],
    ),
    "same box and label": Scene((640, 480), [Thing("Person", 0.8 - i / 50, (250, 180, 390, 330)) for i in range(16)]),
    "instances": Scene(
        (640, 480),
        [Thing("Person", 0.9 - i / 20, (60 + 45 * i, 120 + 10 * i, 160 + 45 * i, 400)) for i in range(10)],
    ),
    "tiny objects": Scene(
        (640, 428),
        [
            Thing("Car", 0.6 - i / 50, (300 + 13 * i, 200 + 3 * (i % 3), 310 + 13 * i, 208 + 3 * (i % 3)))
            for i in range(20)
        ],
    ),
    "long names, narrow": Scene(
        (110, 400),
        [
            Thing("Personal flotation device", 0.7, (10, 60, 90, 160)),
            Thing("Kitchen & dining room table", 0.4, (0, 250, 110, 390)),
        ],
    ),
    "panorama": crowd(3, (2400, 300), 30, (20, 160), STREET),
    "tower": crowd(4, (300, 1600), 20, (20, 200), STREET),
    "thumbnail": crowd(5, (96, 72), 6, (10, 60), STREET),
    "flat": Scene((500, 30), [Thing("Dog", 0.9, (100, 2, 200, 28))]),
    "many labels": crowd(6, (1024, 636), 26, (60, 300), list(IDS)),
    "street": crowd(7, (1024, 636), 40, (16, 180), STREET),
    "queue": queue(8, (640, 480), 9, 60),
    "crowd": crowd(9, (640, 480), 100, (8, 90), STREET),
    "crowd of large ones": crowd(10, (1024, 636), 100, (80, 500), ["Person", "Clothing", "Footwear", "Human face"]),
    "grid": Scene(
        (1024, 636),
        [
            Thing("Dog", 1 - i / 200, (102 * (i % 10), 63 * (i // 10), 102 * (i % 10) + 92, 63 * (i // 10) + 57))
            for i in range(100)
        ],
    ),
    "large": crowd(11, (4000, 3000), 60, (100, 900), STREET),
}


def placed(scene):
    """The labels of a scene."""
    return place_labels(scene.image, named(scene), Sizes.for_image(*scene.image), length_px)


def named(scene):
    """A scene's objects as ``place_labels`` takes them."""
    return [Named(PixelBox(*thing.box), thing.name, percent(thing.score)) for thing in scene.things]


def described(scene):
    """A scene with all that the rules make of it."""
    sizes = Sizes.for_image(*scene.image)
    boxes = [PixelBox(*thing.box) for thing in scene.things]
    ids = [IDS[thing.name] for thing in scene.things]
    objects = [
        {
            "name": thing.name,
            "id": label_id,
            "score": thing.score,
            "box": thing.box,
            "frame": edges(frame_around(box, scene.image, sizes)),
            "dashed": thing.score < LOW_SCORE,
            "colour": choice,
            "line": ink(*choice).hex,
            "halo": written(ink(*choice).halo),
            "text": written(ink(*choice).text),
        }
        for thing, box, label_id, choice in zip(scene.things, boxes, ids, choices(ids, boxes), strict=True)
    ]
    labels = [
        {
            "index": label.object_index,
            "form": label.form,
            "text": label.text,
            "font": label.font_px,
            "place": edges(label.place),
            **({"leader": edges(label.leader)} if label.leader else {}),
        }
        for label in placed(scene)
    ]
    line, halo, font = sizes.line_px, sizes.halo_px, sizes.font_px
    return {"image": scene.image, "line": line, "halo": halo, "font": font, "objects": objects, "labels": labels}


def edges(box):
    return [box.xmin, box.ymin, box.xmax, box.ymax]


def written(colour):
    return "#{:02x}{:02x}{:02x}".format(*colour)


def fixture():
    """The file's text: one line for each object and label."""
    lines = ["{", f' "about": {json.dumps(ABOUT)},', ' "scenes": {']
    for number, (name, scene) in enumerate(SCENES.items()):
        facts = described(scene)
        head = ", ".join(f"{json.dumps(key)}: {json.dumps(facts[key])}" for key in ("image", "line", "halo", "font"))
        lines.append(f"  {json.dumps(name)}: {{{head},")
        for key in ("objects", "labels"):
            rows = ",\n".join(f"    {json.dumps(row)}" for row in facts[key])
            lines.append(
                f'   "{key}": [\n{rows}\n   ]' + ("," if key == "objects" else "}" + "," * (number + 1 < len(SCENES)))
            )
    return "\n".join([*lines, " }", "}"]) + "\n"


if __name__ == "__main__":
    FIXTURE.parent.mkdir(exist_ok=True)
    FIXTURE.write_text(fixture(), encoding="utf-8")
