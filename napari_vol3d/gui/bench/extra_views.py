"""Views of ours beside napari's own."""

from __future__ import annotations

from typing import Protocol

import napari
from napari.components import ViewerModel

from napari_vol3d.gui.bench.canvas import Canvas
from napari_vol3d.gui.bench.current import Current
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.twins import Twins
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.bench.volume_cross import VolumeCross
from napari_vol3d.gui.bench.volume_twins import VolumeTwins


class _Layers(Protocol):
    def let_go(self) -> None: ...


class ExtraView:
    """A view with a model, a canvas and twins of the viewer's layers.

    Attributes
    ----------
    view : View
    plane : Plane
        What it shows; for good.
    cross : VolumeCross or None
        The crosshair of a 3D view.
    """

    def __init__(self, viewer: napari.Viewer, plane: Plane) -> None:
        self.plane = plane
        self._viewer = viewer
        model = ViewerModel(ndisplay=3 if plane is Plane.VOLUME else 2)
        model.theme = viewer.theme
        self.canvas = Canvas(model, viewer.window._qt_viewer.dropEvent)
        self.view = View(model, self.canvas)
        self._current = Current(self.view, viewer.window._qt_viewer.canvas._scene_canvas)
        self.cross: VolumeCross | None = None
        self._layers: _Layers
        if plane is Plane.VOLUME:
            self._layers = twins = VolumeTwins(self.view, viewer)
            self.cross = twins.cross
        else:
            self._layers = Twins(viewer, self.view, plane.value)
        self._keep_plane()
        dims = model.dims.events  # napari's keys for turning work over any canvas
        self._turning = (dims.ndim, dims.order, dims.ndisplay)
        for signal in self._turning:
            signal.connect(self._keep_plane)
        viewer.events.theme.connect(self._wear_theme)

    def let_go(self) -> None:
        """Part from the viewer's layers, and take the canvas away."""
        for signal in self._turning:
            signal.disconnect(self._keep_plane)
        self._viewer.events.theme.disconnect(self._wear_theme)
        self._layers.let_go()
        self._current.let_go()
        self.canvas.close()
        self.canvas.setParent(None)
        self.canvas.deleteLater()

    def _keep_plane(self, event: object = None) -> None:
        self.view.set_plane(self.plane)

    def _wear_theme(self, event: object = None) -> None:
        self.view.model.theme = self._viewer.theme
