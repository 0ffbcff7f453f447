"""Pictures with their objects, from a folder in one of three forms.

Owns the forms: COCO (a JSON file with ``images``, ``annotations`` and ``categories``), YOLO (a text file of ``class x y
width height`` beside each picture or under ``labels/``, names in ``data.yaml`` or ``classes.txt``), and a JSON file
beside each picture with ``objects``, each a name or id and a box as fractions.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from benchmarks.subjects import NotMeasured

_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


class Object(NamedTuple):
    """An object in a picture."""

    names: tuple[str, ...]  # its class, id or name, the best one first
    box: tuple[float, float, float, float]  # xmin, ymin, width, height in pixels
    area: float  # square pixels: of its outline where that is known, else of its box
    is_crowd: bool = False  # a group in which nobody is counted


class Annotated(NamedTuple):
    """A picture and all that is in it."""

    path: Path
    objects: tuple[Object, ...]


def read(folder: Path) -> list[Annotated]:
    """The pictures of a folder.

    Raises:
        NotMeasured: it is in none of the forms.
    """
    for of_form in (_coco, _each_its_json, _yolo):
        found = sorted(of_form(folder), key=lambda picture: picture.path)
        if found:
            return found
    raise NotMeasured(
        f"{folder} has no pictures with ground truth: neither COCO's JSON, nor YOLO's labels/*.txt, nor a .json file "
        "beside each picture."
    )


def _coco(folder: Path) -> Iterator[Annotated]:
    for file in sorted({*folder.glob("*.json"), *folder.glob("annotations/*.json")}):
        content = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not {"images", "annotations", "categories"} <= content.keys():
            continue
        names = {category["id"]: category["name"] for category in content["categories"]}
        objects: dict[Any, list[Object]] = {}
        for each in content["annotations"]:
            found = Object((names[each["category_id"]],), tuple(each["bbox"]), each["area"], bool(each.get("iscrowd")))
            objects.setdefault(each["image_id"], []).append(found)
        places = {path.name: path for path in _pictures(folder)}
        for image in content["images"]:
            path = places.get(Path(image["file_name"]).name)
            if path is not None:
                yield Annotated(path, tuple(objects.get(image["id"], ())))


def _each_its_json(folder: Path) -> Iterator[Annotated]:
    for path in _pictures(folder):
        beside = path.with_suffix(".json")
        content = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else None
        if isinstance(content, dict) and "objects" in content:
            size = _size(path)
            crowds = content.get("crowds_to_ignore", [])
            objects = [_of_fractions(each, size, is_crowd=False) for each in content["objects"]]
            yield Annotated(path, (*objects, *(_of_fractions(each, size, is_crowd=True) for each in crowds)))


def _of_fractions(each: dict[str, Any], size_px: tuple[int, int], *, is_crowd: bool) -> Object:
    width, height = size_px
    ymin, xmin, ymax, xmax = each["box"]
    box = (xmin * width, ymin * height, (xmax - xmin) * width, (ymax - ymin) * height)
    names = tuple(each[key] for key in ("id", "name", "coco") if key in each)
    return Object(names, box, box[2] * box[3], is_crowd)


def _yolo(folder: Path) -> Iterator[Annotated]:
    names = _yolo_names(folder)
    for path in _pictures(folder):
        below_labels = Path(*("labels" if part == "images" else part for part in path.parts)).with_suffix(".txt")
        places = (path.with_suffix(".txt"), folder / "labels" / f"{path.stem}.txt", below_labels)
        labels = next((place for place in places if place.is_file()), None)
        if labels is None:
            continue
        width, height = _size(path)
        objects = []
        for line in labels.read_text(encoding="utf-8").splitlines():
            index, x, y, w, h = (float(field) for field in line.split()[:5])
            box = ((x - w / 2) * width, (y - h / 2) * height, w * width, h * height)
            objects.append(Object((names[int(index)],), box, box[2] * box[3]))
        yield Annotated(path, tuple(objects))


def _yolo_names(folder: Path) -> dict[int, str]:
    for place in (folder / "classes.txt", folder / "obj.names"):
        if place.is_file():
            return dict(enumerate(place.read_text(encoding="utf-8").splitlines()))
    described = next(iter(sorted(folder.glob("*.yaml"))), None)
    if described is None:
        return {}
    import yaml  # noqa: PLC0415 - brought by the AWS SAM CLI; no other form needs it

    names = yaml.safe_load(described.read_text(encoding="utf-8"))["names"]
    return {int(index): str(name) for index, name in (names.items() if isinstance(names, dict) else enumerate(names))}


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _PICTURES)


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size
