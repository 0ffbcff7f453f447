"""The words between the steps: what was asked, the picture's file, and what came of it.

Owns the values that more than one wing speaks of, and what can be asked for at all: names, limits and defaults. How a
request is read, done and answered is the wings' concern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from recognizer.detections import Classification, Criteria, Detection, PixelBox
    from recognizer.labels import LabelMap
    from recognizer.pictures import Encoded

AnswerKind = Literal["image", "json", "both", "coco", "yolo", "csv"]
Draw = Literal["labels", "boxes", "blur", "none"]

ANSWERS: tuple[AnswerKind, ...] = get_args(AnswerKind)
WITH_PICTURE: frozenset[AnswerKind] = frozenset({"image", "both"})
# What other programs read -> its media type; who writes each is ``http.exports``' concern.
EXPORTS: dict[AnswerKind, str] = {"coco": "application/json", "yolo": "text/plain", "csv": "text/csv"}
DRAWS: tuple[Draw, ...] = ("labels", "boxes", "blur", "none")

DEFAULT_LIMIT = 3
DEFAULT_MIN_SCORE = 0.1  # where neither the request nor the model names one
MAX_LIMIT = 100
MAX_TILES = 4  # each way

# What a client may ask for -> Pillow's name of the format.
IMAGE_FORMATS = {"jpeg": "JPEG", "jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF"}

PARAMETERS = (
    "url",
    "image",
    "n",
    "min_score",
    "include",
    "exclude",
    "region",
    "tiles",
    "format",
    "image_format",
    "draw",
    "crop",
)
# Paths whose answers are work that whoever runs the service pays for: what ACCESS guards.
COSTLY = frozenset({"/detector", "/classifier", "/uploads"})
# Every fetch says so (RFC 8586), and a request that says so is not fetched for: else an address that leads back to the
# service would make it call itself again and again.
LOOP_HEADER = "CDN-Loop"
LOOP_TOKEN = "recognizer"  # noqa: S105 - a name, no secret

# Other names, taken from older services of this kind -> ours.
ALIASES = {"input_url": "url", "n_predictions": "n"}


class View(Protocol):
    """What a detector may see of a picture, wherever its pixels are.

    Attributes:
        size_px: width and height of the upright picture.
        ends_at_s: when looking must be over, by ``time.monotonic``.
    """

    size_px: tuple[int, int]
    ends_at_s: float

    def resized(
        self, height: int, width: int, part: PixelBox | None = None, *, half_pixel: bool = False
    ) -> NDArray[np.float32]:
        """The picture, or a part of it, at that size as TensorFlow resizes: RGB 0..255, shape (height, width, 3)."""

    def thinned(self, max_px: int, part: PixelBox | None = None) -> NDArray[np.uint8]:
        """Every k-th pixel of it each way, k as small as ``max_px`` allows: RGB, shape (H, W, 3)."""


class Rendered(NamedTuple):
    """The picture of an answer.

    Attributes:
        encoded: its file.
        timings_ms: milliseconds by step.
    """

    encoded: Encoded
    timings_ms: dict[str, float]


class OpenPicture(View, Protocol):
    """A decoded picture to work on.

    Attributes:
        format: Pillow's name of the format it came in.
        animated: whether it has more frames than the first, which is the one decoded.
    """

    format: str
    animated: bool

    def render(self, request: DetectRequest, detections: Sequence[Detection]) -> Rendered:
        """The picture as a request wants it: drawn on, or cut out, and encoded.

        Raises:
            NothingDetected: an object is to be cut out, and there is none.
        """


class ModelIdentity(NamedTuple):
    """Which model answers, and how it runs: answers depend on all of it.

    Attributes:
        name: what it is (``openimages_v4/ssd/mobilenet_v2``).
        engine: what runs it, ``tensorflow`` or ``litert``.
        graph: ``published`` (the graph as it was published) or ``slim`` (cut before its NMS).
        sha256: digest of the archive or folder it was built from.
        build: what tells this build of it from others: with other labels, or deployed as another version.
    """

    name: str
    engine: str
    graph: str
    sha256: str
    build: str = ""


class Labelling(NamedTuple):
    """What tells the labels of whole pictures.

    Attributes:
        identity: the model that does it.
        labels: its classes.
        default_min_score: what a request that names no minimum gets.
        source: ``classifier``, or ``detections`` where there is none and the best detection of each class stands in.
        label: what is seen of a picture, criteria -> its labels, most probable first.
    """

    identity: ModelIdentity
    labels: LabelMap
    default_min_score: float
    source: Literal["classifier", "detections"]
    label: Callable[[View, Criteria], tuple[Classification, ...]]


class DetectRequest(NamedTuple):
    """What one request asks for, validated.

    Attributes:
        url: address of the picture, not yet checked; empty when the picture itself was sent.
        criteria: which objects are wanted; at most 100.
        answer: the annotated picture, JSON, both in one, or what is found in another program's words.
        image_format: Pillow's name of the format to answer in; None for the source's own.
        content: the picture itself, as a file; None when it is to be fetched.
        parameter: what of the request the picture came in, ``url`` or ``image``.
        draw: what is done to the objects in the picture.
        crop: whether the answer is the best object alone, cut out.
    """

    url: str
    criteria: Criteria
    answer: AnswerKind
    image_format: str | None = None
    content: bytes | None = None
    parameter: str = "url"
    draw: Draw = "labels"
    crop: bool = False


class Source(NamedTuple):
    """The file of a picture, before anything was made of it.

    Attributes:
        content: its bytes.
        sha256: their digest.
        timings_ms: milliseconds by step so far.
    """

    content: bytes
    sha256: str
    timings_ms: dict[str, float]


class Outcome(NamedTuple):
    """What one request came to.

    Attributes:
        request: what was asked.
        source_sha256: digest of the picture's file.
        source_bytes: how many bytes it has.
        width_px: width of the upright picture.
        height_px: height of the upright picture.
        format: Pillow's name of the source's format.
        animated: whether the source has more frames than the one looked at, the first.
        detections: most confident first.
        labels: of the whole picture, most probable first, where these were asked for.
        encoded: the annotated picture, where one was asked for.
        timings_ms: milliseconds by step, in the order of the steps.
    """

    request: DetectRequest
    source_sha256: str
    source_bytes: int
    width_px: int
    height_px: int
    format: str
    animated: bool
    detections: tuple[Detection, ...]
    encoded: Encoded | None
    timings_ms: dict[str, float]
    labels: tuple[Classification, ...] = ()
