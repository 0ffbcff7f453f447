"""Models of one's own: each layout and each way to bring it, its names, its normalisation, and what is refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from model_build import tflite_metadata, unpack
from model_build.__main__ import main
from PIL import Image
from recognizer.detections import Criteria
from recognizer.vision.model import Model

from tests.conftest import ROOT, SHARED, THREADS, on_loopback
from tests.functional.detecting import loaded
from tests.functional.loopback import LoopbackServer
from tests.functional.tiny_tflite import CLASSES, build_tiny_tflite, with_metadata

pytestmark = [on_loopback, pytest.mark.usefixtures("tiny_model")]  # it sets TensorFlow's threads before its first use

REAL = SHARED / "models" / "coco_ssd_mobilenet_v1_quant.tflite"
needs_real = pytest.mark.skipif(not REAL.is_file(), reason="the real .tflite files are not beside this project")
ALL = Criteria(limit=100, min_score=0.0)
SURE = Criteria(limit=100, min_score=0.5)


@pytest.fixture
def build(tmp_path, monkeypatch, caplog):
    """Runs the command with folders of the test's own."""
    for name in ("MODEL_URL", "MODEL_SHA256", "ENGINE", "LABELS_URL", "NORMALIZATION"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments):
        caplog.clear()
        return main([*map(str, arguments), "--output", str(run.output), "--cache", str(tmp_path / "cache")])

    caplog.set_level("INFO", "model_build")
    run.output = tmp_path / "model"
    run.facts = lambda: json.loads((run.output / "model.json").read_text(encoding="utf-8"))
    run.labels = lambda: {index: label.name for index, label in Model.load(run.output).labels.by_index.items()}
    run.detector = lambda: loaded(Model.load(run.output), THREADS)
    run.said = lambda: caplog.text
    return run


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Tiny detectors by what they take: float32, uint8, int8."""
    folder = tmp_path_factory.mktemp("tiny")
    made = {kind: build_tiny_tflite(folder / f"{kind}.tflite", quantised=kind) for kind in ("uint8", "int8")}
    return {"float32": build_tiny_tflite(folder / "float32.tflite"), **made}


@pytest.fixture
def labels_file(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("".join(f"{name}\n" for name in CLASSES), encoding="utf-8")
    return path


def scene():
    """A red patch on top, a blue one below, on black."""
    pixels = np.zeros((160, 320, 3), np.uint8)
    pixels[20:40, 40:80] = (255, 0, 0)
    pixels[100:120, 200:240] = (0, 0, 255)
    return pixels


# .tflite


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int8"])
def test_a_tflite_detector_finds_what_is_there_whatever_it_takes(build, tiny, labels_file, dtype):
    assert build("--url", tiny[dtype], "--labels", labels_file) == 0

    found = build.detector()(scene(), SURE)
    assert sorted(one.label.name for one in found) == ["blue", "red"]
    red = next(one for one in found if one.label.name == "red")
    assert red.box.to_pixels(320, 160).ymin == pytest.approx(20, abs=1)
    assert red.box.to_pixels(320, 160).xmin == pytest.approx(40, abs=1)


def test_a_tflite_file_chooses_its_engine_by_itself(build, tiny, labels_file):
    build("--url", tiny["uint8"], "--labels", labels_file)

    assert (build.facts()["engine"], build.facts()["kind"]) == ("litert", "rows")


def test_another_engine_for_a_tflite_file_is_refused_with_the_way_out(build, tiny):
    assert build("--url", tiny["uint8"], "--engine", "tensorflow") == 1
    assert "ENGINE=litert" in build.said()


@pytest.mark.parametrize(("span", "name"), [((0.0, 1.0), "0..1"), ((0.0, 255.0), "0..255")])
def test_the_normalisation_may_be_named(build, tmp_path, labels_file, span, name):
    path = build_tiny_tflite(tmp_path / "own.tflite", span=span)

    assert build("--url", path, "--labels", labels_file, "--normalization", name) == 0
    assert build.facts()["normalization"] == name
    assert {one.label.name for one in build.detector()(scene(), SURE)} == {"red", "blue"}


def test_the_normalisation_and_the_labels_are_read_from_the_metadata(build, tmp_path):
    path = build_tiny_tflite(tmp_path / "own.tflite", span=(-0.5, 0.5))
    with_metadata(path, labels=CLASSES, mean=[127.5], std=[255.0])

    assert build("--url", path) == 0
    assert build.facts()["labels"] == "in the model"
    assert {one.label.name for one in build.detector()(scene(), SURE)} == {"red", "blue"}


def test_an_unknown_normalisation_is_refused_with_those_there_are(build, tiny, labels_file):
    assert build("--url", tiny["float32"], "--labels", labels_file, "--normalization", "caffe") == 1
    assert "-1..1, 0..1, 0..255, imagenet" in build.said()


def test_a_tflite_detector_is_built_and_run_without_tensorflow(tiny, labels_file, tmp_path):
    """With TensorFlow out of reach: an import of it fails."""
    script = (
        "import sys; sys.modules['tensorflow'] = None; from pathlib import Path; import numpy as np;"
        "from model_build.__main__ import main; assert main(sys.argv[2:]) == 0;"
        "from recognizer.vision import detector; from recognizer.vision.model import Model;"
        "from recognizer.vision.view import PixelView; from recognizer.detections import Criteria;"
        "detect = detector.load(Model.load(Path(sys.argv[1])), 1);"
        "print(len(detect(PixelView(np.full((9, 9, 3), (255, 0, 0), np.uint8)), Criteria(5, 0.1))))"
    )
    options = ("--url", tiny["uint8"], "--labels", labels_file, "--output", tmp_path / "m", "--cache", tmp_path / "c")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "m"), *map(str, options)],
        env={"PATH": "", "PYTHONPATH": str(ROOT / "src" / "Recognizer")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "5"


@needs_real
def test_the_real_detector_finds_what_a_plain_interpreter_finds(build):
    from ai_edge_litert.interpreter import Interpreter
    from recognizer.vision.resize import bilinear

    assert build("--url", REAL) == 0
    detect = build.detector()
    interpreter = Interpreter(model_path=str(REAL), num_threads=THREADS)
    interpreter.allocate_tensors()
    (taken,) = interpreter.get_input_details()
    names = (SHARED / "models" / "coco_ssd_labels.txt").read_text(encoding="utf-8").splitlines()
    with (ROOT / "src" / "Recognizer" / "recognizer" / "coco_to_openimages.csv").open(encoding="utf-8") as file:
        ids = {line.split(",")[1]: line.strip().split(",")[2] for line in file}
    for path in sorted((SHARED / "photos" / "dev").glob("*.jpg"))[:8]:
        with Image.open(path) as photo:
            pixels = np.asarray(photo.convert("RGB"))
        interpreter.set_tensor(taken["index"], np.rint(bilinear(pixels, 300, 300)).astype(np.uint8)[np.newaxis])
        interpreter.invoke()
        boxes, classes, scores, count = (
            interpreter.get_tensor(tensor["index"])[0] for tensor in interpreter.get_output_details()
        )
        expected = sorted(
            (
                (float(score), ids[names[int(of)]], *np.clip(box, 0, 1))
                for box, of, score in zip(boxes[: int(count)], classes, scores, strict=False)
            ),
            reverse=True,
        )

        found = [
            (one.score, one.label.id, one.box.ymin, one.box.xmin, one.box.ymax, one.box.xmax)
            for one in detect(pixels, ALL)
        ]

        assert [row[1] for row in sorted(found, reverse=True)] == [row[1] for row in expected]
        for one, other in zip(sorted(found, reverse=True), expected, strict=True):
            assert (one[0], *one[2:]) == pytest.approx((other[0], *other[2:]), abs=1e-6)


# Where it comes from


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def test_a_zip_with_its_label_file_becomes_a_model(build, tiny, tmp_path):
    """As the archives of the tutorials are: detect.tflite and labelmap.txt, whose first line is the background."""
    path = tmp_path / "coco_ssd.zip"
    path.write_bytes(zipped({"detect.tflite": tiny["uint8"].read_bytes(), "labelmap.txt": "???\nred\ngreen\nblue\n"}))

    assert build("--url", path, "--engine", "litert") == 0
    assert build.labels() == {1: "red", 2: "green", 3: "blue"}
    assert build.facts()["labels"] == "labelmap.txt"
    assert build.facts()["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_what_macos_adds_to_an_archive_is_left_out(build, tiny, tmp_path, kind):
    files = {
        "mine/detect.tflite": tiny["uint8"].read_bytes(),
        "mine/labelmap.txt": b"???\nred\ngreen\nblue\n",
        "__MACOSX/mine/._detect.tflite": b"\0\5\x16\7",
        "mine/._labelmap.txt": b"\0\5\x16\7",
    }
    path = tmp_path / f"mine.{kind}"
    if kind == "zip":
        path.write_bytes(zipped(files))
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))

    assert build("--url", path, "--engine", "litert") == 0
    assert build.labels() == {1: "red", 2: "green", 3: "blue"}
    assert build.facts()["labels"] == "labelmap.txt"


def test_a_single_file_at_an_address_whose_labels_are_at_another(build, tiny):
    routes = {
        "/files/17/download": lambda exchange: exchange.answer(200, tiny["uint8"].read_bytes()),
        "/labels.csv": lambda exchange: exchange.answer(200, b"name\nred\ngreen\nblue\n"),
    }
    with LoopbackServer(routes) as server:
        options = ("--url", server.url("/files/17/download"), "--labels", server.url("/labels.csv"))
        assert build(*options, "--engine", "litert") == 0

        assert build.facts()["labels"] == server.url("/labels.csv")
    assert build.labels() == {1: "red", 2: "green", 3: "blue"}


def test_a_folder_and_a_tar_become_a_model_too(build, tiny, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copy(tiny["uint8"], folder / "model.tflite")
    (folder / "labels.txt").write_text("red\ngreen\nblue\n", encoding="utf-8")
    with tarfile.open(tmp_path / "mine.tgz", "w:gz") as archive:
        archive.add(folder, "deep/mine")

    assert [build("--url", url, "--engine", "litert") for url in (folder, tmp_path / "mine.tgz")] == [0, 0]
    assert build.labels() == {1: "red", 2: "green", 3: "blue"}


@pytest.mark.parametrize("name", ["../escaped.txt", "/tmp/../escaped.txt", "a/../../escaped.txt"])
def test_a_zip_whose_member_leaves_the_folder_is_refused(build, tmp_path, name):
    path = tmp_path / "evil.zip"
    path.write_bytes(zipped({name: b"gotcha", "saved_model.pb": b""}))

    assert build("--url", path) == 1
    assert "would leave its folder" in build.said()
    assert not list(tmp_path.rglob("escaped.txt"))


def test_a_zip_with_a_link_is_refused(build, tmp_path):
    link = zipfile.ZipInfo("labels.txt")
    link.external_attr = 0o120777 << 16
    path = tmp_path / "evil.zip"
    path.write_bytes(zipped({link: "/etc/passwd"}))

    assert build("--url", path) == 1
    assert "labels.txt is neither a file nor a folder" in build.said()


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_what_unpacks_to_too_much_is_refused(build, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(unpack, "MAX_BYTES", 1_000_000)
    path = tmp_path / f"bomb.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.tflite", bytes(1_000_001))
    else:
        with tarfile.open(path, "w:gz") as archive:
            member = tarfile.TarInfo("a.tflite")
            member.size = 1_000_001
            archive.addfile(member, io.BytesIO(bytes(member.size)))

    assert build("--url", path) == 1
    assert "unpacks to more than 1,000,000 bytes" in build.said()


def test_a_download_of_too_much_is_refused(build, monkeypatch):
    monkeypatch.setattr(unpack, "MAX_BYTES", 1000)
    with LoopbackServer({"/m.tflite": lambda exchange: exchange.answer(200, bytes(1001))}) as server:
        assert build("--url", server.url("/m.tflite")) == 1

    assert "more than 1,000 bytes" in build.said()


# SavedModels of the TF Object Detection API


def save_api_model(folder, dtype=tf.uint8, classes=(2.0, 1.0, 3.0)):
    """An export whose three rows are a car in the middle, a person, and one below every wish; the fourth is padding."""

    @tf.function(input_signature=[tf.TensorSpec((1, None, None, 3), dtype, "input_tensor")])
    def detect(input_tensor):
        light = tf.reduce_mean(tf.cast(input_tensor, tf.float32)) / 255.0
        boxes = [[[0.25, 0.25, 0.75, 0.75], [0.0, 0.5, 1.0, 1.0], [0.1, 0.1, 0.2, 0.2], [0.0, 0.0, 1.0, 1.0]]]
        return {
            "detection_boxes": tf.constant(boxes),
            "detection_scores": tf.stack([[0.5 + light / 2, 0.75, 0.01, 0.99]]),
            "detection_classes": tf.constant([[*classes, 1.0]]),
            "num_detections": tf.constant([3.0]),
            "raw_detection_boxes": tf.constant(boxes),
        }

    module = tf.Module()
    module.detect = detect
    tf.saved_model.save(module, str(folder), signatures={"serving_default": detect})
    return folder


LABEL_MAP = """
item { id: 1 name: 'person' }
item {
  name: "/m/0k4j"
  id: 2
  display_name: "Car"
}
item { id: 3 name: 'my mascot' }
"""


@pytest.mark.parametrize("dtype", [tf.uint8, tf.float32])
def test_an_export_of_the_object_detection_api_becomes_a_model(build, tmp_path, dtype):
    save_api_model(tmp_path / "export" / "saved_model", dtype)
    (tmp_path / "export" / "label_map.pbtxt").write_text(LABEL_MAP, encoding="utf-8")

    assert build("--url", tmp_path / "export") == 0
    found = build.detector()(np.full((100, 200, 3), 255, np.uint8), SURE)

    assert [(one.label.id, one.label.name, one.score) for one in found] == [
        ("/m/0k4j", "Car", 1.0),
        ("/m/01g317", "Person", 0.75),
    ]
    assert found[0].box.to_pixels(200, 100).xmin == 50
    assert build.labels()[3] == "my mascot"


def test_what_is_asked_for_is_chosen_among_its_rows(build, tmp_path):
    save_api_model(tmp_path / "saved_model")
    (tmp_path / "labels.txt").write_text("Person\nCar\nDog\n", encoding="utf-8")
    assert build("--url", tmp_path / "saved_model", "--labels", tmp_path / "labels.txt") == 0
    detect = build.detector()
    white = np.full((10, 10, 3), 255, np.uint8)

    assert [one.label.name for one in detect(white, Criteria(1, 0.0))] == ["Car"]
    assert [one.label.name for one in detect(white, Criteria(9, 0.0, frozenset({1, 3})))] == ["Person", "Dog"]
    assert [one.label.name for one in detect(white, Criteria(9, 0.0, region=(0.6, 0, 1, 1)))] == ["Person"]


def test_an_export_for_litert_is_refused_with_the_way_out(build, tmp_path):
    save_api_model(tmp_path / "saved_model")
    (tmp_path / "labels.txt").write_text("Person\nCar\nDog\n", encoding="utf-8")

    options = ("--url", tmp_path / "saved_model", "--labels", tmp_path / "labels.txt", "--engine", "litert")
    assert build(*options) == 1
    assert "export it as a .tflite" in build.said()


# Names


COCO = (ROOT / "src" / "Recognizer" / "recognizer" / "coco_to_openimages.csv").read_text(encoding="utf-8")


def test_names_of_coco_become_those_of_open_images_with_their_groups(build, tmp_path):
    save_api_model(tmp_path / "saved_model")
    names = [line.split(",")[1] for line in COCO.splitlines()[1:]]
    (tmp_path / "labels.txt").write_text("\n".join(names), encoding="utf-8")

    assert build("--url", tmp_path / "saved_model", "--labels", tmp_path / "labels.txt") == 0
    labels = Model.load(build.output).labels
    assert labels.by_index[1].name == "Person"
    assert labels.by_index[names.index("mouse") + 1].name == "Computer mouse"
    assert {labels.by_index[index].name for index in labels.covered_by("vehicle", "include")} >= {"Car", "Bus", "Boat"}


def test_names_of_ones_own_get_ids_and_may_bring_a_hierarchy(build, tmp_path):
    save_api_model(tmp_path / "saved_model")
    table = (
        "index,name,id,parent\n1,Golden Retriever,,Dog\n2,forklift,acme:7,Our fleet\n3,widget,,\n,Our fleet,,Vehicle\n"
    )
    (tmp_path / "labels.csv").write_text(table, encoding="utf-8")

    assert build("--url", tmp_path / "saved_model", "--labels", tmp_path / "labels.csv") == 0
    labels = Model.load(build.output).labels
    assert [label.id for label in labels.by_index.values()] == ["/own/golden-retriever", "acme:7", "/own/widget"]
    assert labels.by_index[1].parents[:2] == ("Dog", "Carnivore")
    assert labels.by_index[2].parents == ("Our fleet", "Vehicle")
    assert labels.wanted(["animal"], []) == {1}
    assert labels.wanted(["vehicle"], []) == {2}


def test_two_classes_of_one_name_have_parents_of_their_own(build, tiny, tmp_path):
    (tmp_path / "labels.csv").write_text("name,parent\ncrane,Bird\ncrane,Vehicle\ngizmo,\n", encoding="utf-8")

    assert build("--url", tiny["uint8"], "--labels", tmp_path / "labels.csv") == 0
    labels = Model.load(build.output).labels
    assert (labels.wanted(["bird"], []), labels.wanted(["vehicle"], [])) == ({1}, {2})


@pytest.mark.parametrize(
    ("rows", "circle"),
    [
        ("1,a,b\n2,b,a\n", "a kind of itself: "),
        ("1,Thing,thing\n", "Thing, a kind of Thing"),
        ("1,Vehicle,Car\n", "Vehicle, a kind of Car"),
    ],
)
def test_a_class_that_is_a_kind_of_itself_is_refused_with_the_circle(build, tiny, tmp_path, rows, circle):
    (tmp_path / "labels.csv").write_text(f"index,name,parent\n{rows}", encoding="utf-8")

    assert build("--url", tiny["uint8"], "--labels", tmp_path / "labels.csv") == 1
    assert circle in build.said()


def test_two_classes_of_one_name_have_two_ids(build, tiny, tmp_path):
    (tmp_path / "labels.txt").write_text("crane\ncrane\ngizmo\n", encoding="utf-8")

    assert build("--url", tiny["uint8"], "--labels", tmp_path / "labels.txt") == 0
    assert [label.id for label in Model.load(build.output).labels.by_index.values()] == [
        "/own/crane",
        "/own/crane-2",
        "/own/gizmo",
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("labels.txt", b"a\nb\nc\nd\n", "names a class 4, but the model has 3"),
        ("labels.txt", b"\n\n", "names no class"),
        ("labels.txt", b"\xff\xfe\x00", "is no label file"),
        ("labels.csv", b"class,title\n1,a\n", "has the columns class, title; expected are name and"),
        ("labels.csv", b"index,name\nx,a\n", "has the index 'x'"),
        ("labels.csv", b"index,name\n1,a\n1,b\n", "some have the same index"),
        ("labels.txt", "red\ngreen\nblue\n".encode("utf-16-le"), "save it as UTF-8"),
        ("labels.txt", "caf\u00e9\n".encode("latin-1"), "save it as UTF-8"),
        ("map.pbtxt", b"nothing here", "is no label map: 1:9"),
        ("map.pbtxt", b"# item { id: 1 name: 'red' }", "names no class"),
        ("map.pbtxt", b"item { id: 0 name: 'red' }", "gives 'red' the id 0"),
        ("map.pbtxt", b"item { name: 'red' }", "gives 'red' the id 0"),
        (None, b"", "no such file"),
    ],
)
def test_labels_that_are_none_are_refused_with_what_is_wrong(build, tiny, tmp_path, name, content, said):
    path = tmp_path / (name or "nowhere.txt")
    if name:
        path.write_bytes(content)

    assert build("--url", tiny["uint8"], "--labels", path) == 1
    assert said in build.said()
    assert not build.output.exists()


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("0 red\n1 green\n2 blue", ["red", "green", "blue"]),
        ("1 red\n2: green\n3, blue", ["red", "green", "blue"]),
        ("0 background\n1 red\n2 green\n3 blue", ["red", "green", "blue"]),
        ("1 ???\n2 red\n3 green\n4 blue", ["red", "green", "blue"]),
        ("5 euro\n10 euro\n20 euro", ["5 euro", "10 euro", "20 euro"]),
        ("2 of clubs\n3 of clubs\n2 of hearts", ["2 of clubs", "3 of clubs", "2 of hearts"]),
        ("1 of clubs\n1 of hearts\n2 of clubs", ["1 of clubs", "1 of hearts", "2 of clubs"]),
        ("1 cent\n2 cent\n5 cent", ["1 cent", "2 cent", "5 cent"]),
        ("+\n-\n7", ["+", "-", "7"]),
    ],
)
def test_numbers_before_names_are_indices_only_where_they_count(build, tmp_path, lines, names):
    save_api_model(tmp_path / "saved_model")
    (tmp_path / "LABELS.TXT").write_text(lines, encoding="utf-8")

    assert build("--url", tmp_path / "saved_model", "--labels", tmp_path / "LABELS.TXT") == 0
    assert build.labels() == dict(enumerate(names, start=1))


def test_numbers_may_leave_out_classes(build, tmp_path):
    save_api_model(tmp_path / "saved_model")
    (tmp_path / "labels.txt").write_text("0  red\n2  blue\n", encoding="utf-8")

    assert build("--url", tmp_path / "saved_model", "--labels", tmp_path / "labels.txt") == 0
    assert build.labels() == {1: "red", 3: "blue"}


@pytest.mark.parametrize("name", ["labels.txt", "LABELS.CSV", "Map.PBTXT"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_label_file_is_read_whatever_the_case_of_its_suffix_and_its_encoding(build, tmp_path, name, encoding):
    content = {
        "labels.txt": "Caf\u00e9\nB\n",
        "LABELS.CSV": "name\nCaf\u00e9\nB\n",
        "Map.PBTXT": "item { id: 1 name: 'Caf\u00e9' } item { id: 2 name: 'B' }",
    }
    save_api_model(tmp_path / "saved_model")
    (tmp_path / name).write_text(content[name], encoding=encoding)

    assert build("--url", tmp_path / "saved_model", "--labels", tmp_path / name) == 0
    assert build.labels() == {1: "Caf\u00e9", 2: "B"}


def test_a_label_map_is_read_as_protocol_buffers_are(build, tmp_path):
    content = r"""
    # item { id: 9 name: "not this one" }
    item { id: 0 name: "background" }
    item { name: "caf\303\251" id: 1 keypoints { id: 7 label: "rim" } frequency: FREQUENT }
    item: { id: 2, name: '/m/0bt9lr', display_name: 'Children\'s dog # {' ancestor_ids: ["a", "b"] }
    item < id: 3 name: "two " "parts" >
    """
    save_api_model(tmp_path / "saved_model")
    (tmp_path / "map.pbtxt").write_text(content, encoding="utf-8")

    assert build("--url", tmp_path / "saved_model", "--labels", tmp_path / "map.pbtxt") == 0
    assert build.labels() == {1: "caf\u00e9", 2: "Children's dog # {", 3: "two parts"}
    assert Model.load(build.output).labels.by_index[2].id == "/m/0bt9lr"


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (["background", *CLASSES], CLASSES),  # of three classes
        (["background", "green", "blue"], ("background", "green", "blue")),
        (["???", "red"], ("red",)),
    ],
)
def test_what_is_called_background_is_a_class_where_the_model_has_one_for_it(build, tiny, tmp_path, lines, names):
    (tmp_path / "labels.txt").write_text("\n".join(lines), encoding="utf-8")

    assert build("--url", tiny["uint8"], "--labels", tmp_path / "labels.txt") == 0
    assert build.labels() == dict(enumerate(names, start=1))
    assert ("what is called background stands for no class" in build.said()) == (len(lines) == 4)


def test_a_model_without_names_is_refused_with_where_they_are_looked_for(build, tiny, tmp_path):
    shutil.copy(tiny["uint8"], tmp_path / "alone.tflite")

    assert build("--url", tmp_path / "alone.tflite") == 1
    assert "LABELS_URL=" in build.said()


# What is refused


def test_a_network_of_another_purpose_is_refused_with_what_it_gives(build, tmp_path):
    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 3), tf.float32, "image")])
    def keypoints(image):
        return {"poses": tf.reshape(tf.reduce_mean(image), (1, 1, 1, 1)) * tf.ones((1, 1, 17, 3))}

    (tmp_path / "pose.tflite").write_bytes(
        tf.lite.TFLiteConverter.from_concrete_functions([keypoints.get_concrete_function()], keypoints).convert()
    )

    assert build("--url", tmp_path / "pose.tflite") == 1
    assert "float32 (1, 1, 17, 3) for image float32 (1, 8, 8, 3)" in build.said()
    assert "Expected are the outputs of a detector" in build.said()


def test_a_recurrent_network_is_refused_with_what_it_takes(build, tmp_path):
    signature = [tf.TensorSpec((1, 8, 8, 3), tf.float32, "image"), tf.TensorSpec((1, 4), tf.float32, "state")]

    @tf.function(input_signature=signature)
    def step(image, state):
        return {"state": state + tf.reduce_mean(image)}

    (tmp_path / "rnn.tflite").write_bytes(
        tf.lite.TFLiteConverter.from_concrete_functions([step.get_concrete_function()], step).convert()
    )

    assert build("--url", tmp_path / "rnn.tflite") == 1
    assert "image float32 (1, 8, 8, 3)" in build.said()
    assert "state float32 (1, 4)" in build.said()
    assert "expected is one picture of a fixed size" in build.said()


@pytest.mark.parametrize("content", [b"\0\0\0\0TFL3", b"\x1c\0\0\0TFL3" + bytes(5000), os.urandom(4) + b"TFL3junk"])
def test_a_damaged_tflite_file_is_refused(build, tmp_path, content):
    (tmp_path / "bad.tflite").write_bytes(content)

    assert build("--url", tmp_path / "bad.tflite") == 1
    assert "LiteRT cannot load bad.tflite" in build.said()


@pytest.mark.parametrize("what", ["metadata", "labels"])
def test_damaged_metadata_are_refused_or_harmless(build, tiny, tmp_path, what):
    """Every byte of the metadata is changed once, and of the zip file behind it; LiteRT itself reads neither."""
    path = with_metadata(shutil.copy(tiny["uint8"], tmp_path / "own.tflite"), labels=CLASSES, mean=[127.5], std=[127.5])
    content = path.read_bytes()
    begin, end = content.index(b"M001") - 4, content.index(b"PK\3\4")
    if what == "metadata":
        end = begin + int.from_bytes(content[begin - 4 : begin], "little")
    else:
        begin, end = end, len(content)
    refusals = []
    for place in range(begin, end):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            tflite_metadata.read(path)
        except ValueError as error:
            refusals.append(str(error))

    assert 0 < len(refusals) < end - begin
    assert not [said for said in refusals if not said.startswith("its metadata")]


def test_a_file_with_damaged_metadata_is_refused_with_a_sentence(build, tiny, tmp_path):
    path = with_metadata(shutil.copy(tiny["uint8"], tmp_path / "own.tflite"), mean=[127.5], std=[127.5])
    content = path.read_bytes()
    root = content.index(b"M001") - 4
    path.write_bytes(content[:root] + b"\xff\xff\xff\x7f" + content[root + 4 :])

    assert build("--url", path) == 1
    assert "LiteRT cannot load own.tflite: its metadata cannot be read" in build.said()


# The report


def test_the_build_ends_with_a_report(build, tiny, labels_file):
    assert build("--url", tiny["uint8"], "--labels", labels_file) == 0

    facts = build.facts()
    assert (facts["task"], facts["classes"], facts["graph"]) == ("detection", 3, "published")
    assert facts["takes"] == ["serving_default_picture:0 uint8 (1, 64, 64, 3)"]
    assert len(facts["gives"]) == 4
    assert facts["ms_per_picture"] > 0
    for word in ("task", "inputs", "outputs", "classes", "labels", "graph", "one picture"):
        assert f"  {word}" in build.said()
