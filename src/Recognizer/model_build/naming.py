"""Which names a model's classes get: those that LABELS_URL names, those in the model, or those that lie beside it.

Owns that order, and the check that the names are this model's.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from model_build import label_files, labels
from model_build.errors import LabelsNotUsable

if TYPE_CHECKING:
    from pathlib import Path

    from model_build.form import Form
    from model_build.label_files import Entry

logger = logging.getLogger(__name__)


def table(form: Form, given: tuple[Path, str] | None, beside: Path | None, model: Path) -> labels.Table:
    """The classes of a model.

    Args:
        form: the model.
        given: the label file that the user names, and how.
        beside: the folder in which its files lie, if there is one.
        model: the model's own file or folder.

    Raises:
        LabelsNotUsable: there are none, or they are not this model's.
    """
    if given is not None:
        return _checked(form, label_files.of_file(given[0]), given[1])
    if form.rows_inside is not None:
        return labels.Table(form.rows_inside, "in the model")
    if form.labels_inside is not None:
        return _checked(form, label_files.of_lines(form.labels_inside, "the label file in it"), "in the model")
    found = label_files.beside(model, beside) if beside is not None else None
    if found is not None:
        return _checked(form, label_files.of_file(found), found.name)
    raise LabelsNotUsable(
        f"{model.name} has no names for its classes, neither in it nor in a file beside it (labels.txt, "
        "label_map.pbtxt or labels.csv). Name one: LABELS_URL=/path/or/address"
    )


def _checked(form: Form, entries: list[Entry], source: str) -> labels.Table:
    highest = max(entry.index for entry in entries if entry.index is not None)
    if form.class_count is not None and highest > form.class_count:
        raise LabelsNotUsable(
            f"{source} names a class {highest}, but the model has {form.class_count}. A first line for the background "
            "must be ??? or background"
        )
    return labels.of_entries(_without_background(entries, highest, form.class_count, source), source)


def _without_background(entries: list[Entry], highest: int, class_count: int | None, source: str) -> list[Entry]:
    """The entries, of which one that is called background is a class only if the model has one for it."""
    background = next((entry.name for entry in entries if entry.index == label_files.BACKGROUND), None)
    if background is None:
        return entries
    if class_count == highest + 1:
        return [entry if entry.index is None else replace(entry, index=entry.index + 1) for entry in entries]
    logger.info("%s: what is called %s stands for no class", source, background)
    return [entry for entry in entries if entry.index != label_files.BACKGROUND]
