"""Between the ledgers and the line that says whether corrections are safe."""

from __future__ import annotations

from napari.layers import Labels
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_vol3d.gui.correct.book import Book
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.ledger import Ledger
from napari_vol3d.gui.correct.save_line import SaveLine
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.saving import ask_and_save


class Keeping(QObject):
    """Shows the book of the labels that are chosen, and the ledger that it is written into.

    Signals
    -------
    savingBegun : Labels
        As they are now, to another place.
    saved : Labels, Path
    """

    savingBegun = Signal(object)
    saved = Signal(object, object)

    def __init__(self, desk: Desk, line: SaveLine, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk, self._line, self._window = desk, line, parent
        self._book: Book | None = None
        self._ledger: Ledger | None = None
        self._saving: Job | None = None
        self._saved_layer: Labels | None = None
        desk.recordChanged.connect(self._follow)
        desk.changed.connect(self._say_saving)
        line.saveElsewhereAsked.connect(self.save_elsewhere)
        line.takeOverAsked.connect(self._take_over)
        self._follow()

    def let_go(self) -> None:
        """Stop."""
        self._desk.recordChanged.disconnect(self._follow)
        self._desk.changed.disconnect(self._say_saving)
        self._read(None)

    def save_elsewhere(self) -> None:
        """Ask for a file, and save the labels that are chosen."""
        record = self._desk.record
        if record is None or (self._saving is not None and self._saving.running):
            return
        self._saving = ask_and_save(self._window, record.layer, self._desk.say)
        if self._saving is not None:
            self._saved_layer = record.layer
            self._saving.succeeded.connect(self._on_saved)
            self.savingBegun.emit(record.layer)

    def _on_saved(self, path: object) -> None:
        self.saved.emit(self._saved_layer, path)

    def _follow(self) -> None:
        record = self._desk.record
        self._line.clear()
        self._read(None if record is None else record.book)

    def _read(self, book: Book | None) -> None:
        if self._book is not None:
            self._book.saved.disconnect(self._line.show_saved)
            self._book.opened.disconnect(self._open)
        self._book = book
        if book is not None:
            book.saved.connect(self._line.show_saved)
            book.opened.connect(self._open)
            self._line.show_saved(book.words)
        self._open(None if book is None else book.ledger)

    def _open(self, ledger: Ledger | None) -> None:
        line = self._line
        if self._ledger is not None:
            self._ledger.troubled.disconnect(line.show_trouble)
            self._ledger.heldChanged.disconnect(line.show_held)
            self._ledger.recovered.disconnect(line.show_mended)
        self._ledger = ledger
        if ledger is not None:
            ledger.troubled.connect(line.show_trouble)
            ledger.heldChanged.connect(line.show_held)
            ledger.recovered.connect(line.show_mended)
            line.show_trouble(ledger.trouble)
            line.show_held(ledger.held)

    def _say_saving(self) -> None:
        if self._book is not None and self._book.waiting:
            self._line.show_saving()

    def _take_over(self) -> None:
        if self._ledger is not None:
            self._ledger.take_over()
