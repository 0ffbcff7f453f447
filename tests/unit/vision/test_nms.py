"""The NMS against two references: a plain greedy one, and TensorFlow's own operations chained as the graph has them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recognizer.vision import nms
from recognizer.vision.nms import Rows, select, suppress


def plain(boxes, scores, limit=100, min_score=0.0, columns=None):
    """Class-aware greedy NMS, one pair at a time, in float32: slow, short and obvious."""

    def overlap(one, other):
        (y1, x1), (y2, x2) = np.minimum(one[:2], one[2:]), np.maximum(one[:2], one[2:])
        (v1, u1), (v2, u2) = np.minimum(other[:2], other[2:]), np.maximum(other[:2], other[2:])
        area, other_area = (y2 - y1) * (x2 - x1), (v2 - v1) * (u2 - u1)
        if area <= 0 or other_area <= 0:
            return np.float32(0)
        zero = np.float32(0)
        shared = max(min(y2, v2) - max(y1, v1), zero) * max(min(x2, u2) - max(x1, u1), zero)
        return shared / (area + other_area - shared)

    columns = range(1, scores.shape[1]) if columns is None else sorted(set(columns.tolist()) - {0})
    pairs = [
        (-scores[anchor, column], column, anchor)
        for column in columns
        for anchor in range(len(boxes))
        if scores[anchor, column] > np.float32(1e-8) and scores[anchor, column] >= np.float32(min_score)
    ]
    kept, answer = {}, []
    for negative, column, anchor in sorted(pairs):
        siblings = kept.setdefault(column, [])
        if len(siblings) < 100 and all(overlap(boxes[anchor], boxes[s]) <= np.float32(0.6) for s in siblings):
            siblings.append(anchor)
            ymin, xmin, ymax, xmax = clipped = np.clip(boxes[anchor], 0, 1)
            if (ymax - ymin) * (xmax - xmin) > 0:
                answer.append((clipped, -negative, column))
    answer = answer[: min(limit, 100)]
    return Rows(
        np.array([box for box, _, _ in answer], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in answer], np.float32),
        np.array([column for _, _, column in answer], np.intp),
    )


def graph(boxes, scores):
    """The published graph's own operations: an NMS for each class, concatenated, sorted, clipped, 100 kept."""
    import tensorflow as tf

    found_boxes, found_scores, found_columns = [], [], []
    for column in range(1, scores.shape[1]):
        index, score, _ = tf.raw_ops.NonMaxSuppressionV5(
            boxes=boxes,
            scores=np.ascontiguousarray(scores[:, column]),
            max_output_size=min(100, len(boxes)),
            iou_threshold=np.float32(0.6),
            score_threshold=np.float32(1e-8),
            soft_nms_sigma=np.float32(0),
        )
        found_boxes.append(boxes[index.numpy()])
        found_scores.append(score.numpy())
        found_columns.append(np.full(len(score), column, np.intp))
    joined_boxes, joined_columns = np.concatenate(found_boxes), np.concatenate(found_columns)
    joined_scores = np.concatenate(found_scores)
    order = tf.math.top_k(joined_scores, k=joined_scores.size).indices.numpy()
    clipped = np.clip(joined_boxes[order], 0, 1)
    visible = (clipped[:, 2] - clipped[:, 0]) * (clipped[:, 3] - clipped[:, 1]) > 0
    return Rows(clipped[visible][:100], joined_scores[order][visible][:100], joined_columns[order][visible][:100])


def assert_same(one, other):
    np.testing.assert_array_equal(one.class_indices, other.class_indices)
    np.testing.assert_array_equal(one.scores, other.scores)
    np.testing.assert_array_equal(one.boxes, other.boxes)


def crowd(seed, anchors, classes, spread=0.05, levels=None):
    """Boxes around a few centres and scores that, with ``levels``, tie often."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-0.1, 1.1, (5, 2))[rng.integers(0, 5, anchors)] + rng.normal(0, spread, (anchors, 2))
    sides = rng.uniform(0.05, 0.6, (anchors, 2))
    boxes = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1).astype(np.float32)
    scores = rng.uniform(0, 1, (anchors, classes)) if levels is None else rng.integers(0, levels, (anchors, classes))
    return boxes, (scores / (1 if levels is None else levels)).astype(np.float32)


# Few distinct coordinates: many boxes of no area, swapped, equal or sharing edges. Few distinct scores: many ties,
# some below the graph's threshold, one on it.
EDGES = st.sampled_from([np.float32(x) for x in (-0.5, 0.0, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.5)])
SCORES = st.sampled_from([np.float32(x) for x in (0.0, 1e-9, 1e-8, 2e-8, 0.1, 0.3, 0.30000004, 0.5, 0.99, 1.0)])


@st.composite
def raw_outputs(draw, max_anchors=24, max_classes=4):
    anchors, classes = draw(st.integers(1, max_anchors)), draw(st.integers(1, max_classes))
    boxes = draw(st.lists(st.tuples(EDGES, EDGES, EDGES, EDGES), min_size=anchors, max_size=anchors))
    scores = draw(st.lists(SCORES, min_size=anchors * (classes + 1), max_size=anchors * (classes + 1)))
    return np.array(boxes, np.float32), np.array(scores, np.float32).reshape(anchors, classes + 1)


@settings(deadline=None)
@given(raw_outputs(), st.integers(0, 12), st.sampled_from([0.0, 0.1, 0.3, 0.9, 1.0]), st.data())
def test_equals_plain_greedy_nms_on_degenerate_and_tied_boxes(raw, limit, min_score, data):
    boxes, scores = raw
    columns = data.draw(st.none() | st.lists(st.integers(0, scores.shape[1] - 1), max_size=5))
    columns = None if columns is None else np.array(columns, np.intp)
    assert_same(
        suppress(boxes, scores, limit, min_score, columns),
        plain(boxes, scores, limit, min_score, columns),
    )


@settings(deadline=None, max_examples=60)
@given(raw_outputs())
def test_equals_the_operations_of_the_graph_on_degenerate_and_tied_boxes(raw):
    assert_same(suppress(*raw), graph(*raw))


@pytest.mark.parametrize("levels", [None, 3, 20, 1000])
@pytest.mark.parametrize("spread", [0.002, 0.05])
def test_equals_the_operations_of_the_graph_in_a_crowd(levels, spread):
    for seed in range(5):
        raw = crowd(seed, 400, 8, spread, levels)
        assert_same(suppress(*raw), graph(*raw))


@pytest.mark.parametrize("limit", [1, 3, 17, 100])
@pytest.mark.parametrize("min_score", [0.0, 0.4, 0.95])
def test_filters_are_exact_in_a_crowd(limit, min_score):
    for seed, columns in enumerate([None, np.array([3]), np.array([1, 2, 5]), np.array([], np.intp)]):
        boxes, scores = crowd(seed, 120, 7, levels=50)
        assert_same(suppress(boxes, scores, limit, min_score, columns), plain(boxes, scores, limit, min_score, columns))


def test_equals_combined_non_max_suppression_on_random_boxes():
    import tensorflow as tf

    for seed in range(5):
        boxes, scores = crowd(seed, 300, 6)
        found = tf.image.combined_non_max_suppression(
            boxes[np.newaxis, :, np.newaxis], scores[np.newaxis, :, 1:], 100, 100, 0.6, 1e-8, clip_boxes=True
        )
        rows = suppress(boxes, scores)
        area = np.prod(found[0][0].numpy()[:, 2:] - found[0][0].numpy()[:, :2], axis=1) > 0  # it keeps empty boxes
        count = area.sum()
        np.testing.assert_array_equal(rows.boxes[:count], found[0][0].numpy()[area])
        np.testing.assert_array_equal(rows.scores[:count], found[1][0].numpy()[area])
        np.testing.assert_array_equal(rows.class_indices[:count], found[2][0].numpy()[area].astype(int) + 1)


def test_a_limit_gives_the_first_rows_of_the_whole():
    boxes, scores = crowd(0, 500, 20, levels=200)
    whole = suppress(boxes, scores)
    for limit in (0, 1, 3, 50, 99):
        part = suppress(boxes, scores, limit)
        assert_same(part, Rows(whole.boxes[:limit], whole.scores[:limit], whole.class_indices[:limit]))


@pytest.mark.parametrize("growth", [2, 8])
def test_is_exact_however_small_the_blocks_are(monkeypatch, growth):
    monkeypatch.setattr(nms, "_FIRST_BLOCK", 1)
    monkeypatch.setattr(nms, "_FIRST_BLOCK_PER_ROW", 0)
    monkeypatch.setattr(nms, "_BLOCK_GROWTH", growth)
    for seed in range(3):
        raw = crowd(seed, 150, 5, 0.01, levels=30)
        assert_same(suppress(*raw), plain(*raw))


def test_keeps_at_most_100_of_a_class_even_if_some_lie_outside_the_picture():
    index = np.arange(150, dtype=np.float32)
    boxes = np.stack([index * 0.005, 0 * index, index * 0.005 + 0.004, 0 * index + 1], axis=1)
    boxes[:40] -= 2  # these are above the picture: they count towards the class's 100, and are not answered
    scores = np.stack([0 * index, 1 - index / 200], axis=1).astype(np.float32)
    assert len(suppress(boxes, scores).scores) == 60
    assert_same(suppress(boxes, scores), graph(boxes, scores))


def test_never_answers_with_the_background_or_more_than_100():
    boxes, scores = crowd(1, 600, 30)
    scores[:, 0] = 1
    rows = suppress(boxes, scores, 1000, class_indices=np.arange(30))
    assert len(rows.scores) == 100
    assert rows.class_indices.min() >= 1


def test_scores_that_are_no_numbers_never_count():
    boxes, scores = crowd(2, 40, 4)
    broken = scores.copy()
    broken[::3, 2] = np.nan
    without = np.where(np.isnan(broken), 0, broken)
    assert_same(suppress(boxes, broken), suppress(boxes, without))


def test_no_boxes_give_no_rows():
    rows = suppress(np.empty((0, 4), np.float32), np.empty((0, 5), np.float32))
    assert (rows.boxes.shape, rows.scores.shape, rows.class_indices.shape) == ((0, 4), (0,), (0,))


@pytest.mark.parametrize("rows", [0, 1, 10, 100])
@pytest.mark.parametrize("column", [False, True])
def test_selects_rows_by_score_for_any_number_of_rows_and_either_shape(rows, column):
    scores = np.linspace(0.01, 0.99, rows, dtype=np.float32)
    selected = select(scores[:, np.newaxis] if column else scores, 5, wanted=scores >= np.float32(0.2))
    assert selected.tolist() == [row for row in range(rows - 1, -1, -1) if scores[row] >= 0.2][:5]


def test_selects_equal_scores_in_their_own_order_and_only_wanted_ones():
    scores = np.array([0.5, 0.9, 0.5, 0.0, 0.9], np.float32)
    assert select(scores, 10).tolist() == [1, 4, 0, 2]  # never the padding, whose score is 0
    assert select(scores, 10, wanted=np.array([True, False, True, True, True])).tolist() == [4, 0, 2]
    assert select(scores, 0).tolist() == []
