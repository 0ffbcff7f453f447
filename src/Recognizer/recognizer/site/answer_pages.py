"""Answers as pages, for someone who opened their address: an error, and all labels.

Owns their frame and their words. Everything that is written into them is text; what may run is named by its digest.
"""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING, Any

from recognizer.site.assets import HTML, PAGE_MAX_AGE_S, Asset, sources, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_ROOT = ""  # what stands above names that nothing covers


class AnswerPages:
    """The pages, made of files of the site.

    Args:
        folder: where document.html, reference.css and labels-page.js are.

    Raises:
        StartupError: one of them is missing or cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._frame = Template(text_of(folder / "document.html"))
        self._style = text_of(folder / "reference.css")
        self._search = text_of(folder / "labels-page.js")

    def problem(self, problem: Mapping[str, Any], path: str) -> Asset:
        """A problem document as a page; not to be kept.

        Args:
            problem: as RFC 9457 has it.
            path: that was asked for, to find the way back from.
        """
        root = "../" * (path.count("/") - 1) or "./"
        code = str(problem["type"]).rpartition(":")[2]
        about = [f"{problem['status']} {problem['title']}"]
        about += [f"parameter {problem['parameter']}"] if "parameter" in problem else []
        about += [f"request {problem['request_id']}"] if "request_id" in problem else []
        content = (
            f"<h1>{escape(str(problem['title']))}</h1>\n"
            f'<p class="detail">{escape(str(problem["detail"]))}</p>\n'
            f'<p class="ways"><a class="plain" href="{root}">Try it on the page</a> '
            f'<a class="plain" href="{root}reference#error-{escape(code)}">What this error means</a></p>\n'
            f'<p class="status">{escape(" · ".join(about))}</p>'
        )
        return self._page(str(problem["title"]), "failure", content, root, max_age_s=0)

    def labels(self, document: Mapping[str, Any]) -> Asset:
        """The labels that ``GET /labels`` names, each below the one that covers it."""
        names = {label["name"]: label for label in document["labels"]}
        children: dict[str, list[str]] = {}
        for name, parents in _directly_above(document["labels"]).items():
            for parent in parents or [_ROOT]:
                children.setdefault(parent, []).append(name)
        content = (
            f"<h1>{len(names)} labels</h1>\n<p>What the model {escape(document['model'])} can name. Where labels are "
            "asked for, a name stands for all that are below it; a group stands only for those.</p>\n"
            '<p class="search" hidden><label for="search">Search</label> '
            '<input id="search" type="search" autocomplete="off" spellcheck="false"> <span role="status"></span></p>\n'
            f'<ul class="tree">{_branches(_ROOT, children, names)}</ul>'
        )
        return self._page("All labels", "all", content, "./", script=self._search, max_age_s=PAGE_MAX_AGE_S)

    def _page(self, title: str, kind: str, content: str, root: str, *, max_age_s: int, script: str = "") -> Asset:
        page = self._frame.substitute(
            title=escape(title),
            kind=kind,
            content=content,
            root=root,
            style=self._style,
            script=f'<script type="module">{script}</script>' if script else "",
        )
        policy = (
            f"default-src 'none'; script-src {sources([script] if script else [])}; "
            f"style-src {sources([self._style])}; img-src data:; "
            "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        return Asset("", HTML, page, max_age_s, policy)


def _directly_above(labels: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The nearest names that cover each name, of labels and of groups alike.

    A label is told with all that cover it, but not with their order among each other where it has several lines of
    them. What covers a group is what stands behind it in every label that it covers.
    """
    above = {label["name"]: list(label["parents"]) for label in labels}
    for parents in list(above.values()):
        for index, group in enumerate(parents):
            behind = above.setdefault(group, parents[index + 1 :])
            above[group] = [name for name in behind if name in parents[index + 1 :]]
    return {
        name: [one for one in parents if not any(one in above[other] for other in parents)]
        for name, parents in above.items()
    }


def _branches(name: str, children: Mapping[str, Sequence[str]], known: Mapping[str, Any]) -> str:
    """The names below one, those with names below them first, each from A to Z."""
    order = sorted(children.get(name, ()), key=lambda child: (child not in children, child.casefold()))
    return "".join(_branch(child, children, known) for child in order)


def _branch(name: str, children: Mapping[str, Sequence[str]], known: Mapping[str, Any]) -> str:
    below = _branches(name, children, known)
    swatch = _swatch(known[name]["color"]) if name in known else ""
    kind = "label group" if below else "label"
    note = "" if name in known else " <small>group</small>"
    inner = f"<ul>{below}</ul>" if below else ""
    return f'<li><span>{swatch}<span class="{kind}">{escape(name)}</span>{note}</span>{inner}</li>'


def _swatch(colour: str) -> str:
    """A square in a colour, as SVG: the policy allows no style attributes."""
    square = f'<path fill="{escape(colour)}" d="M0 0h1v1H0z"/>'
    return f'<svg class="swatch" viewBox="0 0 1 1" aria-hidden="true">{square}</svg>'
