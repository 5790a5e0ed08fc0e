"""Black around the scan, in both themes."""

from __future__ import annotations

import numpy as np
from napari import Viewer

from napari_vol3d.gui.bench.dark import DarkSurround
from napari_vol3d.gui.bench.view import View
from tests.gui.bench.conftest import settle


def corner(viewer: Viewer) -> list[int]:
    """The colour of the canvas's upper left corner."""
    settle()
    return [int(part) for part in viewer.window._qt_viewer.screenshot(flash=False)[2, 2, :3]]


def test_the_surround_is_black_and_comes_back(viewer: Viewer) -> None:
    viewer.theme = "light"
    viewer.add_image(np.zeros((4, 5, 6)))
    before = corner(viewer)
    dark = DarkSurround(View(viewer, viewer.window._qt_viewer))
    assert corner(viewer) == [0, 0, 0]
    dark.let_go()
    assert corner(viewer) == before != [0, 0, 0]
