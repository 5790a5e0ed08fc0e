"""The layers of a view of ours: the twins of the viewer's layers, in the same order, the same one chosen."""

from __future__ import annotations

from typing import Any

import napari
from napari.layers import Image, Labels, Layer

from napari_vol3d.gui.bench.copies import Copy
from napari_vol3d.gui.bench.planes import Axis
from napari_vol3d.gui.bench.ripple import Ripple
from napari_vol3d.gui.bench.tie import Tie
from napari_vol3d.gui.bench.twin_layers import TwinLabels, twin_of
from napari_vol3d.gui.bench.view import View


class Twins:
    """Keeps a view's layers in step with the viewer's until it lets go.

    Parameters
    ----------
    viewer : Viewer
        Whose layers are shown.
    view : View
        With a model of its own, empty.
    axis : int
        Which of the last three axes the view cuts.
    """

    def __init__(self, viewer: napari.Viewer, view: View, axis: Axis) -> None:
        self._viewer, self._view, self._axis = viewer, view, axis
        self._bonds: dict[Layer, list[Tie | Ripple | Copy]] = {}
        events = viewer.layers.events
        self._connections = [
            (events.inserted, self._inserted), (events.removed, self._removed), (events.moved, self._order),
            (events.reordered, self._order), (viewer.layers.selection.events.active, self._choose),
        ]  # fmt: skip
        for signal, slot in self._connections:
            signal.connect(slot)
        for layer in viewer.layers:
            self._add(layer)
        self._choose()

    def let_go(self) -> None:
        """Part all twins from their layers, and take them out of the view."""
        for signal, slot in self._connections:
            signal.disconnect(slot)
        for layer in list(self._bonds):
            self._remove(layer)

    def _inserted(self, event: Any) -> None:
        self._add(event.value)
        self._order()

    def _removed(self, event: Any) -> None:
        self._remove(event.value)

    def _add(self, layer: Layer) -> None:
        if layer in self._bonds:
            return
        twin = self._view.twins[layer] = twin_of(layer, self._axis)
        self._view.model.layers.append(twin)
        if isinstance(layer, Image | Labels):
            self._bonds[layer] = [Tie(layer, twin), Ripple(self._viewer, layer, twin)]
        else:
            self._bonds[layer] = [Copy(layer, self._renew)]

    def _remove(self, layer: Layer) -> None:
        for bond in self._bonds.pop(layer, ()):
            bond.let_go()
        twin = self._view.twins.pop(layer, None)
        if isinstance(twin, TwinLabels):
            twin.finish_stroke()
        if twin is not None:
            self._view.model.layers.remove(twin)

    def _renew(self, layer: Layer) -> None:
        self._remove(layer)
        self._add(layer)
        self._order()
        self._choose()

    def _order(self, event: Any = None) -> None:
        self._view.order_twins(self._viewer.layers)

    def _choose(self, event: Any = None) -> None:
        active = self._viewer.layers.selection.active
        self._view.model.layers.selection.active = None if active is None else self._view.twins.get(active)
