"""Labels find places that never overlap, near their boxes."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from recognizer.detections import PixelBox
from recognizer.drawing.placement import place_labels


def overlap(one, other):
    return one.xmin < other.xmax and other.xmin < one.xmax and one.ymin < other.ymax and other.ymin < one.ymax


def rectangles_within(width, height):
    return st.builds(
        lambda x, y: PixelBox(min(x), min(y), max(x), max(y)),
        st.tuples(st.integers(0, width), st.integers(0, width)),
        st.tuples(st.integers(0, height), st.integers(0, height)),
    )


@st.composite
def layouts(draw, *, side, label, count):
    """Picture size, frames in it, label sizes, join: what place_labels() takes."""
    width, height = draw(st.tuples(st.integers(1, side), st.integers(1, side)))
    frames = draw(st.lists(rectangles_within(width, height), max_size=count))
    size = st.tuples(st.integers(1, label), st.integers(1, label))
    sizes = draw(st.lists(st.none() | size, min_size=len(frames), max_size=len(frames)))
    return (width, height), frames, sizes, draw(st.integers(0, 2))


def area(rectangle):
    return (rectangle.xmax - rectangle.xmin) * (rectangle.ymax - rectangle.ymin)


@given(layouts(side=400, label=120, count=25))
def test_labels_lie_in_the_picture_and_never_overlap(layout):
    (width, height), _, sizes, _ = layout
    places = place_labels(*layout)
    for size, place in zip(sizes, places, strict=True):
        if place is not None:
            assert (place.xmax - place.xmin, place.ymax - place.ymin) == size
            assert 0 <= place.xmin < place.xmax <= width
            assert 0 <= place.ymin < place.ymax <= height
    assert not any(overlap(*pair) for pair in itertools.combinations(filter(None, places), 2))


@given(layouts(side=400, label=120, count=25))
def test_labels_hide_half_of_the_picture_at_most(layout):
    (width, height), *_ = layout
    assert sum(map(area, filter(None, place_labels(*layout)))) <= width * height / 2


@given(layouts(side=14, label=5, count=8))
def test_a_label_is_left_out_only_where_no_place_is_free(layout):
    (width, height), _, sizes, _ = layout
    placed = []
    for size, place in zip(sizes, place_labels(*layout), strict=True):
        if place is not None:
            placed.append(place)
        elif size is not None and sum(map(area, placed)) + size[0] * size[1] <= width * height / 2:
            everywhere = itertools.product(range(width - size[0] + 1), range(height - size[1] + 1))
            spots = (PixelBox(x, y, x + size[0], y + size[1]) for x, y in everywhere)
            assert all(any(overlap(spot, other) for other in placed) for spot in spots)


@given(layouts(side=200, label=60, count=12))
def test_later_labels_never_move_earlier_ones(layout):
    picture, frames, sizes, join = layout
    whole = place_labels(picture, frames, sizes, join)
    # A later label whose frame is small may be kept clear, so only its label is left out, not its frame.
    for kept in range(len(frames)):
        fewer = [size if i < kept else None for i, size in enumerate(sizes)]
        assert place_labels(picture, frames, fewer, join)[:kept] == whole[:kept]


def place_one(frame, *, picture=(400, 300), size=(80, 20), join=1):
    return place_labels(picture, [frame], [size], join)[0]


def test_label_stands_on_the_upper_left_edge():
    assert place_one(PixelBox(100, 100, 300, 200)) == PixelBox(100, 81, 180, 101)


def test_label_goes_inside_where_the_box_reaches_the_top():
    assert place_one(PixelBox(100, 0, 300, 200)) == PixelBox(100, 0, 180, 20)


def test_label_goes_below_a_flat_box_at_the_top():
    assert place_one(PixelBox(100, 0, 300, 30)) == PixelBox(100, 29, 180, 49)


def test_label_moves_left_where_the_picture_ends():
    assert place_one(PixelBox(390, 100, 400, 200)) == PixelBox(320, 81, 400, 101)


def test_second_label_stands_beside_the_first_on_a_wide_box():
    box = PixelBox(100, 100, 300, 200)
    assert place_labels((400, 300), [box, box], [(80, 20)] * 2, 1)[1] == PixelBox(180, 81, 260, 101)


def test_second_label_goes_below_a_box_too_narrow_for_two():
    box = PixelBox(100, 100, 200, 200)
    assert place_labels((400, 300), [box, box], [(80, 20)] * 2, 1)[1] == PixelBox(100, 199, 180, 219)


def test_label_without_a_place_at_its_box_goes_to_the_nearest_free_one():
    box = PixelBox(100, 100, 150, 130)
    places = place_labels((400, 300), [box] * 3, [(80, 20)] * 3, 1)
    assert places == [PixelBox(100, 81, 180, 101), PixelBox(100, 129, 180, 149), PixelBox(100, 61, 180, 81)]


def test_label_keeps_off_a_small_object_above_its_box():
    box, small = PixelBox(100, 100, 200, 200), PixelBox(110, 70, 140, 95)
    assert place_labels((400, 300), [box, small], [(80, 20), None], 1)[0] == PixelBox(100, 100, 180, 120)


def test_identical_boxes_all_get_their_labels():
    places = place_labels((800, 500), [PixelBox(200, 150, 400, 350)] * 60, [(90, 20)] * 60, 1)
    assert None not in places


def test_label_wider_or_higher_than_the_picture_is_left_out():
    assert place_one(PixelBox(0, 0, 50, 50), picture=(50, 50), size=(51, 10)) is None
    assert place_one(PixelBox(0, 0, 50, 50), picture=(50, 50), size=(10, 51)) is None
