"""The largest pictures that are accepted, in a container of Lambda's size: what memory they take, and that they fit.

Owns the pictures: for each format the smoothest and the noisiest of 50 megapixels that fit 20 MiB, and those whose
pixels take more bytes than three while they are decoded.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from tests.functional.loopback import LoopbackServer
from tests.functional.proxy_events import event
from tests.torture.container import MEMORY_MB

SIDE_PX = 7071
_MB = 1e6


def run(ask):
    """The table of what each picture took, and what failed; see ``load.process``."""
    files = {name: make() for name, make in PICTURES.items()}
    routes = {
        f"/{number}": lambda exchange, body=body: exchange.answer(200, body)
        for number, body in enumerate(files.values())
    }
    with LoopbackServer(routes) as server:
        asked = {name: event(query={"url": server.url(f"/{number}")}) for number, name in enumerate(files)}
        phases = ask(asked)
    rows, failed = {}, []
    for name, content in files.items():
        found = phases[name]
        ((_, seconds, status, _),) = found["answers"]
        peak = max(sample["all"] for sample in [*found["samples"], found["after"]])
        rows[name] = {"file MB": len(content) / _MB, "status": str(status), "s": seconds, "peak MB": peak / _MB}
        if status not in {200, 422}:  # 413 were a file that is more than is downloaded, and so no trial
            failed.append(f"{name} was answered with {status}")
        if peak / 1024**2 > MEMORY_MB:
            failed.append(f"{name} took {peak / _MB:.0f} MB")
    return {"large pictures": rows}, failed


def plan(requests):
    """What the subject is to do: each request once, one after the other."""
    shape = {"seed": 1, "clients": 1, "requests": 1}
    return {
        "requests": requests,
        "alone": [],
        "phases": {name: shape | {"weights": {name: 1}} for name in requests},
    }


def _smooth(mode="RGB"):
    """A gradient, as a sky has it."""
    row = np.linspace(0, 255, SIDE_PX, dtype=np.float32)
    pixels = np.empty((SIDE_PX, SIDE_PX, 3), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 2] = row, row[:, np.newaxis], 128
    return Image.fromarray(pixels).convert(mode)


def _noisy(mode="RGB", levels=256):
    pixels = np.random.default_rng(1).integers(0, levels, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def _grey(levels):
    """Noise of so many levels of grey, with a palette."""
    pixels = np.random.default_rng(1).integers(0, levels, (SIDE_PX, SIDE_PX), dtype=np.uint8)
    image = Image.fromarray(pixels).convert("L")
    image.putpalette(bytes(value for level in range(256) for value in (level, 255 - level, 128)))
    return image


def _file(image, image_format, **options):
    file = BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def _flat(mode, value):
    return Image.new(mode, (SIDE_PX, SIDE_PX), value)


def _sixteen_bits():
    levels = np.linspace(0, 65535, SIDE_PX, dtype=np.uint16)
    return Image.fromarray(np.broadcast_to(levels, (SIDE_PX, SIDE_PX)).copy())


PICTURES = {
    "JPEG, smooth": lambda: _file(_smooth(), "JPEG", quality=90),
    "JPEG, noisy": lambda: _file(_noisy(), "JPEG", quality=15),
    "JPEG, progressive": lambda: _file(_noisy(levels=64), "JPEG", quality=30, progressive=True),
    "JPEG of four colours": lambda: _file(_smooth("CMYK"), "JPEG", quality=90),
    "PNG, smooth": lambda: _file(_smooth(), "PNG", compress_level=1),
    "PNG with transparency": lambda: _file(_smooth("RGBA"), "PNG", compress_level=1),
    "PNG with a palette, noisy": lambda: _file(_grey(4), "PNG", compress_level=1, bits=4),
    "PNG of 16 bits": lambda: _file(_sixteen_bits(), "PNG", compress_level=1),
    "GIF, noisy": lambda: _file(_grey(3), "GIF", optimize=False),
    "WebP, smooth": lambda: _file(_smooth(), "WEBP", quality=50, method=0),
    "WebP, noisy": lambda: _file(_noisy(levels=128), "WEBP", quality=20, method=0),
    "WebP with transparency": lambda: _file(_smooth("RGBA"), "WEBP", quality=20, method=0),
    "BMP of two colours": lambda: _file(_grey(2).convert("1"), "BMP"),
    "TIFF, LZW": lambda: _file(_smooth(), "TIFF", compression="tiff_lzw", tiffinfo={317: 2}),
    "TIFF of floating points": lambda: _file(
        Image.new("F", (SIDE_PX, SIDE_PX), 0.5), "TIFF", compression="tiff_deflate"
    ),
    "TIFF of JPEG, noisy": lambda: _file(_noisy(levels=64), "TIFF", compression="jpeg", quality=15),
    "AVIF, smooth": lambda: _file(_smooth(), "AVIF", quality=60, speed=10),
    "AVIF, noisy": lambda: _file(_noisy(), "AVIF", quality=45, speed=10),
}
