"""``input_X`` -> rows of numbers, or a problem that names the feature.

Owns what may be predicted from: one row (a list of numbers) or many (a list of such lists), each with one finite number
for each feature. What XGBoost would take silently is refused: NaN and null mean a missing value to it, and it would
predict from the rest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from xgbexample.problems import InvalidInput, TooManyRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PARAMETER = "input_X"
# An answer of so many predictions is far below Lambda's 6 MB, and takes milliseconds.
MAX_ROWS = 10_000
_LARGEST = float(np.finfo(np.float32).max)  # XGBoost's own type
_MAX_QUOTED_CHARS = 40


def is_many(value: object) -> bool:
    """Whether ``input_X`` is a list of rows; otherwise it is one row, or wrong."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def read(value: Any, features: Sequence[str]) -> NDArray[np.float32]:
    """The rows of ``input_X``, float32 of shape (rows, features).

    Raises:
        InvalidInput: it is no list, a row has the wrong length, or a value is no finite number.
        TooManyRows: there are more than ``MAX_ROWS``.
    """
    if not is_many(value):
        return np.array([_row(value, features, PARAMETER, {})], np.float32)
    if len(value) > MAX_ROWS:
        raise TooManyRows(
            f"{PARAMETER} has {len(value)} rows, and at most {MAX_ROWS} are taken: send them in parts.",
            parameter=PARAMETER,
        )
    rows = [_row(row, features, f"{PARAMETER}[{index}]", {"row": index}) for index, row in enumerate(value)]
    return np.array(rows, np.float32)


def _row(row: Any, features: Sequence[str], name: str, where: dict[str, Any]) -> list[float]:
    """One row, whose length is checked first: the numbers of another model are of another length."""
    wanted = f"the model takes {len(features)} numbers ({', '.join(features)})"
    if not isinstance(row, list):
        raise InvalidInput(f"{name} is {_quoted(row)}: {wanted} in a list.", parameter=PARAMETER, **where)
    if len(row) < len(features):
        missing = features[len(row)]
        came = f"ends before {missing}: {len(row)} came" if row else f"is empty, already {missing} is missing"
        raise InvalidInput(f"{name} {came}, and {wanted}.", parameter=PARAMETER, feature=missing, **where)
    if len(row) > len(features):
        last = features[-1]
        came = f"goes on after {last}, the last feature: {len(row)} came"
        raise InvalidInput(f"{name} {came}, and {wanted}.", parameter=PARAMETER, feature=last, **where)
    for index, (number, feature) in enumerate(zip(row, features, strict=True)):
        if not _is_number(number):
            detail = f"{name}[{index}] ({feature}) is {_quoted(number)}: it must be a finite number, such as 4.2."
            raise InvalidInput(detail, parameter=PARAMETER, feature=feature, **where)
    return row


def _is_number(value: object) -> bool:
    """Whether a value is a number that float32 can hold; to Python, JSON's true and false would be 1 and 0."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST


def _quoted(value: object) -> str:
    """A value of the client's as a message may repeat it: as JSON, in ASCII, and short."""
    text = json.dumps(value)
    return text if len(text) <= _MAX_QUOTED_CHARS else text[: _MAX_QUOTED_CHARS - 1] + "…"
