"""The box in which a model is to run again, drawn in each view on the slices that cut it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_vol3d.core.box import Box
from napari_vol3d.gui.bench.planes import Axis, Plane
from napari_vol3d.gui.bench.view import Pixel, View
from napari_vol3d.gui.correct.drawn_line import DrawnLine
from napari_vol3d.gui.correct.mark import Projection
from napari_vol3d.gui.correct.tools.predict_here import PredictHere

COLOR = "#f0e442"  # as the box of the Segment tab


class BoxFrame(QObject):
    """A piece of a view: the outline of the tool's box, along the outer faces of its voxels."""

    def __init__(self, view: View, tool: PredictHere) -> None:
        super().__init__()
        self._view, self._tool = view, tool
        self._line = DrawnLine(view, color=COLOR, closed=True)
        tool.boxChanged.connect(self.refresh)
        for event in self._events():
            event.connect(self._on_event)
        self.refresh()

    @property
    def corners(self) -> tuple[Pixel, ...]:
        """Where its corners are on the canvas; none where it is not to be seen."""
        return self._line.pixels

    def refresh(self) -> None:
        """Draw where the slice that is shown cuts the box."""
        self._line.draw(self._outline())

    def let_go(self) -> None:
        """Take it off the canvas."""
        self._tool.boxChanged.disconnect(self.refresh)
        for event in self._events():
            event.disconnect(self._on_event)
        self._line.let_go()

    def _on_event(self, event: object = None) -> None:
        self.refresh()

    def _outline(self) -> list[Pixel]:
        box, desk = self._tool.box, self._tool.desk
        if box is None or desk is None or desk.record is None or self._view.plane is Plane.VOLUME:
            return []
        projection = Projection(self._view, desk.record)
        if not box.start[projection.axis] <= projection.index < box.stop[projection.axis]:
            return []
        places = projection.pixels(_corners(box, projection.axis, projection.index))
        return [(float(x), float(y)) for x, y in places]

    def _events(self) -> tuple[Any, ...]:
        model = self._view.model
        camera, dims = model.scene.camera.events, model.dims.events
        return (
            camera.center, camera.zoom, camera.orientation, dims.order, dims.ndisplay, dims.point,
            self._view.qt_viewer.canvas.events.resize,
        )  # fmt: skip


def _corners(box: Box, axis: Axis, index: int) -> NDArray[Any]:
    """Give the corners (z, y, x) of a box on a slice, one after the other around it."""
    one, two = (other for other in range(3) if other != axis)
    corners = np.full((4, 3), float(index))
    for row, (a, b) in enumerate(((0, 0), (0, 1), (1, 1), (1, 0))):
        corners[row, one] = (box.start[one], box.stop[one])[a] - 0.5
        corners[row, two] = (box.start[two], box.stop[two])[b] - 0.5
    return corners
