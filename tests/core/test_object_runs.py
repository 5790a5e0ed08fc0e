"""Runs and what joins them: what SciPy finds in one piece, we find slab by slab."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_vol3d.core import object_runs
from napari_vol3d.core.object_runs import RunsFinder


def found(labels: np.ndarray, grey: np.ndarray | None = None) -> tuple[object_runs.Runs, np.ndarray]:
    finder = RunsFinder(labels.shape, grey=grey is not None)
    for z, plane in enumerate(labels):
        finder.add(plane, None if grey is None else grey[z])
    return finder.finish()


def painted(runs: object_runs.Runs, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    volume = np.zeros(shape, np.int64)
    for start, length, value in zip(runs.start, runs.length, values, strict=True):
        assert not volume.ravel()[start : start + length].any()
        volume.ravel()[start : start + length] = value
    return volume


@given(seed=st.integers(0, 2**32 - 1), density=st.floats(0.02, 1), slab=st.sampled_from([0, 1, 7, 40, 10_000]))
def test_runs_cover_the_labels_and_join_as_scipy_has_it(seed: int, density: float, slab: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 8, 3))
    labels = rng.integers(1, 3, shape) * (rng.random(shape) < density)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(object_runs, "IN_A_SLAB", slab)
        runs, belongs = found(labels)
    assert np.array_equal(painted(runs, runs.class_id, shape), labels)
    ours = painted(runs, belongs + 1, shape)
    for class_id in (1, 2):
        theirs, count = ndimage.label(labels == class_id, np.ones((3, 3, 3)))
        pairs = {(a, b) for a, b in zip(ours[theirs > 0].tolist(), theirs[theirs > 0].tolist(), strict=True)}
        assert len(pairs) == count == len({a for a, _ in pairs})
    begins = [np.flatnonzero(ours.ravel() == number)[0] for number in range(1, ours.max() + 1)]
    assert begins == sorted(begins)  # objects are counted as they begin


def test_rows_end_where_they_end() -> None:
    labels = np.zeros((2, 4, 5), np.uint8)
    labels[0, 0, 4] = labels[0, 2, 0] = labels[1, 0, 0] = 1  # neighbours in memory, or two rows on: they do not touch
    _, belongs = found(labels)
    assert belongs.tolist() == [0, 1, 2]


def test_intensities_are_summed_over_finite_voxels() -> None:
    labels = np.array([[[1, 1, 2, 0], [0, 3, 3, 3]]])
    grey = np.array([[[1.5, np.nan, 4, 100], [100, np.inf, -np.inf, np.nan]]])
    runs, _ = found(labels, grey)
    assert runs.counted.tolist() == [1, 1, 0]
    assert runs.intensity.tolist() == [1.5, 4, 0]


def test_planes_may_lie_in_memory_in_any_order() -> None:
    labels = np.random.default_rng(2).integers(0, 3, (3, 5, 6)).astype(np.uint8)
    turned = np.asfortranarray(labels)[:, ::-1].copy(order="F")[:, ::-1]
    assert np.array_equal(found(turned)[0].start, found(labels)[0].start)


def test_there_may_be_nothing() -> None:
    for shape in ((0, 3, 3), (2, 3, 3)):
        runs, belongs = found(np.zeros(shape, np.uint16))
        assert len(runs) == len(belongs) == 0
