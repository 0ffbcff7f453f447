"""What is suggested for a name that is no label: alike in words first, in letters last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.suggestions import MAX_SUGGESTIONS, suggestions

NAMES = [
    *(
        "Person",
        "Man",
        "Knife",
        "Kitchen knife",
        "Scissors",
        "Glasses",
        "Wine glass",
        "Bus",
        "Box",
        "Tomato",
        "Footwear",
    ),
    *("Coffee cup", "Measuring cup", "Cupboard", "Kitchen & dining room table", "Table", "Cattle", "Dog", "Dog bed"),
    *("Car", "Mobile phone", "Corded phone", "Boy", "Girl", "Houseplant", "Computer mouse", "Television", "Bicycle"),
]


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [
        ("people", ["Person"]),
        ("MEN", ["Man"]),
        ("dogs", ["Dog"]),
        ("knives", ["Knife"]),
        ("boxes", ["Box"]),
        ("tomatoes", ["Tomato"]),
        ("scissor", ["Scissors"]),
        ("wine glasses", ["Wine glass"]),
    ],
)
def test_a_plural_is_known_by_its_singular_and_back(unknown, expected):
    assert list(suggestions(unknown, NAMES)) == expected


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [
        ("cup", ["Coffee cup", "Measuring cup"]),
        ("cups", ["Coffee cup", "Measuring cup"]),
        ("dining table", ["Kitchen & dining room table"]),
        ("mouse", ["Computer mouse"]),
        ("mice", ["Computer mouse"]),
        ("phone", ["Corded phone", "Mobile phone"]),
    ],
)
def test_labels_that_contain_the_word_are_suggested(unknown, expected):
    assert list(suggestions(unknown, NAMES)) == expected


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [("cow", ["Cattle"]), ("TV", ["Television"]), ("kids", ["Boy", "Girl"]), ("shoes", ["Footwear"])],
)
def test_another_word_for_the_same_thing_is_known(unknown, expected):
    assert list(suggestions(unknown, NAMES)) == expected


def test_a_synonym_that_the_model_does_not_know_is_not_suggested():
    assert suggestions("cow", ["Dog", "Person"]) == ()


def test_a_label_within_the_name_is_suggested():
    assert list(suggestions("racing car", NAMES)) == ["Car"]


def test_letters_count_where_no_word_is_alike():
    assert list(suggestions("Parson", NAMES)) == ["Person"]


@pytest.mark.parametrize("unknown", ["Zzzzzz", "", "  ", "&", "\N{SNOWMAN}"])
def test_nothing_alike_is_no_suggestion(unknown):
    assert suggestions(unknown, NAMES) == ()


@given(st.text(max_size=200), st.lists(st.text(max_size=12), max_size=8))
def test_any_text_gets_at_most_three_of_the_names(unknown, names):
    found = suggestions(unknown, names)

    assert len(found) <= MAX_SUGGESTIONS
    assert set(found) <= set(names)
