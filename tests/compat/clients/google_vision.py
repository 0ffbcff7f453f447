"""google-cloud-vision over REST: PICTURE ADDRESS URL -> what it made of the answers, as JSON by case."""

import json
import sys
from pathlib import Path

from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import vision
from google.cloud.vision_v1.services.image_annotator import ImageAnnotatorClient
from google.cloud.vision_v1.services.image_annotator.transports import ImageAnnotatorRestTransport

picture, address, url = sys.argv[1:]
host = address.removeprefix("http://").rstrip("/")
transport = ImageAnnotatorRestTransport(host=host, url_scheme="http", credentials=AnonymousCredentials())
client = vision.ImageAnnotatorClient(transport=transport)
Feature = vision.Feature
sent = vision.Image(content=Path(picture).read_bytes())


def read(message):
    return type(message).to_dict(message, including_default_value_fields=False)


def batch(*requests, of=client):
    return [read(answer) for answer in of.batch_annotate_images(requests=list(requests)).responses]


def refused(call):
    try:
        call()
    except GoogleAPICallError as error:
        return [type(error).__name__, error.message]
    return None


objects = Feature(type_=Feature.Type.OBJECT_LOCALIZATION, max_results=100)
labels = Feature(type_=Feature.Type.LABEL_DETECTION, max_results=100)
linked = vision.Image(source=vision.ImageSource(image_uri=url))
broken = vision.Image(content=b"no picture")
missing = vision.Image(source=vision.ImageSource(image_uri=f"{url}.missing"))
keyed = ImageAnnotatorClient(client_options={"api_key": "KEY", "api_endpoint": address.rstrip("/")}, transport="rest")
cases = {
    "helper": read(client.object_localization(image=sent)),
    "label helper": read(client.label_detection(image=sent, max_results=3)),
    "batch": batch(
        {"image": sent, "features": [objects, labels]},
        {"image": broken, "features": [objects]},
        {"image": missing, "features": [objects]},
        {"image": linked, "features": [objects]},
    ),
    "with key": batch({"image": sent, "features": [objects]}, of=keyed),
    "text": refused(lambda: client.text_detection(image=sent)),
    "parent": refused(
        lambda: client.batch_annotate_images(
            request={"requests": [{"image": sent, "features": [objects]}], "parent": "projects/p"}
        )
    ),
}
print(json.dumps(cases))
