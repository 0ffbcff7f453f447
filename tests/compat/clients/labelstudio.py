"""Label Studio's requests, and its own reading of the answers: PICTURE ADDRESS URL -> what it makes of them.

Label Studio is too heavy to be installed for a test. So the requests are those of its ``ml/api_connector.py``, made as
it makes them (the address joined, the fields, basic authentication), and its SDK says what the predictions are: by the
label config, and converted to COCO and YOLO.
"""

import base64
import json
import sys
import tempfile
import urllib.parse
from pathlib import Path

import requests
from label_studio_sdk.converter import Converter
from label_studio_sdk.label_interface import LabelInterface

picture, address, url = sys.argv[1:]
CONFIG = """
<View>
  <Image name="photo" value="$image"/>
  <RectangleLabels name="boxes" toName="photo" model_score_threshold="0.1">
    <Label value="Traffic" predicted_values="Car,Bicycle" background="red"/>
    <Label value="Animal"/>
    <Label value="person" alias="human"/>
    <Label value="Scratch"/>
  </RectangleLabels>
  <Choices name="quality" toName="photo"><Choice value="good"/><Choice value="bad"/></Choices>
</View>
"""
PROJECT = "1.1795251200"
DATA_URL = f"data:image/png;base64,{base64.b64encode(Path(picture).read_bytes()).decode()}"


def ask(suffix, document=None, method="POST"):
    """As MLApi._request does."""
    joined = urllib.parse.urljoin(f"{address}label-studio/", suffix)
    sent = {"json": document} if method == "POST" else {}
    response = requests.request(method, joined, auth=("recognizer", "key"), timeout=60, **sent)
    return {"status": response.status_code, "body": response.json()}


def task(number, picture_url):
    """As TaskSimpleSerializer has one."""
    return {
        "id": number,
        "data": {"image": picture_url},
        "meta": {},
        "created_at": "2026-11-21T12:00:00.000000Z",
        "updated_at": "2026-11-21T12:00:00.000000Z",
        "is_labeled": False,
        "overlap": 1,
        "inner_id": number,
        "total_annotations": 0,
        "file_upload": None,
        "project": 1,
        "annotations": [],
        "predictions": [],
    }


def predict(tasks, **params):
    document = {"tasks": tasks, "project": PROJECT, "label_config": CONFIG}
    return ask("predict", {**document, "params": {"login": None, "password": None, "context": None, **params}})


def converted(tasks, results, form):
    """What its converter makes of the predictions, once they are annotations."""
    exported = [
        {**each, "annotations": [{"id": number, "completed_by": {}, "result": found["result"], "was_cancelled": False}]}
        for number, (each, found) in enumerate(zip(tasks, results, strict=True), 1)
    ]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "exported.json"
        source.write_text(json.dumps(exported))
        converter = Converter(config=CONFIG, project_dir=folder, download_resources=False)
        if form == "coco":
            converter.convert_to_coco(str(source), folder, output_image_dir=folder, is_dir=False)
            return json.loads((Path(folder) / "result.json").read_text())
        converter.convert_to_yolo(str(source), folder, output_image_dir=folder, is_dir=False)
        labels = sorted((Path(folder) / "labels").glob("*.txt"))
        return {
            "classes": (Path(folder) / "classes.txt").read_text().splitlines(),
            "labels": [file.read_text().splitlines() for file in labels],
        }


hostname = {"hostname": "http://localhost:8080", "access_token": "token", "extra_params": None}
good = [task(1, url), task(2, DATA_URL)]
predicted = predict(good)
interface = LabelInterface(CONFIG)
results = predicted["body"]["results"]
print(
    json.dumps(
        {
            "health": ask("health", method="GET"),
            "versions": ask("versions", method="GET"),
            "setup": ask("setup", {"project": PROJECT, "schema": CONFIG, **hostname}),
            "predicted": predicted,
            "wrong": [interface.validate_prediction(each, return_errors=True) for each in results],
            "coco": converted(good, results, "coco"),
            "yolo": converted(good[:1], results[:1], "yolo"),
            "mixed": predict([task(1, url), task(2, "/data/upload/1/cat.png"), task(3, f"{url}/nothing")]),
            "uploaded": predict([task(2, "/data/upload/1/cat.png")]),
            "event": ask("webhook", {"action": "ANNOTATION_CREATED", "annotation": {"id": 1}, "project": {"id": 1}}),
            "training": ask("webhook", {"action": "START_TRAINING", "project": {"id": 1}}),
        }
    )
)
