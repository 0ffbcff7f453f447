"""Schemas in words, and text as HTML.

Owns how the reference page writes what the description says: types as plain words, text between backticks as code.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recognizer.site.schemas import Json

_WORDS = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false", "null": "null"}
_FORMATS = {"uri": "address", "binary": "file"}


def term(name: str, kind: str, description: str) -> str:
    """One entry of a list: ``kind`` is HTML already."""
    kind = f' <span class="kind">{kind}</span>' if kind else ""
    return f"<div><dt><code>{escape(name)}</code>{kind}</dt><dd>{inline(description)}</dd></div>"


def kind_of(schema: Json, *, plain: bool = False) -> str:
    """A schema in words, as HTML; ``plain`` without links."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return name if plain else f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(kind_of(one, plain=plain) for one in schema["anyOf"])
    words = _choices(schema) or _type(schema, plain=plain)
    if "maximum" in schema:
        words += f", {schema['minimum']} to {schema['maximum']}"
    return words


def _choices(schema: Json) -> str:
    """The values of an enumeration; of a long one nothing."""
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return " · ".join(escape(str(value)) for value in values) if len(values) <= 6 else ""  # noqa: PLR2004 - a line's worth


def _type(schema: Json, *, plain: bool) -> str:
    kind = schema["type"]
    if isinstance(kind, list):
        return " or ".join(_WORDS[one] for one in kind)
    if kind == "array":
        items = schema["items"]
        if "maxItems" in schema and "minItems" in schema:
            return f"{schema['minItems']} {_WORDS[items['type']]}s, {items['minimum']} to {items['maximum']}"
        return f"list of {kind_of(items, plain=plain)}" if "$ref" in items else "list"
    if kind == "object":
        each = schema.get("additionalProperties")
        return f"object of {kind_of(each, plain=plain)}" if each else "object"
    if "format" in schema:
        return _FORMATS[schema["format"]]
    return "base64" if "contentEncoding" in schema else _WORDS[kind]


def prose(text: str) -> str:
    """Text as HTML, an empty line between paragraphs."""
    return "".join(f"<p>{inline(paragraph)}</p>" for paragraph in text.strip().split("\n\n"))


def inline(text: str) -> str:
    """Text as HTML, what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
