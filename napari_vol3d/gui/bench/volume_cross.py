"""The crosshair in the 3D view: three short lines, drawn again only as often as the renderer can bear."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtWidgets import QApplication
from vispy.scene.visuals import Line

from napari_vol3d.gui.bench.planes import plane_across
from napari_vol3d.gui.bench.view import View, World

DRAW_MS = 250
ARM = 0.08  # of the longest edge of what is shown
ON_TOP = 1_000_000  # napari draws its layers in the order of their numbers


class VolumeCross(QObject):
    """Draws the point where the slices meet.

    A card draws it four times a second at most; in software, where one drawing takes longer than a slice's, it waits
    until the mouse is let go and at rest.
    """

    def __init__(self, view: View, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.software = True  # until the renderer is known
        self._view = view
        self._point: World = ()
        self._shown = True
        self._line = Line(connect="segments", method="gl", width=2, parent=view.scene)
        self._line.order = ON_TOP
        self._line.set_gl_state("translucent", depth_test=False)
        self._line.visible = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DRAW_MS)
        self._timer.timeout.connect(self._draw)

    def let_go(self) -> None:
        """Take the lines away."""
        self._timer.stop()
        self._line.parent = None

    def show(self, shown: bool) -> None:
        """Show or hide the lines."""
        self._shown = shown
        self._timer.start()

    def set_point(self, point: World) -> None:
        """Put the crosshair at a point of the world, whose last three are z, y, x; it is seen there a little later."""
        self._point = point
        if self.software or not self._timer.isActive():
            self._timer.start()

    def _draw(self) -> None:
        if self.software and QApplication.mouseButtons() != Qt.MouseButton.NoButton:
            self._timer.start()
            return
        visible = self._shown and len(self._point) >= 3 and bool(self._view.model.layers)
        if visible:
            colors = [(*plane_across(axis).color, 1.0) for axis in (2, 1, 0) for _ in range(2)]
            self._line.set_data(pos=_arms(self._point, self._arm()), color=np.asarray(colors, np.float32))
        if self._line.visible != visible:
            self._line.visible = visible

    def _arm(self) -> float:
        extent = self._view.model.layers.extent.world[:, -3:]
        return ARM * float(np.max(extent[1] - extent[0]))


def _arms(point: World, arm: float) -> NDArray[np.float32]:
    """Give the ends (x, y, z) of a line along x, one along y and one along z."""
    ends = [sign * arm * row for row in np.eye(3) for sign in (-1, 1)]
    return np.asarray(np.add(point[:-4:-1], ends), np.float32)
