"""A drawn line cuts objects in two half-spaces without a gap."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.limits import Limits
from napari_vol3d.correct.scissors import beside, cut


def applied(labels: np.ndarray, edit: Edit | None) -> np.ndarray:
    after = labels.copy()
    if edit is not None:
        edit.apply(after)
    return after


def block() -> np.ndarray:
    labels = np.zeros((10, 14, 16), np.uint8)
    labels[1:9, 2:12, 3:15] = 1
    return labels


@settings(max_examples=80, deadline=None)
@given(axis=st.sampled_from([0, 1, 2]), at=st.tuples(*[st.floats(0.1, 0.9)] * 3), turn=st.floats(0, 6.28))
def test_sides_are_half_spaces(axis: int, at: tuple[float, float, float], turn: float) -> None:
    labels = block()
    middle = np.array([1, 2, 3]) + np.array(at) * np.array([7, 9, 11])  # inside the block
    way = np.insert([np.cos(turn), np.sin(turn)], axis, 0.0)
    line = np.stack((middle - way, middle + 3 * way))
    flat = np.delete(line, axis, axis=1)
    edit = cut(labels, line.tolist(), class_id=1, ids=iter([7]), axis=axis)
    after = applied(labels, edit)
    assert np.array_equal(after > 0, labels > 0)  # nothing is lost
    place = np.delete(np.indices(labels.shape), axis, axis=0)
    (a, b), (c, d) = flat[0], flat[1] - flat[0]
    side = (c * (place[1] - b) - d * (place[0] - a)) / np.hypot(c, d)  # signed distance
    inside, clear = labels > 0, np.abs(side) > 1e-5
    left, right = set(after[inside & clear & (side > 0)]), set(after[inside & clear & (side < 0)])
    assert (len(left), len(right)) == (1, 1)
    assert left != right
    assert 0 < (after == 7).sum() <= (after == 1).sum()  # the smaller side is the new one


def test_a_cut_on_voxel_centres_leaves_no_gap_and_no_overlap() -> None:
    labels = block()
    after = applied(labels, cut(labels, [(5, 0, 8), (5, 13, 8)], class_id=1, ids=iter([2]), axis=0))
    assert set(after[:, :, 9:][labels[:, :, 9:] > 0]) != set(after[:, :, :8][labels[:, :, :8] > 0])
    assert len(set(after[:, :, 8][labels[:, :, 8] > 0])) == 1
    assert (after == 2).sum() + (after == 1).sum() == labels.sum()


def test_only_between_two_slices() -> None:
    labels = block()
    edit = cut(labels, [(4.2, 0, 6.5), (4.2, 13, 6.5)], class_id=1, ids=iter([2]), axis=0, slices=(3, 6))
    after = applied(labels, edit)
    assert np.array_equal(after == 2, np.where(np.arange(16) < 6.5, labels > 0, False) & in_slices(labels, 3, 6))
    for empty in ((6, 3), (20, 30), (-5, 1)):
        line = [(4.0, 0.0, 6.5), (4.0, 13.0, 6.5)]
        assert cut(labels, line, class_id=1, ids=iter(()), axis=0, slices=empty) is None


def in_slices(labels: np.ndarray, first: int, last: int) -> np.ndarray:
    inside = np.zeros(labels.shape, bool)
    inside[first:last] = True
    return inside


def test_only_objects_under_the_line_are_cut_each_for_itself() -> None:
    labels = np.zeros((6, 30, 12), np.uint8)
    for start, class_id in ((1, 1), (8, 2), (15, 1), (23, 1)):
        labels[1:5, start : start + 5, 2:10] = class_id
    line = [(2.0, 0.0, 4.5), (2.0, 20.5, 4.5)]  # ends before the last object
    after = applied(labels, cut(labels, line, class_id=1, ids=itertools.count(7), axis=0))
    assert (after[:, 23:] == labels[:, 23:]).all()
    assert np.array_equal(after == 2, labels == 2)
    assert set(after[:, 1:6, 2:5][labels[:, 1:6, 2:5] > 0]) == {7}
    assert set(after[:, 15:20, 2:5][labels[:, 15:20, 2:5] > 0]) == {8}
    assert set(after[:, :, 5:10][labels[:, :, 5:10] == 1]) == {1}


def test_a_bent_line_cuts_out_a_corner() -> None:
    labels = np.ones((3, 20, 20), np.uint8)
    line = [(1.0, -1.0, 12.5), (1.0, 7.5, 12.5), (1.0, 7.5, 21.0)]
    after = applied(labels, cut(labels, line, class_id=1, ids=iter([2]), axis=0))
    corner = np.zeros(labels.shape, bool)
    corner[:, :8, 13:] = True
    assert np.array_equal(after == 2, corner)


@pytest.mark.parametrize("line", [
    [(2.0, 2.0), (9.0, 2.0), (9.0, 9.0), (2.0, 9.0)], [(5.0, 1.0), (5.0, 9.0)], [(-30.0, 4.0), (60.0, 4.5)],
    [(3.0, 3.0), (8.0, 8.0), (8.0, 3.0), (3.0, 8.0)],
])  # fmt: skip
def test_a_line_and_its_reverse_part_the_slice_alike(line: Any) -> None:
    points = np.array(line) + np.array([0.25, 0.15])  # off the centres, which belong to the line's own side
    one, other = beside(points, (12, 12)), beside(points[::-1], (12, 12))
    assert one.any()
    assert not one.all()
    assert np.array_equal(one, other) or np.array_equal(one, ~other)


def test_an_unsteady_end_does_not_turn_the_cut() -> None:
    labels = np.ones((1, 30, 30), np.uint8)
    line = [(0.0, 3.0, 14.5), (0.0, 20.0, 14.5), (0.0, 20.1, 14.3)]
    after = applied(labels, cut(labels, line, class_id=1, ids=iter([2]), axis=0))
    assert len(np.unique(after[..., :14])) == len(np.unique(after[..., 16:])) == 1


def test_limits_hold() -> None:
    labels = block()
    line = [(5.0, 0.0, 8.5), (5.0, 13.0, 8.5)]
    locked = Limits(locked=frozenset({1}))
    assert cut(labels, line, class_id=1, ids=iter([2]), axis=0, limits=locked) is None


@pytest.mark.parametrize(("line", "match"), [
    ([(5, 5, 5)], "point"), ([(5, 5, 5), (5, 5, 5), (7, 5, 5)], "point"), ([(5, 0, 0), (5, 1, 15)], "crosses no"),
    ([(0, 0, 8), (0, 13, 8)], "crosses no"), ([(50, 0, 8), (50, 13, 8)], "crosses no"),
])  # fmt: skip
def test_a_line_that_cuts_nothing_is_refused(line: Any, match: str) -> None:
    with pytest.raises(Vol3dError, match=match):
        cut(block(), line, class_id=1, ids=iter([2]), axis=0)


def test_background_has_no_objects_to_cut() -> None:
    with pytest.raises(Vol3dError, match="background"):
        cut(block(), [(5, 0, 8), (5, 13, 8)], class_id=0, ids=iter([2]), axis=0)
