"""What things are called for clients that expect the 80 names of COCO, or that ask for all that the model knows.

Owns both vocabularies. Clients of a COCO model list the names that matter to them, and some stop reading or raise an
alarm at any other, so a thing that COCO has no name for is left out. A kind of what COCO names is told by that name (a
Van is a car, a Man or a Girl a person, a Duck a bird), and what a network then sees twice in one place is one thing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from recognizer import coco
from recognizer.detections import Box, Detection, Label
from recognizer.vision import nms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from recognizer.labels import LabelMap

ALL_LABELS = "all-labels"  # what a client may call that vocabulary, where it can choose a model

_OPEN_IMAGES = "/m/"  # what ids of its classes begin with; any other class was given to us with a model of one's own


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names for the classes of a model.

    Attributes:
        labels: machine id of each class that has a name here -> the label that is told, in the vocabulary's order.
        is_whole: whether these are all classes of the model.
    """

    labels: Mapping[str, Label]
    is_whole: bool

    @classmethod
    def coco(cls, known: LabelMap) -> Vocabulary:
        """COCO's names, and those of classes that are neither COCO's nor Open Images'."""
        told: dict[int, Label] = {}
        there = {name: id_ for name, id_ in coco.classes().items() if _knows(known, id_)}
        covered = {name: known.covered_by(id_, "include") for name, id_ in there.items()}
        # Wider ones first: a Teddy bear is a Bear to Open Images, and a class of its own to COCO.
        for name in sorted(there, key=lambda name: -len(covered[name])):
            told |= dict.fromkeys(covered[name], Label(there[name], name))
        order = {name: place for place, name in enumerate(there)}
        named = sorted(told.items(), key=lambda item: order[item[1].name])
        own = [(index, label) for index, label in known.by_index.items() if not label.id.startswith(_OPEN_IMAGES)]
        labels = {known.by_index[index].id: label for index, label in [*named, *own]}
        return cls(labels, is_whole=len(labels) == len(known.by_index))

    @classmethod
    def all_labels(cls, known: LabelMap) -> Vocabulary:
        """The model's own names."""
        return cls({label.id: label for label in known.by_index.values()}, is_whole=True)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that are told, each once."""
        return tuple(dict.fromkeys(label.name for label in self.labels.values()))

    @property
    def include(self) -> list[str]:
        """What to ask ``/detector`` for, so that nothing without a name takes a place among the best."""
        return [] if self.is_whole else list(self.labels)

    def told(self, detections: Sequence[Detection]) -> tuple[Detection, ...]:
        """The detections that have a name here, by that name, most confident first.

        Where things of several classes got one name, non-maximum suppression within that name keeps the best of those
        in one place (IoU above ``nms.IOU_THRESHOLD``).
        """
        seen = [found for found in detections if found.label.id in self.labels]
        told = tuple(replace(found, label=self.labels[found.label.id]) for found in seen)
        labels = list(dict.fromkeys(found.label for found in told))
        if len(labels) == len({found.label.id for found in seen}):
            return told
        boxes = np.array([(box.ymin, box.xmin, box.ymax, box.xmax) for box in (each.box for each in told)], np.float32)
        scores = np.zeros((len(told), len(labels) + 1), np.float32)
        for row, found in enumerate(told):
            scores[row, 1 + labels.index(found.label)] = found.score
        rows = nms.suppress(boxes, scores)
        columns = zip(rows.boxes.tolist(), rows.scores.tolist(), rows.class_indices.tolist(), strict=True)
        return tuple(Detection(labels[index - 1], score, Box(*box)) for box, score, index in columns)


def _knows(known: LabelMap, id_: str) -> bool:
    return known.index_of(id_) is not None or id_ in known.groups
