"""Label Studio gets the boxes that ``/detector`` finds, in the labels and the shape of its project."""

from __future__ import annotations

import base64
import hashlib

import pytest
from recognizer.build import build

from tests.compat.asking import ask, detections
from tests.compat.conftest import SIDE_PX
from tests.functional.serving import environment

CONFIG = """
<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="label" toName="image"><Label value="Bicycle"/></RectangleLabels>
</View>
"""
# What the project of clients/labelstudio.py calls what the tiny model finds.
NAMES = {"Car": "Traffic", "Bicycle": "Traffic", "Dog": "Animal", "Cat": "Animal", "Person": "human"}


@pytest.fixture(scope="module")
def answers(client, address, url):
    return client("labelstudio", address, url)


@pytest.fixture(scope="module")
def task(noise):
    return {"id": 1, "data": {"image": f"data:image/png;base64,{base64.b64encode(noise).decode()}"}}


def regions(answer):
    """Label and box in pixels of each region of each task."""
    return [
        [(region["value"]["rectanglelabels"], edges(region)) for region in each["result"]]
        for each in answer["body"]["results"]
    ]


def edges(region):
    x, y, width, height = (region["value"][name] / 100 for name in ("x", "y", "width", "height"))
    horizontal, vertical = region["original_width"], region["original_height"]
    return [round(x * horizontal), round(y * vertical), round((x + width) * horizontal), round((y + height) * vertical)]


def expected(found):
    return [
        ([NAMES[each["label"]]], [each["box"][edge] for edge in ("xmin", "ymin", "xmax", "ymax")]) for each in found
    ]


def predicted(app, tasks, config=CONFIG, **more):
    return ask(app, "/label-studio/predict", {"tasks": tasks, "label_config": config, "project": "1.1", **more})


# With its connector and its SDK


def test_it_connects(answers):
    [version] = answers["versions"]["body"]["versions"]

    assert answers["health"]["body"] == {"status": "UP"}
    assert answers["setup"] == {"status": 200, "body": {"model_version": version}}
    assert answers["predicted"]["body"]["model_version"] == version


def test_every_task_gets_the_boxes_of_the_detector_by_the_projects_labels(answers, app, noise):
    found = detections(app, noise, n="100", min_score="0.1")
    by_url, by_data = regions(answers["predicted"])

    assert by_url == by_data
    assert {label for [label], _ in by_url} == set(NAMES.values())
    boxes = expected(found)
    assert all(each in boxes for each in by_url)


def test_what_it_gets_is_a_prediction_by_its_own_rules(answers):
    assert answers["wrong"] == [[], []]
    for each in answers["predicted"]["body"]["results"]:
        scores = [region["score"] for region in each["result"]]
        assert each["score"] == pytest.approx(sum(scores) / len(scores))
        assert {(region["from_name"], region["to_name"]) for region in each["result"]} == {("boxes", "photo")}


def test_its_converter_makes_coco_of_it(answers):
    coco = answers["coco"]
    names = {each["id"]: each["name"] for each in coco["categories"]}
    first, _ = regions(answers["predicted"])
    boxes = [each for each in coco["annotations"] if each["image_id"] == coco["images"][0]["id"]]

    assert [(each["width"], each["height"]) for each in coco["images"]] == [(SIDE_PX, SIDE_PX)] * 2
    assert [names[each["category_id"]] for each in boxes] == [label for [label], _ in first]
    for converted, (_, (xmin, ymin, xmax, ymax)) in zip(boxes, first, strict=True):
        assert converted["bbox"] == pytest.approx([xmin, ymin, xmax - xmin, ymax - ymin], abs=1)


def test_its_converter_makes_yolo_of_it(answers):
    classes, [lines] = answers["yolo"]["classes"], answers["yolo"]["labels"]
    first, _ = regions(answers["predicted"])

    assert [classes[int(line.split()[0])] for line in lines] == [label for [label], _ in first]


def test_a_task_that_cannot_be_read_takes_no_other_along(answers):
    good, uploaded, missing = answers["mixed"]["body"]["results"]

    assert good == answers["predicted"]["body"]["results"][0]
    assert "Only Label Studio can read" in uploaded["error"]
    assert "404" in missing["error"]
    assert "result" not in uploaded


def test_where_no_task_can_be_read_the_answer_is_the_error(answers):
    assert answers["uploaded"]["status"] == 400
    assert "https://" in answers["uploaded"]["body"]["error"]


def test_events_are_taken_and_training_is_refused(answers):
    assert answers["event"] == {"status": 200, "body": {}}
    assert answers["training"]["status"] == 400
    assert "not trained" in answers["training"]["body"]["error"]


# What its connector would not send, or a project could say


def test_things_that_get_one_label_are_found_once(app, task, noise):
    """As a Person and as a Man, to a model that knows both."""
    config = CONFIG.replace('"Bicycle"', '"Thing" predicted_values="Car,Bicycle,Dog,Cat,Person"')
    config = config.replace('toName="image"', 'toName="image" score_threshold="0"')
    found = detections(app, noise, n="100", min_score="0")

    [prediction] = predicted(app, [task], config).json["results"]

    assert 0 < len(prediction["result"]) < len(found)


@pytest.mark.parametrize("name", ["score_threshold", "model_score_threshold"])
def test_a_threshold_is_a_least_score(app, task, noise, name):
    config = CONFIG.replace('toName="image"', f'toName="image" {name}="0.3"')

    [prediction] = predicted(app, [task], config).json["results"]

    found = detections(app, noise, n="100", min_score="0.3", include="Bicycle")
    assert len(found) > 1
    assert [region["score"] for region in prediction["result"]] == pytest.approx(
        [each["score"] for each in found], abs=1e-4
    )


def test_the_field_of_a_task_that_was_imported_without_one_is_found(app, task):
    unnamed = {"data": {"$undefined$": task["data"]["image"]}}

    assert predicted(app, [unnamed]).json["results"] == predicted(app, [task]).json["results"]


def test_a_control_can_be_left_out(app, task):
    other = '<RectangleLabels name="b" toName="image" model_skip="true"><Label value="Dog"/></RectangleLabels></View>'

    answer = predicted(app, [task], CONFIG.replace("</View>", other)).json

    assert answer == predicted(app, [task]).json


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (None, "label config"),
        (7, "label config"),
        ("", "label config"),
        ("<View>", "XML"),
        ("<View>\ud800</View>", "XML"),
        ('<!DOCTYPE v [<!ENTITY a "b">]><View>&a;</View>', "DOCTYPE"),
        ('<View><Text name="t" value="$t"/></View>', "RectangleLabels"),
        (CONFIG.replace("Image name", "Video name"), "RectangleLabels"),
        (CONFIG.replace('toName="image"', 'toName="other"'), "RectangleLabels"),
        (CONFIG.replace('"Bicycle"', '"Scratch"'), "Scratch"),
        (CONFIG.replace('<Label value="Bicycle"/>', ""), "labels"),
        (CONFIG.replace('"Bicycle"', '"Vehicle" predicted_values="Car,Kar"'), "Kar"),
        (CONFIG.replace('toName="image"', 'toName="image" score_threshold="2"'), "score_threshold"),
        (CONFIG.replace('toName="image"', 'toName="image" score_threshold="nan"'), "score_threshold"),
        (CONFIG.replace('value="$image"', 'valueList="$images"'), "lists of pictures"),
        (CONFIG.replace('value="$image"', 'value="https://example.com/a.png"'), "$image"),
        ("<View>" * 20_000, "XML"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_label_config_that_says_nothing_is_refused_when_it_is_connected_and_asked(app, task, config, named):
    setup = ask(app, "/label-studio/setup", {"schema": config, "project": "1.1"})
    prediction = predicted(app, [task], config)

    assert (setup.status, prediction.status) == (400, 400)
    assert named in setup.json["error"]
    assert prediction.json == setup.json


def test_a_label_config_of_any_depth_is_read(app, task):
    deep = f"{'<View>' * 20_000}{CONFIG}{'</View>' * 20_000}"

    assert predicted(app, [task], deep).json == predicted(app, [task]).json


@pytest.mark.parametrize(
    "tasks",
    [None, 7, "a", {}, [], [None], [{}], [{"data": None}], [{"data": {}}], [{"data": {"image": 7}}], [[]]]
    + [
        [{"data": {"image": at}}] for at in ("", "upload/1/a.png", "/data/local-files/?d=a.png", "s3://b/k", "gs://b/k")
    ],
    ids=str,
)
def test_tasks_without_a_picture_that_can_be_read_are_refused(app, tasks):
    answer = predicted(app, tasks)

    assert answer.status == 400
    assert answer.json["error"]


@pytest.mark.parametrize("context", [{"result": [{"type": "keypointlabels"}]}, {"result": "x"}, [1], "x"], ids=str)
def test_hints_of_who_labels_are_refused(app, task, context):
    answer = predicted(app, [task], params={"login": None, "password": None, "context": context})

    assert answer.status == 400
    assert "context" in answer.json["error"] or "hints" in answer.json["error"]


def test_a_field_that_means_nothing_here_is_refused(app, task):
    assert "augment" in predicted(app, [task], augment=True).json["error"]


def test_an_answer_that_would_be_too_large_is_cut_between_tasks(app, task, monkeypatch):
    monkeypatch.setattr("recognizer.compat.labelstudio._MAX_REGIONS", 0)

    first, second = predicted(app, [task, task]).json["results"]

    assert first["result"]
    assert "ask for the other tasks again" in second["error"]


@pytest.mark.parametrize(("key", "status"), [("secret", 200), ("wrong", 401), (None, 401)])
@pytest.mark.parametrize("path", ["/label-studio/setup", "/label-studio/predict"])
def test_the_password_of_basic_authentication_is_the_key(tiny_model, task, path, key, status):
    digest = hashlib.sha256(b"secret").hexdigest()
    closed = build(environment(tiny_model, COMPAT="labelstudio", ACCESS="KEY", ACCESS_KEY_SHA256=digest))
    basic = {"Authorization": f"Basic {base64.b64encode(f'any name:{key}'.encode()).decode()}"} if key else {}
    body = {"schema": CONFIG} if path.endswith("setup") else {"label_config": CONFIG, "tasks": [task]}

    answer = ask(closed, path, body, **basic)

    assert answer.status == status
    assert (status == 401) == ("www-authenticate" in answer.headers)
    assert ask(closed, "/label-studio/health", method="GET").status == 200


@pytest.mark.parametrize("credentials", ["", "Basic", "Basic é", "Basic ====", "Basic /w==", "Bearer", "Basic Og=="])
def test_credentials_of_another_kind_are_none(tiny_model, credentials):
    closed = build(environment(tiny_model, COMPAT="labelstudio", ACCESS="KEY", ACCESS_KEY_SHA256="0" * 64))

    answer = ask(closed, "/label-studio/setup", {"schema": CONFIG}, Authorization=credentials)

    assert answer.status == 401
    assert answer.json.keys() == {"error"}
