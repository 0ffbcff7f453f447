"""The pictures that are asked for, and the server they come from.

Owns making them, the same at each run: a sample photo scaled to the size wanted, with a little grain, so that it
compresses like a photo of that size and not like a blur. The server is on this machine: no network is measured.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import numpy as np
from PIL import Image, ImageOps

from benchmarks.subjects import RECOGNIZER, ROOT

STANDARD_PX = (1024, 636)
STANDARD_MP = 0.65

_SAMPLE = RECOGNIZER / "web" / "samples" / "astronaut.jpg"
_EVENT = ROOT / "events" / "get-image.json"
_QUALITY = 88
_GRAIN = 3  # levels of 255

Event = dict[str, Any]


@cache
def _jpeg(size_mp: float) -> bytes:
    """A picture of so many megapixels, all of the same subject and shape."""
    width = round((size_mp * 1e6 * STANDARD_PX[0] / STANDARD_PX[1]) ** 0.5)
    size = STANDARD_PX if size_mp == STANDARD_MP else (width, int(size_mp * 1e6 / width))
    with Image.open(_SAMPLE) as sample:
        pixels = np.array(ImageOps.fit(sample.convert("RGB"), size), np.int16)
    pixels += np.random.default_rng(0).integers(-_GRAIN, _GRAIN + 1, (*pixels.shape[:2], 1), np.int16)
    file = BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections, as pictures' servers do
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def served(host: str = "127.0.0.1", bind: str = "127.0.0.1") -> Iterator[Callable[..., Event]]:
    """Serves pictures; yields what makes an event that asks for one, by its megapixels and the query.

    The subjects reach this machine as ``host``, where ``bind`` is the address to listen on.
    """
    with (
        TemporaryDirectory() as folder,
        ThreadingHTTPServer((bind, 0), partial(_Handler, directory=folder)) as server,
    ):

        def event(size_mp: float = STANDARD_MP, **query: str) -> Event:
            Path(folder, f"{size_mp}.jpg").write_bytes(_jpeg(size_mp))
            return _event({"url": f"http://{host}:{server.server_port}/{size_mp}.jpg", **query})

        server.daemon_threads = True  # a kept connection must not keep the benchmark
        Thread(target=server.serve_forever).start()
        try:
            yield event
        finally:
            server.shutdown()


def _event(query: dict[str, str]) -> Event:
    """What an HTTP API sends for this query; no format is preferred, so that all answer with JPEG."""
    event: Event = json.loads(_EVENT.read_text(encoding="utf-8"))
    headers = {**event["headers"], "accept": "*/*"}
    return {**event, "headers": headers, "rawQueryString": urlencode(query), "queryStringParameters": query}
