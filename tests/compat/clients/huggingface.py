"""huggingface_hub's InferenceClient: PICTURE ADDRESS -> what it found without and above a threshold, and an error."""

import json
import sys
from pathlib import Path

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError

picture, address = sys.argv[1:]
client = InferenceClient(provider="hf-inference", token="hf_key")
model = f"{address}hf/models/facebook/detr-resnet-50"


def found(**parameters):
    return client.object_detection(picture, model=model, **parameters)


try:
    client.object_detection(b"no picture", model=model)
    error = None
except HfHubHTTPError as caught:
    error = [caught.response.status_code, caught.response.json()]
content = client.object_detection(Path(picture).read_bytes(), model=model)
print(json.dumps({"default": found(), "all": found(threshold=0.1), "bytes": content, "error": error}))
