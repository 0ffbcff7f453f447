"""DeepStack's and CodeProject.AI's clients, and the programs that ask these servers, find what ``/detector`` finds."""

from __future__ import annotations

import base64
import hashlib
import io

import pytest
import requests
from PIL import Image
from recognizer.build import build

from tests.compat.asking import ask, detections
from tests.functional.serving import environment

DETECTION = "/v1/vision/detection"
KEY = "a key"
TYPED = {"Content_Type": "multipart/form-data; boundary=b"}


@pytest.fixture(scope="module")
def answers(client, address):
    return client("deepstack_python", address, KEY)


@pytest.fixture(scope="module")
def frame(noise):
    """The JPEG that a camera program sends."""
    file = io.BytesIO()
    Image.open(io.BytesIO(noise)).resize((320, 320)).save(file, "JPEG")
    return file.getvalue()


def expected(app, picture, min_score, told=str.lower):
    """Predictions, as they follow from what ``/detector`` says."""
    return [
        {"label": told(found["label"]), **{f"{edge[0]}_{edge[1:]}": at for edge, at in found["box"].items()}}
        for found in detections(app, picture, n="100", min_score=str(min_score))
    ]


def seen(predictions):
    return [{name: value for name, value in each.items() if name != "confidence"} for each in predictions]


def form(picture, **fields):
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
        for name, value in fields.items()
    ]
    file = b'--b\r\nContent-Disposition: form-data; name="image"; filename="image"\r\n\r\n' + picture
    return b"\r\n".join([*parts, file, b"--b--\r\n"])


# Clients


def test_deepstacks_client_gets_names_of_coco(answers, app, noise):
    assert seen(answers["deepstack"]) == expected(app, noise, 0.1)
    assert all(each["confidence"] >= 0.1 for each in answers["deepstack"])


def test_the_custom_model_has_names_of_open_images(answers, app, noise):
    assert seen(answers["custom"]) == expected(app, noise, 0.1, str)


def test_codeprojects_client_sets_a_least_confidence(answers, app, noise):
    assert seen(answers["codeproject"]) == expected(app, noise, 0.9)
    assert len(answers["codeproject"]) < len(answers["deepstack"])


def test_errors_have_statuses_that_their_clients_know(answers):
    assert answers["no picture"].endswith("status code: 400")
    assert answers["no model"].startswith("Bad url supplied")
    assert answers["faces"].startswith("Bad url supplied")


# Programs, by the requests that their sources make


def frigate(address, frame):
    """frigate/detectors/plugins/deepstack.py."""
    return requests.post(f"{address}v1/vision/detection", data={"api_key": ""}, files={"image": frame}, timeout=60)


def deepstack_sdk(address, frame):
    """deepstack_sdk/detection.py of johnolafenwa/DeepStackPython."""
    data = {"api_key": None, "min_confidence": 0.4}
    return requests.post(f"{address}v1/vision/detection", files={"image": frame}, data=data, timeout=60)


def node_trigger(address, frame):
    """src/DeepStack.ts of neilenns/node-deepstackai-trigger: a stream, which has a name and a type."""
    files = {"image": ("Garage.jpg", frame, "image/jpeg")}
    return requests.post(f"{address}v1/vision/detection", files=files, timeout=60)


def syno_ai(address, frame):
    """SynoAI/AIs/DeepStack/DeepStackAI.cs: .NET quotes the boundary and no name, and says the file's name twice."""
    body = (
        b"--4c28\r\nContent-Disposition: form-data; name=image; filename=image; filename*=utf-8''image\r\n\r\n"
        + frame
        + b"\r\n--4c28\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Disposition: form-data; name=min_confidence\r\n\r\n0.40\r\n--4c28--\r\n"
    )
    headers = {"Content-Type": 'multipart/form-data; boundary="4c28"'}
    return requests.post(f"{address}v1/vision/detection", data=body, headers=headers, timeout=60)


@pytest.mark.parametrize("program", [frigate, deepstack_sdk, node_trigger, syno_ai])
def test_programs_find_what_there_is(program, address, app, frame):
    answer = program(address, frame)

    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["success"] is True
    assert seen(document["predictions"]) == expected(app, frame, 0.4)
    scores = [each["confidence"] for each in document["predictions"]]
    assert scores == sorted(scores, reverse=True)  # Frigate's stops at the first that is too low


def test_an_answer_has_what_codeprojects_has(app, noise):
    answer = ask(app, DETECTION, form(noise), **TYPED).json

    assert answer["count"] == len(answer["predictions"]) > 0
    assert answer["message"].startswith(f"Found {answer['predictions'][0]['label']}")
    assert answer["processMs"] >= answer["inferenceMs"] >= 0
    assert (answer["code"], answer["command"], answer["canUseGPU"]) == (200, "detect", False)
    assert {type(each[edge]) for each in answer["predictions"] for edge in ("x_min", "y_min", "x_max", "y_max")} == {
        int
    }


def test_nothing_found_is_a_success(app, noise):
    answer = ask(app, DETECTION, form(noise, min_confidence="1"), **TYPED).json

    assert (answer["success"], answer["count"], answer["predictions"]) == (True, 0, [])
    assert answer["message"] == "No objects found"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_blue_iris_gets_the_list_of_custom_models(address, method):
    answer = requests.request(method, f"{address}v1/vision/custom/list", timeout=60).json()

    assert (answer["success"], answer["models"]) == (True, ["all-labels"])


def test_blue_iris_gets_every_field_of_an_update(address):
    answer = requests.get(f"{address}v1/status/updateavailable", timeout=60).json()

    assert (answer["success"], answer["updateAvailable"]) == (True, False)
    fields = {"major", "minor", "patch", "preRelease", "securityUpdate", "build", "file", "releaseNotes"}
    assert all(answer[name].keys() == fields for name in ("version", "current", "latest"))


@pytest.mark.parametrize("path", ["/v1/status/ping", "/v1/server/status/ping", "/v1/status/version"])
def test_someone_is_here(app, path):
    answer = ask(app, path, method="GET")

    assert (answer.status, answer.json["success"]) == (200, True)


def test_json_is_taken_too(app, noise):
    answer = ask(app, DETECTION, {"image": base64.b64encode(noise).decode(), "min_confidence": 0.1})

    assert seen(answer.json["predictions"]) == expected(app, noise, 0.1)


# Refusals


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"min_confidence": "2"}, "min_confidence"),
        ({"min_confidence": "-0.1"}, "min_confidence"),
        ({"min_confidence": "nan"}, "min_confidence"),
        ({"min_confidence": "0,4"}, "min_confidence"),
        ({"min_score": "0.4"}, "min_score"),
        ({"url": "http://127.0.0.1/a.jpg"}, "url"),
    ],
    ids=str,
)
def test_what_is_not_known_is_refused(app, noise, fields, named):
    answer = ask(app, DETECTION, form(noise, **fields), **TYPED)

    assert answer.status == 400
    assert answer.json.keys() == {"success", "error", "code"}
    assert (answer.json["success"], answer.json["code"]) == (False, 400)
    assert named in answer.json["error"]


@pytest.mark.parametrize("body", [{}, {"image": ""}, {"image": 5}, {"image": "no base64"}], ids=str)
def test_a_picture_is_needed(app, body):
    answer = ask(app, DETECTION, body)

    assert answer.status == 400
    assert "image must" in answer.json["error"]


@pytest.mark.parametrize(
    "path", ["/v1/vision/face", "/v1/vision/face/recognize", "/v1/vision/scene", "/v1/vision/alpr"]
)
def test_what_is_not_done_is_refused_in_their_words(app, noise, path):
    answer = ask(app, path, form(noise), **TYPED)

    assert answer.status == 404
    assert answer.json["success"] is False
    assert DETECTION in answer.json["error"]


def test_another_custom_model_is_refused_with_the_name_of_the_one_there_is(app, noise):
    answer = ask(app, "/v1/vision/custom/ipcam-combined", form(noise), **TYPED)

    assert answer.status == 404
    assert "all-labels" in answer.json["error"]


# Keys


@pytest.fixture(scope="module")
def guarded(tiny_model):
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    return build(environment(tiny_model, COMPAT="deepstack", ACCESS="KEY", ACCESS_KEY_SHA256=digest))


@pytest.mark.parametrize(
    ("fields", "headers", "status"),
    [
        ({"api_key": KEY}, {}, 200),
        ({}, {"Authorization": f"Bearer {KEY}"}, 200),
        ({"api_key": "another"}, {}, 401),
        ({"api_key": KEY}, {"Authorization": "Bearer another"}, 401),
        ({"api_key": "\N{SNOWMAN}"}, {}, 401),
        ({}, {}, 401),
    ],
)
def test_the_key_is_where_their_clients_have_it(guarded, noise, fields, headers, status):
    answer = ask(guarded, DETECTION, form(noise, **fields), **TYPED, **headers)

    assert answer.status == status
    assert answer.json["success"] is (status == 200)
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_a_body_that_cannot_be_read_has_no_key(guarded):
    assert ask(guarded, DETECTION, b"--b", **TYPED).status == 401
    assert ask(guarded, DETECTION, {"api_key": [KEY]}).status == 401


def test_words_about_the_service_need_no_key(guarded):
    assert ask(guarded, "/v1/vision/custom/list", b"").status == 200
