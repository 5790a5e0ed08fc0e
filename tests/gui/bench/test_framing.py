"""One zoom and one centre."""

from __future__ import annotations

import pytest
from napari import Viewer
from napari.layers import Image

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from tests.gui.bench.conftest import FLAT, opened, settle, view_of


def test_views_zoom_and_pan_together(views: Bench, scan: Image) -> None:
    """What two views share across or down the screen stays in line."""
    opened(views)
    axial, coronal, sagittal = (view_of(views, plane) for plane in FLAT)
    coronal.model.scene.camera.zoom = 7.5
    assert [v.model.scene.camera.zoom for v in (axial, coronal, sagittal)] == pytest.approx([7.5] * 3)
    axial.model.scene.camera.center = (0, -40.0, 5.0)  # y, x
    assert coronal.model.scene.camera.center[-1] == pytest.approx(5.0)
    assert sagittal.model.scene.camera.center[-1] == pytest.approx(-40.0)
    before = axial.model.scene.camera.center
    sagittal.model.scene.camera.center = (0, 3.0, -41.0)  # z, y
    assert coronal.model.scene.camera.center[-2] == pytest.approx(3.0)
    assert axial.model.scene.camera.center[-2:] == pytest.approx((-41.0, before[-1]))


def test_everything_is_seen_after_a_reset(viewer: Viewer, views: Bench, scan: Image) -> None:
    """In each view all corners of the scan are on the canvas, at one zoom."""
    opened(views)
    viewer.scene.camera.zoom = 50
    viewer.reset_view()
    settle()
    for plane in FLAT:
        view = view_of(views, plane)
        assert view.model.scene.camera.zoom == pytest.approx(viewer.scene.camera.zoom)
        for corner in (0, 1):
            x, y = view.to_pixel(tuple(scan.extent.world[corner]))
            assert 0 <= x <= view.native.width()
            assert 0 <= y <= view.native.height()


def test_a_point_out_of_sight_is_brought_into_sight(views: Bench, scan: Image) -> None:
    """And a view in which it is seen does not move."""
    opened(views)
    axial, coronal = view_of(views, Plane.AXIAL), view_of(views, Plane.CORONAL)
    axial.model.scene.camera.zoom = 40
    coronal.model.scene.camera.center = (0, *scan.data_to_world((0, 0, 0))[::2])
    views.go_to(scan.data_to_world((20, 30, 25)))
    for view in (axial, coronal):
        x, y = view.to_pixel(views.point)
        assert 0 <= x <= view.native.width()
        assert 0 <= y <= view.native.height()
    still = axial.model.scene.camera.center
    views.go_to(scan.data_to_world((19, 30, 25)))
    assert axial.model.scene.camera.center == still
