"""What is painted in one view is seen in the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image, Labels

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from tests.gui.bench.conftest import FLAT, drag, opened, slice_of, view_of


def shown(bench: Bench, labels: Labels) -> list[bytes]:
    """What the canvases hold of the labels, as textures."""
    return [view_of(bench, plane).shows(labels)._slice.image.view.tobytes() for plane in FLAT]


def expected(bench: Bench, labels: Labels) -> list[bytes]:
    """What they should hold."""
    point = [round(p) for p in labels.world_to_data(bench.point)]
    slices = labels.data[point[0]], labels.data[:, point[1]], labels.data[:, :, point[2]]
    return [np.ascontiguousarray(labels.colormap._data_to_texture(plane)).tobytes() for plane in slices]


def seen(events: Any) -> list[str]:
    """Collect what a texture is told."""
    heard: list[str] = []
    events.set_data.connect(lambda event: heard.append("set_data"))
    return heard


def test_a_stroke_is_everywhere_when_it_ends(qtbot: Any, views: Bench, scan: Image, labels: Labels) -> None:
    """Painted in the coronal view with the mouse; undone in the sagittal one; redone in napari's own."""
    opened(views)
    labels.mode = "paint"
    coronal = view_of(views, Plane.CORONAL)
    z, y, x = views.point
    heard = [seen(view_of(views, plane).shows(labels).events) for plane in (Plane.AXIAL, Plane.SAGITTAL)]
    drag(qtbot, coronal, (z - 5, y, x - 5), (z + 5, y, x + 5))
    assert labels.data.any()
    assert all(heard)
    assert shown(views, labels) == expected(views, labels)
    view_of(views, Plane.SAGITTAL).shows(labels).undo()
    qtbot.waitUntil(lambda: shown(views, labels) == expected(views, labels))
    assert not labels.data.any()
    labels.redo()
    qtbot.waitUntil(lambda: shown(views, labels) == expected(views, labels) and labels.data.any())


def test_voxels_that_somebody_else_wrote_come_with_a_refresh(
    qtbot: Any, views: Bench, scan: Image, labels: Labels
) -> None:
    """A run writes into the array and refreshes the layer: the other views follow."""
    opened(views)
    labels.data[...] = 3
    labels.refresh()
    qtbot.waitUntil(lambda: shown(views, labels) == expected(views, labels))


def test_turning_slices_draws_no_other_view_again(qtbot: Any, views: Bench, scan: Image, labels: Labels) -> None:
    """napari says `set_data` at each turn, which is not a change."""
    opened(views)
    coronal = view_of(views, Plane.CORONAL)
    before = slice_of(labels, coronal)
    heard = seen(coronal.shows(labels).events)
    for _ in range(4):
        views.turn(views.views[0], 1)
    qtbot.wait(200)
    assert heard == []
    assert np.shares_memory(before, slice_of(labels, coronal))
