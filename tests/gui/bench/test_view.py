"""One view: places on the canvas and in the world are the same places."""

from __future__ import annotations

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from tests.gui.bench.conftest import FLAT, opened, settle, view_of


@pytest.mark.parametrize("plane", FLAT)
@pytest.mark.parametrize("neurological", [False, True])
def test_a_pixel_and_its_point_are_one_place(views: Bench, scan: Image, plane: Plane, neurological: bool) -> None:
    """There and back again; and napari itself puts the pixel at the same point."""
    opened(views).neurological = neurological
    settle()
    view = view_of(views, plane)
    for pixel in ((10.0, 20.0), (200.5, 77.25)):
        point = view.to_world(pixel)
        assert view.to_pixel(point) == pytest.approx(pixel)
        theirs = view.qt_viewer.canvas._map_canvas2world(pixel, view.qt_viewer.canvas.view)
        assert point == pytest.approx(theirs, abs=1e-3)


def test_letters_follow_what_is_shown(viewer: Viewer, scan: Image) -> None:
    """napari's own view: axial, then rolled by hand, then mirrored."""
    view = View(viewer, viewer.window._qt_viewer)
    assert view.letters == ("R", "L", "A", "P")
    view.set_plane(Plane.CORONAL)
    viewer.scene.camera.orientation2d = ("up", "left")
    assert view.plane is Plane.CORONAL
    assert view.letters == ("L", "R", "S", "I")
    view.set_plane(Plane.VOLUME)
    assert view.plane is Plane.VOLUME
    assert viewer.dims.ndisplay == 3


def test_axes_before_z_keep_their_sliders(viewer: Viewer) -> None:
    """A series (T, Z, Y, X) is cut along z, y or x; time comes first in any case."""
    viewer.add_image(np.zeros((3, 5, 6, 7), np.uint8))
    view = View(viewer, viewer.window._qt_viewer)
    for plane in FLAT:
        view.set_plane(plane)
        assert view.plane is plane
        assert viewer.dims.order[0] == 0
        assert view.shown == plane.order[1:]


def test_a_layer_without_a_twin_shows_itself(viewer: Viewer, scan: Image) -> None:
    """In napari's own view there are no twins, and every layer has its node."""
    view = View(viewer, viewer.window._qt_viewer)
    assert view.shows(scan) is scan
    assert view.node_of(scan) is not None
