"""What is known of the grey levels of image layers: each is looked at once, a large or lazy one in a thread."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image
from napari.utils.events import Event
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.onto import Onto
from napari_vol3d.core.sliced import Moved, moved
from napari_vol3d.core.windows import Levels, survey, surveying
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import origin_of

AT_ONCE = 50_000_000  # bytes that are looked at while the window waits


class GreySurvey(QObject):
    """Keeps the levels of layers until they are forgotten.

    `changed` comes with a layer whose levels took a while, or that has other voxels now: ask for them again.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._levels: dict[Image, Levels] = {}
        self._jobs: dict[Image, Job] = {}

    def of(self, layer: Image) -> Levels | None:
        """Give a layer's levels; None where a thread looks at them, `changed` follows."""
        if layer not in self._levels and layer not in self._jobs:
            layer.events.data.connect(self._on_data)
            voxels, anatomical = voxels_of(layer), is_patient(layer)
            if isinstance(voxels, np.ndarray) and voxels.nbytes <= AT_ONCE:
                self._levels[layer] = survey(voxels, anatomical=anatomical)
            else:
                self._begin(layer, voxels, anatomical=anatomical)
        return self._levels.get(layer)

    def forget(self, layer: Image) -> None:
        """Let go of a layer."""
        if layer in self._levels or layer in self._jobs:
            layer.events.data.disconnect(self._on_data)
        self._levels.pop(layer, None)
        job = self._jobs.pop(layer, None)
        if job is not None:
            job.stop()

    def let_go(self) -> None:
        """Forget all, and stop what runs."""
        for layer in [*self._levels, *self._jobs]:
            self.forget(layer)

    def _begin(self, layer: Image, voxels: Any, *, anatomical: bool) -> None:
        job = Job(surveying(voxels, anatomical=anatomical), name="Grey levels", parent=self, quiet=True)
        self._jobs[layer] = job
        job.succeeded.connect(self._take)
        job.start()

    def _on_data(self, event: Event) -> None:
        self.forget(event.source)
        self.changed.emit(event.source)

    def _take(self, levels: Levels) -> None:
        """Keep what a thread found, unless its layer was forgotten meanwhile."""
        for layer, job in list(self._jobs.items()):
            if job is self.sender():
                del self._jobs[layer]
                self._levels[layer] = levels
                self.changed.emit(layer)


def voxels_of(layer: Image) -> Any:
    """Give the finest voxels of a layer; of one that was resampled those of its volume, without the dark around it."""
    data = layer.data[0] if layer.multiscale else layer.data
    inner = data.data if isinstance(data, Moved) else data
    if not isinstance(inner, Onto):
        return data
    own = inner.volume.data
    return moved(own, data.axes) if isinstance(data, Moved) else own


def is_patient(layer: Image) -> bool:
    """Whether a layer shows a patient's volume."""
    origin = origin_of(layer)
    return origin is not None and origin.geometry.anatomical
