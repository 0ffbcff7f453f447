"""``python train.py``: trains the model that the image carries, and tells how good it is.

Build time only; never in the image. The data set is the one that scikit-learn carries for regression: 442 people with
diabetes, ten measurements of each, and how far their disease had come a year later. (Boston's house prices with their
13 features, which this kind of example used to be made with, are withdrawn: scikit-learn 1.2 removed them for a feature
that assumed racial self-segregation to be good for prices, https://scikit-learn.org/1.1/modules/generated/sklearn.datasets.load_boston.html.)

Efron, Hastie, Johnstone, Tibshirani (2004): Least Angle Regression, Annals of Statistics 32, 407-499.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn
import xgboost
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from xgbexample.model import BOOSTER_FILE, FACTS_FILE, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What the data set's own description says of its features, which it holds in the units of the people who measured.
FEATURES = {
    "age": "age in years",
    "sex": "sex: 1 or 2",
    "bmi": "body mass index in kg/m²",
    "bp": "average blood pressure in mm Hg",
    "s1": "tc, total serum cholesterol",
    "s2": "ldl, low-density lipoproteins",
    "s3": "hdl, high-density lipoproteins",
    "s4": "tch, total cholesterol / HDL",
    "s5": "ltg, possibly log of serum triglycerides level",
    "s6": "glu, blood sugar level",
}
TARGET = "progression of the disease one year after the measurements, 25 to 346"
HELD_OUT = 0.25
# Small steps of small trees: with this little data, larger ones learn the people by heart.
PARAMETERS = {"objective": "reg:squarederror", "max_depth": 2, "eta": 0.05, "nthread": 1, "seed": 0}
ROUNDS = 150

logger = logging.getLogger("train")


def main(arguments: list[str] | None = None) -> int:
    """Trains, writes the model with its facts, and fails where it predicts no better than the average would."""
    logging.basicConfig(level=logging.INFO, format="train: %(message)s", stream=sys.stderr)
    parser = argparse.ArgumentParser(prog="python train.py", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "model", help="the model's folder")
    facts = train(parser.parse_args(arguments).output)
    error, of_average = facts["error"], facts["error_of_the_average"]
    logger.info("%s, %d features, target: %s", facts["name"], len(facts["features"]), facts["target"])
    logger.info(
        "on %d rows that it was not trained on: mean absolute error %.1f, root mean square error %.1f",
        facts["rows"]["held_out"],
        error["mean_absolute"],
        error["root_mean_square"],
    )
    logger.info("the average of all would err by %(mean_absolute).1f and %(root_mean_square).1f", of_average)
    if any(error[measure] >= of_average[measure] for measure in error):
        logger.error("the model is no better than the average: it is of no use")
        return 1
    return 0


def train(folder: Path) -> dict[str, Any]:
    """Writes the trained model into a folder; its facts, which lie beside it."""
    data = load_diabetes(scaled=False)
    if list(data.feature_names) != list(FEATURES):
        raise ValueError(f"the data set's features are {data.feature_names}, no longer {list(FEATURES)}")
    seen, unseen, target, truth = train_test_split(data.data, data.target, test_size=HELD_OUT, random_state=0)
    booster = xgboost.train(PARAMETERS, xgboost.DMatrix(seen, target, feature_names=list(FEATURES)), ROUNDS)
    folder.mkdir(parents=True, exist_ok=True)
    booster.save_model(folder / BOOSTER_FILE)
    facts = {
        "name": "diabetes",
        "source": f"scikit-learn {sklearn.__version__}, load_diabetes(scaled=False)",
        "target": TARGET,
        "features": [{"name": name, "meaning": meaning} for name, meaning in FEATURES.items()],
        "rows": {"trained_on": len(seen), "held_out": len(unseen)},
        "xgboost": xgboost.__version__,
        "sha256": hashlib.sha256((folder / BOOSTER_FILE).read_bytes()).hexdigest(),
    }
    (folder / FACTS_FILE).write_text(json.dumps(facts), encoding="utf-8")
    # What is measured is what will be served: the file, read back.
    facts["error"] = _error(np.array(load(folder).predict(unseen.astype(np.float32))), truth)
    facts["error_of_the_average"] = _error(np.full(len(truth), target.mean()), truth)
    (folder / FACTS_FILE).write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return facts


def _error(predicted: NDArray[np.float64], truth: NDArray[np.float64]) -> dict[str, float]:
    """How far predictions are from the truth, in the target's unit; both arrays of shape (rows,)."""
    off = predicted - truth
    return {
        "mean_absolute": round(float(np.abs(off).mean()), 2),
        "root_mean_square": round(float(np.sqrt((off**2).mean())), 2),
    }


if __name__ == "__main__":
    sys.exit(main())
