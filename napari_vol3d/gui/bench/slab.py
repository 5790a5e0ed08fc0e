"""Thick slices: the brightest, the mean or the darkest of some millimetres instead of one slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from weakref import WeakKeyDictionary

import napari
import numpy as np
from napari.components import Dims
from napari.layers import Image, Layer

from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View

Projection: TypeAlias = Literal["none", "max", "mean", "min"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slab:
    """How thick the slices are, and what of them is shown.

    Attributes
    ----------
    projection : str
        Of images; labels are always those of the slice in the middle.
    thickness : float
        In the unit of the canvas.
    """

    projection: Projection = "none"
    thickness: float = 10.0

    def margins(self, step: float, past: float = 0.0) -> tuple[float, float]:
        """Give how far a slab reaches before and behind a point, where slices are `step` apart.

        It has the whole number of slices that comes nearest to its thickness.

        Parameters
        ----------
        past : float
            How far the point lies behind the middle of its slice. napari takes a slab from slice to slice only if its
            ends lie on slices: between two it would be one slice short.
        """
        if self.projection == "none" or step <= 0:
            return 0.0, 0.0
        more = max(1, round(self.thickness / step)) - 1
        return more // 2 * step + past, (more - more // 2) * step - past


class Slabs:
    """Keeps the slices of all images in all views as thick as wanted."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._views: list[View] = []
        self._slab = Slab()
        self._before: WeakKeyDictionary[Layer, str] = WeakKeyDictionary()  # how images were projected before
        self._thick: set[View] = set()
        viewer.layers.events.inserted.connect(self._inserted)

    @property
    def slab(self) -> Slab:
        """What is shown now."""
        return self._slab

    @slab.setter
    def slab(self, wanted: Slab) -> None:
        self._slab = wanted
        for view in self._views:
            self._thicken(view)
        for layer in self._viewer.layers:
            self._project(layer)

    def add(self, view: View) -> SlabView:
        """Let a view take part until it lets go."""
        return SlabView(self, view)

    def let_go(self) -> None:
        """Go back to what there was before."""
        if self._slab.projection != "none":
            self.slab = Slab()
        self._viewer.layers.events.inserted.disconnect(self._inserted)

    def _inserted(self, event: Any) -> None:
        if self._slab.projection != "none":
            self._project(event.value)

    def _project(self, layer: Layer) -> None:
        if not isinstance(layer, Image):
            return
        if self._slab.projection == "none":
            wanted = self._before.pop(layer, str(layer.projection_mode))
        else:
            wanted = self._slab.projection
            self._before.setdefault(layer, str(layer.projection_mode))
        if str(layer.projection_mode) != wanted:
            layer.projection_mode = wanted

    def _thicken(self, view: View) -> None:
        if self._slab.projection == "none" and view not in self._thick:
            return  # margins that a person has set in napari are not ours
        (self._thick.discard if self._slab.projection == "none" else self._thick.add)(view)
        dims = view.model.dims
        left, right = [0.0] * dims.ndim, [0.0] * dims.ndim
        if dims.ndim >= 3 and view.plane is not Plane.VOLUME:
            axis = dims.order[-3]
            left[axis], right[axis] = self._slab.margins(dims.range[axis].step, _past(dims, axis))
        if not (np.allclose(left, dims.margin_left) and np.allclose(right, dims.margin_right)):
            dims.margin_left, dims.margin_right = tuple(left), tuple(right)


class SlabView:
    """Thickens the slices of one view, also when it is turned or gets other layers."""

    def __init__(self, slabs: Slabs, view: View) -> None:
        self._slabs, self._view = slabs, view
        events = view.model.dims.events
        self._signals = (events.order, events.ndisplay, events.range, events.point)
        for signal in self._signals:
            signal.connect(self._follow)
        slabs._views.append(view)
        self._follow()

    def let_go(self) -> None:
        """Leave the view alone."""
        for signal in self._signals:
            signal.disconnect(self._follow)
        self._slabs._views.remove(self._view)
        self._slabs._thick.discard(self._view)

    def _follow(self, event: Any = None) -> None:
        self._slabs._thicken(self._view)


def _past(dims: Dims, axis: int) -> float:
    """Give how far the point lies behind the middle of the slice that is shown, along an axis of the world."""
    start, _, step = dims.range[axis]
    place = (dims.point[axis] - start) / step if step > 0 else 0.0
    return float(place - np.round(place)) * step
