"""One view of the bench: a canvas of napari's, by what is drawn in it and where the mouse is on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from napari.components import ViewerModel
from napari.layers import Layer
from napari.qt import QtViewer
from qtpy.QtWidgets import QWidget
from vispy.scene import Node

from napari_vol3d.gui.bench.planes import LETTERS, Axis, Plane, plane_across

World: TypeAlias = tuple[float, ...]  # a point as `dims.point` gives it: ..., z, y, x in the layers' unit
Pixel: TypeAlias = tuple[float, float]  # x, y on the canvas, from its upper left corner


class View:
    """A canvas with its model: napari's own, or one of ours beside it.

    Parameters
    ----------
    model : ViewerModel
        The viewer itself, or a model with twins of its layers.
    qt_viewer : QtViewer
        Shows it.

    Attributes
    ----------
    twins : dict of Layer to Layer
        What shows each layer of the viewer here; a layer without an entry shows itself.
    """

    def __init__(self, model: ViewerModel, qt_viewer: QtViewer) -> None:
        self.model, self.qt_viewer = model, qt_viewer
        self.twins: dict[Layer, Layer] = {}

    @property
    def native(self) -> QWidget:
        """The canvas, which gets the mouse."""
        return self.qt_viewer.canvas.native

    @property
    def scene(self) -> Node:
        """Parent of what is drawn in world coordinates, (x, y) or (x, y, z) as they are shown."""
        return self.qt_viewer.canvas.view.scene

    @property
    def glass(self) -> Node:
        """Parent of what is drawn on the canvas in logical pixels, from its upper left corner."""
        return self.qt_viewer.canvas.view

    @property
    def plane(self) -> Plane:
        """The plane that is shown now: a person may turn napari's own view, or put the time on the screen.

        What is no plane of the space counts as a volume: there is no place on it to point at.
        """
        dims = self.model.dims
        in_space = dims.ndim >= 3 and min(dims.order[-3:]) >= dims.ndim - 3
        return plane_across(self._axis(-3)) if dims.ndisplay == 2 and in_space else Plane.VOLUME

    def set_plane(self, plane: Plane) -> None:
        """Cut the volume this way; axes before z keep their sliders."""
        dims = self.model.dims
        before = range(dims.ndim - 3)
        order = (*before, *(axis + len(before) for axis in plane.order))
        if dims.ndim >= 3 and tuple(dims.order) != order:
            dims.order = order
        dims.ndisplay = 3 if plane is Plane.VOLUME else 2

    @property
    def shown(self) -> tuple[Axis, Axis]:
        """Axes down and across the screen, of a view that is cut."""
        return self._axis(-2), self._axis(-1)

    def shows(self, layer: Layer) -> Layer:
        """Give the layer of this view that shows one of the viewer's."""
        return self.twins.get(layer, layer)

    def order_twins(self, layers: Iterable[Layer]) -> None:
        """Bring the twins into the order of the viewer's layers; those without one are passed over."""
        ours = self.model.layers
        for place, twin in enumerate(self.twins[layer] for layer in layers if layer in self.twins):
            now = ours.index(twin)
            if now != place:
                ours.move(now, place)

    def node_of(self, layer: Layer) -> Node | None:
        """Give what draws one of the viewer's layers here."""
        visual = self.qt_viewer.canvas.layer_to_visual.get(self.shows(layer))
        return None if visual is None else visual.node

    def to_world(self, pixel: Pixel) -> World:
        """Give the point under a place of the canvas, on the slice that is shown."""
        camera, size = self.model.scene.camera, self.native.size()
        down, right = self.signs
        across = (pixel[0] - size.width() / 2) / camera.zoom * right + camera.center[-1]
        along = (pixel[1] - size.height() / 2) / camera.zoom * down + camera.center[-2]
        point = list(self.model.dims.point)
        point[self.model.dims.order[-2]], point[self.model.dims.order[-1]] = along, across
        return tuple(float(value) for value in point)

    def to_pixel(self, point: World) -> Pixel:
        """Give where a point of the world is on the canvas, seen along the axis that is cut."""
        camera, size = self.model.scene.camera, self.native.size()
        along, across = (point[axis] for axis in self.model.dims.order[-2:])
        down, right = self.signs
        return (
            (across - camera.center[-1]) * camera.zoom * right + size.width() / 2,
            (along - camera.center[-2]) * camera.zoom * down + size.height() / 2,
        )

    @property
    def signs(self) -> tuple[int, int]:
        """1 where coordinates rise down the screen, and to the right; else -1."""
        down, right = self.model.scene.camera.orientation2d
        return 1 if str(down) == "down" else -1, 1 if str(right) == "right" else -1

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Ends of the patient's axes at the left, right, upper and lower edge of a view that is cut."""
        down, across = (LETTERS[axis] for axis in self.shown)
        sign_down, sign_right = self.signs
        left, right = across[::sign_right]
        upper, lower = down[::sign_down]
        return left, right, upper, lower

    def _axis(self, place: int) -> Axis:
        """Give an axis by its place in napari's order, counted among the last three."""
        dims = self.model.dims
        return int(dims.order[place]) - (dims.ndim - 3)
