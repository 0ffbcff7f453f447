"""A real detector for a machine that cannot reach the published model: CenterNet on COCO's 80 classes.

Owns fetching it, inside an npm package at a pinned version and digest, and rebuilding it as a SavedModel that answers
exactly as the published one does, so that nothing else has to know which of the two it serves. Refuses to be a silent
replacement: whoever calls ``build`` says so to the user, and a Docker build never calls it. Refuses any other content
than the pinned one, and to overwrite a model that is there.

The npm package is under the MIT licence; the repository that trained the network states no licence of its own. So the
weights are fetched when they are needed and are never part of this project.
"""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from model_build import tfjs
from model_build.fetch import FetchFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PACKAGE = "@vladmandic/human"
VERSION = "3.3.6"
SHA256 = "425e9c51dbbca0c8934362b170cb0d54c2529c11c654b3c03092b16e9d6ad3f7"

_TARBALL = f"vladmandic-human-{VERSION}.tgz"  # as `npm pack` names it
_TOPOLOGY, _WEIGHTS = "centernet.json", "centernet.bin"
_CLASSES = Path(__file__).with_name("coco_to_openimages.csv")
_FETCH_TIMEOUT_S = 600
_WAY_OUT = "or set MODEL_URL to a folder or .tar.gz with a detection model in TF Hub layout"

_SIDE_PX = 512  # of the square that the network sees
_CELL_PX = 4  # of that square, to a cell of the heat map
_PEAKS = 300  # candidates before suppression; the network's own decoder stops at 100, too few to fill 100 rows after it
_ROWS = 100
_MAX_IOU = 0.6

_logger = logging.getLogger(__name__)


class DigestMismatch(FetchFailed):
    """npm delivered something, but not the content that was pinned."""


@dataclass(frozen=True, slots=True)
class FallbackSource:
    """Where a fallback model came from.

    Attributes:
        package: name of the npm package.
        version: its version.
        digest: SHA-256 of its tarball, in hexadecimal.
        model: name of the network, for people.
        min_score: below this score (0..1) most of what the network reports is wrong.
    """

    package: str = PACKAGE
    version: str = VERSION
    digest: str = SHA256
    model: str = "coco/centernet/mobilenet_v3"
    min_score: float = 0.3


def build(destination: Path, work_dir: Path, labels: Sequence[tuple[int, str, str]]) -> FallbackSource:
    """Write the fallback detector to ``destination`` as a SavedModel with the published model's interface.

    Args:
        destination: the model's folder; it appears whole, at the end, or not at all.
        work_dir: where the package's tarball is kept, so that the next build needs no network.
        labels: Open Images' classes as (label index, machine id, display name).

    Raises:
        FetchFailed: npm is missing, or cannot fetch the package; DigestMismatch if that is not what was pinned.
        FileExistsError: ``destination`` exists and is not an empty folder.
        ValueError: ``labels`` lack a class that the detector knows.
    """
    if destination.exists() and not (destination.is_dir() and not any(destination.iterdir())):
        raise FileExistsError(f"{destination} is in the way of the fallback model")
    classes = _openimages_classes(labels)
    files = _model_files(fetch(work_dir))
    model = json.loads(files[_TOPOLOGY])
    network = tfjs.graph_def(
        model["modelTopology"],
        tfjs.read_weights(model["weightsManifest"], files),
        outputs=["tower_0/keypoints", "tower_0/wh"],
    )
    destination.parent.mkdir(parents=True, exist_ok=True)
    # Beside the destination rather than in work_dir: a rename is atomic only within one file system.
    with TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}-") as temporary:
        unfinished = Path(temporary, "model")
        _save(network, classes, unfinished)
        unfinished.replace(destination)
    return FallbackSource()


def fetch(work_dir: Path) -> Path:
    """The package's tarball in ``work_dir``, of the pinned digest: one that is there already, or fetched with npm.

    Raises:
        FetchFailed: npm is missing, or cannot fetch the package; DigestMismatch if that is not what was pinned.
    """
    tarball = work_dir / _TARBALL
    if tarball.is_file() and _sha256(tarball) == SHA256:
        return tarball
    npm = shutil.which("npm")
    if npm is None:
        raise FetchFailed(f"the fallback model comes from npm, which is not on the PATH: install Node.js, {_WAY_OUT}")
    work_dir.mkdir(parents=True, exist_ok=True)
    _logger.info("fetching the fallback model with npm: %s@%s, 29 MB", PACKAGE, VERSION)
    with TemporaryDirectory(dir=work_dir, prefix=".npm-") as temporary:
        _npm_pack(npm, Path(temporary))
        fetched = Path(temporary, _TARBALL)
        digest = _sha256(fetched) if fetched.is_file() else "missing"
        if digest != SHA256:
            raise DigestMismatch(
                f"the tarball of {PACKAGE}@{VERSION} that npm delivered has SHA-256 {digest}, not {SHA256}, and is not"
                f" used: check npm's registry setting and whatever stands between it and the registry, {_WAY_OUT}"
            )
        fetched.replace(tarball)
    return tarball


def _npm_pack(npm: str, folder: Path) -> None:
    """Have npm put the package's tarball into ``folder``, from its own cache where it has it."""
    # One retry, not npm's two: the second waits a minute, too long to learn that there is no network.
    options = ["--pack-destination", os.fspath(folder), "--prefer-offline", "--ignore-scripts", "--fetch-retries=1"]
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", *options]
    advice = f"check the network and npm's proxy and registry settings, {_WAY_OUT}"
    try:
        # In that folder, so that no .npmrc or package.json of the caller's has a say.
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_FETCH_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"npm took over {_FETCH_TIMEOUT_S} s to fetch {PACKAGE}@{VERSION}: {advice}") from error
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.lower().startswith("npm err")]
        raise FetchFailed(f"npm could not fetch {PACKAGE}@{VERSION} ({'; '.join(errors[:4])}): {advice}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _model_files(tarball: Path) -> dict[str, bytes]:
    """The two files of the model, read from the package without unpacking it."""
    files = {}
    with tarfile.open(tarball, "r:gz") as archive:
        for name in (_TOPOLOGY, _WEIGHTS):
            member = archive.extractfile(f"package/models/{name}")
            if member is None:
                raise FetchFailed(f"{name} in {tarball} is not a file")
            files[name] = member.read()
    return files


def _openimages_classes(labels: Sequence[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """(label index, machine id, display name) of each of the network's classes, in its own order."""
    by_id = {row[1]: row for row in labels}
    with _CLASSES.open(encoding="utf-8", newline="") as file:
        wanted = [row["openimages_id"] for row in csv.DictReader(file)]
    if missing := [machine_id for machine_id in wanted if machine_id not in by_id]:
        raise ValueError(f"the labels lack {', '.join(missing)}, which {_CLASSES.name} names")
    return [by_id[machine_id] for machine_id in wanted]


def _save(network: Any, classes: Sequence[tuple[int, str, str]], folder: Path) -> None:
    """Write network, pre- and postprocessing as a TF1-Hub-style SavedModel: no tag, signature ``default``."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        images = v1.placeholder(tf.float32, (1, None, None, 3), "images")
        square, corner_px, size_px = _letterbox(images)
        heat, reach_px = tf.import_graph_def(
            network,
            input_map={"tower_0/images": square},
            return_elements=["tower_0/keypoints:0", "tower_0/wh:0"],
            name="network",
        )
        outputs = _detections(heat, reach_px, corner_px, size_px, classes)
        signature = v1.saved_model.predict_signature_def({"images": images}, outputs)
        builder = v1.saved_model.Builder(os.fspath(folder))
        builder.add_meta_graph_and_variables(session, tags=[], signature_def_map={"default": signature})
        builder.save()
    (folder / "tfhub_module.pb").write_bytes(b"\x08\x03")  # ModuleDef{format: FORMAT_V3}, what TF Hub looks for


def _letterbox(images: Any) -> tuple[Any, Any, Any]:
    """A picture of any size as the network wants it: in the middle of a black square, its aspect ratio kept.

    Args:
        images: float32 (1, H, W, 3), RGB in 0..1.

    Returns:
        The square, float32 (1, 512, 512, 3), RGB in 0..255; and, each int32 (2,) in its pixels, in the order y, x,
        the picture's upper left corner in it and the picture's size.
    """
    with tf.name_scope("letterbox"):
        original_px = tf.cast(tf.shape(images)[1:3], tf.float32)
        scale = _SIDE_PX / tf.reduce_max(original_px)
        size_px = tf.clip_by_value(tf.cast(tf.round(original_px * scale), tf.int32), 1, _SIDE_PX)
        corner_px = (_SIDE_PX - size_px) // 2
        scaled = tf.image.resize(images, size_px) * 255.0
        margins_px = tf.stack([corner_px, _SIDE_PX - size_px - corner_px], axis=1)  # ((top, bottom), (left, right))
        square = tf.pad(scaled, tf.pad(margins_px, [[1, 1], [0, 0]]))
        return tf.ensure_shape(square, (1, _SIDE_PX, _SIDE_PX, 3)), corner_px, size_px


def _detections(
    heat: Any, reach_px: Any, corner_px: Any, size_px: Any, classes: Sequence[tuple[int, str, str]]
) -> Mapping[str, Any]:
    """The published model's five outputs, of ``_ROWS`` rows each, best first.

    Where fewer boxes are left than there are rows, the last rows have score 0 and an empty box.

    Args:
        heat: float32 (1, 128, 128, C), how likely an object of the class has its centre in the cell.
        reach_px: float32 (1, 128, 128, 4), distance from there to its left, top, right and bottom edge.
        corner_px: int32 (2,), upper left corner (y, x) of the picture within the square.
        size_px: int32 (2,), the picture's size (y, x) within the square.
        classes: C rows of label index, machine id, display name.
    """
    with tf.name_scope("decode"):
        cells = heat.shape[2]
        peaks = tf.where(heat >= tf.nn.max_pool2d(heat, ksize=3, strides=1, padding="SAME"), heat, 0.0)
        scores, at = tf.math.top_k(tf.reshape(peaks, [-1]), _PEAKS)
        cell, of_class = at // len(classes), at % len(classes)
        centre_px = tf.cast(tf.stack([cell // cells, cell % cells] * 2, axis=1) * _CELL_PX, tf.float32)
        left_top_right_bottom_px = tf.gather(tf.reshape(reach_px, [-1, 4]), cell)
        edges_px = centre_px + tf.gather(left_top_right_bottom_px, [1, 0, 3, 2], axis=1) * [-1.0, -1.0, 1.0, 1.0]
        corner, size = (tf.cast(tf.tile(pair, [2]), tf.float32) for pair in (corner_px, size_px))
        boxes = tf.clip_by_value((edges_px - corner) / size, 0.0, 1.0)  # (300, 4): ymin, xmin, ymax, xmax

        # What lies in the black margin has no area after clipping; suppression leaves out what has score 0.
        scores *= tf.cast(tf.reduce_all(boxes[:, 2:] > boxes[:, :2], axis=1), tf.float32)
        kept = tf.image.combined_non_max_suppression(
            boxes[tf.newaxis, :, tf.newaxis, :],
            (scores[:, tf.newaxis] * tf.one_hot(of_class, len(classes)))[tf.newaxis],
            max_output_size_per_class=_ROWS,
            max_total_size=_ROWS,
            iou_threshold=_MAX_IOU,
            score_threshold=0.0,
        )
        kept_class = tf.cast(kept.nmsed_classes[0], tf.int32)
        label_indices, machine_ids, display_names = zip(*classes, strict=True)
        return {
            "detection_boxes": tf.identity(kept.nmsed_boxes[0], "detection_boxes"),
            "detection_scores": tf.identity(kept.nmsed_scores[0], "detection_scores"),
            "detection_class_labels": tf.gather(tf.constant(label_indices, tf.int64), kept_class),
            "detection_class_names": tf.gather(tf.constant(machine_ids), kept_class),
            "detection_class_entities": tf.gather(tf.constant(display_names), kept_class),
        }
