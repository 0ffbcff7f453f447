"""A real detector for a machine that cannot reach the published model: CenterNet on COCO's 80 classes.

Owns which npm package it comes in, and rebuilding it as a SavedModel that answers exactly as the published one does, so
that nothing else has to know which of the two it serves. It is never a silent replacement: whoever calls ``build`` says
so to the user, and a Docker build never calls it.

The npm package is under the MIT licence; the repository that trained the network states no licence of its own. So the
weights are fetched when they are needed and are never part of this project.
"""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from recognizer import coco

from model_build import noise, npm
from model_build.errors import NotAModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model_build.labels import Row

NOTICE = (
    "this is the fallback, a COCO detector with 80 of the 601 classes, because the published model was out of reach."
    " `make model` tries again; MODEL_URL=… takes a model of your own."
)
PACKAGE = npm.Package(
    "@vladmandic/human",
    "3.3.6",
    sha256="425e9c51dbbca0c8934362b170cb0d54c2529c11c654b3c03092b16e9d6ad3f7",
    size_mb=29,
)

_TOPOLOGY, _WEIGHTS = "centernet.json", "centernet.bin"


@dataclass(frozen=True, slots=True)
class FallbackSource:
    """Where a fallback model came from.

    Attributes:
        package: the npm package.
        model: name of the network, for people.
        min_score: below this score (0..1) most of what the network reports is wrong.
    """

    package: npm.Package = PACKAGE
    model: str = "coco/centernet/mobilenet_v3"
    min_score: float = 0.3


def build(destination: Path, work_dir: Path, labels: Sequence[Row]) -> FallbackSource:
    """Write the fallback detector to ``destination`` as a SavedModel with the published model's interface.

    Args:
        destination: the model's folder; it appears whole, at the end, or not at all.
        work_dir: where the package's tarball is kept, so that the next build needs no network.
        labels: Open Images' classes.

    Raises:
        FetchFailed: npm is missing, or cannot fetch the package.
        WrongDigest: npm delivered something else than was pinned.
        FileExistsError: ``destination`` exists and is not an empty folder.
        ValueError: ``labels`` lack a class that the detector knows.
    """
    if destination.exists() and not (destination.is_dir() and not any(destination.iterdir())):
        raise FileExistsError(f"{destination} is in the way of the fallback model")
    classes = openimages_classes(labels)
    network = network_graph(work_dir)
    with noise.left_out():
        from model_build import centernet  # noqa: PLC0415 - it imports TensorFlow, which takes longer than npm
    destination.parent.mkdir(parents=True, exist_ok=True)
    # Beside the destination rather than in work_dir: a rename is atomic only within one file system.
    with TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}-") as temporary:
        unfinished = Path(temporary, "model")
        centernet.save(network, classes, unfinished)
        unfinished.replace(destination)
    return FallbackSource()


def network_graph(work_dir: Path) -> Any:
    """The detector's network alone, as a GraphDef.

    Args:
        work_dir: where the package's tarball is kept, so that the next build needs no network.

    Raises:
        FetchFailed: npm is missing, or cannot fetch the package.
        WrongDigest: npm delivered something else than was pinned.
    """
    files = _model_files(npm.fetch(PACKAGE, work_dir))
    with noise.left_out():
        from model_build import centernet, tfjs  # noqa: PLC0415 - they import TensorFlow, which takes longer than npm
    model = json.loads(files[_TOPOLOGY])
    weights = tfjs.read_weights(model["weightsManifest"], files)
    return tfjs.graph_def(model["modelTopology"], weights, outputs=centernet.OUTPUTS)


def _model_files(tarball: Path) -> dict[str, bytes]:
    """The two files of the model, read from the package without unpacking it."""
    files = {}
    with tarfile.open(tarball, "r:gz") as archive:
        for name in (_TOPOLOGY, _WEIGHTS):
            member = archive.extractfile(f"package/models/{name}")
            if member is None:
                raise NotAModel(f"{name} in {tarball} is not a file")
            files[name] = member.read()
    return files


def openimages_classes(labels: Sequence[Row]) -> list[Row]:
    """The row of each of the network's classes, in its own order."""
    by_id = {row[1]: row for row in labels}
    wanted = coco.classes().values()
    if missing := [machine_id for machine_id in wanted if machine_id not in by_id]:
        raise ValueError(f"the labels lack {', '.join(missing)}, which COCO's classes are")
    return [by_id[machine_id] for machine_id in wanted]
