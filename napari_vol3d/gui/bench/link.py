"""One crosshair for all views: each shows the slice that it lies on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.components import ViewerModel
from qtpy.QtCore import QObject, QTimer, Signal

from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View, World

SETTLE_MS = 250


class Link(QObject):
    """Holds the point where the views' slices meet.

    A view is moved along the axes that it cuts, and only along these: napari slices a view again, and draws it, for
    any other axis as well. Napari's own view, whose `dims.point` other parts and plug-ins read, gets the whole point
    when the movement has come to rest.
    """

    moved = Signal()

    def __init__(self, first: View) -> None:
        super().__init__()  # a child would live as long as its parent, and napari's canvas with it
        self._first = first
        self._views: list[View] = []
        self._seen: dict[ViewerModel, World] = {}
        self._point = tuple(first.model.dims.point)
        self._busy = False
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.settle)
        self.add(first)

    @property
    def point(self) -> World:
        """The crosshair in the world: ..., z, y, x."""
        return self._point

    def add(self, view: View) -> None:
        """Let a view show the crosshair's slice, and move the crosshair."""
        self._views.append(view)
        view.model.dims.events.point.connect(self._on_point)
        if view is not self._first:
            self.bring(view)
        self._seen[view.model] = tuple(view.model.dims.point)

    def remove(self, view: View) -> None:
        """Let a view go its own way."""
        self._views.remove(view)
        view.model.dims.events.point.disconnect(self._on_point)
        del self._seen[view.model]

    def let_go(self) -> None:
        """Let all views go."""
        self._settle.stop()
        for view in list(self._views):
            self.remove(view)

    def go_to(self, point: Iterable[float]) -> None:
        """Put the crosshair at a point of the world, or at the nearest that the layers reach."""
        self._move(tuple(float(value) for value in point))

    def bring(self, view: View) -> None:
        """Bring a view to the crosshair: one that was out of sight has stayed behind."""
        if self._busy:
            return
        self._busy = True
        try:
            self._turn(view)
        finally:
            self._busy = False

    def settle(self) -> None:
        """Give napari's own view the whole point."""
        self._settle.stop()
        dims = self._first.model.dims
        if len(self._point) != dims.ndim or np.allclose(self._point, dims.point):
            return
        self._busy = True
        try:
            dims.point = self._point
        finally:
            self._busy = False
            self._seen[self._first.model] = tuple(dims.point)

    def _on_point(self, event: Any) -> None:
        """Follow a view that was turned to another slice, or whose layers now have other axes."""
        if self._busy:
            return
        dims = event.source
        model = next(view.model for view in self._views if view.model.dims is dims)
        before, now = self._seen[model], tuple(dims.point)
        self._seen[model] = now
        if model is self._first.model and dims.ndim != len(self._point):
            self._move(now)
        elif len(before) == len(now) == len(self._point):
            # What else changes in a view of ours is no movement: its range, when its layers come.
            axes = range(dims.ndim) if model is self._first.model else dims.not_displayed
            moved = {axis: now[axis] for axis in axes if now[axis] != before[axis]}
            self._move(tuple(moved.get(axis, kept) for axis, kept in enumerate(self._point)))

    def _move(self, point: World) -> None:
        ranges = self._first.model.dims.range
        if len(point) != len(ranges) or not np.isfinite(point).all():
            return
        point = tuple(float(np.clip(p, r.start, r.stop)) for p, r in zip(point, ranges, strict=True))
        if point == self._point:
            return
        self._point, self._busy = point, True
        try:
            for view in self._views:
                if view is self._first or view.native.isVisible():
                    self._turn(view)
        finally:
            self._busy = False
        self._settle.start()
        self.moved.emit()

    def _turn(self, view: View) -> None:
        """Turn a view to the crosshair's slice, along the axes across it."""
        dims = view.model.dims
        if dims.ndim != len(self._point):
            return
        across = dims.not_displayed if view.plane is not Plane.VOLUME or view is self._first else dims.order[:-3]
        axes = [axis for axis in across if dims.point[axis] != self._point[axis]]
        if axes:
            dims.set_point(axes, [self._point[axis] for axis in axes])
        if view.model in self._seen:
            self._seen[view.model] = tuple(dims.point)
