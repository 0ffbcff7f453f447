"""The parameters of a detection: what each means, which values it takes, and how it is written in a query or a body.

Owns their words and examples; names and limits are read from ``job``.

No parameter has a ``default`` in its schema, only in words: what is the default of one depends on others, on the model
or on the Accept header. Clients that are generated from the description send every default they find there: ``n=3``
with ``draw=blur`` would hide 3 people of 22.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from recognizer.job import ALIASES, ANSWERS, DEFAULT_LIMIT, DRAWS, IMAGE_FORMATS, MAX_LIMIT, MAX_TILES
from recognizer.site.schemas import FILE, PICTURE_URL, ref

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recognizer.site.schemas import Json


class Option(NamedTuple):
    """One parameter.

    Attributes:
        description: what it means.
        text: schema of its value in a query; a form takes the same, lists written with commas.
        typed: schema of its value in JSON.
        example: a value that fits both.
    """

    description: str
    text: Json
    typed: Json
    example: Any = None


def options(label: str, default_min_score: float) -> dict[str, Option]:
    """Every parameter but the picture itself, by name.

    Args:
        label: one that the model knows, for examples.
        default_min_score: what a request that names no minimum gets.
    """
    url = {"type": "string", "format": "uri"}
    count = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}
    closeness = {"type": "integer", "minimum": 1, "maximum": MAX_TILES}
    score = {"type": "number", "minimum": 0, "maximum": 1}
    by_label = {"type": "object", "additionalProperties": score, "examples": [{"*": 0.5, label: 0.7}]}
    names = {"type": "array", "items": {"type": "string"}}
    edges = {"type": "array", "items": score, "minItems": 4, "maxItems": 4}
    flag = {"type": "boolean"}
    return {
        "url": Option(
            "Address of the picture, http or https; a `data:` URL in base64 will do. `input_url` is another name.",
            url,
            url,
            PICTURE_URL,
        ),
        "n": Option(
            f"How many objects at most, the most confident ones. Without it {DEFAULT_LIMIT}, but with `draw=blur` "
            f"{MAX_LIMIT}, so that all are hidden. `n_predictions` is another name.",
            count,
            count,
            5,
        ),
        "min_score": Option(
            f"Leave out objects below this score. Without it {default_min_score:g}, which suits this service's model. "
            "In JSON it can also be an object with a score for each label, `*` for all others; a label stands for all "
            "that it covers, and the narrower one wins.",
            score,
            {"anyOf": [score, by_label]},
            0.2,
        ),
        "include": Option(
            "Only these labels, in any case, by name or id; each stands for all that it covers: `Animal` for `Cat` and "
            "`Dog`. An unknown one is an error that suggests the nearest. See `/labels`.",
            names,
            names,
            [label],
        ),
        "exclude": Option("All but these labels; wins over `include`.", names, names, []),
        "region": Option(
            "Only objects whose centre lies in this part of the picture: xmin, ymin, xmax, ymax as fractions of it, "
            "from the top left corner. `0,0.5,1,1` is the lower half.",
            edges,
            edges,
            [0, 0, 1, 1],
        ),
        "tiles": Option(
            "How closely to look for small objects: at the whole picture and at so many overlapping tiles each way, "
            f"from 1 to {MAX_TILES}. Without it 1, the whole picture alone. 2 takes five times as long, 3 ten times, "
            "4 seventeen times; where a request has no time for it, the error names the largest number that it has "
            "time for.",
            closeness,
            closeness,
            2,
        ),
        "format": Option(
            "What to answer with. Without it the `Accept` header decides, and without that `GET` answers with the "
            "picture and `POST` with JSON. `both` is one answer with both: `multipart/form-data` with the fields "
            "`detections`, the JSON, and `picture`. `coco`, `yolo` and `csv` are the objects in formats that other "
            "programs read: COCO's JSON, a label file of YOLO, a table. They number classes as `/labels` lists them, "
            "YOLO from 0 and COCO from 1; `X-Labels` names those of the answer.",
            ref("AnswerKind"),
            ref("AnswerKind"),
            "json",
        ),
        "image_format": Option(
            "Format of the picture in the answer. Without it the source's own.",
            ref("ImageFormat"),
            ref("ImageFormat"),
            "webp",
        ),
        "draw": Option(
            "What is done to the objects in the picture. `labels` draws named boxes, `boxes` draws boxes alone, `blur` "
            "makes what was detected unrecognisable, `none` leaves the picture as it is. Without it `labels`. With "
            "`crop` nothing is ever drawn; `blur` still blurs.",
            ref("Draw"),
            ref("Draw"),
            DRAWS[0],
        ),
        "crop": Option(
            "Answer with the most confident object alone, cut out, where the answer is a picture. Without it the whole "
            "picture; `1` and `0` will do.",
            flag,
            flag,
            example=False,
        ),
    }


def parameter(name: str, option: Option) -> Json:
    """A parameter of the query."""
    made: Json = {"name": name, "in": "query", "description": option.description, "schema": option.text}
    if name == "url":
        made["required"] = True
    if option.text.get("type") == "array":
        made |= {"style": "form", "explode": False}
    return made | {"example": option.example}


def schemas(options: Mapping[str, Option]) -> Json:
    """The schema of each kind of body that has parameters, and of the choices in it.

    Named, so that a generated client has one class for each, whichever operation it is used in.
    """
    request, form, fields = body_schemas(options)
    return {
        "DetectRequest": request,
        "DetectForm": form,
        "DetectFields": fields,
        "AnswerKind": {"type": "string", "enum": list(ANSWERS)},
        "ImageFormat": {"type": "string", "enum": list(IMAGE_FORMATS)},
        "Draw": {"type": "string", "enum": list(DRAWS)},
    }


def body_schemas(options: Mapping[str, Option]) -> tuple[Json, Json, Json]:
    """The schemas of a body with these parameters: JSON, a form with files, a form without."""
    encoded: Json = {"type": "string", "contentEncoding": "base64"}
    encoded["description"] = "The picture itself, in base64; a `data:` URL will do."
    file: Json = {**FILE, "description": "The picture, as a file; `file` is another name of this field."}
    typed = {name: {**option.typed, "description": option.description} for name, option in options.items()}
    written = {name: {**_written(option.text), "description": option.description} for name, option in options.items()}
    return (
        _one_picture({**typed, "image": encoded}, ALIASES),
        _one_picture({**written, "image": file}, {**ALIASES, "file": "image"}),
        _one_picture({**written, "image": encoded}, ALIASES),
    )


def _written(schema: Json) -> Json:
    """The schema of a form's field: lists are written with commas."""
    return {"type": "string"} if schema.get("type") == "array" else schema


def _one_picture(properties: Json, aliases: Mapping[str, str]) -> Json:
    """An object of those properties, some with other names, which gives the picture in one of the ways there are."""
    others = {
        alias: {**properties[name], "description": f"Another name of `{name}`."} for alias, name in aliases.items()
    }
    ways = [name for name in (*properties, *others) if aliases.get(name, name) in {"url", "image"}]
    return {
        "type": "object",
        "properties": {**properties, **others},
        # Inside allOf: beside the properties, generators of clients take oneOf for all that there is.
        "allOf": [{"oneOf": [{"required": [way]} for way in ways]}],
        "additionalProperties": False,
    }
