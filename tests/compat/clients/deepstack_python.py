"""deepstack-python, as Home Assistant's integration uses it, and CodeProject.AI's: PICTURE ADDRESS KEY -> answers."""

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from codeprojectai.core import CodeProjectAIObject
from deepstack.core import DeepstackException, DeepstackFace, DeepstackObject

picture, address, key = sys.argv[1:]
content = Path(picture).read_bytes()
server = {"ip": urlsplit(address).hostname, "port": urlsplit(address).port}


def failure(client, sent):
    try:
        client.detect(sent)
    except DeepstackException as error:
        return str(error)


print(
    json.dumps(
        {
            "deepstack": DeepstackObject(**server, api_key=key, min_confidence=0.1).detect(content),
            "custom": DeepstackObject(**server, api_key=key, min_confidence=0.1, custom_model="all-labels").detect(
                content
            ),
            "codeproject": CodeProjectAIObject(**server, min_confidence=0.9).detect(content),
            "no picture": failure(DeepstackObject(**server), b"no picture"),
            "no model": failure(DeepstackObject(**server, custom_model="ipcam-combined"), content),
            "faces": failure(DeepstackFace(**server), content),
        }
    )
)
