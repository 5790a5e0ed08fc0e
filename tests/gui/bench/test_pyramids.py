"""Several resolutions: each view reads what it shows, and of a large volume from afar only the coarse copy."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer

from napari_vol3d.core.sliced import Late
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from tests.core.watched import Watched
from tests.gui.bench.conftest import FLAT, opened, settle, view_of

EDGE = 2048


def pyramid(edge: int = EDGE) -> list[Watched]:
    """A volume of 8 GB that takes no memory, and its smaller copies; `to_layer` shows each through `Late`."""
    sizes = [edge >> level for level in range(5)]
    return [Watched(np.broadcast_to(np.arange(size, dtype=np.uint8), (size,) * 3)) for size in sizes]


def test_views_read_only_what_they_show(viewer: Viewer, views: Bench, qtbot: Any) -> None:
    """From afar the coarse copies; near by, of the finest one, what is in the frame."""
    levels = pyramid()
    shown = [Late(level) for level in levels]
    layer = viewer.add_image(shown, multiscale=True, contrast_limits=(0, 255), name="tissue")
    opened(views)
    settle()
    plane = EDGE * EDGE
    assert levels[0].read < plane  # napari's first look, before it knows its frame
    before = levels[0].read
    for view in (view_of(views, plane) for plane in FLAT):
        views.turn(view, 40)
        settle()
    assert levels[0].read == before
    coronal = view_of(views, Plane.CORONAL)
    coronal.model.scene.camera.zoom = 4.0  # a voxel of the finest copy has four pixels
    settle()
    qtbot.waitUntil(lambda: coronal.shows(layer).data_level == 0)
    size = coronal.native.size()
    in_frame = (size.width() / 4 + 3) * (size.height() / 4 + 3)
    assert before < levels[0].read <= before + 9 * in_frame  # three views, some of them more than once
