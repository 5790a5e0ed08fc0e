"""What is being measured in all views: the tool that is chosen, and what was measured with it."""

from __future__ import annotations

from typing import Any

from napari.components import ViewerModel
from qtpy.QtCore import QObject, Signal

from napari_vol3d.gui.bench.measured import Measurement, Tool, measured
from napari_vol3d.gui.bench.planes import Axis, plane_across
from napari_vol3d.gui.bench.readout import IsCT, never
from napari_vol3d.gui.bench.view import World
from napari_vol3d.gui.space import reference_of


class Board(QObject):
    """Keeps the measurements of one viewer; the views draw them, the panel lists them.

    Attributes
    ----------
    keep : bool
        Whether the tool stays after a measurement.
    """

    toolChanged = Signal()
    changed = Signal()  # the measurements, or which of them is chosen

    def __init__(self, viewer: ViewerModel, *, is_ct: IsCT = never, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._is_ct = viewer, is_ct
        self.keep = False
        self._tool: Tool | None = None
        self._measurements: tuple[Measurement, ...] = ()
        self._chosen: Measurement | None = None
        viewer.layers.events.removed.connect(self._on_removed)

    @property
    def tool(self) -> Tool | None:
        """What the mouse measures, if it does."""
        return self._tool

    @tool.setter
    def tool(self, tool: Tool | None) -> None:
        if tool != self._tool:
            self._tool = tool
            self.toolChanged.emit()

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """What was measured, the first first."""
        return self._measurements

    @property
    def chosen(self) -> Measurement | None:
        """The one that stands out."""
        return self._chosen

    def choose(self, one: Measurement | None) -> None:
        """Let one stand out."""
        if one is not self._chosen:
            self._chosen = one
            self.changed.emit()

    def measure(self, kind: Tool, points: tuple[World, ...], axis: Axis) -> Measurement:
        """Measure between points, without keeping it."""
        view = plane_across(axis).title(anatomical=reference_of(self._viewer) is not None)
        return measured(self._viewer, kind, points, axis=axis, view=view, is_ct=self._is_ct)

    def add(self, kind: Tool, points: tuple[World, ...], axis: Axis) -> Measurement:
        """Measure and keep it; the tool has done its work unless it is kept too."""
        one = self.measure(kind, points, axis)
        self._chosen = one
        self._set((*self._measurements, one))
        if not self.keep:
            self.tool = None
        return one

    def move(self, one: Measurement, points: tuple[World, ...]) -> Measurement:
        """Measure again with other points."""
        new = self.measure(one.kind, points, one.axis)
        self._chosen = new
        self._set(tuple(new if old is one else old for old in self._measurements))
        return new

    def remove(self, one: Measurement) -> None:
        """Forget one."""
        if self._chosen is one:
            self._chosen = None
        self._set(tuple(old for old in self._measurements if old is not one))

    def clear(self) -> None:
        """Forget all."""
        self._chosen = None
        self._set(())

    def let_go(self) -> None:
        """Let go of the viewer."""
        self._viewer.layers.events.removed.disconnect(self._on_removed)

    def _set(self, measurements: tuple[Measurement, ...]) -> None:
        self._measurements = measurements
        self.changed.emit()

    def _on_removed(self, event: Any) -> None:
        """Forget all with the last layer: on the next patient they would mean nothing."""
        if not len(self._viewer.layers) and self._measurements:
            self.clear()
