"""What the service serves of itself: the page with its samples, and the API's description for programs and people.

``page`` makes the page, its scripts joined by ``modules``; ``openapi`` makes the description out of ``detection``,
``documents``, ``options``, ``schemas``, ``headers`` and ``problems``; ``security`` adds who may ask; ``reference``
makes a page of that. All of it is made once, when somebody first asks for a part of it, as ``assets``; ``answer_pages``
makes pages of answers, as they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def samples(folder: Path) -> dict[str, Path]:
    """The sample pictures of the site in a folder: path -> file."""
    return {f"/samples/{file.name}": file for file in sorted((folder / "samples").glob("*.jpg"))}


def paths(folder: Path) -> list[str]:
    """Every path of the site in a folder, known before any of it is made."""
    return ["/", "/openapi.json", "/reference", *samples(folder)]
