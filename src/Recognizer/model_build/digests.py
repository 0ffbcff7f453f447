"""SHA-256 of files and folders, and the check against what was asked for.

Owns the one way in which a model's content is named; model.json records it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from model_build.errors import WrongDigest

if TYPE_CHECKING:
    from pathlib import Path


def of_file(path: Path) -> str:
    """The digest of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_folder(folder: Path) -> str:
    """The digest of the names and contents of all files below a folder, in hexadecimal."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()}\0{of_file(file)}\n".encode())
    return digest.hexdigest()


def require(digest: str, expected: str | None, name: str) -> None:
    """Checks a digest against the one that was asked for, if any.

    Raises:
        WrongDigest: it is another.
    """
    if expected and digest != expected.lower():
        raise WrongDigest(f"the sha256 of {name} is {digest}, not {expected} as MODEL_SHA256 says")
