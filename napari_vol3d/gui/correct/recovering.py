"""Bringing back what was not saved: the scan, its labels as they were left, and their history."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import napari
from napari.layers import Image, Labels
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.correct.book import Book
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.forms.layer_choice import is_scan
from napari_vol3d.gui.jobs import Job, report
from napari_vol3d.gui.layers import finest, labels_layer, source_of, to_layer, to_volume
from napari_vol3d.review.about import About
from napari_vol3d.review.recovery import Found, discard
from napari_vol3d.review.restore import Restored, restore

PLUGIN = "napari-vol3d"


class Recovering(QObject):
    """Recovers layers one after the other; each goes on in the journal that it was in."""

    recovered = Signal(object)  # Found
    failed = Signal(object, str)  # Found, and why it can't be had

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._todo: list[Found] = []
        self._now: Found | None = None
        self._job: Job | None = None
        self._discarding: list[Job] = []
        self._gone = False

    def let_go(self) -> None:
        """Stop."""
        self._gone = True
        self._todo.clear()
        for job in (self._job, *self._discarding):
            if job is not None:
                job.stop()

    def recover(self, found: Iterable[Found]) -> None:
        """Bring these back."""
        here = {record.book.key for record in self._desk.records}
        for one in found:
            if one.layer.key in here:  # its dock was closed and opened again
                self.recovered.emit(one)
            else:
                self._todo.append(one)
        if self._now is None:
            self._next()

    def discard(self, found: Iterable[Found]) -> None:
        """Note that a person does not want these; the journals keep them."""
        job = Job(discard(list(found)), name="Discarding corrections", parent=self)
        self._discarding.append(job)
        job.start()

    def _next(self) -> None:
        self._now = self._todo.pop(0) if self._todo else None
        if self._now is not None:
            verb = restore(self._now.journal, self._now.layer)
            self._job = Job(verb, name=f"Recovering {self._now.layer.name}", parent=self)
            self._job.succeeded.connect(self._on_success)
            self._job.failed.connect(self._on_failure)
            self._job.ended.connect(self._next)
            self._job.start()

    def _on_success(self, restored: Restored) -> None:
        if self._gone:  # as was the window: the journal keeps it
            return
        try:
            show_restored(self._desk, restored)
        except Vol3dError as problem:
            report(problem)
            self._on_failure(problem)
            return
        if restored.note:
            self._desk.say(restored.note)
        self.recovered.emit(self._now)

    def _on_failure(self, problem: Vol3dError) -> None:
        self.failed.emit(self._now, str(problem))


def show_restored(desk: Desk, restored: Restored) -> Record:
    """Show labels as they were left, over their scan where that can be opened, and put them under correction."""
    about = About.read(restored.layer.about)
    scan = _scan(desk.viewer, about.source, restored.labels.shape[-3:])
    layer = _labels_over(scan, restored, about)
    book = Book(layer, desk.ledger_of, known=restored.layer, path=restored.path)
    book.resume(restored.line.cursor)
    record = desk.adopt(Record(desk.viewer, layer, book, line=restored.line, touched=restored.touched))
    desk.viewer.add_layer(layer)
    return record


def _scan(viewer: napari.Viewer, source: Path | None, shape: tuple[int, ...]) -> Image | None:
    """Give the scan's layer, opened if need be; None where its file is gone, or is no scan any more."""
    if source is None:
        return None
    if not _open_already(viewer, source) and source.exists():
        try:
            viewer.open(str(source), plugin=PLUGIN)
        except Vol3dError as problem:
            report(problem)
    fitting = [layer for layer in _open_already(viewer, source) if tuple(finest(layer).shape[-3:]) == tuple(shape)]
    return fitting[0] if fitting else None


def _open_already(viewer: napari.Viewer, source: Path) -> list[Image]:
    return [layer for layer in viewer.layers if is_scan(layer) and source_of(layer) == source]


def _labels_over(scan: Image | None, restored: Restored, about: About) -> Labels:
    name, data = restored.layer.name, restored.labels
    if scan is not None:
        return labels_layer(data, to_volume(scan), about.classes, name=name, model=about.model, like=scan)
    # Volumes have the time last, layers first.
    moved = data if data.ndim == 3 else data.transpose(1, 2, 3, 0)
    geometry = about.geometry or Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel")
    volume = Volume(
        data=moved, geometry=geometry, name=name, source=about.source, is_labels=True, classes=about.classes,
        timed=about.timed,
    )  # fmt: skip
    voxels, keywords, _ = to_layer(volume, as_labels=True)
    return Labels(voxels, **keywords)
