"""The queue behind the bucket, deployed: nothing is lost or done twice, whatever comes and whoever is stopped."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid

import pytest
from recognizer.uploads.results import folder_of

from tests.container.conftest import SAMPLES, run

PATIENCE_S = 500
PICTURE = (SAMPLES / "cat.jpg").read_bytes()
ODD = ["a b.jpg", "1+1=2.jpg", "100%.jpg", "日本/café 🐈.jpg", "deep/er//deeper.jpg", "quote\"'<&>.jpg", "x" * 1000]
POISON = 5


def until(condition, what):
    """Waits for something to be true; what it was."""
    ends_at_s = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < ends_at_s, what
        time.sleep(1)
    return found


class Uploads:
    """What a deployment with Uploads=yes made."""

    def __init__(self, stack):
        resources = stack.resources()
        self.s3, self.sqs = stack.client("s3"), stack.client("sqs")
        self.uploads, self.results = resources["UploadsBucket"], resources["ResultsBucket"]
        self.queue, self.dead_letters = (
            self.sqs.get_queue_url(QueueName=name)["QueueUrl"]
            for name in ("recognizer-dev-uploads", "recognizer-dev-uploads-dead-letters")
        )

    def put(self, key, content=PICTURE, **metadata):
        return self.s3.put_object(Bucket=self.uploads, Key=key, Body=content, Metadata=metadata)["VersionId"]

    def written(self):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.results)
        return {entry["Key"] for page in pages for entry in page.get("Contents", ())}

    def result(self, key, version_id):
        return self.read(f"{folder_of(key)}/{version_id}.json")

    def read(self, key):
        return json.loads(self.s3.get_object(Bucket=self.results, Key=key)["Body"].read())

    def waiting(self, queue):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def take_dead_letters(self):
        """Their bodies; they are taken out of the queue."""
        bodies = []
        while messages := self.sqs.receive_message(QueueUrl=self.dead_letters, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=self.dead_letters, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@pytest.fixture(scope="module")
def uploads(stack):
    stack.deploy(Uploads="yes", UploadsOptions="n=2")
    return Uploads(stack)


def killed_workers():
    """How many of the function's containers were there to be killed."""
    image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/recognizer:test"
    containers = run("docker", "ps", "-q", "--filter", f"ancestor={image}").stdout.split()
    return sum(run("docker", "kill", container, check=False).returncode == 0 for container in containers)


def test_each_version_has_one_result_whatever_happens(uploads):
    sent = [(f"plain/{index}.jpg", uploads.put(f"plain/{index}.jpg")) for index in range(150)]
    sent += [(key, uploads.put(key)) for key in ODD]
    sent += [(f"bad/{index}", uploads.put(f"bad/{index}", b"no picture")) for index in range(8)]
    sent += [("empty.jpg", uploads.put("empty.jpg", b""))]
    for _ in range(3):  # replaced while under way
        sent += [(f"again/{index}.jpg", uploads.put(f"again/{index}.jpg")) for index in range(10)]
    uploads.put("folder/", b"")
    uploads.s3.delete_object(Bucket=uploads.uploads, Key=(gone := "gone.jpg"), VersionId=uploads.put(gone))
    for index in range(POISON):
        uploads.sqs.send_message(QueueUrl=uploads.queue, MessageBody=f"poison {index}")
    for key, version_id in sent[:20]:  # S3 tells of an object at least once
        stored = {"key": key, "size": 1, "version-id": version_id, "sequencer": "00"}
        event = {"detail-type": "Object Created", "detail": {"bucket": {"name": uploads.uploads}, "object": stored}}
        uploads.sqs.send_message(QueueUrl=uploads.queue, MessageBody=json.dumps(event))

    results = {f"{folder_of(key)}/{version_id}.json" for key, version_id in sent}
    for share in (0.1, 0.3, 0.5):
        until(lambda share=share: len(uploads.written() & results) > share * len(results), f"{share} of the results")
        until(killed_workers, "a worker to kill")  # none runs in the moments after one was killed

    until(lambda: uploads.written() >= results, "all results")
    until(lambda: uploads.waiting(uploads.dead_letters) == POISON and not uploads.waiting(uploads.queue), "an end")
    documents = [key for key in uploads.written() if key.endswith(".json") and not key.endswith("/latest.json")]
    assert sorted(documents) == sorted(results)
    for key, version_id in sent:
        document = uploads.result(key, version_id)
        is_bad = key.startswith("bad/") or key == "empty.jpg"
        assert document.get("status", 200) == (415 if is_bad else 200), key
    newest = dict(sent)
    assert {key: uploads.read(f"{folder_of(key)}/latest.json")["version_id"] for key in newest} == newest
    assert sorted(uploads.take_dead_letters()) == [f"poison {index}" for index in range(POISON)]


def test_what_an_outage_left_is_brought_back(stack, uploads):
    client = stack.client("lambda")
    name = "recognizer-dev-uploads"
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    broken = {**variables, "RESULTS_BUCKET": f"none-{uuid.uuid4().hex}"}
    uploads.take_dead_letters()
    client.update_function_configuration(FunctionName=name, Environment={"Variables": broken})
    try:
        sent = [(key := f"outage/{index}.jpg", uploads.put(key)) for index in range(4)]
        until(lambda: uploads.waiting(uploads.dead_letters) == len(sent), "the dead-letter queue")
        assert not [key for key in uploads.written() if key.startswith("results/outage/")]
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    for body in uploads.take_dead_letters():  # what StartMessageMoveTask does, which ministack does not have
        uploads.sqs.send_message(QueueUrl=uploads.queue, MessageBody=body)

    results = {f"{folder_of(key)}/{version_id}.json" for key, version_id in sent}
    until(lambda: uploads.written() >= results, "the results of the outage")
    assert uploads.waiting(uploads.dead_letters) == 0


def test_a_form_stores_a_picture_whose_result_is_handed_out(stack, uploads):
    asked = {"content_type": "image/jpeg", "n": 1}
    status, _, body = stack.ask("POST", "/uploads", headers={"content-type": "application/json"}, body=asked)
    assert status == 201
    form = json.loads(body)
    assert stack.ask("GET", f"/{form['result']}")[0] == 202

    assert sent(form, b"\0" * 100, type_="text/html") == 403
    assert sent(form, b"\0" * (form["max_bytes"] + 1)) == 400
    assert sent(form, PICTURE) == 204

    status, headers, _ = until(
        lambda: (answer := stack.ask("GET", f"/{form['result']}"))[0] == 303 and answer, "the result"
    )
    with urllib.request.urlopen(headers["Location"], timeout=30) as response:
        document = json.loads(response.read())
    assert (document["image"]["width"], document["object"]["key"]) == (451, form["fields"]["key"])
    assert len(document["detections"]) <= 1


def sent(form, content, type_="image/jpeg"):
    """The status of sending a picture with a form."""
    boundary = uuid.uuid4().hex
    fields = {**form["fields"], "Content-Type": type_}
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: {type_}\r\n\r\n'
    body = "".join(parts).encode() + head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = urllib.request.Request(form["url"], data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
