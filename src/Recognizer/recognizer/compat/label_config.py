"""What a project of Label Studio wants found, by its label config: an XML text.

Owns reading it (https://labelstud.io/tags/): each ``RectangleLabels`` of an ``Image``, with the attributes that its own
ML backends read, ``score_threshold`` (also ``model_score_threshold``), ``model_skip`` and the labels'
``predicted_values``. Other tags are for people to fill in and mean nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from recognizer.compat import reading
from recognizer.compat.vocabulary import Vocabulary
from recognizer.detections import Label
from recognizer.errors import InvalidParameter, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from recognizer.labels import LabelMap

_DEFAULT_THRESHOLD = 0.5
_YES = {"1", "true", "yes"}


@dataclass(frozen=True, slots=True)
class Control:
    """Boxes that are wanted of one picture of a task.

    Attributes:
        name: of the ``RectangleLabels``.
        image: name of the ``Image`` they are drawn on.
        field: of a task's data that holds the picture.
        threshold: the least score of a box.
        vocabulary: the model's classes by the project's labels.
    """

    name: str
    image: str
    field: str
    threshold: float
    vocabulary: Vocabulary


def controls(config: object, known: LabelMap) -> list[Control]:
    """All boxes that a project wants and this model can find.

    Args:
        config: the label config.
        known: the classes of the model.

    Raises:
        InvalidParameter: it is no label config, it wants no boxes, or none that the model knows.
    """
    root = _parsed(config)
    images = {tag.get("name", ""): tag for tag in root.iter("Image")}
    wanted = [
        (tag, images[name])
        for tag in root.iter("RectangleLabels")
        for name in tag.get("toName", "").split(",")
        if name in images and tag.get("model_skip", "").lower() not in _YES
    ]
    if not wanted:
        raise InvalidParameter(
            "The label config has no RectangleLabels for an Image; boxes round objects are all that is found here.",
            parameter="label_config",
        )
    return [_control(tag, image, known) for tag, image in wanted]


def _parsed(config: object) -> Element:
    if not isinstance(config, str) or not config.strip():
        raise InvalidParameter("There is no label config; the project must have one.", parameter="label_config")
    # Without a document type there are no entities, which could be made to grow without end.
    if "<!DOCTYPE" in config:
        raise InvalidParameter("A label config has no document type: take <!DOCTYPE …> out.", parameter="label_config")
    try:
        return ET.fromstring(config)  # noqa: S314 - see above
    except (ET.ParseError, ValueError) as error:
        raise InvalidParameter(f"The label config is no XML: {error}.", parameter="label_config") from error


def _control(tag: Element, image: Element, known: LabelMap) -> Control:
    name, field = tag.get("name", ""), image.get("value", "")
    if field[:1] != "$" or not field[1:]:
        raise InvalidParameter(
            f"The Image {quoted(image.get('name'))} must have a value such as $image, the name of a field of the "
            "tasks; lists of pictures are not read.",
            parameter="label_config",
        )
    threshold = tag.get("model_score_threshold") or tag.get("score_threshold")
    return Control(
        name,
        image.get("name", ""),
        field[1:],
        reading.number(threshold, "score_threshold", 1, _DEFAULT_THRESHOLD),
        _vocabulary(tag, known),
    )


def _vocabulary(tag: Element, known: LabelMap) -> Vocabulary:
    """The classes that the labels of a control stand for; where two of them do, it is the narrower one's."""
    told: dict[int, Label] = {}
    for indices, label in sorted(_meant(tag, known), key=lambda pair: -len(pair[0])):
        told |= dict.fromkeys(indices, label)
    if not told:
        names = ", ".join(label.get("value", "") for label in tag.iter("Label"))
        raise InvalidParameter(
            f"None of the labels of {quoted(tag.get('name'))} ({quoted(names)}) is one that this model knows; /labels "
            'lists them. Say which of those they stand for: <Label value="Vehicle" predicted_values="Car,Bus"/>.',
            parameter="label_config",
        )
    return Vocabulary({known.by_index[index].id: label for index, label in told.items()}, is_whole=False)


def _meant(tag: Element, known: LabelMap) -> Iterator[tuple[frozenset[int], Label]]:
    """The classes of each label that stands for any; a label that the model does not know is left to people."""
    for label in tag.iter("Label"):
        value = label.get("value", "")
        named = [name.strip() for name in label.get("predicted_values", "").split(",") if name.strip()]
        try:
            indices = frozenset[int]().union(*(known.covered_by(name, "label_config") for name in named or [value]))
        except InvalidParameter:
            if named:
                raise
            continue
        shown = label.get("alias") or value
        yield indices, Label(shown, shown)
