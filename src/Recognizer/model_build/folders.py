"""Folders that appear whole or not at all.

Owns the one way a finished model takes its place. Refuses to delete what was there before the new one has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def replace(output: Path, new: Path, old: Path) -> None:
    """Two renames within one file system; what was there comes back if the second fails."""
    if output.exists():
        output.rename(old)
    try:
        new.rename(output)
    except OSError:
        if old.exists():
            old.rename(output)
        raise
