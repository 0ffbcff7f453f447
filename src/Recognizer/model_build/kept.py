"""Files that were fetched, kept by their addresses, and whether they are still what is there.

Owns the names of what is kept, when it is taken (where it has the digest that is asked for, or where the server says
that it has not changed), and what the server said of it. How bytes are fetched is the caller's.
"""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING

from model_build import digests
from model_build.confidential import public
from model_build.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Validators = dict[str, str]  # ETag and Last-Modified, where the server gave them, by these names
    Fetch = Callable[[Path, Validators], Validators | None]

VALIDATORS = ("ETag", "Last-Modified")

logger = logging.getLogger(__name__)


def current(address: str, name: str, cache: Path, sha256: str | None, fetch: Fetch) -> Path:
    """The file at an address, as it is kept in the cache.

    Args:
        address: what it is kept by.
        name: of the file, for people.
        cache: folder in which files are kept.
        sha256: the digest that is asked for, if any; a kept file that has it is taken without a question.
        fetch: writes the file at the address to the path; takes what the server said of the file that is kept and
            returns what it says of the new one, or None where it says that these are the same.

    Raises:
        FetchFailed: the address cannot be reached and nothing is kept, or it answers with an error.
    """
    cache.mkdir(parents=True, exist_ok=True)
    file = cache / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}-{name}"
    is_wrong = False
    if sha256 is not None and file.exists():
        if digests.of_file(file) == sha256.lower():
            return file
        is_wrong = True
    logger.info("fetching %s", public(address))
    try:
        validators = fetch(file, noted(file) if file.exists() and not is_wrong else {})
    except Unreachable:
        if is_wrong or not file.exists():
            raise
        logger.warning("it cannot be reached; what was fetched from there before is taken")
        return file
    if validators is None:
        logger.info("it is as it was fetched before")
    else:
        note(file, validators)
    return file


def note(file: Path, validators: Validators) -> None:
    """Writes down beside a file what the server said of it."""
    _beside(file).write_text(json.dumps(validators), encoding="utf-8")


def noted(file: Path) -> Validators:
    """What was written down; nothing where that was not done."""
    try:
        validators: Validators = json.loads(_beside(file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return validators


def forget(file: Path) -> None:
    """Removes a file and what was written down."""
    file.unlink(missing_ok=True)
    _beside(file).unlink(missing_ok=True)


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.validators")
