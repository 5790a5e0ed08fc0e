"""What a person looks at comes first, on any grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.box import Box
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.resample import grid_map
from napari_vol3d.core.tiles import TilePlan

places = st.tuples(*[st.floats(-30, 60)] * 3)
TILES = TilePlan(shape=(40, 36, 44), patch_size=(16, 12, 20), halo=0, multiple=1)


@given(place=places, axis=st.sampled_from([None, 0, 1, 2]))
def test_tiles_that_the_slice_cuts_come_first_the_nearest_of_them_ahead(
    place: tuple[float, float, float], axis: int | None
) -> None:
    focus = Focus(point=place, axis=axis)
    cores = sorted((tile.core for tile in TILES), key=focus.rank)
    distances = [core.distance2(place) for core in cores]
    if axis is None:
        assert distances == sorted(distances)
        return
    away = [max(core.start[axis] - place[axis], place[axis] - core.stop[axis] + 1, 0.0) for core in cores]
    assert away == sorted(away)
    cut = [distance for distance, gap in zip(distances, away, strict=True) if gap == 0]
    assert cut == sorted(cut)


def test_a_tile_that_the_slice_cuts_beats_a_nearer_one() -> None:
    focus = Focus(point=(10.0, 0.0, 0.0), axis=0)
    far_but_cut, near = Box(start=(8, 90, 90), stop=(12, 99, 99)), Box(start=(11, 0, 0), stop=(20, 9, 9))
    assert near.distance2(focus.point) < far_but_cut.distance2(focus.point)
    assert focus.rank(far_but_cut) < focus.rank(near)
    assert Focus(point=focus.point).rank(near) < Focus(point=focus.point).rank(far_but_cut)


@given(place=places, offset=st.tuples(*[st.integers(-9, 9)] * 3), axis=st.sampled_from([None, 0, 1, 2]))
def test_moving_keeps_ranks(place: tuple[float, float, float], offset: tuple[int, int, int], axis: int | None) -> None:
    focus, box = Focus(point=place, axis=axis), Box(start=(3, 4, 5), stop=(9, 9, 9))
    assert focus.moved(offset).rank(box.shifted(offset)) == pytest.approx(focus.rank(box))


@given(index=st.tuples(*[st.integers(0, 19)] * 3), spacing=st.tuples(*[st.sampled_from([0.4, 0.7, 1.0, 1.3, 2.5])] * 3))
def test_scaling_is_the_grids_own(index: tuple[int, int, int], spacing: tuple[float, float, float]) -> None:
    grid = grid_map((20, 20, 20), spacing, (1.0, 1.0, 1.0))
    found = Focus(point=index, axis=1).scaled(grid.ratio)
    assert found.axis == 1
    # The centre of a scan voxel in millimetres is that of its place on the model's grid.
    np.testing.assert_allclose((np.asarray(found.point) + 0.5) * 1.0, (np.asarray(index) + 0.5) * spacing)
