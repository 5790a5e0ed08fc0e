"""The mouse: a click points, a drag pans, the wheel turns slices."""

from __future__ import annotations

from typing import Any

import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import Qt

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from tests.gui.bench.conftest import FLAT, SPACING, click, drag, dragging, opened, settle, view_of, wheel


@pytest.mark.parametrize("plane", FLAT)
def test_a_click_puts_the_crosshair(qtbot: Any, views: Bench, scan: Image, plane: Plane) -> None:
    """Within half a pixel along what the view shows; the slice that was clicked on stays."""
    opened(views)
    view = view_of(views, plane)
    target = scan.data_to_world((9, 14, 21))
    click(qtbot, view, target)
    half = 0.5 / view.model.scene.camera.zoom + 1e-6
    for axis in view.shown:
        assert views.point[axis] == pytest.approx(target[axis], abs=half)


def test_a_drag_pans_and_does_not_point(qtbot: Any, views: Bench, scan: Image) -> None:
    """napari's own pan, in all views."""
    opened(views)
    axial, before = view_of(views, Plane.AXIAL), views.point
    centre = view_of(views, Plane.CORONAL).model.scene.camera.center
    z, y, x = before
    drag(qtbot, axial, (z, y, x), (z, y, x + 6))
    assert views.point == before
    moved = centre[-1] - view_of(views, Plane.CORONAL).model.scene.camera.center[-1]
    assert 4 < moved < 8
    assert axial.model.scene.camera.center[-1] == pytest.approx(centre[-1] - moved)


def test_a_brush_keeps_its_clicks_and_shift_points(qtbot: Any, views: Bench, scan: Image, labels: Labels) -> None:
    """A painter's click paints; Shift moves the crosshair and paints nothing."""
    opened(views)
    labels.mode = "paint"
    axial = view_of(views, Plane.AXIAL)
    z, y, x = views.point
    click(qtbot, axial, (z, y + 4, x - 3), Qt.KeyboardModifier.ShiftModifier)
    assert not labels.data.any()
    assert views.point[1:] == pytest.approx((y + 4, x - 3), abs=0.2)
    before = views.point
    click(qtbot, axial, (z, y - 4, x + 3))
    assert labels.data.any()
    assert views.point == before


def test_the_wheel_turns_slices_and_ctrl_zooms_about_the_mouse(views: Bench, scan: Image) -> None:
    """One notch, one slice of that view."""
    opened(views)
    coronal = view_of(views, Plane.CORONAL)
    before, zoom = views.point, coronal.model.scene.camera.zoom
    wheel(coronal, 3)
    assert views.point == pytest.approx((before[0], before[1] + 3 * SPACING[1], before[2]), abs=1e-6)
    assert coronal.model.scene.camera.zoom == zoom
    middle = coronal.to_world((coronal.native.width() / 2, coronal.native.height() / 2))
    wheel(coronal, 2, Qt.KeyboardModifier.ControlModifier)
    assert coronal.model.scene.camera.zoom == pytest.approx(zoom * 1.21)
    again = coronal.to_world((coronal.native.width() / 2, coronal.native.height() / 2))
    assert again == pytest.approx(middle, abs=1.0)


def test_the_wheel_is_napari_s_where_it_shall_be(viewer: Viewer, views: Bench, scan: Image) -> None:
    """Off: it zooms, as ever; and so it does in a closed bench."""
    opened(views).wheel_turns = False
    coronal, before = view_of(views, Plane.CORONAL), views.point
    zoom = coronal.model.scene.camera.zoom
    wheel(coronal, 2)
    assert views.point == before
    assert coronal.model.scene.camera.zoom != zoom
    views.wheel_turns = True
    views.close()
    settle()
    zoom = viewer.scene.camera.zoom
    wheel(views.views[0], 2)
    assert viewer.scene.camera.zoom != zoom


def test_shift_drags_the_crosshair_along(qtbot: Any, views: Bench, scan: Image) -> None:
    """The other views follow all the way."""
    opened(views)
    axial = view_of(views, Plane.AXIAL)
    z, y, x = views.point
    way = [
        view_of(views, Plane.CORONAL).model.dims.point[1]
        for _ in dragging(qtbot, axial, (z, y, x), (z, y + 8, x + 8), Qt.KeyboardModifier.ShiftModifier)
    ]
    assert way == sorted(way)
    assert len(set(way)) == len(way)
    assert views.point[1:] == pytest.approx((y + 8, x + 8), abs=0.3)
