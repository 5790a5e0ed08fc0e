"""Form: the accepted versions of a reading, to look at, compare and restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_vol3d.gui.forms.row_table import RowTable
from napari_vol3d.gui.forms.version_model import Column, VersionModel

if TYPE_CHECKING:
    from napari_vol3d.review.project.records import Version  # loads the database: not at the start of a window

WIDTHS: Mapping[int, str] = {
    Column.NUMBER: "no.", Column.TIME: "Wednesday 00:00", Column.WHO: "person", Column.MINUTES: "00.0",
}  # fmt: skip
ROWS = 4  # that are seen without scrolling
LEAST_BUTTON = 40  # pixels
NONE, CHOOSE = "Nothing was accepted yet", "Choose a version first"
LOOK, COMPARE = "Shows the labels as they were accepted then", "Shows where they differ from the labels as they are now"
RESTORE = "Makes these the labels again: one step, which can be undone"


class VersionList(QWidget):
    """Lists versions, the newest first; it shows and asks.

    Signals carry the key of a version: `lookRequested` (also by a double click or Enter), `compareRequested`,
    `restoreRequested`.
    """

    lookRequested = Signal(str)
    compareRequested = Signal(str)
    restoreRequested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key: str | None = None
        self._why_not = ""
        self.model = VersionModel(self)
        self.view = RowTable(self.model, WIDTHS, stretched=Column.MODEL)
        self.view.setAccessibleName("Accepted versions")
        self.view.set_empty(NONE)
        self.view.show_rows(ROWS)
        self.look, self.compare, self.restore = (_button(title) for title in ("Look at", "Compare", "Restore"))
        self._lay_out()
        self.view.stepped.connect(self._choose)
        self.view.opened.connect(self._open)
        self.look.clicked.connect(self._look)
        self.compare.clicked.connect(self._compare)
        self.restore.clicked.connect(self._restore)
        self._offer()

    def value(self) -> tuple[Version, ...]:
        """Give the versions, the newest first."""
        return self.model.versions

    def setValue(
        self, versions: Sequence[Version], *, accepted: str | None = None, names: Mapping[int, str] | None = None
    ) -> None:
        """List these; what is chosen stays so where it is among them.

        Parameters
        ----------
        versions : sequence of Version
        accepted : str, optional
            Key of the one that counts now.
        names : mapping of int to str, optional
            Of the classes by id.
        """
        self.model.set_versions(versions, accepted, names or {})
        self.select(self._key)

    def current(self) -> str | None:
        """Give the key of the version that is chosen."""
        return self._key

    def select(self, key: str | None) -> None:
        """Choose a version; nobody is told."""
        row = self.model.row_of(key)
        self._key = key if row >= 0 else None
        self.view.mark(row)
        self._offer()

    def set_why_not(self, why_not: str) -> None:
        """Say why nothing can be restored now; "" where it can."""
        self._why_not = why_not
        self._offer()

    def _choose(self, row: int) -> None:
        self._key = self.model.versions[row].key
        self._offer()

    def _open(self, row: int) -> None:
        self._choose(row)
        self._look()

    def _look(self) -> None:
        self.lookRequested.emit(self._key)

    def _compare(self) -> None:
        self.compareRequested.emit(self._key)

    def _restore(self) -> None:
        self.restoreRequested.emit(self._key)

    def _offer(self) -> None:
        none = "" if self._key is not None else CHOOSE if self.model.versions else NONE
        why_not = none or self._why_not
        for button, why, tip in (
            (self.look, none, LOOK), (self.compare, none, COMPARE), (self.restore, why_not, RESTORE),
        ):  # fmt: skip
            button.setEnabled(not why)
            button.setToolTip(why or tip)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in (self.look, self.compare, self.restore):
            row.addWidget(button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.view)
        column.addLayout(row)


def _button(title: str) -> QPushButton:
    button = QPushButton(title)
    button.setMinimumWidth(LEAST_BUTTON)  # napari's theme would have them wider than the dock
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return button
