"""Objects that touch are cut at their necks, and none of their voxels is lost."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.phantom import nuclei
from napari_vol3d.correct.islands import split_islands
from napari_vol3d.correct.limits import Limits
from napari_vol3d.correct.split import distances, smoothed, split_at_seeds, split_class, split_object

ONE = (1.0, 1.0, 1.0)
FIRST = np.array([14.0, 14.0, 14.0])  # mm


def balls(spacing: tuple[float, float, float], radii: tuple[float, float], near: float) -> tuple[np.ndarray, Any]:
    """Give two overlapping balls along x as one object, and to which of them each voxel belongs, and their centres."""
    shape = [int(extent / edge) for extent, edge in zip((30, 30, 50), spacing, strict=True)]
    place = np.stack(np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij"), -1)
    second = FIRST + np.array([0, 0, near * sum(radii)])
    power = [((place - c) ** 2).sum(axis=-1) - r**2 for c, r in zip((FIRST, second), radii, strict=True)]
    whole = np.minimum(*power) <= 0
    return whole.astype(np.uint8), (np.where(power[0] < power[1], 1, 2) * whole, (FIRST, second))


def click(place: np.ndarray, spacing: tuple[float, float, float]) -> tuple[int, int, int]:
    z, y, x = (round(p / s) for p, s in zip(place, spacing, strict=True))
    return (z, y, x)


def applied(labels: np.ndarray, edit: Edit | None) -> np.ndarray:
    after = labels.copy()
    if edit is not None:
        edit.apply(after)
    return after


@pytest.mark.parametrize("spacing", [ONE, (3.0, 1.0, 1.0), (1.0, 1.0, 1.5), (2.18, 1.0, 1.0), (0.7, 0.7, 0.7)])
@pytest.mark.parametrize("near", [0.7, 0.8, 0.9])
@pytest.mark.parametrize("off", [0.0, 0.85])  # of the radius: clicked in the middle, or close to the border
def test_overlapping_balls_get_their_volumes(spacing: Any, near: float, off: float) -> None:
    radii = (10.0, 8.0)
    labels, (wanted, centres) = balls(spacing, radii, near)
    clicks = [click(centres[0] - (0, 0, radii[0] * off), spacing), click(centres[1] + (0, radii[1] * off, 0), spacing)]
    after = applied(labels, split_at_seeds(labels, clicks, ids=itertools.count(7), spacing=spacing))
    assert np.array_equal(after > 0, labels > 0)
    assert after[clicks[0]] == 1
    assert after[clicks[1]] == 7
    for class_id, ball in ((1, 1), (7, 2)):
        size = int((wanted == ball).sum())
        assert abs(int((after == class_id).sum()) - size) <= 0.05 * size


@pytest.mark.parametrize("off", [0.0, 0.85])
def test_a_bulge_without_a_neck_is_still_split_where_the_balls_meet(off: float) -> None:
    labels, (wanted, centres) = balls(ONE, (10.0, 5.0), 0.7)
    clicks = [click(centres[0] - (0, 0, 10 * off), ONE), click(centres[1] + (0, 5 * off, 0), ONE)]
    after = applied(labels, split_at_seeds(labels, clicks, ids=itertools.count(7), spacing=ONE))
    size = int((wanted == 2).sum())
    assert abs(int((after == 7).sum()) - size) <= 0.1 * size


def test_two_clicks_into_one_ball_halve_it() -> None:
    place = np.indices((25, 25, 25)) - 12
    labels = ((place**2).sum(axis=0) <= 100).astype(np.uint8)
    after = applied(labels, split_at_seeds(labels, [(12, 12, 4), (12, 12, 20)], ids=iter([2]), spacing=ONE))
    assert (after[..., :12] != 2).all()
    assert (after[..., 13:] != 1).all()
    assert set(np.unique(after)) == {0, 1, 2}


def test_three_in_a_row_from_three_clicks() -> None:
    place = np.indices((21, 21, 60)).transpose(1, 2, 3, 0)
    centres = [(10, 10, 10), (10, 10, 26), (10, 10, 42)]
    inside = [((place - c) ** 2).sum(axis=-1) <= r**2 for c, r in zip(centres, (9, 10, 8), strict=True)]
    labels = np.where(np.any(inside, axis=0), 3, 0).astype(np.uint8)
    after = applied(labels, split_at_seeds(labels, centres, ids=itertools.count(20), spacing=ONE))
    assert [int(after[c]) for c in centres] == [20, 3, 21]  # the largest keeps the id, the next gets the first
    assert np.array_equal(after > 0, labels > 0)
    assert all((after[0:21, 0:21, x] != i).all() for x, i in ((10, 3), (10, 21), (26, 20), (42, 3)))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), count=st.integers(2, 4))
def test_whatever_is_clicked_each_click_gets_its_own_part(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.zeros((9, 12, 14), np.uint8)
    labels[1:8, 2:10, 1:13] = rng.random((7, 8, 12)) < 0.8
    labels[4, 5, :] = 1
    inside = np.argwhere(split_one(labels))
    clicks = [tuple(int(v) for v in c) for c in inside[rng.choice(len(inside), count, replace=False)]]
    edit = split_at_seeds(labels, clicks, ids=itertools.count(2), spacing=(2.0, 1.0, 0.7))  # type: ignore[arg-type]
    after = applied(labels, edit)
    assert np.array_equal(after > 0, labels > 0)
    assert sorted(int(after[c]) for c in clicks) == list(range(1, count + 1))
    again = split_at_seeds(labels, clicks, ids=itertools.count(2), spacing=(2.0, 1.0, 0.7))  # type: ignore[arg-type]
    assert np.array_equal(applied(labels, again), after)


def split_one(labels: np.ndarray) -> np.ndarray:
    """Tell which voxels hang together with the row that all of them cross."""
    others = applied(labels, split_islands(labels, 1, ids=itertools.count(50)))
    return np.asarray(others == others[4, 5, 5])


@pytest.mark.parametrize("spacing", [ONE, (2.5, 1.0, 1.0)])
def test_an_object_is_split_at_its_neck_and_only_this_one(spacing: Any) -> None:
    labels, (wanted, centres) = balls(spacing, (10.0, 8.0), 0.85)
    labels = np.concatenate((labels, np.zeros_like(labels[:, :2]), labels), axis=1)
    after = applied(labels, split_object(labels, click(centres[0], spacing), ids=iter([9]), spacing=spacing))
    half = wanted.shape[1]
    assert abs(int((after == 9).sum()) - int((wanted == 2).sum())) <= 0.05 * (wanted == 2).sum()
    assert np.array_equal(after[:, half:], labels[:, half:])
    assert np.array_equal(after > 0, labels > 0)
    assert split_object(labels, click(centres[0], spacing), ids=iter([9]), spacing=spacing, neck=5.0) is None
    assert split_object(after, click(centres[1], spacing), ids=iter([10]), spacing=spacing) is None  # a ball


def test_touching_nuclei_are_told_apart() -> None:
    spacing = (2.0, 0.65, 0.65)
    _, truth = nuclei((24, 96, 96), spacing, 30, seed=4)
    labels = (truth > 0).astype(np.uint16)
    apart = applied(labels, split_class(labels, 1, ids=itertools.count(2), spacing=spacing))
    after = applied(apart, split_islands(apart, 1, ids=itertools.count(int(apart.max()) + 1)))
    assert np.array_equal(after > 0, truth > 0)
    before = applied(labels, split_islands(labels, 1, ids=itertools.count(2)))
    assert found(after, truth) >= 0.9 * truth.max() > 1.4 * found(before, truth)
    assert len(np.unique(after)) - 1 <= truth.max()  # and none is cut in two


def found(labels: np.ndarray, truth: np.ndarray) -> int:
    """Count the nuclei that one label covers to 0.7 of their union."""
    count = 0
    for number in range(1, int(truth.max()) + 1):
        ids, common = np.unique(labels[truth == number], return_counts=True)
        best = ids[common.argmax()]
        count += common.max() >= 0.7 * np.count_nonzero((labels == best) | (truth == number))
    return count


def test_a_flat_speck_stays_beside_a_large_object() -> None:
    labels, _ = balls(ONE, (10.0, 8.0), 0.85)
    labels[0, 0, :3] = 1
    after = applied(labels, split_class(labels, 1, ids=itertools.count(5), spacing=ONE))
    assert (after[0, 0, :3] == 1).all()
    assert set(np.unique(after)) == {0, 1, 5}


def test_other_classes_limits_and_the_arrays_stay() -> None:
    labels, (_, centres) = balls(ONE, (10.0, 8.0), 0.8)
    labels[:, 20:] *= 4
    before, clicks = labels.copy(), [click(c, ONE) for c in centres]
    guarded = np.zeros(labels.shape, bool)
    guarded[:14] = True
    edit = split_at_seeds(labels, clicks, ids=iter([7]), spacing=ONE, guarded=guarded)
    after = applied(labels, edit)
    assert np.array_equal(labels, before)
    assert np.array_equal(after[:14], before[:14])
    assert np.array_equal(after == 4, before == 4)
    assert (after == 7).any()
    locked = Limits(locked=frozenset({1}))
    assert split_at_seeds(labels, clicks, ids=iter([7]), spacing=ONE, limits=locked) is None


def test_what_makes_no_sense_is_refused() -> None:
    labels = np.zeros((5, 5, 20), np.uint8)
    labels[2, 2, 1:5], labels[2, 2, 8:12], labels[2, 2, 12:15] = 1, 1, 2
    for seeds, match in (
        ([(2, 2, 2)], "two clicks"), ([(2, 2, 2), (2, 2, 2)], "two clicks"), ([(2, 2, 2), (2, 2, 9)], "not in one"),
        ([(2, 2, 9), (2, 2, 13)], "not in one"), ([(2, 2, 2), (9, 9, 9)], "not in one"), ([(0, 0, 0), (2, 2, 2)], "ba"),
    ):  # fmt: skip
        with pytest.raises(Vol3dError, match=match):
            split_at_seeds(labels, seeds, ids=itertools.count(5), spacing=ONE)
    with pytest.raises(Vol3dError, match="depth"):
        split_object(labels, (2, 2, 2), ids=itertools.count(5), spacing=ONE, neck=0.0)
    with pytest.raises(Vol3dError, match="Too few free ids"):
        split_at_seeds(labels, [(2, 2, 1), (2, 2, 4)], ids=iter(()), spacing=ONE)
    assert split_class(labels, 9, ids=iter(()), spacing=ONE) is None


def test_distances_are_in_mm_and_end_at_the_faces() -> None:
    mask = np.ones((3, 5, 7), bool)
    distance = distances(mask, (2.0, 1.0, 1.0))
    assert distance[1, 2].tolist() == [1, 2, 3, 3, 3, 2, 1]
    assert distance[0, 2, 3] == 2
    line = np.zeros((5, 5, 9), bool)
    line[2, 2] = True
    flat = smoothed(distances(line, ONE), line, ONE)
    np.testing.assert_allclose(flat[line], 1.0, rtol=1e-5)  # thin as it is
    assert not flat[~line].any()
