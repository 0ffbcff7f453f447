"""make accuracy: every form of ground truth is read as the same, and COCO's figures are those of the detections."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pytest
from PIL import Image
from recognizer.detections import Label
from recognizer.labels import LabelMap

from benchmarks import accuracy, ground_truth, plot, report
from benchmarks.subjects import NotMeasured

BOXES = {"Cat": (10.0, 20.0, 40.0, 60.0), "Dog": (60.0, 10.0, 30.0, 30.0)}  # xmin, ymin, width, height of 100 x 200


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (100, 200)).save(tmp_path / "images" / "one.jpg")
    return tmp_path


def in_coco_form(folder):
    content = {
        "images": [{"id": 7, "file_name": "one.jpg", "width": 100, "height": 200}],
        "categories": [{"id": 17, "name": "Cat"}, {"id": 18, "name": "Dog"}],
        "annotations": [
            {"image_id": 7, "category_id": 17 + place, "bbox": box, "area": box[2] * box[3], "iscrowd": place}
            for place, box in enumerate(BOXES.values())
        ],
    }
    (folder / "annotations").mkdir()
    (folder / "annotations" / "instances.json").write_text(json.dumps(content), encoding="utf-8")


def in_yolo_form(folder):
    (folder / "labels").mkdir()
    lines = [
        f"{place} {(x + w / 2) / 100} {(y + h / 2) / 200} {w / 100} {h / 200}\n"
        for place, (x, y, w, h) in enumerate(BOXES.values())
    ]
    (folder / "labels" / "one.txt").write_text("".join(lines), encoding="utf-8")
    (folder / "data.yaml").write_text("names:\n  0: Cat\n  1: Dog\n", encoding="utf-8")


def beside_each_picture(folder):
    objects = [
        {"name": name, "box": [y / 200, x / 100, (y + h) / 200, (x + w) / 100]} for name, (x, y, w, h) in BOXES.items()
    ]
    content = {"objects": objects[:1], "crowds_to_ignore": objects[1:]}
    (folder / "images" / "one.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("form", [in_coco_form, in_yolo_form, beside_each_picture])
def test_each_form_of_ground_truth_says_the_same(folder, form):
    form(folder)

    (picture,) = ground_truth.read(folder)
    assert picture.path.name == "one.jpg"
    for found, (name, box) in zip(picture.objects, BOXES.items(), strict=True):
        assert found.names == (name,)
        assert found.box == pytest.approx(box)
        assert found.area == pytest.approx(box[2] * box[3])
    assert [found.is_crowd for found in picture.objects] == [False, form is not in_yolo_form]


def test_a_folder_without_ground_truth_is_refused_with_the_forms_there_are(folder):
    with pytest.raises(NotMeasured, match="COCO"):
        ground_truth.read(folder)


@pytest.fixture
def truth(folder):
    in_coco_form(folder)
    labels = LabelMap({1: Label("/m/01yrx", "Cat"), 2: Label("/m/0bt9lr", "Dog")})
    return accuracy._truth(ground_truth.read(folder), SimpleNamespace(labels=labels)), labels


def test_what_is_found_right_has_full_precision(truth):
    (judge, unknown), labels = truth
    found = [{"image_id": 0, "category_id": labels.index_of("Cat"), "bbox": list(BOXES["Cat"]), "score": 0.9}]

    assert not unknown
    assert accuracy.figures(judge, found) == {
        "AP": pytest.approx(100),
        "AP50": pytest.approx(100),
        "AP small": 0,
        "AP medium": pytest.approx(100),
        "AP large": 0,
    }  # the dog is a crowd, which counts neither way


def test_what_overlaps_by_little_more_than_half_counts_at_the_lowest_threshold_alone(truth):
    (judge, _), labels = truth
    x, y, w, h = BOXES["Cat"]
    found = [{"image_id": 0, "category_id": labels.index_of("Cat"), "bbox": [x, y, w, h * 0.52], "score": 0.9}]

    assert accuracy.figures(judge, found)["AP50"] == pytest.approx(100)
    assert accuracy.figures(judge, found)["AP"] == pytest.approx(10)


def test_nothing_found_has_no_precision(truth):
    (judge, _), _ = truth

    assert set(accuracy.figures(judge, []).values()) == {0.0}


@pytest.fixture
def figures_of(monkeypatch, tmp_path):
    """Each built model has figures that tell which it is."""
    monkeypatch.setattr(accuracy, "SSD", tmp_path / "ssd.tflite")
    monkeypatch.setattr(accuracy, "_model", lambda engine, file=None: tmp_path / (file.stem if file else engine))

    def found(model, _folder):
        row = {"AP": 1.0, "AP small": 1.0, "AP medium": 1.0, "AP large": 1.0, "ms": float(len(model.name))}
        return {"accuracy": {"whole": row, "tiles=2": row}, "facts": {"model": model.name}}

    monkeypatch.setattr(accuracy, "_figures", found)
    return accuracy.SSD


def test_the_detector_of_most_tutorials_is_measured_where_it_lies_beside_the_project(figures_of, folder):
    in_coco_form(folder)
    of_the_model_in_use = [f"{engine}, {way}" for engine in ("tensorflow", "litert") for way in ("whole", "tiles=2")]
    assert list(accuracy.measured(folder)["accuracy"]) == of_the_model_in_use

    figures_of.touch()
    found = accuracy.measured(folder)
    assert list(found["accuracy"]) == [*of_the_model_in_use, "SSD, litert, whole", "SSD, litert, tiles=2"]
    assert found["accuracy"]["SSD, litert, whole"]["ms"] == len("ssd")
    assert found["accuracy_of"] == {"model": "litert", "SSD": "ssd", "pictures": "1"}
    drawn = plot.accuracy(found["accuracy"])
    assert all(f">{name}<" in drawn for name in ("tensorflow", "litert", "SSD, litert", "whole", "tiles=2"))


def test_the_published_document_is_what_its_figures_make():
    found = json.loads(accuracy.RESULTS.read_text(encoding="utf-8"))
    document = accuracy.DOCUMENT.read_text(encoding="utf-8")

    assert report.filled(document, found) == document
    assert plot.accuracy(found["accuracy"]) == accuracy.PLOT.read_text(encoding="utf-8")
    for row in found["accuracy"].values():
        assert all(math.isfinite(figure) for figure in row.values())
