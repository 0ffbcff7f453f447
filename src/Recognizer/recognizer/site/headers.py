"""The headers of answers as the description shows them, for operations to refer to by name.

Owns their meaning and an example of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recognizer.job import MAX_LIMIT
from recognizer.site.schemas import JSON

if TYPE_CHECKING:
    from recognizer.site.schemas import Json

CACHED = ("ETag", "Cache-Control")
DETECTED = (
    *CACHED,
    "Vary",
    "Server-Timing",
    "X-Detection-Count",
    "X-Model",
    "X-Detections",
    "X-Image-Size",
    "X-Labels",
    "X-Image-Reduced",
    "Content-Disposition",
)

_TAG = '"6f1ed002ab5595859014ebf0951522d9"'


def refs(*names: str) -> Json:
    """Headers by name."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def headers(found: Json) -> Json:
    """Every header of ours.

    Args:
        found: the example of an answer in JSON, of which some headers tell the same.
    """
    box = found["detections"][0]
    summary = [{key: box[key] for key in ("label", "score", "box")}]
    item = {"type": "object", "required": ["label", "score", "box"]}
    return {
        "ETag": _header("Changes with the picture's bytes, any option, the model and its engine.", _TAG),
        "Cache-Control": _header("How long the answer may be kept; `no-store` for errors.", "public, max-age=3600"),
        "Vary": _header("The `Accept` header has a say in the kind of answer.", "Accept"),
        "Server-Timing": _header("Milliseconds by step.", "download;dur=17.1, decode;dur=0.8, detect;dur=36.8"),
        "X-Detection-Count": {
            "description": "How many objects were found.",
            "required": True,
            "schema": {"type": "integer", "minimum": 0, "maximum": MAX_LIMIT},
            "example": 1,
        },
        "X-Model": _header("What looked at the picture.", "openimages_v4/ssd/mobilenet_v2; engine=litert"),
        "X-Detections": {
            "description": "With a picture: label, score and box of each object, as many as fit into 4 KB.",
            "content": {JSON: {"schema": {"type": "array", "items": item}, "example": summary}},
        },
        "X-Image-Size": _header(
            "With a picture, `coco`, `yolo` and `csv`: size of the upright source, which the boxes are in.",
            "451x300",
            always=False,
            pattern="^[0-9]+x[0-9]+$",
        ),
        "X-Labels": {
            "description": "With `coco`, `yolo` and `csv`: the name of each class in the answer, by its place in the "
            "list of `/labels`, from 0; as many as fit into 4 KB.",
            "content": {
                JSON: {
                    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
                    "example": {"91": box["label"]},
                }
            },
        },
        "X-Image-Reduced": _header(
            "With a picture that had to shrink to fit into Lambda's 6 MB: how.",
            "quality=55, width=1200, height=800",
            always=False,
        ),
        "Content-Disposition": _header(
            "With a picture, `coco`, `yolo` and `csv`: the name to save it under.",
            'inline; filename="cat-objects.jpg"',
            always=False,
        ),
        "Allow": _header("The methods that there are.", "GET, POST, OPTIONS"),
        "WWW-Authenticate": _header("How to say who one is.", 'Bearer realm="recognizer"'),
    }


def _header(description: str, example: str, *, always: bool = True, **schema: Any) -> Json:
    return {"description": description, "required": always, "schema": {"type": "string", **schema}, "example": example}
