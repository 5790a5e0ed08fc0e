"""The crosshair's lines: at the point, in the planes' colours, and in no screenshot when they are off."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image
from numpy.typing import NDArray

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from tests.gui.bench.conftest import FLAT, opened, settle, view_of

COLORFUL = 60  # of 255: a line's colour over grey


def lines(view: View) -> NDArray[np.bool_]:
    """Where the canvas is not grey."""
    picture = view.qt_viewer.screenshot(flash=False)[..., :3].astype(int)
    return (picture.max(axis=-1) - picture.min(axis=-1)) > COLORFUL


@pytest.mark.parametrize("plane", FLAT)
def test_the_lines_cross_at_the_point(views: Bench, scan: Image, plane: Plane) -> None:
    """To the pixel, whatever the scale and the place of the scan."""
    opened(views)
    scan.visible = False
    views.go_to(scan.data_to_world((7, 11, 22)))
    settle()
    view = view_of(views, plane)
    found = lines(view)
    x, y = view.to_pixel(views.point)
    ratio = found.shape[1] / view.native.width()
    assert found.any(axis=0).sum() > 0.9 * found.shape[1]  # a level line
    assert np.argmax(found.sum(axis=1)) == pytest.approx(y * ratio, abs=1.5)
    assert np.argmax(found.sum(axis=0)) == pytest.approx(x * ratio, abs=1.5)
    assert not found[round(y * ratio), round(x * ratio)]  # the voxel itself is seen


def test_off_is_off(views: Bench, scan: Image) -> None:
    """In every view, also those that come later."""
    views.crosshair = False
    opened(views)
    assert not lines(view_of(views, Plane.SAGITTAL)).any()
    views.crosshair = True
    settle()
    assert lines(view_of(views, Plane.SAGITTAL)).any()
    views.close()
    settle()
    assert not lines(views.views[0]).any()
