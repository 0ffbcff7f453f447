"""The description of a service with two labels, and how to look things up in it; the tests of the wing share them."""

from __future__ import annotations

from jsonschema import Draft202012Validator
from recognizer import pictures
from recognizer.detections import Label
from recognizer.http.parameters import Rules
from recognizer.labels import LabelMap
from recognizer.site.openapi import document

LABELS = LabelMap(
    {1: Label("/m/01yrx", "Cat", ("Carnivore", "Mammal", "Animal")), 2: Label("/m/0k4j", "Car", ("Vehicle",))},
    {"/m/0jbk": ("Animal", frozenset({1}))},
)
RULES = Rules(LABELS, default_min_score=0.1, max_bytes=1_000)
READ = tuple(pictures.MEDIA_TYPES[name] for name in pictures.READABLE)
POST_BODIES = {"application/json", "multipart/form-data", "application/x-www-form-urlencoded"}


def described(labels=LABELS, **facts):
    """The description of a service with that model."""
    given = {"default_min_score": 0.25, "media_types": READ, "max_bytes": 20_000_000, "max_pixels": 50_000_000}
    return document(labels, **{**given, **facts})


DOCUMENT = described(samples=["/samples/cat.jpg"])
GET, POST = (DOCUMENT["paths"]["/detector"][method] for method in ("get", "post"))


def resolved(schema):
    """A schema, or the named one that it stands for."""
    return DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def queried(operation):
    """The schemas of an operation's query parameters."""
    return {one["name"]: resolved(one["schema"]) for one in operation["parameters"] if one["in"] == "query"}


def body(kind):
    """A body that POST takes, by its media type."""
    return POST["requestBody"]["content"][kind]


def fits(schema, value):
    """Whether a value is what a schema of the description says."""
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]}).is_valid(value)


def everything(node):
    """Every dictionary in a document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from everything(child)
