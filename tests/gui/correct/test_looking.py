"""Slice, voxel and box of what a view shows, in any of the views, turned and zoomed."""

from __future__ import annotations

import numpy as np
import pytest
from napari import Viewer

from napari_vol3d.core.box import Box
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.looking import box_in_view, cut_axis, slice_index, voxel_at
from napari_vol3d.gui.correct.record import Record
from tests.gui.bench.conftest import FLAT, SHAPE, opened, settle, view_of
from tests.gui.correct.mousing import go_to

WHOLE = Box.of(SHAPE)


def test_each_view_has_its_slice(desk: Desk, record: Record) -> None:
    opened(desk.bench)
    go_to(desk.bench, record, (5, 31, 12))
    found = {plane: slice_index(view_of(desk.bench, plane), record) for plane in FLAT}
    assert found == {Plane.AXIAL: 5, Plane.CORONAL: 31, Plane.SAGITTAL: 12}
    assert [cut_axis(view_of(desk.bench, plane)) for plane in FLAT] == [0, 1, 2]
    assert cut_axis(view_of(desk.bench, Plane.VOLUME)) == 0


def test_a_place_outside_is_the_nearest_voxel(desk: Desk, record: Record) -> None:
    world = record.layer.data_to_world
    assert voxel_at(record, world((5, 31, 12))) == (5, 31, 12)
    assert voxel_at(record, world((5.4, 30.6, 12.4))) == (5, 31, 12)
    assert voxel_at(record, world((-9, 20, 500))) == (0, 20, SHAPE[2] - 1)


def test_what_fits_is_in_view_to_the_last_voxel(viewer: Viewer, desk: Desk, record: Record) -> None:
    opened(desk.bench)
    for plane in (*FLAT, Plane.VOLUME):
        assert box_in_view(view_of(desk.bench, plane), record) == WHOLE


@pytest.mark.parametrize("plane", FLAT)
def test_zoomed_in_it_is_what_the_frame_holds(desk: Desk, record: Record, plane: Plane) -> None:
    opened(desk.bench)
    go_to(desk.bench, record, (11, 20, 15))
    view, axis = view_of(desk.bench, plane), plane.value
    view.model.scene.camera.zoom *= 6
    settle()
    box = box_in_view(view, record)
    assert (box.start[axis], box.stop[axis]) == (0, SHAPE[axis])  # through all slices
    assert box.size < WHOLE.size
    width, height = view.native.width(), view.native.height()
    for voxel in np.ndindex(*SHAPE):
        if voxel[axis] == 11:
            x, y = view.to_pixel(tuple(float(v) for v in record.layer.data_to_world(voxel)))
            inside = all(a <= v < b for v, a, b in zip(voxel, box.start, box.stop, strict=True))
            if 1 < x < width - 1 and 1 < y < height - 1:  # its middle is seen
                assert inside
            elif inside:  # a part of it is seen
                assert any(v in (a, b - 1) for v, a, b in zip(voxel, box.start, box.stop, strict=True))


def test_away_from_the_labels_nothing_is_in_view(viewer: Viewer, desk: Desk, record: Record) -> None:
    view = desk.bench.views[0]
    viewer.scene.camera.center = tuple(c + 1e4 for c in viewer.scene.camera.center)
    settle()
    assert box_in_view(view, record).size == 0
