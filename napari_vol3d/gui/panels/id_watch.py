"""Which ids a labels layer really holds: looked up beside the window, again a moment after each stroke."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from napari.components import Dims
from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer, Signal

from napari_vol3d.core.progress import Progress
from napari_vol3d.core.seek import ids_in
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.redrawn import Redrawn

PAUSE_MS = 600  # after the last stroke


class IdWatch(QObject):
    """Tells with `changed` when `ids` of the watched layer are known, and when they are others.

    Only volumes in memory are looked through: what lies in a file would be read whole.
    """

    changed = Signal()

    def __init__(self, dims: Dims, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._redrawn = Redrawn(dims)
        self.ids: frozenset[int] = frozenset()
        self._layer: Labels | None = None
        self._round = 0
        self._job: Job | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self.look)

    @property
    def looking(self) -> bool:
        """Whether an answer is still to come."""
        return self._pause.isActive() or (self._job is not None and self._job.running)

    def watch(self, layer: Labels | None) -> None:
        """Watch this layer and no other."""
        if layer is self._layer:
            return
        self.let_go()
        self._layer, self.ids = layer, frozenset()
        if layer is not None:
            for event in (layer.events.paint, layer.events.data):
                event.connect(self._wait)
            layer.events.set_data.connect(self._on_drawn)
            self.look()

    def look(self) -> None:
        """Look through the layer now."""
        self._stop()
        data = self._layer.data if self._layer is not None else None
        if isinstance(data, np.ndarray) and data.ndim >= 3:
            self._job = Job(_numbered(self._round, data), name="Looking for classes", parent=self, quiet=True)
            self._job.succeeded.connect(self._take)
            self._job.ended.connect(self._job.deleteLater)
            self._job.start()

    def let_go(self) -> None:
        """Let go of the layer, and stop."""
        self._stop()
        if self._layer is not None:
            for event in (self._layer.events.paint, self._layer.events.data):
                event.disconnect(self._wait)
            self._layer.events.set_data.disconnect(self._on_drawn)
        self._layer = None

    def _stop(self) -> None:
        self._round += 1  # what an earlier round still says is dropped
        self._pause.stop()
        if self._job is not None and self._job.running:
            self._job.stop()
        self._job = None

    def _on_drawn(self, event: Any) -> None:
        if self._redrawn.in_place():
            self._wait()

    def _wait(self, event: Any = None) -> None:
        self._pause.start()

    def _take(self, answer: tuple[int, frozenset[int]]) -> None:
        asked, ids = answer
        if asked == self._round and ids != self.ids:
            self.ids = ids
            self.changed.emit()


def _numbered(number: int, data: Any) -> Generator[Progress, None, tuple[int, frozenset[int]]]:
    return number, (yield from ids_in(data))
