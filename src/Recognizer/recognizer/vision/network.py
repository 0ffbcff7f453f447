"""What a network takes and gives, in words that no engine and no kind of model owns.

Owns ``Input`` (how a part of a picture becomes the tensor that a network takes), ``Frame`` (where in that tensor the
part lies) and the two protocols between which everything is exchangeable: an engine runs a ``Network``, a kind of model
is a ``Postprocess``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from recognizer.detections import Criteria, PixelBox
    from recognizer.job import View
    from recognizer.vision.nms import Rows

    Outputs = Mapping[str, NDArray[Any]]

# A network that takes any size samples down itself: 50 megapixels would be 600 MB in float32, twice. Above this size
# every k-th pixel each way is passed. That is another picture to its bilinear resize, whose neighbours are then k
# pixels apart, but hardly: on a photo of 24 megapixels levels differ by 0.7 of 255 on average.
_MAX_INPUT_PX = 4_000_000
_SIZE_OF_A_TRIAL_PX = (480, 640)


class Network(Protocol):
    """A loaded graph; safe to call from several threads."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of each output, by its name in model.json."""

    def __call__(self, tensor: NDArray[Any]) -> Outputs:
        """The outputs by their names in model.json, quantised ones as the numbers they stand for.

        Args:
            tensor: what ``Input.of`` makes of a picture.
        """


class Postprocess(Protocol):
    """What a kind of model does with the outputs of its network."""

    def __call__(self, outputs: Outputs, frame: Frame, criteria: Criteria) -> Rows:
        """The detections among a network's outputs: those wanted, most confident first, clipped to the picture.

        Args:
            outputs: what the network gave.
            frame: where in its input the picture lies.
            criteria: which objects are wanted.
        """


class Frame(NamedTuple):
    """Where a picture lies in a network's input, as fractions of the input.

    Attributes:
        ymin: its upper edge.
        xmin: its left edge.
        height: its height.
        width: its width.
    """

    ymin: float = 0.0
    xmin: float = 0.0
    height: float = 1.0
    width: float = 1.0

    def to_picture(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes (n, 4) as fractions of the picture instead of the input; neither is clipped."""
        if self == _ALL:
            return boxes
        corner = np.array([self.ymin, self.xmin] * 2, np.float32)
        size = np.array([self.height, self.width] * 2, np.float32)
        moved: NDArray[np.float32] = np.divide(boxes - corner, size, dtype=np.float32)
        return moved


_ALL = Frame()


class Input(NamedTuple):
    """What a network takes: RGB pixels in one batch, each value ``pixel * scale + offset``.

    Attributes:
        name: what the graph calls it.
        height: rows; 0 for any number.
        width: columns; 0 for any number.
        dtype: ``float32``, ``uint8`` or ``int8``; integers are rounded and kept in their range.
        scale: for R, G and B, or one for all.
        offset: likewise.
        half_pixel: whether its resize has half-pixel centres; see ``vision.resize``.
        letterbox: whether the aspect ratio is kept, with black round the picture; else the picture is stretched.
    """

    name: str
    height: int = 0
    width: int = 0
    dtype: str = "float32"
    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)
    half_pixel: bool = False
    letterbox: bool = False

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Input:
        """The value of ``input`` in model.json.

        Raises:
            TypeError: a field is missing or unknown.
            ValueError: a field has a value that it cannot have.
        """
        made = cls(**{**fields, "scale": tuple(fields["scale"]), "offset": tuple(fields["offset"])})
        if made.dtype not in {"float32", "uint8", "int8"} or (made.height > 0) != (made.width > 0):
            raise ValueError(f"{made.dtype} of {made.height} x {made.width} is no input that is known")
        return made

    def of(self, view: View, part: PixelBox | None = None) -> tuple[NDArray[Any], Frame]:
        """The tensor for a picture, or for a part of it, and where that lies in the tensor.

        Returns:
            An array of shape (1, height, width, 3), and the frame.
        """
        if not self.height:
            return self._values(view.thinned(_MAX_INPUT_PX, part)), _ALL
        if not self.letterbox:
            return self._values(view.resized(self.height, self.width, part, half_pixel=self.half_pixel)), _ALL
        width, height = (part.xmax - part.xmin, part.ymax - part.ymin) if part else view.size_px
        scale = min(self.height / height, self.width / width)
        rows = min(max(round(height * scale), 1), self.height)
        columns = min(max(round(width * scale), 1), self.width)
        top, left = (self.height - rows) // 2, (self.width - columns) // 2
        square = np.zeros((self.height, self.width, 3), np.float32)
        square[top : top + rows, left : left + columns] = view.resized(rows, columns, part, half_pixel=self.half_pixel)
        frame = Frame(top / self.height, left / self.width, rows / self.height, columns / self.width)
        return self._values(square), frame

    def blank(self) -> NDArray[Any]:
        """A tensor to try a network with."""
        height, width = (self.height, self.width) if self.height else _SIZE_OF_A_TRIAL_PX
        return np.zeros((1, height, width, 3), self.dtype)

    def _values(self, pixels: NDArray[Any]) -> NDArray[Any]:
        if self.scale != (1.0,) or self.offset != (0.0,):
            pixels = np.multiply(pixels, np.array(self.scale, np.float32), dtype=np.float32)
            pixels += np.array(self.offset, np.float32)
        if self.dtype not in {"float32", pixels.dtype.name}:
            limits = np.iinfo(self.dtype)
            pixels = np.clip(np.rint(pixels), limits.min, limits.max)
        return np.asarray(pixels, self.dtype)[np.newaxis]
