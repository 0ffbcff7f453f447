"""The API's description for programs and for people: ``/openapi.json``, and a page made from it, ``/reference``.

Owns how the description is laid out as HTML. Every word of the page that is about the API comes from the description,
so that the two cannot differ. It reads what ``openapi`` writes, not every OpenAPI document.
"""

from __future__ import annotations

import json
import re
from html import escape
from string import Template
from typing import TYPE_CHECKING, Any

from recognizer.site.assets import HTML, PAGE_MAX_AGE_S, Asset, sources, text_of
from recognizer.site.schemas import JSON
from recognizer.site.wording import inline, kind_of, prose, term

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recognizer.site.schemas import Json

_LINE = 44
_REF = "#/components/schemas/"


def assets(document: Json, folder: Path) -> dict[str, Asset]:
    """The description and its page, by path.

    Args:
        document: what ``openapi.document`` made.
        folder: where ``reference.html`` and ``reference.css`` are.

    Raises:
        StartupError: one of them is missing or cannot be read.
    """
    frame, style = text_of(folder / "reference.html"), text_of(folder / "reference.css")
    script = text_of(folder / "reference.js")
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    page = Template(frame).substitute(style=style, script=script, **_parts(document))
    policy = (
        f"default-src 'none'; script-src {sources([script])}; style-src {sources([style])}; img-src data:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "/openapi.json": Asset("/openapi.json", JSON, text, PAGE_MAX_AGE_S),
        "/reference": Asset("/reference", HTML, page, PAGE_MAX_AGE_S, policy),
    }


def _parts(document: Json) -> dict[str, str]:
    """What fills the frame, by the name of its placeholder."""
    operations = list(_operations(document))
    entries = [(_id(method, path), f"{_verb(method)} {escape(path)}") for method, path, _ in operations]
    components = document["components"]
    return {
        "version": escape(document["info"]["version"]),
        "answer": escape(_pretty(_example(document))),
        "about": prose(document["info"]["description"]),
        "contents": "".join(f'<li><a href="#{id_}">{name}</a></li>' for id_, name in entries),
        "operations": "".join(_operation(*operation) for operation in operations),
        "errors": "".join(_error(code, example["value"], example) for code, example in components["examples"].items()),
        "headers": "".join(term(name, "", header["description"]) for name, header in components["headers"].items()),
        "schemas": "".join(_schema(name, schema) for name, schema in _answered(document).items()),
    }


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Method, path and operation; what a request refers to is written out in it."""
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation | _written_out(_asked(operation), schemas)


def _asked(operation: Json) -> Json:
    return {part: operation[part] for part in ("parameters", "requestBody") if part in operation}


def _written_out(node: Any, schemas: Json) -> Any:
    """A part of the description with each named schema in place of its name."""
    if isinstance(node, list):
        return [_written_out(item, schemas) for item in node]
    if not isinstance(node, dict):
        return node
    written = {key: _written_out(value, schemas) for key, value in node.items() if key != "$ref"}
    name = node.get("$ref", "").removeprefix(_REF)
    return {**_written_out(schemas[name], schemas), **written} if name else written


def _answered(document: Json) -> Json:
    """The named schemas of answers: those of requests are written out where they are asked for."""
    schemas = document["components"]["schemas"]

    def reached(node: Any) -> set[str]:
        names = set(re.findall(rf'"{_REF}(\w+)"', json.dumps(node)))
        return names.union(*(reached(schemas[name]) for name in names))

    asked = reached([_asked(operation) for methods in document["paths"].values() for operation in methods.values()])
    return {name: schema for name, schema in schemas.items() if name not in asked}


def _example(document: Json) -> Any:
    """What the detector answers with, as JSON."""
    return document["paths"]["/detector"]["post"]["responses"]["200"]["content"][JSON]["example"]


def _pretty(value: Any) -> str:
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
        f'<code>{escape(path)}</code></h3><p class="summary">{inline(operation["summary"])}</p></header>'
        + (f'<div class="samples">{samples}</div>' if samples else "")
        + f'<div class="told">{prose(operation["description"])}'
        + _section("Parameters", "".join(map(_parameter, operation.get("parameters", ()))))
        + _bodies(operation.get("requestBody", {"content": {}})["content"])
        + _section("Answers", answers)
        + "</div></article>"
    )


def _section(title: str, terms: str) -> str:
    return f"<h4>{title}</h4><dl>{terms}</dl>" if terms else ""


def _parameter(parameter: Json) -> str:
    kind = kind_of(parameter["schema"])
    if parameter.get("required"):
        kind += ", <b>required</b>"
    if parameter["in"] != "query":
        kind += f", in the {parameter['in']}"
    return term(parameter["name"], kind, parameter["description"])


def _bodies(content: Json) -> str:
    if not content:
        return ""
    return "<h4>Body</h4>" + "".join(_body(kind, media["schema"]) for kind, media in content.items())


def _body(kind: str, schema: Json) -> str:
    properties = schema.get("properties")
    if not properties:
        return f'<p class="body"><code>{escape(kind)}</code> the picture itself</p>'
    terms = "".join(term(name, kind_of(value), value["description"]) for name, value in properties.items())
    return f"<details><summary><code>{escape(kind)}</code></summary><dl>{terms}</dl></details>"


def _answer(status: str, answer: Json) -> str:
    kinds = "".join(f"<span>{_media(kind, media)}</span>" for kind, media in answer.get("content", {}).items())
    return term(status, kinds, answer["description"])


def _media(kind: str, media: Json) -> str:
    """What an answer's body is: a problem by its codes, a document by its schema, anything else by its type."""
    if "examples" in media:
        return " ".join(f'<a href="#error-{escape(code)}">{escape(code)}</a>' for code in media["examples"])
    schema = media.get("schema", {})
    return f"{escape(kind)} {kind_of(schema)}" if "$ref" in schema else escape(kind)


def _sample(sample: Json) -> str:
    label = f"<figcaption>{escape(sample['label'])}</figcaption>" if sample["label"] else ""
    source = escape(sample["source"])
    return f'<figure>{label}<pre tabindex="0" aria-label="Example">{source}</pre></figure>'


def _error(code: str, problem: Json, example: Json) -> str:
    detail = f'<span class="detail">{escape(problem["detail"])}</span>'
    return (
        f'<tr id="error-{escape(code)}"><td>{problem["status"]}</td><th scope="row"><code>{escape(code)}</code></th>'
        f"<td>{inline(example['summary'])} {detail}</td></tr>"
    )


def _schema(name: str, schema: Json) -> str:
    terms = "".join(
        term(key, kind_of(value) + ("" if key in schema.get("required", ()) else ", may be missing"), _about(value))
        for key, value in schema["properties"].items()
    )
    told = prose(schema["description"]) if "description" in schema else ""
    return f'<section><h3 id="schema-{escape(name)}"><code>{escape(name)}</code></h3>{told}<dl>{terms}</dl></section>'


def _about(schema: Json) -> str:
    """What is known of a value; of an object inside, its parts."""
    parts = [f"`{name}` {kind_of(value, plain=True)}" for name, value in schema.get("properties", {}).items()]
    return " ".join(filter(None, (schema.get("description", ""), ", ".join(parts) and f"{', '.join(parts)}.")))


def _verb(method: str) -> str:
    return f'<span class="verb {method}">{method.upper()}</span>'


def _id(method: str, path: str) -> str:
    return f"{method}-{re.sub(r'[^a-z]+', '-', path).strip('-') or 'page'}"
