"""A mark is seen on the slices that hold it, where its voxels are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.layers import Image

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.mark import Mark, Projection, way
from tests.gui.bench.conftest import FLAT, SHAPE, opened, view_of
from tests.gui.correct.mousing import go_to, pixel_of
from tests.gui.correct.tools.told import corrected

POINT = st.tuples(*[st.floats(-20, 20)] * 3)


@given(st.lists(POINT, min_size=1, max_size=6))
def test_a_way_has_no_gap_and_leaves_no_point_out(points: list[tuple[float, float, float]]) -> None:
    voxels = np.array(way(points))
    steps = np.abs(np.diff(voxels, axis=0))
    assert (steps.max(axis=1) == 1).all() if len(steps) else True  # to a neighbour, and never on the spot
    for point in points:
        assert np.abs(voxels - point).max(axis=1).min() <= 0.5


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=9), st.integers(0, 2), st.integers(0, 2))
def test_all_of_a_mark_on_a_slice_is_shown_and_nothing_else(
    voxels: list[tuple[int, int, int]], axis: int, index: int
) -> None:
    segments, dots = Mark(voxels=tuple(voxels), color="#ff0000").on_slice(axis, index)
    shown = {tuple(voxel) for voxel in (*segments.tolist(), *dots.tolist())}
    assert shown == {voxel for voxel in voxels if voxel[axis] == index}
    for first, last in segments.reshape(-1, 2, 3).tolist():
        assert (tuple(first), tuple(last)) in list(itertools.pairwise(voxels))


@pytest.mark.parametrize("timed", [False, True])
def test_voxels_are_projected_as_the_view_does(desk: Desk, views: Bench, scan: Image, timed: bool) -> None:
    opened(views)
    shape = (3, *SHAPE) if timed else SHAPE
    record = corrected(desk, scan, np.zeros(shape, np.uint8))
    go_to(views, record, (2, 7, 21, 13) if timed else (7, 21, 13))  # type: ignore[arg-type]
    for plane, index in zip(FLAT, (7, 21, 13), strict=True):
        view = view_of(views, plane)
        seen = Projection(view, record)
        assert (seen.axis, seen.index) == (plane.value, index)
        for voxel in ((0, 0, 0), (7, 21, 13), (23, 39, 31)):
            wanted = pixel_of(view, record, (2, *voxel) if timed else voxel)  # type: ignore[arg-type]
            assert seen.pixels([voxel])[0] == pytest.approx(wanted, abs=1e-6)
