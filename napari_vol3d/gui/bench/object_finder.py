"""Which object of a class is at a voxel: found in a thread when the mouse rests, and forgotten when labels change."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, TypeAlias

import numpy as np
from napari import Viewer
from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer, Signal

from napari_vol3d.core.amounts import amount
from napari_vol3d.core.objects import Objects, find_objects
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.bench.under import Index, geometry_under
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import finest
from napari_vol3d.gui.redrawn import Redrawn

REST_MS = 300  # the mouse rests; while it moves on, or a person paints, nothing is computed
MOST_VOXELS = 1 << 29  # of labels whose objects are looked for
KEPT_VOXELS = 1 << 26  # of what was found, 4 bytes each
Wanted: TypeAlias = tuple[Labels, tuple[int, ...], int]  # the layer, the moment of a series, the class


class ObjectFinder(QObject):
    """Tells the objects of labels; `found` says that more is known than before."""

    found = Signal()

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._known: dict[Wanted, Objects] = {}  # the latest last
        self._watched: dict[Labels, Redrawn] = {}
        self._next: Wanted | None = None
        self._job: Job | None = None
        self._of: Wanted | None = None  # what the job looks for; None where its answer comes too late
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._begin)
        viewer.layers.events.removed.connect(self._on_removed)

    def __call__(self, labels: Labels, index: Index, class_id: int) -> tuple[int, str] | None:
        """Give the number and the size of the object at a voxel; None while they are not known."""
        wanted = labels, index[:-3], class_id
        objects = self._known.get(wanted)
        if objects is None:
            self._ask(wanted)
            return None
        z, y, x = index[-3:]
        number = objects.at((z, y, x))
        return (number, amount(objects.voxels[number], geometry_under(labels))) if number else None

    @property
    def busy(self) -> bool:
        """Whether something is still to be found."""
        return self._timer.isActive() or (self._job is not None and self._job.running)

    def forget(self, labels: Labels) -> None:
        """Forget what is known of labels that have changed."""
        self._known = {key: objects for key, objects in self._known.items() if key[0] is not labels}
        if self._next is not None and self._next[0] is labels:
            self._next = None
        if self._of is not None and self._of[0] is labels:
            self._of = None
            if self._job is not None:
                self._job.stop()

    def let_go(self) -> None:
        """Stop, and let go of the viewer and its layers."""
        self._timer.stop()
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        for labels in list(self._watched):
            self._unwatch(labels)

    def _ask(self, wanted: Wanted) -> None:
        labels, _, _ = wanted
        if labels.ndim < 3 or math.prod(finest(labels).shape[-3:]) > MOST_VOXELS or wanted == self._of:
            return
        self._next = wanted
        self._timer.start()

    def _begin(self) -> None:
        if self._next is None or (self._job is not None and self._job.running):
            return  # the end of the job begins the next one
        self._of, self._next = self._next, None
        labels, moment, class_id = self._of
        self._watch(labels)
        self._job = Job(_find(finest(labels), moment, class_id), name="Finding objects", parent=self, quiet=True)
        self._job.succeeded.connect(self._keep)
        self._job.ended.connect(self._on_ended)
        self._job.start()

    def _keep(self, objects: Objects) -> None:
        if self._of is None:
            return
        self._known[self._of] = objects
        while len(self._known) > 1 and sum(one.numbers.size for one in self._known.values()) > KEPT_VOXELS:
            del self._known[next(iter(self._known))]

    def _on_ended(self) -> None:
        told, self._of = self._of is not None, None
        if self._job is not None:
            self._job.deleteLater()
            self._job = None
        if told:
            self.found.emit()
        self._begin()

    def _watch(self, labels: Labels) -> None:
        if labels in self._watched:
            return
        self._watched[labels] = Redrawn(self._viewer.dims)
        for event in (labels.events.paint, labels.events.data, labels.events.visible):
            event.connect(self._on_changed)
        labels.events.set_data.connect(self._on_drawn)

    def _unwatch(self, labels: Labels) -> None:
        self.forget(labels)
        del self._watched[labels]
        for event in (labels.events.paint, labels.events.data, labels.events.visible):
            event.disconnect(self._on_changed)
        labels.events.set_data.disconnect(self._on_drawn)

    def _on_changed(self, event: Any) -> None:
        self.forget(event.source)

    def _on_drawn(self, event: Any) -> None:
        if self._watched[event.source].in_place():
            self.forget(event.source)

    def _on_removed(self, event: Any) -> None:
        if event.value in self._watched:
            self._unwatch(event.value)
        elif self._next is not None and self._next[0] is event.value:
            self._next = None


def _find(labels: Any, moment: tuple[int, ...], class_id: int) -> Generator[Progress, None, Objects]:
    result: Objects | None = None
    for step in find_objects(_Moment(labels, moment) if moment else labels, class_id):
        result = step
        yield Progress(phase="Finding objects")
    if result is None:
        raise RuntimeError("the objects were not found")
    return result


class _Moment:
    """One moment of a series, read by planes."""

    def __init__(self, labels: Any, moment: tuple[int, ...]) -> None:
        self._labels, self._moment = labels, moment
        self.shape = tuple(labels.shape[-3:])

    def __getitem__(self, planes: slice) -> Any:
        return np.asarray(self._labels[(*self._moment, planes)])
