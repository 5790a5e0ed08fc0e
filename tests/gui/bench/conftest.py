"""A bench in a real window, phantoms to look at, and a hand for any of its views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from numpy.typing import NDArray
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View, World
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.gui.placing import placed_like
from tests.gui.conftest import move_mouse

SHAPE = (24, 40, 32)
SPACING = (2.5, 0.8, 1.1)  # mm
FLAT = (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)


@pytest.fixture
def views(viewer: Viewer) -> Iterator[Bench]:
    """The bench of a viewer, closed."""
    made = Bench(viewer, QWidget())
    yield made
    made.let_go()
    QApplication.processEvents()


@pytest.fixture
def scan(viewer: Viewer) -> Image:
    """An anisotropic patient volume that lies off the origin."""
    rng = np.random.default_rng(5)
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2] = SPACING[0], -SPACING[1], -SPACING[2]
    affine[:, 3] = (31.0, 57.0, -12.0, 1.0)
    data = rng.integers(0, 900, SHAPE).astype(np.int16)
    return add(viewer, Volume(data=data, geometry=Geometry(affine=affine, anatomical=True), name="scan"))


@pytest.fixture
def labels(viewer: Viewer, scan: Image) -> Labels:
    """Empty labels on the scan."""
    return viewer.add_labels(np.zeros(SHAPE, np.uint16), name="labels", **placed_like(scan))


def add(viewer: Viewer, volume: Volume) -> Image:
    """Show a volume as the reader does."""
    data, keywords, _ = to_layer(volume, as_labels=False)
    return viewer.add_image(data, **keywords)


def opened(bench: Bench) -> Bench:
    """Open the bench and let it be drawn."""
    bench.open()
    settle()
    return bench


def settle() -> None:
    """Let Qt lay out and draw."""
    for _ in range(3):
        QApplication.processEvents()


def view_of(bench: Bench, plane: Plane) -> View:
    """Give the view of a plane."""
    found = bench.view(plane)
    assert found is not None
    return found


def at(view: View, point: World) -> QPoint:
    """Give the pixel nearest to a point of the world."""
    x, y = view.to_pixel(point)
    return QPoint(round(x), round(y))


def click(qtbot: Any, view: View, point: World, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """Click on a point of the world."""
    qtbot.mouseMove(view.native, at(view, point))
    qtbot.mousePress(view.native, Qt.MouseButton.LeftButton, modifier, at(view, point))
    qtbot.mouseRelease(view.native, Qt.MouseButton.LeftButton, modifier, at(view, point))
    settle()


def drag(qtbot: Any, view: View, start: World, stop: World) -> None:
    """Drag with the left button between two points of the world."""
    for _ in dragging(qtbot, view, start, stop):
        pass


def dragging(
    qtbot: Any, view: View, start: World, stop: World, modifier: Any = Qt.KeyboardModifier.NoModifier
) -> Iterator[None]:
    """Drag with the left button, and stop on the way, where the mouse has moved."""
    first, last = at(view, start), at(view, stop)
    qtbot.mouseMove(view.native, first)
    qtbot.mousePress(view.native, Qt.MouseButton.LeftButton, modifier, first)
    for share in np.linspace(0, 1, 7)[1:]:
        move(view, first + (last - first) * float(share), modifier)
        yield
    qtbot.mouseRelease(view.native, Qt.MouseButton.LeftButton, modifier, last)
    settle()


def move(view: View, pixel: QPoint, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """Move the mouse over a view with its left button down."""
    move_mouse(view.native, pixel, modifier=modifier)
    settle()


def wheel(view: View, notches: int, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """Turn the wheel in the middle of a view."""
    middle = QPointF(view.native.rect().center())
    event = QWheelEvent(
        middle, QPointF(view.native.mapToGlobal(middle.toPoint())), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, modifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.native, event)
    settle()


def slice_of(layer: Any, view: View) -> NDArray[Any]:
    """Give the voxels that a view shows of one of the viewer's layers."""
    return np.asarray(view.shows(layer)._slice.image.raw)

