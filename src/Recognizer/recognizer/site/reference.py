"""The API's description for programs and for people: ``/openapi.json``, and a page made from it, ``/reference``.

Owns how the description is laid out as HTML. Refuses to say anything about the API itself: every word of the page that
is about it comes from the description, so that the two cannot differ. Made once, at cold start (a millisecond); it
reads what ``openapi`` writes, not every OpenAPI document.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import escape
from string import Template
from typing import TYPE_CHECKING, Any

from recognizer.errors import StartupError
from recognizer.site.assets import PAGE_MAX_AGE_S, Asset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Json = Any

_LINE = 44
_WORDS = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false", "null": "null"}


def assets(document: Mapping[str, Json], folder: Path) -> dict[str, Asset]:
    """The description and its page, by path.

    Args:
        document: what ``openapi.document`` made.
        folder: where ``reference.html`` and ``reference.css`` are.

    Raises:
        StartupError: one of them is missing or cannot be read.
    """
    try:
        frame, style = ((folder / name).read_text(encoding="utf-8") for name in ("reference.html", "reference.css"))
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"The reference page in {folder} cannot be read: {error}.") from error
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    page = Template(frame).substitute(style=style, **_parts(document))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "/openapi.json": Asset("/openapi.json", "application/json", text, PAGE_MAX_AGE_S),
        "/reference": Asset("/reference", "text/html; charset=utf-8", page, PAGE_MAX_AGE_S, policy),
    }


def _parts(document: Mapping[str, Json]) -> dict[str, str]:
    """What fills the frame, by the name of its placeholder."""
    operations = list(_operations(document))
    entries = [(_id(method, path), f"{_verb(method)} {escape(path)}") for method, path, _ in operations]
    components = document["components"]
    return {
        "version": escape(document["info"]["version"]),
        "answer": escape(_pretty(_example(document))),
        "about": _prose(document["info"]["description"]),
        "contents": "".join(f'<li><a href="#{id_}">{name}</a></li>' for id_, name in entries),
        "operations": "".join(_operation(*operation) for operation in operations),
        "errors": "".join(_error(code, example["value"], example) for code, example in components["examples"].items()),
        "headers": "".join(_term(name, "", header["description"]) for name, header in components["headers"].items()),
        "schemas": "".join(_schema(name, schema) for name, schema in components["schemas"].items()),
    }


def _operations(document: Mapping[str, Json]) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def _example(document: Mapping[str, Json]) -> Json:
    """What the detector answers with, as JSON."""
    return document["paths"]["/detector"]["post"]["responses"]["200"]["content"]["application/json"]["example"]


def _pretty(value: Json) -> str:
    """JSON with each short list on one line."""

    def one_line(listed: re.Match[str]) -> str:
        line = " ".join(listed[0].split()).replace("[ ", "[").replace(" ]", "]")
        return line if len(line) <= _LINE else listed[0]

    return re.sub(r"\[[^\[\]{}]*\]", one_line, json.dumps(value, ensure_ascii=False, indent=2))


def _operation(method: str, path: str, operation: Json) -> str:
    id_ = _id(method, path)
    samples = "".join(map(_sample, operation.get("x-codeSamples", ())))
    answers = "".join(_answer(status, answer) for status, answer in operation["responses"].items())
    return (
        f'<article class="operation" aria-labelledby="{id_}"><header><h3 id="{id_}">{_verb(method)} '
        f'<code>{escape(path)}</code></h3><p class="summary">{_inline(operation["summary"])}</p></header>'
        + (f'<div class="samples">{samples}</div>' if samples else "")
        + f'<div class="told">{_prose(operation["description"])}'
        + _section("Parameters", "".join(map(_parameter, operation.get("parameters", ()))))
        + _bodies(operation.get("requestBody", {"content": {}})["content"])
        + _section("Answers", answers)
        + "</div></article>"
    )


def _section(title: str, terms: str) -> str:
    return f"<h4>{title}</h4><dl>{terms}</dl>" if terms else ""


def _parameter(parameter: Json) -> str:
    kind = _kind(parameter["schema"])
    if parameter.get("required"):
        kind += ", <b>required</b>"
    if parameter["in"] != "query":
        kind += f", in the {parameter['in']}"
    return _term(parameter["name"], kind, parameter["description"])


def _bodies(content: Json) -> str:
    if not content:
        return ""
    return "<h4>Body</h4>" + "".join(_body(kind, media["schema"]) for kind, media in content.items())


def _body(kind: str, schema: Json) -> str:
    properties = schema.get("properties")
    if not properties:
        return f'<p class="body"><code>{escape(kind)}</code> the picture itself</p>'
    terms = "".join(_term(name, _kind(value), value["description"]) for name, value in properties.items())
    return f"<details><summary><code>{escape(kind)}</code></summary><dl>{terms}</dl></details>"


def _answer(status: str, answer: Json) -> str:
    kinds = "".join(f"<span>{_media(kind, media)}</span>" for kind, media in answer.get("content", {}).items())
    return _term(status, kinds, answer["description"])


def _media(kind: str, media: Json) -> str:
    """What an answer's body is: a problem by its codes, a document by its schema, anything else by its type."""
    if "examples" in media:
        return " ".join(f'<a href="#error-{escape(code)}">{escape(code)}</a>' for code in media["examples"])
    schema = media["schema"]
    return f"{escape(kind)} {_kind(schema)}" if "$ref" in schema else escape(kind)


def _sample(sample: Json) -> str:
    label = f"<figcaption>{escape(sample['label'])}</figcaption>" if sample["label"] else ""
    source = escape(sample["source"])
    return f'<figure>{label}<pre tabindex="0" aria-label="Example">{source}</pre></figure>'


def _error(code: str, problem: Json, example: Json) -> str:
    detail = f'<span class="detail">{escape(problem["detail"])}</span>'
    return (
        f'<tr id="error-{escape(code)}"><td>{problem["status"]}</td><th scope="row"><code>{escape(code)}</code></th>'
        f"<td>{_inline(example['summary'])} {detail}</td></tr>"
    )


def _schema(name: str, schema: Json) -> str:
    terms = "".join(
        _term(key, _kind(value) + ("" if key in schema.get("required", ()) else ", may be missing"), _about(value))
        for key, value in schema["properties"].items()
    )
    told = _prose(schema["description"]) if "description" in schema else ""
    return f'<section><h3 id="schema-{escape(name)}"><code>{escape(name)}</code></h3>{told}<dl>{terms}</dl></section>'


def _about(schema: Json) -> str:
    """What is known of a value; of an object inside, its parts."""
    parts = [f"`{name}` {_kind(value, plain=True)}" for name, value in schema.get("properties", {}).items()]
    return " ".join(filter(None, (schema.get("description", ""), ", ".join(parts) and f"{', '.join(parts)}.")))


def _term(name: str, kind: str, description: str) -> str:
    """One entry of a list: ``kind`` is HTML already."""
    kind = f' <span class="kind">{kind}</span>' if kind else ""
    return f"<div><dt><code>{escape(name)}</code>{kind}</dt><dd>{_inline(description)}</dd></div>"


def _kind(schema: Json, *, plain: bool = False) -> str:
    """A schema in words, as HTML; ``plain`` without links."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return name if plain else f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(one, plain=plain) for one in schema["anyOf"])
    words = _choices(schema) or _type(schema, plain=plain)
    if "maximum" in schema:
        words += f", {schema['minimum']} to {schema['maximum']}"
    if "default" in schema:
        words += f", default {escape(json.dumps(schema['default']).strip(chr(34)))}"
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
        return f"list of {_kind(items, plain=plain)}" if "$ref" in items else "list"
    if kind == "object":
        each = schema.get("additionalProperties")
        return f"object of {_kind(each, plain=plain)}" if each else "object"
    special = {"format": "address", "contentMediaType": "file", "contentEncoding": "base64"}
    return next((word for key, word in special.items() if key in schema), _WORDS[kind])


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(paragraph)}</p>" for paragraph in text.strip().split("\n\n"))


def _inline(text: str) -> str:
    """Text as HTML, what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def _verb(method: str) -> str:
    return f'<span class="verb {method}">{method.upper()}</span>'


def _id(method: str, path: str) -> str:
    return f"{method}-{re.sub(r'[^a-z]+', '-', path).strip('-') or 'page'}"
