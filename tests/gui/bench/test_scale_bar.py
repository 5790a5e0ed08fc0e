"""The scale bar: in every view, and gone with it."""

from __future__ import annotations

import pytest
from napari import Viewer
from napari.layers import Image

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.scale_bar import ScaleBar
from napari_vol3d.gui.bench.view import View
from tests.gui.bench.conftest import opened


@pytest.mark.parametrize("before", [False, True])
def test_it_is_there_until_it_lets_go(viewer: Viewer, before: bool) -> None:
    """Who had a scale bar keeps it."""
    bar = viewer.canvas.overlays.scale_bar
    bar.visible = before
    piece = ScaleBar(View(viewer, viewer.window._qt_viewer))
    assert bar.visible
    piece.let_go()
    assert bar.visible is before


def test_each_view_has_one(views: Bench, scan: Image) -> None:
    """Those that come later, too."""
    views.furnish(ScaleBar)
    opened(views)
    arrangement = views.arrangement
    assert arrangement is not None
    arrangement.open_window(Plane.CORONAL)
    assert len(views.views) == 5
    assert all(view.model.canvas.overlays.scale_bar.visible for view in views.views)
