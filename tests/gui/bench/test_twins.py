"""The layers of our views: as many, in the same order, the same one chosen."""

from __future__ import annotations

import napari
import numpy as np
from napari.layers import Image, Labels

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from tests.gui.bench.conftest import FLAT, opened, view_of


def names(layers: napari.components.LayerList) -> list[str]:
    """Names in their order."""
    return [layer.name for layer in layers]


def test_the_list_is_followed(viewer: napari.Viewer, views: Bench, scan: Image, labels: Labels) -> None:
    """Layers that come, go, move, are sorted, are renamed and chosen."""
    opened(views)
    ours = [view_of(views, plane) for plane in FLAT[1:]]
    viewer.add_image(np.zeros((24, 40, 32)), name="second", scale=scan.scale, translate=scan.translate)
    viewer.add_points(np.zeros((1, 3)), name="points")
    viewer.layers.move(0, 3)
    viewer.layers.remove("points")
    viewer.layers.reverse()
    scan.name = "renamed"
    viewer.layers.selection.active = labels
    for view in ours:
        assert names(view.model.layers) == names(viewer.layers)
        assert view.model.layers.selection.active is view.shows(labels)
        assert set(view.twins) == set(viewer.layers)
    viewer.layers.clear()
    assert all(not view.model.layers and not view.twins for view in ours)


def test_nothing_is_left_where_twins_let_go(viewer: napari.Viewer, views: Bench, scan: Image, labels: Labels) -> None:
    """The layer's own events have as many listeners as before."""
    signals = (labels.events.mode, labels.events.paint, labels.events.set_data, scan.events.opacity)
    before = [len(signal.callbacks) for signal in signals]
    opened(views)
    assert [len(signal.callbacks) for signal in signals] != before
    views.close()
    assert [len(signal.callbacks) for signal in signals] == before


def test_a_viewer_with_no_layers_can_be_opened(viewer: napari.Viewer, views: Bench) -> None:
    """And layers of other axes than three may come: a series makes room for time in every view."""
    opened(views)
    viewer.add_image(np.zeros((3, 5, 6, 7), np.uint8))
    assert all(view.model.dims.ndim == 4 for view in views.views if view.plane is not Plane.VOLUME)
    assert [view.plane for view in views.views] == [Plane.AXIAL, Plane.SAGITTAL, Plane.CORONAL, Plane.VOLUME]
