"""A 3D view in a window of its own, and the budgets that tests give it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.canvas import Canvas
from napari_vol3d.gui.bench.renderer import Budget
from napari_vol3d.gui.bench.view import View

SMALL = Budget(software=True, voxels=16**3, triangles=20_000, step=1.0)


def small() -> Budget:
    """Give little, so that tests are quick."""
    return SMALL


@contextmanager
def volume_view() -> Iterator[View]:
    """A view with an empty model in 3D, not shown yet."""
    model = ViewerModel(ndisplay=3)
    canvas = Canvas(model, print)
    canvas.resize(420, 320)
    view = View(model, canvas)
    yield view
    canvas.close()
    canvas.deleteLater()
    view.qt_viewer = None  # pytest keeps what fixtures gave until napari has counted what is left
    QApplication.processEvents()


def wait(qtbot: Any, what: Any) -> None:
    """Wait until nothing is being made and nothing is due."""
    qtbot.waitUntil(lambda: not what.busy, timeout=20_000)


def ball(shape: tuple[int, int, int], centre: tuple[float, float, float], radius: float) -> Any:
    """Make a mask."""
    offsets = np.indices(shape) - np.reshape(centre, (3, 1, 1, 1))
    return (offsets**2).sum(axis=0) <= radius**2


def brightest(layer: Any) -> Any:
    """Give the middle of what is bright in an image, in the world (z, y, x)."""
    data = np.asarray(layer.data, np.float64)
    index = [np.average(axis, weights=data) for axis in np.indices(data.shape)]
    return np.asarray(layer.data_to_world(index))
