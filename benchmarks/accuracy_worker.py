"""``python -m benchmarks.accuracy_worker MODEL PICTURES``: one engine's figures, in a process of its own.

Two engines in one process would share its threads and memory.
"""

import json
import sys
from pathlib import Path

from benchmarks import accuracy, ground_truth

if __name__ == "__main__":
    _, model, folder = sys.argv
    sys.stdout.write(json.dumps(accuracy.of_model(Path(model), ground_truth.read(Path(folder)))))
