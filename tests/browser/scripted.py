"""A Lambda handler that serves the real page and answers the rest as a test wants, with what was asked of it.

Owns the shapes of the service's answers as the page sees them; refuses to detect anything.
"""

from __future__ import annotations

import base64
import io
import json
import threading
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from recognizer.http import headers as edge
from recognizer.http import multipart, responses
from recognizer.http.messages import proxy_response
from recognizer.site.page import assets

WEB = Path(__file__).parents[2] / "src" / "Recognizer" / "web"
SIZE_PX = (320, 240)
CAR = {"label": "Car", "score": 0.925, "box": {"xmin": 80, "ymin": 60, "xmax": 200, "ymax": 150}}
TIMES = "download;dur=12.0, decode;dur=3.0, detect;dur=20.0, annotate;dur=1.5, encode;dur=3.5"
WHEEL = {"label": "Wheel", "score": 0.15, "box": {"xmin": 100, "ymin": 120, "xmax": 130, "ymax": 150}}
LABELS = (
    {"name": "Car", "id": "/m/0k4j", "parents": ["Land vehicle", "Vehicle"], "color": "#0072b2"},
    {"name": "Coffee cup", "id": "/m/02p5f1q", "parents": ["Container"]},
    {"name": "Dog", "id": "/m/0bt9lr", "parents": ["Carnivore", "Mammal", "Animal"]},
)


def png(size=SIZE_PX):
    file = io.BytesIO()
    image = Image.new("RGB", size, "#445")
    image.paste("#c33", (80, 60, 200, 150))
    image.save(file, "PNG")
    return file.getvalue()


def as_json(document, status=200, media_type="application/json"):
    return {"statusCode": status, "headers": {"Content-Type": media_type}, "body": json.dumps(document)}


def problem(status, title, detail, **extensions):
    """An error as the service tells it."""
    return as_json(
        {"title": title, "status": status, "detail": detail, **extensions}, status, "application/problem+json"
    )


def gateway_error(status, message):
    """An error as API Gateway tells it when the function did not answer."""
    return as_json({"message": message}, status)


def found(*detections, picture=None, **headers):
    """What is found in a picture, as JSON or, with the picture, as a form: whichever is asked for."""
    document = {
        "image": {"url": None, "width": SIZE_PX[0], "height": SIZE_PX[1], "format": "PNG", "animated": False},
        "model": {"name": "openimages_v4/ssd/mobilenet_v2", "engine": "tensorflow"},
        "detections": [{"id": "/m/0k4j", "parents": [], **detection} for detection in detections],
    }
    headers = {"Server-Timing": TIMES, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Found(document, headers, picture or png())


@dataclass(frozen=True)
class Found:
    """An answer to what is in a picture, in each of its forms."""

    document: dict
    headers: dict
    picture: bytes
    media_type: str = "image/png"

    def answer(self, kind):
        """The proxy response of a kind: json, both, or image, the picture as the service would draw it."""
        if kind == "json":
            answer = as_json(self.document)
            return {**answer, "headers": {**answer["headers"], **self.headers}}
        body, media_type = self.picture, self.media_type
        if kind == "both":
            text = json.dumps(self.document).encode()
            media_type, body = multipart.form(
                {"detections": ("application/json", text), "picture": (self.media_type, self.picture)}
            )
        headers = {"Content-Type": media_type, **self.headers}
        return {
            "statusCode": 200,
            "headers": headers,
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }


def classes(*labels, source="classifier"):
    """What a picture is as a whole."""
    named = [{"label": label, "id": f"/own/{label}", "score": score} for label, score in labels]
    model = {"name": "own/classifier", "engine": "litert"}
    return as_json({"image": {}, "model": model, "source": source, "labels": named})


class Hold:
    """An answer that does not come before it is released."""

    def __init__(self, answer):
        self._answer = answer
        self._released = threading.Event()

    def release(self):
        self._released.set()

    def wait(self):
        self._released.wait()
        return self._answer


def _given(event):
    return event.get("queryStringParameters") or json.loads(event.get("body") or "{}")


def _released(answer):
    return answer.wait() if isinstance(answer, Hold) else answer


class ScriptedService:
    """The handler. ``answers`` are given in their order, the last one again and again.

    Attributes:
        answers: what /detector answers: Found, a proxy response, or a Hold of one.
        labels: the proxy response of /labels.
        whole: what /classifier answers: a proxy response, or a Hold of one.
        classified: the parameters of each request to it.
        health: that of /health, or a Hold of it.
        paths: every path asked for.
        asked: the parameters of each request to /detector, from query or body, with its ``method``.
        stage: a prefix that every path has, as API Gateway's stages have.
        address: where it is served.
    """

    def __init__(self):
        self.answers = [found(CAR, WHEEL)]
        self.health = as_json({"status": "ok", "warm": True})
        self.labels = as_json({"labels": LABELS, "groups": ["Animal", "Car"]})
        self.whole = classes(("Egyptian cat", 0.8242), ("tabby, tabby cat", 0.0938))
        self.paths, self.asked, self.classified = [], [], []
        self.stage = ""
        self.address = ""
        self._site = assets(WEB, default_min_score=0.1)
        self._holds = []

    def hold(self, answer=None):
        """Makes the next answer wait until the Hold is released; the one after it comes at once."""
        held = self.held(answer or self.answers[-1])
        self.answers.insert(0, held)
        return held

    def held(self, answer):
        """An answer that waits until it is released, by the test or at its end."""
        held = Hold(answer)
        self._holds.append(held)
        return held

    def __call__(self, event, context):
        path = event["rawPath"].removeprefix(self.stage) or "/"
        self.paths.append(path)
        if path == "/detector":
            return self._detect(event)
        if path == "/classifier":
            self.classified.append(_given(event))
            return _released(self.whole)
        if path == "/labels":
            return self.labels
        if path == "/health":
            return _released(self.health)
        asset = self._site.get(path)
        if asset is None:
            return problem(404, "Not found", f"There is nothing at {path}.")
        answer = responses.representation(asset.media_type, asset.body, asset.max_age_s, asset.policy)
        return proxy_response(edge.complete(answer))

    def _detect(self, event):
        given = _given(event)
        self.asked.append({**given, "method": event["requestContext"]["http"]["method"]})
        answer = _released(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        return answer.answer(given.get("format")) if isinstance(answer, Found) else answer

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        for held in self._holds:
            held.release()
