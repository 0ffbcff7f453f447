"""The work on one picture's pixels, from its file to the file of the answer.

Owns the order: decode, look, draw or cut out, encode. How each is done is handed in; where it is done, in this process
or in another one that can be stopped, is ``isolation``'s.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

from recognizer.errors import NothingDetected
from recognizer.job import Rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from recognizer.detections import Detection, PixelBox
    from recognizer.job import DetectRequest, View
    from recognizer.pictures import Encoded, Picture


class Craft(NamedTuple):
    """How each step is done.

    Attributes:
        read: file -> picture.
        view: image -> what a detector sees of it.
        drawings: what ``DetectRequest.draw`` names: image, detections -> image.
        cut_out: image, detection -> the part of the image that it is in.
        encode: image, format, colour profile -> file.
    """

    read: Callable[[bytes], Picture]
    view: Callable[[Image], View]
    drawings: Mapping[str, Callable[[Image, Sequence[Detection]], Image]]
    cut_out: Callable[[Image, Detection], Image]
    encode: Callable[[Image, str, bytes | None], Encoded]


class DecodedPicture:
    """See ``job.OpenPicture``: one whose pixels are in this process.

    Raises:
        UnsupportedMediaType: the file is no picture of a format that is read.
        TooLarge: it has too many pixels.
        BrokenPicture: it is truncated or corrupt.
    """

    def __init__(self, craft: Craft, content: bytes, ends_at_s: float = math.inf) -> None:
        """Decodes a file; takes when looking at it must be over, by ``time.monotonic``."""
        self.ends_at_s = ends_at_s
        picture = craft.read(content)
        self._craft = craft
        self._picture = picture
        self._view = craft.view(picture.image)
        self.size_px = picture.image.size
        self.format = picture.format
        self.animated = picture.animated

    def resized(
        self, height: int, width: int, part: PixelBox | None = None, *, half_pixel: bool = False
    ) -> NDArray[np.float32]:
        """See ``job.View``."""
        return self._view.resized(height, width, part, half_pixel=half_pixel)

    def thinned(self, max_px: int, part: PixelBox | None = None) -> NDArray[np.uint8]:
        """See ``job.View``."""
        return self._view.thinned(max_px, part)

    def render(self, request: DetectRequest, detections: Sequence[Detection]) -> Rendered:
        """See ``job.OpenPicture``."""
        began_s = time.perf_counter()
        image_format = request.image_format or self._picture.format
        drawn = self._craft.drawings[request.draw](self._picture.image_for(image_format), detections)
        if request.crop:
            if not detections:
                raise NothingDetected(
                    "There is no object to cut out; try a lower min_score, or other labels.", parameter="crop"
                )
            drawn = self._craft.cut_out(drawn, detections[0])
        drawn_s = time.perf_counter()
        encoded = self._craft.encode(drawn, image_format, self._picture.icc_profile)
        ended_s = time.perf_counter()
        return Rendered(encoded, {"annotate": (drawn_s - began_s) * 1000, "encode": (ended_s - drawn_s) * 1000})
