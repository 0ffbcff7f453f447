"""PyDOODS, which Home Assistant's integration uses: PICTURE ADDRESS KEY -> its detectors, and what they found."""

import json
import sys
from pathlib import Path

from pydoods import PyDOODS
from requests import HTTPError

picture, address, key = sys.argv[1:]
content = Path(picture).read_bytes()
client = PyDOODS(f"{address}doods", key)

try:
    client.detect(b"no picture", {"*": 50})
    error = None
except HTTPError as caught:
    error = [caught.response.status_code, caught.response.json()]
print(
    json.dumps(
        {
            "detectors": client.get_detectors()["detectors"],
            "any": client.detect(content, {"*": 50}),
            "some": client.detect(content, {"bicycle": 40, "person": 20}, "default", "garage"),
            "all labels": client.detect(content, {"*": 50}, "all-labels"),
            "no rules": client.detect(content),
            "error": error,
        }
    )
)
