"""The trained classifier is built in, served, and right over HTTP about pictures that it was not trained on."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT, _settle_threads, on_loopback

GOAL = 0.95
START_TIMEOUT_S = 120
RECOGNIZER = ROOT / "src" / "Recognizer"

pytestmark = on_loopback


def run(*arguments, environ):
    return subprocess.run(
        (sys.executable, "-m", *arguments),
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module", params=["keras", "tflite"])
def address(request, classifier, tiny_detector, tmp_path_factory):
    """Where the local server listens, with the classifier built in as `make run CLASSIFIER_URL=…` does."""
    folder = tmp_path_factory.mktemp("served")
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    environ = os.environ | {
        "PYTHONPATH": str(RECOGNIZER),
        "ENGINE": "litert",
        "MODEL_URL": str(tiny_detector),
        "CLASSIFIER_URL": str(classifier / f"digits.{request.param}"),
        "MODEL_DIR": str(folder / "model"),
        "PORT": str(port),
    }
    built = run("model_build", "--output", folder / "model", "--cache", folder / "cache", environ=environ)
    assert built.returncode == 0, built.stderr
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            (sys.executable, "-m", "local"), cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        wait_for(port, server, folder / "log")
        yield ("127.0.0.1", port)
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def tiny_detector(tmp_path_factory):
    import tensorflow as tf

    from tests.functional.tiny_model import build_tiny_model

    _settle_threads(tf)
    return build_tiny_model(tmp_path_factory.mktemp("detector") / "published")


def wait_for(port, server, log):
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"the server does not listen:\n{log.read_text()[-3000:]}")


def classified(address, content, query=""):
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.request("POST", f"/classifier{query}", content, {"Content-Type": "image/png"})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status == 200, body
    return json.loads(body)["labels"]


def test_it_is_right_about_pictures_it_was_not_trained_on(address, pictures):
    files = sorted((pictures / "test").rglob("*.png"))
    right = [classified(address, file.read_bytes(), "?n=1")[0]["label"] == file.parent.name for file in files]

    assert len(right) == 450
    assert np.mean(right) >= GOAL


def test_labels_come_with_ids_and_scores_the_most_likely_first(address, pictures):
    file = next((pictures / "test" / "3").glob("*.png"))
    labels = classified(address, file.read_bytes(), "?n=10&min_score=0")
    scores = [label["score"] for label in labels]

    assert sorted(label["label"] for label in labels) == list("0123456789")
    assert all(label["id"] for label in labels)
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=0.01)


def test_a_picture_of_another_size_and_format_is_read_too(address, pictures, tmp_path):
    file = next((pictures / "test" / "0").glob("*.png"))
    with Image.open(file) as picture:
        picture.resize((300, 300)).convert("RGBA").save(tmp_path / "large.png")

    assert classified(address, (tmp_path / "large.png").read_bytes(), "?n=1")[0]["label"] == "0"
