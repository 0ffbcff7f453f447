"""Labels find places near their objects that hide neither each other nor what they name."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.detections import PixelBox
from recognizer.drawing.forms import FORMS, MIN_FONT_PX
from recognizer.drawing.placement import Named, frame_around, place_labels
from recognizer.drawing.sizes import Sizes

from tests.unit.drawing.hiding import hidden_shares
from tests.unit.drawing.scenes import SCENES, length_px, named, placed

PICTURE = (640, 480)
SIZES = Sizes(line_px=2, halo_px=1, font_px=13)
LABEL_PX = (length_px("Dog 90%", 13) + 2 * (4 + 1), 18 + 2)  # padding and halo
HALO = 1
ORDER = [form.name for form in FORMS]


def overlap(one, other):
    return one.xmin < other.xmax and other.xmin < one.xmax and one.ymin < other.ymax and other.ymin < one.ymax


def edges(box):
    return (box.xmin, box.ymin, box.xmax, box.ymax)


def boxes_within(width, height):
    return st.builds(
        lambda x, y: PixelBox(min(x), min(y), max(x), max(y)),
        st.tuples(st.integers(0, width), st.integers(0, width)),
        st.tuples(st.integers(0, height), st.integers(0, height)),
    )


@st.composite
def layouts(draw, *, side=700, count=40):
    """What place_labels() takes: image size, objects, sizes."""
    picture = draw(st.tuples(st.integers(1, side), st.integers(1, side)))
    name = st.sampled_from(["Dog", "Person", "Personal flotation device", "", "I"])
    objects = draw(st.lists(st.builds(Named, boxes_within(*picture), name, st.just("90%")), max_size=count))
    return picture, objects, draw(st.just(Sizes.for_image(*picture)) | st.just(SIZES))


@given(layouts())
def test_labels_and_leaders_keep_off_each_other_and_lie_in_the_picture(layout):
    (width, height), *_ = layout
    labels = place_labels(*layout, length_px)
    for label in labels:
        assert 0 <= label.place.xmin < label.place.xmax <= width
        assert 0 <= label.place.ymin < label.place.ymax <= height
    assert not any(overlap(one.place, other.place) for one, other in itertools.combinations(labels, 2))
    leaders = [(label, label.leader) for label in labels if label.leader]
    assert not any(overlap(leader, other.place) for label, leader in leaders for other in labels if other is not label)
    assert not any(overlap(one, other) for (_, one), (_, other) in itertools.combinations(leaders, 2))


@given(layouts())
def test_no_object_is_hidden_by_more_than_a_fifth(layout):
    picture, objects, _ = layout
    places = [label.place for label in place_labels(*layout, length_px)]
    assert max(hidden_shares(picture, [thing.box for thing in objects], places), default=0) <= 1 / 5


@given(layouts())
def test_labels_hide_half_of_the_picture_at_most(layout):
    picture, *_ = layout
    places = [label.place for label in place_labels(*layout, length_px)]
    assert hidden_shares(picture, [PixelBox(0, 0, *picture)], places)[0] <= 1 / 2


@given(layouts())
def test_each_number_is_explained_once_and_nothing_else_is(layout):
    labels = place_labels(*layout, length_px)
    numbers = [label for label in labels if label.form == "number"]
    lines = [label for label in labels if label.form == "legend"]
    assert [line.object_index for line in lines] == [label.object_index for label in numbers]
    for label, line in zip(numbers, lines, strict=True):
        assert label.text == str(label.object_index + 1)
        assert line.text.startswith(f"{label.text} ")
        assert line.text != f"{label.text} "


@given(layouts())
def test_a_leader_joins_its_label_to_its_frame(layout):
    picture, objects, sizes = layout
    for label in place_labels(*layout, length_px):
        if label.leader:
            assert overlap(label.leader, label.place)
            frame = frame_around(objects[label.object_index].box, picture, sizes)
            reach = max(sizes.halo_px, 1)
            near = PixelBox(frame.xmin - reach, frame.ymin - reach, frame.xmax + reach, frame.ymax + reach)
            assert overlap(label.leader, near)


@given(layouts())
def test_what_is_placed_is_not_moved_for_less_important_names(layout):
    def names(count):
        """The names of the first objects where the others, which are kept clear all the same, have none."""
        nameless = [Named(thing.box, "", "") for thing in objects[count:]]
        labels = place_labels(picture, [*objects[:count], *nameless], readable, length_px)
        return [label for label in labels if label.form not in {"number", "legend"}]

    picture, objects, sizes = layout
    readable = Sizes(sizes.line_px, sizes.halo_px, MIN_FONT_PX)  # so that no crowd makes letters smaller
    for count in (1, len(objects) // 2):
        assert names(count) == [label for label in names(len(objects)) if label.object_index < count]


def test_labels_of_just_three_tenths_of_the_picture_are_not_crowded():
    """docs/drawing.md says 0.3 * A: (0.3 * 404) * 500 would be a little less than 60,600."""
    objects = [Named(PixelBox(40 * index, 250, 40 * index + 30, 290), "Dog", "") for index in range(10)]
    label_px = 303 - 2 * (4 + 1)

    labels = place_labels((404, 500), objects, SIZES, lambda text, font_px: label_px)

    assert 10 * (303 * 20) == 0.3 * (404 * 500)
    assert labels[0].font_px == SIZES.font_px


def place_one(*box, picture=PICTURE, others=()):
    objects = [Named(PixelBox(*box), "Dog", "90%"), *(Named(PixelBox(*other), "", "") for other in others)]
    labels = [label for label in place_labels(picture, objects, SIZES, length_px) if label.object_index == 0]
    return (labels[0].form, edges(labels[0].place)) if labels else None


def whole(x, y):
    return "whole", (x, y, x + LABEL_PX[0], y + LABEL_PX[1])


def test_label_stands_on_the_upper_left_edge():
    assert place_one(103, 103, 300, 200) == whole(100, 100 + HALO - LABEL_PX[1])


def test_label_goes_inside_where_the_box_reaches_the_top():
    assert place_one(103, 0, 300, 200) == whole(100, 0)


def test_label_goes_below_a_flat_box_at_the_top():
    assert place_one(103, 0, 300, 27) == whole(100, 30 - HALO)


def test_label_moves_left_where_the_picture_ends():
    assert place_one(620, 103, 640, 200) == whole(640 - LABEL_PX[0], 100 + HALO - LABEL_PX[1])


def test_label_goes_beside_a_tall_box_at_the_top():
    assert place_one(103, 0, 117, 480) == whole(120 - HALO, 0)


def test_label_keeps_off_a_small_object_above_its_box():
    assert place_one(103, 103, 300, 200, others=[(102, 80, 130, 95)]) == whole(
        303 - LABEL_PX[0], 100 + HALO - LABEL_PX[1]
    )


def test_label_goes_off_its_box_where_small_objects_stand_all_round():
    beside = [(x, y, x + 12, y + 12) for x in range(40, 260, 14) for y in range(60, 180, 14) if not 88 < x < 132]
    around = [*beside, *((x, y, x + 12, y + 12) for x in (96, 112) for y in (*range(86, 100, 14), 122, 138))]
    form, place = place_one(103, 103, 117, 117, others=around)
    assert form == "leader"
    assert max(hidden_shares(PICTURE, [PixelBox(*other) for other in around], [PixelBox(*place)])) <= 0.2


def test_label_wider_or_higher_than_the_picture_is_left_out():
    assert place_one(0, 0, 26, 200, picture=(26, 200)) is None
    assert place_one(0, 0, 200, 40, picture=(200, 40)) is None


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_keeps_the_promise(name):
    scene = SCENES[name]
    boxes = [thing.box for thing in named(scene)]
    shares = hidden_shares(scene.image, boxes, [label.place for label in placed(scene)])
    assert max(shares, default=0) <= 1 / 5


@pytest.mark.parametrize(
    ("name", "share"),
    [("street", 0.9), ("many labels", 1), ("panorama", 1), ("queue", 0.95), ("tiny objects", 0.9), ("crowd", 0.8)],
)
def test_most_objects_of_busy_scenes_get_their_names(name, share):
    scene = SCENES[name]
    assert len({label.object_index for label in placed(scene) if label.form != "legend"}) >= share * len(scene.things)


def test_each_form_is_needed_by_some_scene():
    assert {label.form for scene in SCENES.values() for label in placed(scene)} == {*ORDER, "legend"}
