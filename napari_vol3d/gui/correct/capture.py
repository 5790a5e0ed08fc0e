"""Catching what others do to a layer: napari's brush, fill, polygon and eraser, scripts, other plug-ins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer, Signal

from napari_vol3d.core.box import Box
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.redrawn import Redrawn

SWEEP_MS = 300  # after the last time that a layer was drawn anew in place
VERBS = {"paint": "Paint", "erase": "Erase", "fill": "Fill", "polygon": "Polygon"}  # by napari's mode


class Capture(QObject):
    """Gives a record what napari tells of a layer, and looks for what it does not tell.

    napari's paint event names what a stroke changed, but there is none for undo, redo and direct writes: where a
    layer is drawn anew on the slice that was there before, all of it is compared with its shadow a moment later.
    """

    reshaped = Signal()  # the layer has got voxels of another shape: they are other labels

    def __init__(self, bench: Bench, record: Record) -> None:
        super().__init__(record)
        self._bench, self._record = bench, record
        self._redrawn = Redrawn(bench.viewer.dims)
        self._sweep = QTimer(self)
        self._sweep.setSingleShot(True)
        self._sweep.setInterval(SWEEP_MS)
        self._sweep.timeout.connect(self._look)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(record.settle)
        events = record.layer.events
        self._signals = ((events.paint, self._painted), (events.set_data, self._set), (events.data, self._replaced))
        for signal, slot in self._signals:
            signal.connect(slot)

    def let_go(self) -> None:
        """Stop."""
        self._sweep.stop()
        self._soon.stop()
        for signal, slot in self._signals:
            signal.disconnect(slot)

    def _painted(self, event: Any) -> None:
        shape = self._record.layer.data.shape
        box = box_of(event.value, shape)
        if box is not None:
            verb = VERBS.get(str(self._record.layer.mode), "Paint")
            self._record.note(box, verb, frames_of(event.value, shape))
            self._soon.start()

    def _set(self, event: Any) -> None:
        in_place = self._redrawn.in_place()
        if in_place and not self._record.busy:
            self._sweep.start()

    def _replaced(self, event: Any) -> None:
        if self._same_shape:
            self._sweep.start()
        else:
            self.reshaped.emit()

    @property
    def _same_shape(self) -> bool:
        return bool(self._record.layer.data.shape == self._record.shadow.shape)

    @property
    def _being_drawn(self) -> bool:
        """Whether a stroke of ours or of napari's has not ended, in whichever view: half of one is no step."""
        shown = (view.shows(self._record.layer) for view in self._bench.views)
        return self._record.drawing or any(layer._block_history for layer in shown if isinstance(layer, Labels))

    def _look(self) -> None:
        if self._being_drawn:
            self._sweep.start()
        else:
            self._record.capture()


def box_of(atoms: Iterable[Any], shape: tuple[int, ...]) -> Box | None:
    """Give the box, in space, of what napari's paint event names; None where it is empty.

    An atom has the slices of its box, or is a tuple whose first entry holds indices along each axis.
    """
    found: Box | None = None
    for atom in atoms:
        spans = [_span(along, length) for along, length in zip(_place(atom)[-3:], shape[-3:], strict=True)]
        if all(start < stop for start, stop in spans):
            (z0, z1), (y0, y1), (x0, x1) = spans
            box = Box(start=(z0, y0, x0), stop=(z1, y1, x1))
            found = box if found is None else found.joined(box)
    return found


def frames_of(atoms: Iterable[Any], shape: tuple[int, ...]) -> range:
    """Give the time points of the same: napari's tools may reach through time too (`n_edit_dimensions`)."""
    if len(shape) == 3:
        return range(1)
    spans = [_span(_place(atom)[0], shape[0]) for atom in atoms]
    return range(min(first for first, _ in spans), max(last for _, last in spans))


def _place(atom: Any) -> tuple[Any, ...]:
    return tuple(atom.slice_key if hasattr(atom, "slice_key") else atom[0])


def _span(along: Any, length: int) -> tuple[int, int]:
    """Give the first index along an axis, and the one behind the last."""
    if isinstance(along, slice):
        start, stop, _ = along.indices(length)
        return start, stop
    indices = np.atleast_1d(np.asarray(along))
    return (int(indices.min()), int(indices.max()) + 1) if indices.size else (0, 0)
