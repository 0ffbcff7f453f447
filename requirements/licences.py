"""What is installed in the images and under which licences, as docs/licences.md: `make licences`.

Owns the table. Which packages there are, the images' locks say; what their licences are, the metadata of those
installed here. It repeats what the packages declare of themselves and judges none of it.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker, default_environment

ENGINES = ("tensorflow", "litert")
_LOCKS = Path(__file__).resolve().parent.parent / "src" / "Recognizer"
_PINNED = re.compile(r"^([a-z0-9.-]+)==([^ \\]+)(?: ; ([^\\]+))?", re.MULTILINE)
_IMAGE = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"} | {
    "python_version": "3.13",
    "python_full_version": "3.13.0",
}

_OPENING = """# Licences

What is installed in the images (x86_64; on arm64 `tensorflow` takes the place of `tensorflow-cpu`), and the licence
that each package declares. Written by `make licences`. Besides: the code is under the [MIT licence](../LICENSE); the
published model and Open Sans are under Apache-2.0; Lambda's base image has its own notices.

Packages bring their own libraries in their wheels (Pillow: libjpeg-turbo, libtiff, libwebp, libavif with its decoders;
NumPy: OpenBLAS); their licences lie beside them in the image, in each package's `.dist-info`.
"""


def installed(engine: str) -> dict[str, str]:
    """Name -> version of the packages in the image of an engine."""
    environment = default_environment() | _IMAGE
    text = (_LOCKS / f"requirements-{engine}.txt").read_text(encoding="utf-8")
    return {name: version for name, version, when in _PINNED.findall(text) if _is_met(when, environment)}


def licence(name: str) -> str:
    """What a package declares: an SPDX expression, a short name or its classifiers."""
    try:
        declared = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "not installed where this was written"
    short = (declared.get("License") or "").strip()
    classifiers = [line for line in declared.get_all("Classifier") or [] if line.startswith("License ::")]
    in_words = ", ".join(line.rpartition(" :: ")[2] for line in classifiers)
    return declared.get("License-Expression") or in_words or (short if "\n" not in short else "") or "none declared"


def page() -> str:
    """The whole of docs/licences.md."""
    images = {engine: installed(engine) for engine in ENGINES}
    lines = [_OPENING, "| package | version | licence | image |", "| --- | --- | --- | --- |"]
    for name in sorted({name for packages in images.values() for name in packages}):
        where = [engine for engine in ENGINES if name in images[engine]]
        lines.append(f"| {name} | {images[where[0]][name]} | {licence(name)} | {', '.join(where)} |")
    return "\n".join(lines) + "\n"


def _is_met(marker: str, environment: dict[str, str]) -> bool:
    return not marker or Marker(marker.strip()).evaluate(environment)


if __name__ == "__main__":
    sys.stdout.write(page())
