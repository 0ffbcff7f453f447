"""The pictures that are asked for, and the server they come from.

Owns making them, the same at each run: a sample photo scaled to the size wanted, with a little grain, so that it
compresses like a photo of that size and not like a blur. Refuses the network: the server is on this machine.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import numpy as np
from PIL import Image

from benchmarks.subjects import RECOGNIZER, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STANDARD_PX = (1024, 636)
STANDARD_MP = 0.65
SIZES_MP = (0.3, STANDARD_MP, 2.0, 12.0, 24.0, 50.0)
MEMORY_SIZES_MP = (1.0, 12.0, 50.0)

_SAMPLES = (RECOGNIZER / "web" / "samples", ROOT / "local" / "samples")
_QUALITY = 88
_GRAIN = 3  # levels of 255
_GRAIN_ROWS = 256  # at a time


@dataclass(frozen=True, slots=True)
class Served:
    """A picture on the server.

    Attributes:
        width: in pixels.
        height: in pixels.
        content: the JPEG file.
    """

    width: int
    height: int
    content: bytes

    @property
    def kilobytes(self) -> int:
        """Size of the file, in 10^3 bytes."""
        return round(len(self.content) / 1000)


def make(sizes_mp: Sequence[float]) -> dict[float, Served]:
    """A JPEG for each size in megapixels, all of the same subject and shape.

    Raises:
        FileNotFoundError: there is no sample photo to start from.
    """
    sample = _sample()
    return {size_mp: _scaled(sample, size_mp) for size_mp in sizes_mp}


def _sample() -> Image.Image:
    """The sample photo with most pixels, cropped to the shape of the standard picture."""
    photos = [Image.open(path) for folder in _SAMPLES for path in sorted(folder.glob("*.jpg"))]
    if not photos:
        raise FileNotFoundError(
            f"no sample photo in {' or '.join(str(folder.relative_to(ROOT)) for folder in _SAMPLES)}"
        )
    photo = max(photos, key=lambda photo: photo.width * photo.height).convert("RGB")
    ratio = STANDARD_PX[0] / STANDARD_PX[1]
    width, height = min(photo.width, int(photo.height * ratio)), min(photo.height, int(photo.width / ratio))
    left, top = (photo.width - width) // 2, (photo.height - height) // 2
    return photo.crop((left, top, left + width, top + height))


def _scaled(sample: Image.Image, size_mp: float) -> Served:
    width = int((size_mp * 1e6 * STANDARD_PX[0] / STANDARD_PX[1]) ** 0.5)
    size = STANDARD_PX if size_mp == STANDARD_MP else (width, int(size_mp * 1e6 / width))
    pixels = np.array(sample.resize(size, Image.Resampling.BICUBIC))
    random = np.random.default_rng(0)
    for start in range(0, size[1], _GRAIN_ROWS):
        rows = pixels[start : start + _GRAIN_ROWS]
        grain = random.integers(-_GRAIN, _GRAIN, (*rows.shape[:2], 1), np.int16, endpoint=True)
        rows[:] = np.clip(rows + grain, 0, 255)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_QUALITY)
    return Served(*size, file.getvalue())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections, as pictures' servers do
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        content = self.server.contents.get(self.path)
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


class Server(ThreadingHTTPServer):
    """Serves pictures from memory on a free port while its ``with`` block runs.

    Args:
        pictures: by megapixels.
        host: how the subjects reach this machine.
        bind: the address to listen on.
    """

    daemon_threads = True  # a kept connection must not keep the benchmark

    def __init__(self, pictures: Mapping[float, Served], host: str = "127.0.0.1", bind: str = "127.0.0.1") -> None:
        super().__init__((bind, 0), _Handler)
        self.contents = {f"/{size_mp}.jpg": picture.content for size_mp, picture in pictures.items()}
        self._address = f"http://{host}:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    def event(self, size_mp: float = STANDARD_MP, **query: str) -> dict[str, Any]:
        """What an HTTP API sends when a browser asks for this picture's objects (payload 2.0)."""
        parameters = {"url": f"{self._address}/{size_mp}.jpg", **query}
        return {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/detector",
            "rawQueryString": "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items()),
            "headers": {"accept": "*/*", "host": "benchmark.example", "user-agent": "benchmark"},
            "queryStringParameters": parameters,
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "benchmark",
                "domainName": "benchmark.example",
                "domainPrefix": "benchmark",
                "http": {
                    "method": "GET",
                    "path": "/detector",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7",
                    "userAgent": "benchmark",
                },
                "requestId": "benchmark",
                "routeKey": "$default",
                "stage": "$default",
                "time": "01/Jan/2025:00:00:00 +0000",
                "timeEpoch": 1735689600000,
            },
            "isBase64Encoded": False,
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
