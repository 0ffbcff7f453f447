"""JavaScript modules -> the text of one script that does the same.

Owns how modules are joined: each becomes a function that is called once, after those it imports, and returns what it
exports. A browser would ask for each file of its own, which the page cannot afford (docs/adr/0007), and a policy that
names scripts by their digests leaves no other way to import an inline one.

It reads the modules of this site, not every JavaScript: ``import { a, b } from "./x.js"`` on lines of its own, and
``export`` before a function, a constant or a class. Anything else, an import of what is not exported, and a circle stop
the start.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from recognizer.errors import StartupError
from recognizer.site.assets import text_of

if TYPE_CHECKING:
    from pathlib import Path

# They begin with the end of the line before, by which they are found at once: a search for the beginnings of lines
# looks at every character, five times over all scripts, and the first visitor waits for it.
_IMPORT = re.compile(r'\nimport \{\s*([\w\s,$]+?),?\s*\} from "\./([\w-]+)\.js";(?=\n)')
_EXPORT = re.compile(r"\nexport ((?:async )?function|const|class) ([\w$]+)")
_LEFT_OVER = re.compile(r"\n((?:import|export)\b.*)")


def joined(folder: Path, entry: str) -> str:
    """One script made of a module and all that it imports.

    Args:
        folder: where the modules are.
        entry: the file name of the module that runs last.

    Raises:
        StartupError: a module is missing, imports itself through others, or is written as is not read here.
    """
    exports: dict[str, list[str]] = {}
    parts: list[str] = []
    _add(folder, entry.removesuffix(".js"), (), exports, parts)
    return "\n".join(parts)


def _add(folder: Path, name: str, above: tuple[str, ...], exports: dict[str, list[str]], parts: list[str]) -> None:
    file = folder / f"{name}.js"
    if name in above:
        circle = " imports ".join((*above[above.index(name) :], name))
        raise StartupError(f"{file}, a part of the site, is in a circle: {circle}.")
    if name in exports:
        return
    text = f"\n{text_of(file)}"
    for names, other in _IMPORT.findall(text):
        _add(folder, other, (*above, name), exports, parts)
        missing = {one.strip() for one in names.split(",")} - {*exports[other]}
        if missing:
            raise StartupError(f"{file}, a part of the site, imports {sorted(missing)}, not exported by {other}.js.")
    exports[name] = [exported for _, exported in _EXPORT.findall(text)]
    imported = _IMPORT.sub(lambda one: f"\nconst {{ {' '.join(one[1].split())} }} = {_id(one[2])};", text)
    body = _EXPORT.sub(r"\n\1 \2", imported)
    left_over = _LEFT_OVER.search(body)
    if left_over:
        raise StartupError(f"{file}, a part of the site, has a line that is not understood: {left_over[1]}")
    parts.append(f"const {_id(name)} = (() => {{{body}return {{ {', '.join(exports[name])} }};\n}})();")


def _id(name: str) -> str:
    return f"${name.replace('-', '_')}"
