"""The label table and the lookups of it."""

from __future__ import annotations

import pytest
from recognizer.detections import Label
from recognizer.errors import InvalidParameter, ModelNotUsable
from recognizer.labels import LabelMap

DOG, CAT, PERSON = Label("/m/0bt9lr", "Dog"), Label("/m/01yrx", "Cat"), Label("/m/01g317", "Person")
LABELS = LabelMap({1: DOG, 4: CAT, 9: PERSON})


def table(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_is_read_with_its_own_indices(tmp_path):
    path = table(tmp_path, "index,id,name\n1,/m/0bt9lr,Dog\n4,/m/01yrx,Cat\n")

    assert LabelMap.load(path).by_index.keys() == {1, 4}


def test_names_with_commas_and_accents_are_read(tmp_path):
    path = table(tmp_path, 'index,id,name\n1,/m/1,"Saucer, café"\n')

    assert LabelMap.load(path).by_index[1].name == "Saucer, café"


@pytest.mark.parametrize(
    "text",
    ["", "index,id,name\n", "id,name\n/m/1,Dog\n", "index,id,name\none,/m/1,Dog\n"],
    ids=["empty", "no rows", "no label column", "index that is no number"],
)
def test_a_table_that_is_none_is_refused(tmp_path, text):
    with pytest.raises(ModelNotUsable):
        LabelMap.load(table(tmp_path, text))


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(ModelNotUsable, match=r"labels\.csv"):
        LabelMap.load(tmp_path / "labels.csv")


def test_a_missing_hierarchy_is_named_and_not_the_table(tmp_path):
    path = table(tmp_path, "index,id,name\n1,/m/0bt9lr,Dog\n")

    with pytest.raises(ModelNotUsable, match=r"nowhere\.csv") as caught:
        LabelMap.load(path, tmp_path / "nowhere.csv")
    assert "labels.csv" not in str(caught.value)


def test_a_table_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes(b"\xff\xfe\x00\x80" * 10)

    with pytest.raises(ModelNotUsable):
        LabelMap.load(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("index,name\n1,Dog\n", "no column id"),
        ("\nindex,id,name\n1,/m/1,Dog\n", "no column id or index or name"),
        ("index,id,name\n1,/m/1,Dog\n2,/m/2\n", "line 3 has too few values"),
        ("index,id,name\none,/m/1,Dog\n", "'one'"),
        (f"index,id,name\n1,/m/1,{'x' * 200_000}\n", "field larger"),
    ],
    ids=["without ids", "a blank first line", "a short row", "a word for a number", "an endless name"],
)
def test_a_table_that_is_not_such_a_table_is_refused_with_the_reason(tmp_path, text, says):
    with pytest.raises(ModelNotUsable, match=says):
        LabelMap.load(table(tmp_path, text))


def test_an_empty_hierarchy_of_ones_own_adds_nothing(tmp_path):
    (tmp_path / "hierarchy.csv").touch()
    assert LabelMap.load(table(tmp_path, FAMILY)).wanted(["Vehicle"], ["Car"]) == {3}


def test_an_id_of_two_classes_is_refused():
    with pytest.raises(ModelNotUsable, match="/m/0bt9lr twice"):
        LabelMap({1: DOG, 2: Label("/m/0bt9lr", "Puppy")})


@pytest.mark.parametrize("key", ["Dog", "dog", "DOG", "/m/0bt9lr", "/M/0BT9LR"])
def test_a_class_is_found_by_name_or_id_in_any_case(key):
    assert LABELS.index_of(key) == 1


def test_an_unknown_class_has_no_index():
    assert LABELS.index_of("Unicorn") is None


def test_no_filters_mean_all_classes():
    assert LABELS.wanted([], []) is None


def test_include_keeps_only_the_named():
    assert LABELS.wanted(["cat"], []) == {4}


def test_exclude_keeps_the_others():
    assert LABELS.wanted([], ["cat"]) == {1, 9}


def test_exclude_wins_over_include():
    assert LABELS.wanted(["cat", "dog"], ["dog"]) == {4}


def test_excluding_everything_leaves_nothing():
    assert LABELS.wanted(["cat"], ["cat"]) == frozenset()


@pytest.mark.parametrize(("name", "hint"), [("Parson", "Person"), ("cta", "Cat"), ("DOGS", "Dog")])
def test_an_unknown_name_is_refused_with_the_nearest(name, hint):
    with pytest.raises(InvalidParameter, match=f"Did you mean {hint}"):
        LABELS.wanted([name], [])


def test_several_labels_are_suggested_where_several_are_alike():
    labels = LabelMap({1: Label("/m/1", "Coffee cup"), 2: Label("/m/2", "Measuring cup"), 3: DOG})

    with pytest.raises(InvalidParameter) as caught:
        labels.wanted(["cup"], [])

    assert caught.value.public_message == '"cup" is no label of this model. Did you mean Coffee cup or Measuring cup?'


def test_a_suggestion_is_not_taken_for_the_answer():
    with pytest.raises(InvalidParameter, match=r'"people" is no label of this model. Did you mean Person\?'):
        LABELS.wanted(["people", "Dog"], [])


def test_a_name_near_to_none_is_refused_without_a_hint():
    with pytest.raises(InvalidParameter) as caught:
        LABELS.wanted([], ["Zzzzzz"])

    assert "Did you mean" not in caught.value.public_message
    assert caught.value.parameter == "exclude"


FAMILY = "index,id,name\n1,/m/0bt9lr,Dog\n2,/m/0k4j,Car\n3,/m/01bjv,Bus\n4,/m/01lcw4,Limousine\n"


def test_labels_know_the_classes_that_cover_them_nearest_first(tmp_path):
    labels = LabelMap.load(table(tmp_path, FAMILY)).by_index

    assert labels[1].parents == ("Carnivore", "Mammal", "Animal")
    assert labels[4].parents == ("Car", "Land vehicle", "Vehicle")


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("Vehicle", {2, 3, 4}),
        ("land VEHICLE", {2, 3, 4}),
        ("Car", {2, 4}),
        ("/m/0k4j", {2, 4}),
        ("Limousine", {4}),
        ("Animal", {1}),
    ],
)
def test_a_label_stands_for_all_that_it_covers(tmp_path, name, covered):
    assert LabelMap.load(table(tmp_path, FAMILY)).wanted([name], []) == covered


def test_exclude_takes_out_all_that_a_label_covers(tmp_path):
    assert LabelMap.load(table(tmp_path, FAMILY)).wanted(["Vehicle"], ["Car"]) == {3}


def test_a_group_without_a_class_of_the_model_is_unknown(tmp_path):
    with pytest.raises(InvalidParameter, match="no label"):
        LabelMap.load(table(tmp_path, FAMILY)).wanted(["Furniture"], [])


def test_parts_are_not_children(tmp_path):
    labels = LabelMap.load(table(tmp_path, "index,id,name\n1,/m/01g317,Person\n2,/m/0dzct,Human face\n"))

    assert labels.wanted(["Person"], []) == {1}


def test_a_circle_among_the_parents_does_not_hold_up_a_start(tmp_path):
    (tmp_path / "hierarchy.csv").write_text(
        "child_id,parent_id,parent\na,b,B\nb,a,A\nc,c,C\nb,/m/07yv9,Vehicle\n", encoding="utf-8"
    )
    labels = LabelMap.load(table(tmp_path, "index,id,name\n1,a,A\n2,b,B\n3,c,C\n"))

    assert [label.parents for label in labels.by_index.values()] == [("B", "Vehicle"), ("A", "Vehicle"), ()]
    assert labels.wanted(["A"], []) == {1, 2}


def test_a_name_of_two_classes_stands_for_both():
    labels = LabelMap({1: Label("/own/crane", "Crane"), 2: DOG, 3: Label("/own/crane-2", "crane")})

    assert labels.wanted(["crane"], []) == {1, 3}
    assert labels.wanted([], ["CRANE"]) == {2}
    assert labels.wanted(["/own/crane-2"], []) == {3}
