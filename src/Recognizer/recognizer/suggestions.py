"""A name that is no label -> the labels that may have been meant.

Owns the order in which likeness counts: the same word in singular or plural, another word for the same thing, labels
that contain the word, labels that it contains, and letters only where no word is alike. It suggests and never decides:
what the model does not know stays refused, since a label replaced in silence would answer another question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_SUGGESTIONS = 3

_LONGEST_NAME = 40  # a suggestion is not worth comparing megabytes for

_IRREGULAR = {"people": "person", "men": "man", "women": "woman", "children": "child", "mice": "mouse", "feet": "foot"}
_ENDINGS = (("ves", "f"), ("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("xes", "x"), ("toes", "to"))

# What the 80 classes of COCO, which most detectors name, and everyday speech call classes of Open Images.
_SYNONYMS = {
    "bike": ("Bicycle",),
    "cell phone": ("Mobile phone",),
    "child": ("Boy", "Girl"),
    "cow": ("Cattle",),
    "donut": ("Doughnut",),
    "face": ("Human face",),
    "frisbee": ("Flying disc",),
    "hair drier": ("Hair dryer",),
    "human": ("Person",),
    "kid": ("Boy", "Girl"),
    "license plate": ("Vehicle registration plate",),
    "motorbike": ("Motorcycle",),
    "number plate": ("Vehicle registration plate",),
    "plane": ("Airplane",),
    "potted plant": ("Houseplant", "Flowerpot"),
    "shoe": ("Footwear",),
    "smartphone": ("Mobile phone",),
    "sofa": ("Couch",),
    "tv": ("Television",),
}


def suggestions(unknown: str, names: Iterable[str]) -> tuple[str, ...]:
    """At most three of ``names`` that may have been meant, the likeliest first.

    Args:
        unknown: what was asked for, in any case; equal to none of the names.
        names: the labels that there are.
    """
    asked = unknown[:_LONGEST_NAME]
    known = sorted(set(names), key=lambda name: (len(name), name))
    found = _by_words(_words(asked), {name: _words(name) for name in known}) or _by_letters(asked, known)
    return tuple(found[:MAX_SUGGESTIONS])


def _by_words(asked: list[str], known: Mapping[str, list[str]]) -> list[str]:
    """The names that share words with what was asked for: those of the first kind of likeness that there is.

    Args:
        asked: words.
        known: names, shortest first, and their words.
    """
    synonyms = [name for name in _SYNONYMS.get(" ".join(asked), ()) if name in known]
    same = [name for name, words in known.items() if words == asked]
    longer = [name for name, words in known.items() if asked and set(asked) <= set(words)]
    shorter = [name for name, words in known.items() if words and set(words) <= set(asked)]
    return same or synonyms or longer or shorter[::-1]


def _words(name: str) -> list[str]:
    """The words of a name in singular and lower case."""
    letters = "".join(letter if letter.isalnum() else " " for letter in name.casefold())
    return [_singular(word) for word in letters.split()]


def _singular(word: str) -> str:
    """An English noun's singular, or what both forms have in common: ``knife`` and ``knives`` are ``knif``."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for ending, singular in _ENDINGS:
        if word.endswith(ending):
            return word.removesuffix(ending) + singular
    stem = word if word.endswith("ss") else word.removesuffix("s")
    return stem.removesuffix("e") if stem.endswith("fe") else stem


def _by_letters(asked: str, known: Sequence[str]) -> list[str]:
    """The one name that is spelled most alike, if any is."""
    import difflib  # noqa: PLC0415 - for those who mistype, not for each cold start

    by_key = {name.casefold(): name for name in known}
    return [by_key[key] for key in difflib.get_close_matches(asked.casefold(), by_key, n=1)]
