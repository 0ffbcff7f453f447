"""How pixels of 0..255 become the values that a network takes: ``(pixel - mean) / std``.

Owns the four common ways by name, and the scale and offset that come to the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from model_build.errors import BuildFailed

# Name -> mean and std for R, G and B. ImageNet's are those of
# https://pytorch.org/vision/stable/models.html, in levels of 0..255.
NAMED = {
    "-1..1": ((127.5,), (127.5,)),
    "0..1": ((0.0,), (255.0,)),
    "0..255": ((0.0,), (1.0,)),
    "imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
}


@dataclass(frozen=True, slots=True)
class Normalisation:
    """One way.

    Attributes:
        mean: for R, G and B, or one for all.
        std: likewise, as many.
        name: what it is called, or what it is.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    name: str

    @classmethod
    def named(cls, name: str) -> Normalisation:
        """One of the common ones.

        Raises:
            BuildFailed: there is none of that name.
        """
        if name not in NAMED:
            raise BuildFailed(f"NORMALIZATION is {name!r}; there are {', '.join(NAMED)}")
        return cls(*NAMED[name], name)

    @classmethod
    def of(cls, mean: tuple[float, ...], std: tuple[float, ...]) -> Normalisation:
        """That of a mean and a standard deviation, which metadata give for each channel or for all.

        Raises:
            ValueError: they are none.
        """
        if len(mean) not in {1, 3} or len(std) not in {1, 3} or not all(std):
            raise ValueError(f"its metadata normalise with mean {mean} and std {std}")
        channels = max(len(mean), len(std))
        known = {pair: name for name, pair in NAMED.items()}
        name = known.get((mean, std), f"mean {mean}, std {std}")
        return cls(mean * (channels // len(mean)), std * (channels // len(std)), name)

    def levels(self, step: float = 1.0, zero_point: float = 0.0) -> dict[str, list[float]]:
        """The ``scale`` and ``offset`` of model.json's ``input``: value = pixel * scale + offset.

        Args:
            step: between two levels of a quantised input.
            zero_point: its level that stands for 0.
        """
        return {
            "scale": [1 / (std * step) for std in self.std],
            "offset": [zero_point - mean / (std * step) for mean, std in zip(self.mean, self.std, strict=True)],
        }
