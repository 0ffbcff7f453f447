"""A folder -> what predicts. Owns the names of its files; ``train`` writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xgboost import Booster

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

BOOSTER_FILE = "xgboost.ubj"
FACTS_FILE = "model.json"
_DECIMALS = 2  # far finer than the model's error


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model.

    Attributes:
        features: the names of the numbers of a row, in their order.
        facts: where it comes from and how good it is, as ``train`` wrote it.
        booster: XGBoost's own part.
    """

    features: tuple[str, ...]
    facts: dict[str, Any]
    booster: Booster

    def predict(self, rows: NDArray[np.float32]) -> list[float]:
        """The prediction for each of the rows, an array of shape (rows, features)."""
        predicted = self.booster.inplace_predict(rows)
        return [round(float(value), _DECIMALS) for value in predicted]


def load(folder: Path) -> Model:
    """The model in a folder.

    Raises:
        FileNotFoundError: there is none.
    """
    facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    # One thread: a row takes microseconds, and threads would have to be started for it.
    booster = Booster(params={"nthread": 1}, model_file=folder / BOOSTER_FILE)
    return Model(tuple(booster.feature_names or ()), facts, booster)
