"""The line goes through its places, and is gone once it is let go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from numpy.typing import NDArray
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.correct.drawn_line import DrawnLine

PLACES = ((200.0, 150.0), (300.0, 150.0), (300.0, 250.0))


def blue(viewer: Viewer) -> NDArray[np.bool_]:
    """Tell where the canvas is blue, a pixel of it each."""
    shot: NDArray[Any] = np.asarray(viewer.screenshot(canvas_only=True, flash=False))[..., :3].astype(int)
    return np.asarray((shot[..., 2] > 150) & (shot[..., 0] < 100) & (shot[..., 1] < 100))


@pytest.mark.parametrize("closed", [True, False])
def test_it_goes_through_its_places_and_closed_back_to_the_first(viewer: Viewer, closed: bool) -> None:
    viewer.add_image(np.zeros((4, 60, 60), np.uint8))
    QApplication.processEvents()
    line = DrawnLine(View(viewer, viewer.window._qt_viewer), color="#0000ff", closed=closed)
    line.draw(PLACES[:1])
    assert not blue(viewer).any()  # one place is no line
    line.draw(PLACES)
    seen = blue(viewer)
    assert line.pixels == PLACES
    assert seen[148:153, 250].any()
    assert seen[200, 298:303].any()
    assert seen[198:203, 250].any() == closed
    line.let_go()
    assert not blue(viewer).any()
