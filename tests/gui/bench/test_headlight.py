"""Surfaces in the 3D view are lit on the side that is seen, from above, whichever way the camera turns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from numpy.typing import NDArray
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.bench.volume_twins import UNMIRRORED, VolumeTwins
from tests.gui.bench.room3d import ball, volume_view, wait


@pytest.fixture
def lit(qtbot: Any) -> Iterator[View]:
    """A white ball in a 3D view."""
    viewer = ViewerModel()
    layer = viewer.add_labels(ball((40, 40, 40), (20, 20, 20), 15).astype(np.uint8))
    layer.colormap = {None: "transparent", 0: "transparent", 1: "white"}
    with volume_view() as view:
        twins = VolumeTwins(view, viewer)
        view.qt_viewer.show()
        qtbot.waitExposed(view.qt_viewer)
        wait(qtbot, twins)
        yield view
        twins.let_go()


def picture(view: View) -> NDArray[np.float64]:
    """Grey levels of the ball, 0 to 1."""
    QApplication.processEvents()
    grey = view.qt_viewer.screenshot(flash=False)[..., :3].mean(axis=2) / 255
    rows, columns = np.nonzero(grey > 0.02)
    return np.asarray(grey[rows.min() : rows.max(), columns.min() : columns.max()])


@pytest.mark.parametrize("looking", [(-0.3, 0.9, -0.4), (0.2, -1.0, 0.1), (0.0, 0.1, 1.0)])
@pytest.mark.parametrize("orientation", [UNMIRRORED, ("towards", "down", "right")])
def test_what_faces_the_person_is_bright(lit: View, looking: Any, orientation: Any) -> None:
    camera = lit.model.scene.camera
    camera.orientation = orientation
    camera.set_view_direction(looking, (1, 0, 0))
    grey = picture(lit)
    height, width = grey.shape
    middle = grey[height // 2 - 5 : height // 2 + 5, width // 2 - 5 : width // 2 + 5].mean()
    assert middle > 0.6  # in the shade it would be 0.25
    column = grey[:, width // 3 : -width // 3].mean(axis=1)
    assert column[: height // 4].mean() > column[-height // 4 :].mean()
