"""The crosshair: in each view two lines, in the colours of the planes that they stand for."""

from __future__ import annotations

import numpy as np
from superqt.utils import QSignalThrottler
from vispy.scene.visuals import Line

from napari_vol3d.gui.bench.link import Link
from napari_vol3d.gui.bench.planes import Plane, plane_across
from napari_vol3d.gui.bench.view import View

GAP = 12  # pixels around the point, so that the voxel itself is seen
FAR = 1e5  # beyond any scan, in its unit; larger numbers lose digits in the shaders' float32
OPACITY = 0.75
EACH_MS = 100  # while slices turn; to draw a view again takes as long as to turn it
ON_TOP = 1_000_000  # napari draws its layers in the order of their numbers


class Crosshair:
    """Draws where the other views' slices cut this one."""

    def __init__(self, view: View, link: Link) -> None:
        self._view, self._link = view, link
        self._shown = True
        self._line = Line(connect="segments", method="gl", width=1, parent=view.scene)
        self._line.order = ON_TOP
        self._line.set_gl_state("translucent", depth_test=False)
        self._throttle = QSignalThrottler()  # the first comes at once, the last for certain
        self._throttle.setTimeout(EACH_MS)
        self._throttle.triggered.connect(self.draw)
        link.moved.connect(self._throttle.throttle)
        self._signals = (
            view.model.dims.events.order, view.model.dims.events.ndisplay, view.model.scene.camera.events.zoom,
        )  # fmt: skip
        for signal in self._signals:
            signal.connect(self.draw)
        self.draw()

    def let_go(self) -> None:
        """Take the lines away."""
        self._link.moved.disconnect(self._throttle.throttle)
        self._throttle.triggered.disconnect(self.draw)
        self._throttle.cancel()
        for signal in self._signals:
            signal.disconnect(self.draw)
        self._line.parent = None

    def show(self, shown: bool) -> None:
        """Show or hide the lines."""
        self._shown = shown
        self.draw()

    def draw(self, event: object = None) -> None:
        """Put the lines where the crosshair is; not in a view that nobody sees."""
        flat = self._view.plane is not Plane.VOLUME and len(self._link.point) == self._view.model.dims.ndim
        visible = self._shown and flat and bool(self._view.model.layers)
        if self._line.visible != visible:
            self._line.visible = visible
        if visible and self._view.native.isVisible():
            along, across = (self._link.point[axis] for axis in self._view.model.dims.order[-2:])
            gap = GAP / self._view.model.scene.camera.zoom
            self._line.set_data(pos=_segments(across, along, gap), color=self._colors())

    def _colors(self) -> np.ndarray:
        down, right = (plane_across(axis).color for axis in self._view.shown)
        # The line across the screen is the slice at its height, and the other way round.
        return np.repeat([(*down, OPACITY), (*right, OPACITY)], 4, axis=0).astype(np.float32)


def _segments(x: float, y: float, gap: float) -> np.ndarray:
    """Give the ends (x, y) of a level line and of an upright one, each with a gap at the point."""
    level = [(x - FAR, y), (x - gap, y), (x + gap, y), (x + FAR, y)]
    upright = [(x, y - FAR), (x, y - gap), (x, y + gap), (x, y + FAR)]
    return np.asarray(level + upright, dtype=np.float32)
