"""``python -m examples.own_classifier.digits FOLDER``: handwritten digits as labelled picture files.

Owns nothing but the data: scikit-learn carries 1,797 digits of 8 x 8 pixels (the test set of
https://archive.ics.uci.edu/dataset/80, by E. Alpaydin and C. Kaynak). They become files as one would have photos of
one's own, in a folder for each label, below ``train`` and ``test``.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

_LEVELS = 16  # of ink, in the data
_SIZE_PX = 64
_MARGIN_PX = 1  # of the 8 x 8 pixels that they come in: digits touch its edges
_TEST = 0.25


def write(folder: Path) -> Counter[str]:
    """Writes the pictures as ``folder/train/3/0042.png`` or ``folder/test/…``; how many there are in each part.

    Which digit is in which part is drawn once and for all, with the same shares of each label in both.
    """
    data = load_digits()
    indices = np.arange(len(data.target))
    _, test = train_test_split(indices, test_size=_TEST, random_state=0, stratify=data.target)
    in_test = set(test.tolist())
    written: Counter[str] = Counter()
    for index, (image, label) in enumerate(zip(data.images, data.target, strict=True)):
        part = "test" if index in in_test else "train"
        file = folder / part / str(label) / f"{index:04}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        _picture(image).save(file)
        written[part] += 1
    return written


def _picture(ink: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Image.Image:
    """Black on white, as one writes; ``ink`` has shape (8, 8), 0 to 16."""
    paper = 255 - np.pad(ink, _MARGIN_PX) * (255 / _LEVELS)
    small = Image.fromarray(np.rint(paper).astype(np.uint8))
    return small.resize((_SIZE_PX, _SIZE_PX), Image.Resampling.BICUBIC)


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the command and its folder
        sys.exit("usage: python -m examples.own_classifier.digits FOLDER")
    parts = write(Path(sys.argv[1]))
    sys.stderr.write(f"digits: {parts['train']} pictures to train on and {parts['test']} to test with\n")
