"""What the service is asked for under load: good, bad and hostile requests, and the server behind their URLs.

Good and bad requests have one right answer each, which is known from asking alone. What is hostile is made to take all
the time there is: whether it gets through or is given up depends on what else goes on, but never ends in a 500.
"""

from __future__ import annotations

import base64
import gzip
import io
from pathlib import Path

import numpy as np
from PIL import Image

from tests.functional import hostile
from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import event

SAMPLES = Path(__file__).resolve().parents[2] / "src" / "Recognizer" / "web" / "samples"


# What keeps a worker busy for long: half of these is more than there are workers for.
SLOW = ("42 megapixels", "JPEG of many scans", "the same in a TIFF", "flat middle in noise")


def served():
    """The server on loopback that all URLs lead to, for a ``with`` block."""
    cat = (SAMPLES / "cat.jpg").read_bytes()
    files = {
        "/cat.jpg": cat,
        "/cat.webp": _as(cat, "WEBP"),
        "/cat.png": _as(cat, "PNG"),
        "/large.jpg": _large(),
        "/cut.jpg": cat[: len(cat) // 2],
        "/page.html": b"<!doctype html><title>No picture</title>",
        "/scans.jpg": hostile.jpeg_of_many_scans(3000, 90),
        "/scans.tif": hostile.tiff_around(hostile.jpeg_of_many_scans(3000, 80), 3000, 3000),
        "/exif.jpg": hostile.jpeg_of_exif_segments(6000),
        "/segments.jpg": hostile.jpeg_of_empty_segments(1_000_000),
        "/middle.png": hostile.flat_middle(2600),
        "/flat.png": hostile.large_flat(6500),
        "/pixels.png": hostile.large_flat(7500),
    }
    routes = {path: lambda exchange, body=body: exchange.answer(200, body) for path, body in files.items()}
    routes |= {"/silent": _silent, "/drip": _drip, "/endless": _endless, "/lie": _lie, "/bomb": _bomb, "/loop": _loop}
    return LoopbackServer(routes)


def good(server):
    """Requests that are served, by name."""
    queries = {
        "JPEG": {"url": "/cat.jpg"},
        "JSON": {"url": "/cat.jpg", "format": "json", "n": "20"},
        "WebP": {"url": "/cat.webp", "n": "10"},
        "PNG": {"url": "/cat.png", "min_score": "0.05", "n": "50"},
        "blurred": {"url": "/cat.jpg", "draw": "blur"},
        "cut out": {"url": "/cat.jpg", "crop": "1", "min_score": "0"},
        "12 megapixels": {"url": "/large.jpg", "format": "json"},
    }
    asked = {name: event(query={**query, "url": server.url(query["url"])}) for name, query in queries.items()}
    uploaded = event(method="POST", headers={"Content-Type": "image/jpeg"})
    content = base64.b64encode((SAMPLES / "cat.jpg").read_bytes()).decode()
    asked["upload"] = uploaded | {"body": content, "isBase64Encoded": True}
    asked |= {path: event(path=path) for path in ("/", "/labels", "/openapi.json")}
    return asked


def bad(server):
    """Requests that get a problem, by name."""
    queries = {
        "no url": {},
        "n": {"url": "/cat.jpg", "n": "many"},
        "label": {"url": "/cat.jpg", "include": "unicorn"},
        "cut short": {"url": "/cut.jpg"},
        "web page": {"url": "/page.html"},
        "gone": {"url": "/gone.jpg"},
        "too many pixels": {"url": "/pixels.png"},
    }
    asked = {
        name: event(query={key: server.url(value) if key == "url" else value for key, value in query.items()})
        for name, query in queries.items()
    }
    asked["no route"] = event(path="/nowhere")
    asked["no method"] = event(method="PUT")
    asked["no JSON"] = event(method="POST", headers={"Content-Type": "application/json"}) | {"body": "[" * 100_000}
    return asked


def nasty(server):
    """Hostile requests, by name."""
    paths = {
        "JPEG of many scans": "/scans.jpg",
        "the same in a TIFF": "/scans.tif",
        "Exif segments by the thousand": "/exif.jpg",
        "segments by the million": "/segments.jpg",
        "42 megapixels": "/flat.png",
        "server that is silent": "/silent",
        "server that drips": "/drip",
        "server that never ends": "/endless",
        "server that lies": "/lie",
        "gzip bomb": "/bomb",
        "redirect to itself": "/loop",
    }
    asked = {name: event(query={"url": server.url(path)}) for name, path in paths.items()}
    asked["flat middle in noise"] = event(query={"url": server.url("/middle.png"), "image_format": "gif"})
    return asked


def _as(content, image_format):
    file = io.BytesIO()
    Image.open(io.BytesIO(content)).save(file, image_format)
    return file.getvalue()


def _large():
    random = np.random.default_rng(4)
    small = Image.fromarray(random.integers(0, 256, (60, 80, 3), dtype=np.uint8))
    file = io.BytesIO()
    small.resize((4000, 3000), Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()


def _silent(exchange):
    for _ in exchange.stalls():
        pass


def _drip(exchange):
    exchange.send_response(200)
    exchange.send_header("Content-Length", "1000000")
    exchange.end_headers()
    for _ in exchange.stalls(0.05):
        exchange.wfile.write(b"x")


def _endless(exchange):
    exchange.send_response(200)
    exchange.end_headers()
    for _ in exchange.stalls(0):
        exchange.wfile.write(bytes(65536))


def _lie(exchange):
    exchange.answer(200, b"\x89PNG", {"Content-Length": "4000"})
    exchange.hang_up()


def _bomb(exchange):
    exchange.answer(200, gzip.compress(bytes(40_000_000), 1), {"Content-Encoding": "gzip"})


def _loop(exchange):
    exchange.answer(302, b"", {"Location": exchange.path})
