"""The line follows the mouse over a view, and else the crosshair; it never reads faster than a dozen times a second."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer
from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.sliced import Sliced
from napari_vol3d.gui.bench.readout_line import Hover, ReadoutLine
from napari_vol3d.gui.bench.view import View, World

VOXELS = np.arange(8 * 30 * 40, dtype=np.int16).reshape(8, 30, 40)
NONE = Qt.MouseButton.NoButton


class Watched(Sliced):
    """Lazy voxels that count how often they are read."""

    def __init__(self) -> None:
        super().__init__(VOXELS.shape, VOXELS.dtype)
        self.single = 0
        self.gone = False

    def _part(self, spans: tuple[slice, ...]) -> np.ndarray:
        part = VOXELS[spans]
        if part.size == 1:
            self.single += 1
            if self.gone:
                raise FileProblem("scan.nii.gz can't be read: it is gone.", hint="Open it again.")
        return part


def hover(view: View, point: World) -> None:
    x, y = view.to_pixel(point)
    at = QPointF(round(x), round(y))
    there = QPointF(view.native.mapToGlobal(QPoint(round(x), round(y))))
    QApplication.sendEvent(
        view.native, QMouseEvent(QEvent.Type.MouseMove, at, there, NONE, NONE, Qt.KeyboardModifier.NoModifier)
    )


def test_it_follows_the_mouse_and_else_the_crosshair(qtbot: Any, viewer: Viewer) -> None:
    layer = viewer.add_image(VOXELS, scale=(3, 1.5, 1.5), units=("mm",) * 3)
    viewer.dims.set_point(0, 12)
    QApplication.processEvents()
    crosshair = layer.data_to_world((1, 2, 3))
    line, view = ReadoutLine(viewer, lambda: crosshair), View(viewer, viewer.window._qt_viewer)
    qtbot.addWidget(line)
    follower = Hover(view, line)
    qtbot.waitUntil(lambda: line.text().startswith(str(VOXELS[1, 2, 3])))
    hover(view, layer.data_to_world((4, 20, 30)))
    qtbot.waitUntil(lambda: line.text().startswith(str(VOXELS[4, 20, 30])))
    assert line.text().endswith("voxel 30, 20, 4")
    assert line.toolTip().startswith("VOXELS: ")
    viewer.dims.set_point(0, 15)  # the slices turn under the mouse
    qtbot.waitUntil(lambda: line.text().startswith(str(VOXELS[5, 20, 30])))
    QApplication.sendEvent(view.native, QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(lambda: line.text().startswith(str(VOXELS[1, 2, 3])))
    hover(view, layer.data_to_world((5, 20, 30)))
    qtbot.waitUntil(lambda: line.text().startswith(str(VOXELS[5, 20, 30])))
    viewer.dims.ndisplay = 3  # no voxel is under the mouse there
    hover(view, layer.data_to_world((5, 20, 30)))
    qtbot.waitUntil(lambda: line.text().startswith(str(VOXELS[1, 2, 3])))
    follower.let_go()
    line.let_go()


def test_many_moves_are_one_reading(qtbot: Any) -> None:
    viewer = ViewerModel()
    lazy = Watched()
    viewer.add_image(lazy, contrast_limits=(0, 999))
    line = ReadoutLine(viewer, lambda: (0.0, 0.0, 0.0))
    qtbot.addWidget(line)
    qtbot.waitUntil(lambda: bool(line.text()))
    lazy.single = 0
    for x in range(30):
        line.point_at((2.0, 3.0, float(x)))
    qtbot.waitUntil(lambda: line.text().endswith("voxel 29, 3, 2"))
    assert lazy.single == 1
    lazy.gone = True
    line.point_at(None)
    qtbot.waitUntil(lambda: line.text().startswith("scan.nii.gz can't be read"))
    line.let_go()


def test_objects_and_layers_that_come_are_told_without_a_move(qtbot: Any) -> None:
    viewer = ViewerModel()
    line = ReadoutLine(viewer, lambda: (1.0, 2.0, 3.0))
    qtbot.addWidget(line)
    assert line.text() == ""
    labels = viewer.add_labels(np.full((4, 5, 6), 3, np.uint8))
    qtbot.waitUntil(lambda: "class 3" in line.text())
    qtbot.waitUntil(lambda: "object 1: 120 voxels" in line.text(), timeout=20_000)
    labels.visible = False
    line.refresh()
    qtbot.waitUntil(lambda: "class" not in line.text())
    line.let_go()


def test_it_is_one_line_in_any_width(qtbot: Any) -> None:
    viewer = ViewerModel()
    viewer.add_image(VOXELS, name="<b>a name</b> " * 20)
    line = ReadoutLine(viewer, lambda: (1.0, 2.0, 3.0))
    qtbot.addWidget(line)
    line.show()
    line.resize(60, line.height())
    qtbot.waitUntil(lambda: bool(line.text()))
    assert line.minimumSizeHint().width() < 320
    assert line.height() < 2 * line.fontMetrics().height()
    line.let_go()
