"""The journal of one labels layer: takes its edits at once, also before anybody knows which scan they belong to."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import FileProblem, ScanMismatch, Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.correct.ledger import Ledger
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import classes_of, origin_of, source_of, to_volume
from napari_vol3d.review.about import About
from napari_vol3d.review.fallback import journal_of_scan
from napari_vol3d.review.identity import array_sha256, scan_sha256
from napari_vol3d.review.records import Layer, new_token
from napari_vol3d.review.reports import Acknowledged

Call = Callable[[Ledger, Layer], object]


class Book(QObject):
    """Keeps the edits of one layer.

    The journal's file is made with the first edit; until the scan's checksum is known edits wait in memory.

    Parameters
    ----------
    layer : Labels
    ledger_of : callable
        Gives the ledger of a journal's path.
    known : Layer, optional
        As what an earlier session has it in its journal.
    path : Path, optional
        That journal.
    scan : Path, optional
        The file of the scan that the labels lie on; without one the labels' own file says which they are.

    Attributes
    ----------
    key : str
        Of the layer, in the journal.
    """

    acknowledged = Signal(object)  # tokens of edits that are on a disk now
    saved = Signal(str)  # "saved 12:03:20"
    opened = Signal(object)  # the Ledger, once there is one

    def __init__(
        self, layer: Labels, ledger_of: Callable[[Path], Ledger], *, known: Layer | None = None,
        path: Path | None = None, scan: Path | None = None, parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._layer, self._ledger_of = layer, ledger_of
        # Of the labels as they are now: by the time that the scan is known a person may have put others into the layer.
        self._like = np.broadcast_to(np.zeros((), layer.data.dtype), layer.data.shape)
        self._known, self._path, self._scan = known, path, scan
        self.key = new_token() if known is None else known.key
        self.ledger: Ledger | None = None
        self.waiting = 0  # edits that are not on a disk yet
        self.words = ""  # what was said last by `saved`
        self._calls: list[Call] = []
        self._own: set[str] = set()
        self._asking: Job | None = None
        if known is None:
            self._ask_identity()

    @property
    def place(self) -> tuple[Layer, Path] | None:
        """The layer as the journal knows it, and the journal; None until both are known."""
        return None if self._known is None or self._path is None else (self._known, self._path)

    def begin(self, base: NDArray[Any]) -> None:
        """Begin the history with these labels; they must not change until the first edit is acknowledged."""
        self._call(lambda ledger, layer: ledger.writer.begin(layer, base))

    def resume(self, cursor: str | None) -> None:
        """Go on where an earlier session stood."""
        self._call(lambda ledger, layer: ledger.writer.watch(layer, cursor))

    def append(self, edit: Edit, *, token: str, who: str | None = None) -> None:
        """Keep an edit."""
        self.waiting += 1
        self._own.add(token)
        self._call(lambda ledger, layer: ledger.writer.append(layer, edit, token=token, who=who))

    def move(self, token: str | None) -> None:
        """Keep an undo, a redo, a jump."""
        self._call(lambda ledger, layer: ledger.writer.move(layer, token))

    def mark_saved(self, file: Path, *, at: str | None) -> None:
        """Keep that the labels as they were after a step were saved; without a history there is nothing to keep."""
        if self.ledger is not None or self._calls:
            self._call(lambda ledger, layer: ledger.writer.mark_at(layer, at, "saved", file=str(file)))

    def mark_accepted(self, *, at: str | None) -> None:
        """Keep that the labels as they were after a step were accepted."""
        self._call(lambda ledger, layer: ledger.writer.mark_at(layer, at, "accepted"))

    def know(self, **about: Any) -> None:
        """Know more about the layer; the journal has it with the next step."""
        if self._known is not None:
            self._known = replace(self._known, about={**self._known.about, **about})

    def read(self, token: str) -> Edit:
        """Give an edit from the journal.

        Raises
        ------
        Vol3dError
            If it can't be read.
        """
        if self.ledger is None:
            raise FileProblem("That step is not in the journal.", hint="Choose another one.")
        return self.ledger.journal.edit(token)

    def let_go(self) -> None:
        """Hand over what still waits; the ledger writes it."""
        if self._asking is not None and self._asking.running:
            self._asking.stop()
        if self._calls:
            self._identified(array_sha256(self._layer.data))
        if self.ledger is not None:
            self.ledger.acknowledged.disconnect(self._on_acknowledged)

    def _ask_identity(self) -> None:
        verb = _identify(self._layer, self._scan)
        self._asking = Job(verb, name="Reading which scan this is", parent=self, quiet=True)
        self._asking.succeeded.connect(self._identified)
        self._asking.failed.connect(self._unidentified)
        self._asking.start()

    def _unidentified(self, problem: Vol3dError) -> None:
        """The scan's file is gone: the labels' own voxels have to do."""
        self._identified(array_sha256(self._layer.data))

    def _identified(self, sha256: str) -> None:
        if self._known is not None:
            return
        layer = self._layer
        like = layer.data if layer.data.shape == self._like.shape else self._like
        self._known = replace(
            Layer.of(like, scan=sha256, name=layer.name), key=self.key, about=about_of(layer, self._scan).plain()
        )
        self._path = journal_of_scan(sha256)
        self._pass_on()

    def _call(self, call: Call) -> None:
        self._calls.append(call)
        self._pass_on()

    def _pass_on(self) -> None:
        if self._known is None or self._path is None or not self._calls:
            return
        if self.ledger is None:
            self.ledger = self._ledger_of(self._path)
            self.ledger.acknowledged.connect(self._on_acknowledged)
            self.opened.emit(self.ledger)
        self._known = _renamed(self._known, self._layer)
        calls, self._calls = self._calls, []
        for call in calls:
            call(self.ledger, self._known)

    def _on_acknowledged(self, report: Acknowledged) -> None:
        ours = self._own.intersection(report.tokens)
        if ours:
            self._own -= ours
            self.waiting -= len(ours)
            self.acknowledged.emit(tuple(ours))
            self.words = report.words
            self.saved.emit(report.words)


def about_of(layer: Labels, scan: Path | None) -> About:
    """Say what labels need to be shown again: their scan, place and classes."""
    origin = origin_of(layer)
    model = "" if origin is None else origin.model
    source = source_of(layer) if scan is None and model else scan
    try:
        return About.of(replace(to_volume(layer), source=source), model=model)
    except ScanMismatch:  # axes of unknown meaning: the voxels are kept all the same
        return About(source=source, classes=classes_of(layer), model=model)


def _renamed(known: Layer, layer: Labels) -> Layer:
    """Give what a journal knows of a layer with the names that it and its classes have got since."""
    classes = About(classes=classes_of(layer)).plain()["classes"]
    return replace(known, name=layer.name, about={**known.about, "classes": classes})


def _identify(layer: Labels, scan: Path | None) -> Generator[Progress, None, str]:
    yield Progress(phase="Reading")
    source = source_of(layer) if scan is None else scan
    return scan_sha256(source) if source is not None and source.exists() else array_sha256(layer.data)
