"""Tiles: where they lie, whose word counts, each object once, and never more than there is time for."""

from __future__ import annotations

import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recognizer.detections import Criteria
from recognizer.errors import TooManyTiles
from recognizer.vision import tiles
from recognizer.vision.nms import Rows

SIZE = (1000, 800)  # width, height


def rows(*found):
    """Rows of ymin, xmin, ymax, xmax, score, class index."""
    table = np.array(found, np.float32).reshape(-1, 6)
    return Rows(table[:, :4], table[:, 4], table[:, 5].astype(np.intp))


def scores(found):
    return [round(float(score), 3) for score in found.scores]


NOTHING = rows()


@given(width=st.integers(1, 3000), height=st.integers(1, 3000), count=st.integers(2, 4))
def test_tiles_cover_the_picture_and_nothing_else(width, height, count):
    parts = tiles.parts((width, height), count)

    assert 1 <= len(parts) <= count * count
    for low, high, length in (("xmin", "xmax", width), ("ymin", "ymax", height)):
        spans = sorted({(getattr(part, low), getattr(part, high)) for part in parts})
        assert spans[0][0] == 0
        assert spans[-1][1] == length
        assert all(begin < end for begin, end in spans)
        assert all(following[0] <= before[1] for before, following in pairwise(spans))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_tiles_side_by_side_share_a_quarter(count):
    first, second = tiles.parts((10_000, 100), count)[:2]

    assert (first.xmax - second.xmin) / (first.xmax - first.xmin) == pytest.approx(0.25, abs=0.001)


def looking(seen, size=SIZE, ends_at_s=math.inf):
    """Looks at 2 x 2 tiles where each part of the picture has its own rows: None is the whole."""
    view = SimpleNamespace(size_px=size, ends_at_s=ends_at_s)

    def look(_view, criteria, part):
        assert (criteria.region, criteria.tiles) == (None, 1)
        return seen.get(None if part is None else (part.xmin > 0, part.ymin > 0), NOTHING)

    return lambda **wanted: tiles.looked(look, view, Criteria(**{"limit": 100, "min_score": 0.0, "tiles": 2} | wanted))


LEFT, RIGHT = (False, False), (True, False)  # the upper tiles; they are 571 pixels wide and 457 high


def test_a_small_object_that_only_a_tile_shows_is_found_where_it_is():
    found = looking({RIGHT: rows((0.5, 0.5, 0.6, 0.6, 0.9, 1))})()

    (box,) = found.boxes
    assert box * [800, 1000, 800, 1000] == pytest.approx([228.5, 714.5, 274.2, 771.6], abs=1)


def test_what_is_seen_twice_is_told_once_by_the_surer_look():
    # The same 60 x 60 pixels in the overlap of both upper tiles, and in the whole picture.
    left = (200 / 457, 470 / 571, 260 / 457, 530 / 571)
    right = (200 / 457, 41 / 571, 260 / 457, 101 / 571)
    found = looking(
        {None: rows((0.25, 0.47, 0.325, 0.53, 0.3, 1)), LEFT: rows((*left, 0.8, 1)), RIGHT: rows((*right, 0.7, 1))}
    )()

    assert scores(found) == [0.8]


def test_a_box_that_an_inner_edge_cuts_does_not_count():
    assert scores(looking({LEFT: rows((0.5, 0.8, 0.6, 1.0, 0.9, 1))})()) == []


def test_a_box_at_the_edge_of_the_picture_counts():
    assert scores(looking({LEFT: rows((0.0, 0.0, 0.2, 0.2, 0.9, 1))})()) == [0.9]


def test_what_is_large_in_a_tile_is_left_to_the_whole_picture():
    assert scores(looking({LEFT: rows((0.1, 0.1, 0.7, 0.4, 0.9, 1))})()) == []


def test_a_part_never_takes_the_place_of_the_object_and_is_none_of_its_own():
    whole = rows((0.0, 0.0, 0.9, 0.9, 0.6, 1))
    part = rows((0.3, 0.3, 0.5, 0.5, 0.55, 1))

    assert scores(looking({None: whole, LEFT: part})()) == [0.6]


def test_a_surer_part_leaves_the_whole_object_where_it_is():
    whole = rows((0.0, 0.0, 0.9, 0.9, 0.6, 1))
    part = rows((0.3, 0.3, 0.5, 0.5, 0.9, 1))

    assert 0.6 in scores(looking({None: whole, LEFT: part})())


def test_objects_of_other_labels_are_their_own():
    one = (0.2, 0.2, 0.4, 0.4)

    assert scores(looking({LEFT: rows((*one, 0.9, 1), (*one, 0.8, 2))})()) == [0.9, 0.8]


def test_what_the_model_told_apart_in_the_whole_picture_stays_apart():
    whole = rows((0.1, 0.1, 0.5, 0.5, 0.9, 1), (0.1, 0.15, 0.5, 0.58, 0.8, 1))

    assert scores(looking({None: whole})()) == [0.9, 0.8]


def test_limit_and_region_hold_for_all_together():
    seen = {None: rows((0.1, 0.1, 0.2, 0.2, 0.5, 1)), RIGHT: rows((0.2, 0.6, 0.3, 0.7, 0.9, 1))}

    assert scores(looking(seen)(limit=1)) == [0.9]
    assert scores(looking(seen)(region=(0.0, 0.0, 0.5, 0.5))) == [0.5]


@pytest.mark.parametrize(
    ("one_s", "left_s", "said"),
    [
        (1.0, 10.0, "tiles=3 is the most that there is time for"),
        (1.0, 4.0, "tiles=2 is the most that there is time for"),
        (1.0, 3.9, "leave tiles out"),
        (0.0, -1.0, "leave tiles out"),
    ],
)
def test_more_tiles_than_there_is_time_for_are_refused_with_the_largest_number(one_s, left_s, said):
    with pytest.raises(TooManyTiles, match=said) as caught:
        tiles._require_time(4, one_s, left_s)

    assert caught.value.parameter == "tiles"


def test_as_many_tiles_as_there_is_time_for_are_looked_at():
    tiles._require_time(4, 1.0, 16.0)


class Clock:
    """A clock that each look moves on: the first by ``first_s``, those at tiles by the seconds that are given."""

    def __init__(self, first_s, *tiles_s):
        self.now_s, self.takes_s, self.looks = 0.0, iter([first_s, *tiles_s]), 0

    def monotonic(self):
        return self.now_s

    def look(self, _view, _criteria, _part):
        self.now_s += next(self.takes_s)
        self.looks += 1
        return NOTHING


@pytest.mark.parametrize(
    ("count", "tiles_s", "said"),
    [
        (4, [0.4] * 16, "leave tiles out"),  # 16 of them would take 6.4 s
        (4, [0.1] * 16, "tiles=3 is the most"),
        (4, [0.05] * 8 + [0.4] * 8, "tiles=3 is the most"),
    ],
)
def test_tiles_that_take_longer_than_the_first_look_are_given_up_in_time(monkeypatch, count, tiles_s, said):
    clock = Clock(0.05, *tiles_s)
    monkeypatch.setattr(tiles, "time", clock)
    view = SimpleNamespace(size_px=SIZE, ends_at_s=1.5)

    with pytest.raises(TooManyTiles, match=said) as caught:
        tiles.looked(clock.look, view, Criteria(limit=100, min_score=0.0, tiles=count))

    assert caught.value.parameter == "tiles"
    assert clock.now_s < 1.5
    assert clock.looks < 1 + len(tiles_s)


def test_the_last_tile_may_take_what_is_left(monkeypatch):
    clock = Clock(0.05, 0.05, 0.05, 0.05, 1.2)
    monkeypatch.setattr(tiles, "time", clock)

    tiles.looked(clock.look, SimpleNamespace(size_px=SIZE, ends_at_s=1.5), Criteria(limit=100, min_score=0.0, tiles=2))
    assert clock.looks == 5
