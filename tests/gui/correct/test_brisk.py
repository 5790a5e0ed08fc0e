"""A box that is drawn anew looks as the whole layer drawn anew."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_vol3d.core.box import Box
from napari_vol3d.gui.correct.brisk import redraw_box

pytestmark = pytest.mark.usefixtures("qapp")
BOX = Box(start=(3, 2, 4), stop=(6, 7, 9))


@pytest.mark.parametrize("contour", [0, 1])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_it_shows_what_a_refresh_shows(kind: type[np.unsignedinteger], order: tuple[int, ...], contour: int) -> None:
    """In each plane, for each type of ids, filled or outlined; and the change is told once."""
    viewer = ViewerModel()
    data = np.random.default_rng(1).integers(0, 4, (9, 10, 11)).astype(kind)
    layer = viewer.add_labels(data)
    layer.contour = contour
    viewer.dims.order = order
    viewer.dims.set_point(order[0], 5)
    told: list[object] = []
    layer.events.labels_update.connect(told.append)
    layer.data[BOX.slices] = 3
    redraw_box(layer, BOX)
    shown = np.array(layer._slice.image.view)
    layer.refresh()
    assert np.array_equal(shown, layer._slice.image.view)
    assert len(told) == (0 if contour else 1)


def test_a_box_on_another_slice_is_not_drawn() -> None:
    """There is nothing to see of it."""
    viewer = ViewerModel()
    layer = viewer.add_labels(np.zeros((9, 10, 11), np.uint16))
    viewer.dims.set_point(0, 8)
    told: list[object] = []
    layer.events.labels_update.connect(told.append)
    layer.data[BOX.slices] = 3
    redraw_box(layer, BOX)
    assert not told


def test_a_time_point_that_is_shown_is_drawn() -> None:
    """And no other."""
    viewer = ViewerModel()
    layer = viewer.add_labels(np.zeros((3, 9, 10, 11), np.uint16))
    viewer.dims.set_point((0, 1), (2, 4))
    layer.data[(2, *BOX.slices)] = 3
    told: list[object] = []
    layer.events.labels_update.connect(told.append)
    redraw_box(layer, BOX, 1)
    assert not told
    redraw_box(layer, BOX, 2)
    assert len(told) == 1
