"""What the views have in their frames: one zoom for all that are cut, and one centre."""

from __future__ import annotations

from typing import Any

import napari
from qtpy.QtCore import QTimer

from napari_vol3d.gui.bench.planes import Axis, Plane
from napari_vol3d.gui.bench.view import View, World

EDGE = 12  # pixels: nearer to the edge the crosshair counts as out of sight
MARGIN = 0.05  # of the canvas, around what is fitted; napari's own


class Framing:
    """Zooms and pans the views together, until it lets go.

    What was fitted into the views is fitted again when these get another size, until somebody zooms or pans.

    Parameters
    ----------
    viewer : Viewer
        Resetting its view resets all.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._views: list[View] = []
        self._busy = self._fitted = False
        self._again = QTimer()
        self._again.setSingleShot(True)
        self._again.setInterval(0)  # when Qt has laid out the others too
        self._again.timeout.connect(self.fit)
        viewer.events.reset_view.connect(self._on_reset)

    def add(self, view: View) -> None:
        """Let a view take part."""
        self._views.append(view)
        for signal in (view.model.scene.camera.events.zoom, view.model.scene.camera.events.center):
            signal.connect(self._on_camera)
        view.model.canvas.events.size.connect(self._on_size)

    def remove(self, view: View) -> None:
        """Leave a view as it is."""
        self._views.remove(view)
        for signal in (view.model.scene.camera.events.zoom, view.model.scene.camera.events.center):
            signal.disconnect(self._on_camera)
        view.model.canvas.events.size.disconnect(self._on_size)

    def let_go(self) -> None:
        """Leave all as they are."""
        self._again.stop()
        self._viewer.events.reset_view.disconnect(self._on_reset)
        for view in list(self._views):
            self.remove(view)

    def fit(self) -> None:
        """Show the whole of everything in every view, at one zoom."""
        self._again.stop()
        flat = self._flat()
        self._busy = self._fitted = True
        try:
            for view in self._views:
                if view.model.layers:
                    view.model.fit_to_view(margin=MARGIN)
            zoom = min((view.model.scene.camera.zoom for view in flat), default=1.0)
            for view in flat:
                view.model.scene.camera.zoom = zoom
        finally:
            self._busy = False

    def keep_in_sight(self, point: World) -> None:
        """Centre the views in which a point of the world is out of sight."""
        for view in self._flat():
            x, y = view.to_pixel(point)
            size = view.native.size()
            if not (EDGE <= x <= size.width() - EDGE and EDGE <= y <= size.height() - EDGE):
                down, right = view.model.dims.order[-2:]
                view.model.scene.camera.center = (0.0, point[down], point[right])

    def _flat(self) -> list[View]:
        return [view for view in self._views if view.plane is not Plane.VOLUME and view.native.isVisible()]

    def _on_reset(self, event: Any) -> None:
        if len(self._views) > 1 and not self._busy:
            self.fit()

    def _on_size(self, event: Any) -> None:
        if self._fitted and len(self._views) > 1:
            self._again.start()

    def _on_camera(self, event: Any) -> None:
        if self._again.isActive():  # napari tells the zoom anew when a canvas has got another size
            return
        source = next(view for view in self._views if view.model.scene.camera is event.source)
        if self._busy or source.plane is Plane.VOLUME or not source.native.isVisible():
            return
        camera = source.model.scene.camera
        centre: dict[Axis, float] = dict(zip(source.shown, camera.center[-2:], strict=True))
        self._busy, self._fitted = True, False
        try:
            for view in self._flat():
                if view is not source:
                    _take(view, camera.zoom, centre)
        finally:
            self._busy = False


def _take(view: View, zoom: float, centre: dict[Axis, float]) -> None:
    camera = view.model.scene.camera
    down, right = (
        centre.get(axis, kept) for axis, kept in zip(view.shown, camera.center[-2:], strict=True)
    )  # fmt: skip
    if camera.zoom != zoom:
        camera.zoom = zoom
    if (down, right) != tuple(camera.center[-2:]):
        camera.center = (0.0, down, right)
