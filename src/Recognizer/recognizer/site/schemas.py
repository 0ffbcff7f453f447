"""The shapes of answers, for operations to refer to by name.

Owns what the parts of an answer are called and mean, and the example of a detection, which names a label that the model
knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recognizer.job import MAX_LIMIT

if TYPE_CHECKING:
    from recognizer.labels import LabelMap

Json = dict[str, Any]

JSON = "application/json"
PICTURE_URL = "https://upload.wikimedia.org/wikipedia/commons/3/3a/Cat03.jpg"
# OpenAPI 3.1 would leave a file without a schema; generators of clients know it by this one of OpenAPI 3.0.
FILE: Json = {"type": "string", "format": "binary"}

_LABELS_SHOWN = ("Cat", "Dog", "Person")  # in examples, where the model knows them


def ref(schema: str) -> Json:
    """A named schema."""
    return {"$ref": f"#/components/schemas/{schema}"}


def content(schema: str, **more: Any) -> Json:
    """A media type of that schema, with its example or examples."""
    return {"schema": ref(schema), **more}


def object_of(properties: Json, *optional: str, description: str = "") -> Json:
    """The schema of an object whose properties are required, except the optional ones."""
    required = [name for name in properties if name not in optional]
    schema = {"type": "object", "properties": properties, "required": required}
    return schema | ({"description": description} if description else {})


def found_in(labels: LabelMap) -> Json:
    """An answer in JSON, as an example: what the model could have found."""
    indices = [labels.index_of(name) for name in _LABELS_SHOWN]
    label = labels.by_index[next((index for index in indices if index is not None), min(labels.by_index))]
    box = {"xmin": 0, "ymin": 3, "xmax": 415, "ymax": 297}
    return {
        "image": {"url": PICTURE_URL, "width": 451, "height": 300, "format": "JPEG", "animated": False},
        "model": {"name": "openimages_v4/ssd/mobilenet_v2", "engine": "litert"},
        "detections": [
            {"label": label.name, "id": label.id, "parents": list(label.parents), "score": 0.5543, "box": box}
        ],
    }


def answers() -> Json:
    """The schema of each JSON document that is no error, and of its parts."""
    text: Json = {"type": "string"}
    whole: Json = {"type": "integer", "minimum": 0}
    names: Json = {"type": "array", "items": text}
    parents = {**names, "description": "The classes that cover it, nearest first."}
    color = {"type": "string", "pattern": "^#[0-9a-f]{6}$", "description": "What its boxes are drawn in."}
    return {
        "Detections": object_of(
            {
                "image": object_of(
                    {
                        "url": {"type": ["string", "null"], "description": "As asked for; null for a picture sent."},
                        "width": {**whole, "description": "Of the upright picture, in pixels."},
                        "height": {**whole, "description": "Of the upright picture, in pixels."},
                        "format": {**text, "description": "Of the source."},
                        "animated": {
                            "type": "boolean",
                            "description": "Whether it has more frames than the first, which is the one looked at.",
                        },
                    }
                ),
                "model": object_of({"name": text, "engine": text}),
                "detections": {"type": "array", "items": ref("Detection"), "maxItems": MAX_LIMIT},
            }
        ),
        "Detection": object_of(
            {
                "label": text,
                "id": {**text, "description": "Open Images' machine id."},
                "parents": parents,
                "score": {"type": "number", "minimum": 0, "maximum": 1},
                "box": ref("Box"),
            },
            description="One object.",
        ),
        "Box": object_of(
            {"xmin": whole, "ymin": whole, "xmax": whole, "ymax": whole},
            description="Pixels of the upright picture, from its top left corner.",
        ),
        "Coco": object_of(
            {
                "images": {"type": "array", "items": ref("CocoImage"), "maxItems": 1},
                "annotations": {"type": "array", "items": ref("CocoAnnotation"), "maxItems": MAX_LIMIT},
                "categories": {"type": "array", "items": ref("CocoCategory")},
            },
            description="What is in one picture, in COCO's format (https://cocodataset.org/#format-data).",
        ),
        "CocoImage": object_of({"id": whole, "file_name": text, "width": whole, "height": whole}),
        "CocoAnnotation": object_of(
            {
                "id": whole,
                "image_id": whole,
                "category_id": whole,
                "bbox": {
                    "type": "array",
                    "items": whole,
                    "maxItems": 4,
                    "description": "xmin, ymin, width and height in pixels.",
                },
                "area": whole,
                "iscrowd": {"const": 0},
                "score": {"type": "number", "minimum": 0, "maximum": 1},
            }
        ),
        "CocoCategory": object_of(
            {"id": {**whole, "description": "Its place in the list of `/labels`, from 1."}, "name": text}
        ),
        "Labels": object_of(
            {
                "model": text,
                "labels": {"type": "array", "items": ref("Label"), "minItems": 1},
                "groups": {**names, "description": "Names that stand for several classes."},
            }
        ),
        "Label": object_of({"name": text, "id": text, "parents": parents, "color": color}),
        "Health": object_of(
            {
                "status": {"const": "ok"},
                "version": text,
                "model": object_of({"name": text, "engine": text, "graph": text, "sha256": text}),
                "warm": {"type": "boolean", "description": "False in the answer that this instance was started for."},
            }
        ),
    }
