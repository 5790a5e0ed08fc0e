"""The question which of several volumes in a file or folder to open."""

from __future__ import annotations

import re

from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.io.parts import Part, SeveralParts

# Keys that only machines read: the UIDs of DICOM, counted images.
NUMBERS = re.compile(r"([\d.]+|no-series-uid)(#\d+)?(\+repair)?")


class PartChoice(QDialog):
    """Lists the volumes by their titles: one or several can be chosen, the first one is."""

    def __init__(self, several: SeveralParts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts = several.parts
        self.setWindowTitle("Which volume?" if len(self._parts) > 1 else "Open it all the same?")
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.addItems([full_title(part) for part in self._parts])
        self.list.setCurrentRow(0)
        self.list.itemDoubleClicked.connect(self.accept)
        self.list.itemSelectionChanged.connect(self._update)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        question = QLabel(several.question)
        question.setWordWrap(True)
        layout.addWidget(question)
        layout.addWidget(self.list)
        layout.addWidget(self.buttons)
        self.resize(560, 300 if len(self._parts) > 1 else 160)

    def value(self) -> list[Part]:
        """Give the chosen parts, in the file's order."""
        rows = sorted(index.row() for index in self.list.selectedIndexes())
        return [self._parts[row] for row in rows]

    def _update(self) -> None:
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(bool(self.value()))


def full_title(part: Part) -> str:
    """Say what a part is, with its key where that is a name."""
    return part.title if NUMBERS.fullmatch(part.key) else f"{part.key}: {part.title}"


def short_title(part: Part) -> str:
    """Say which part it is, in a word or two."""
    return part.title.split(",")[0] if NUMBERS.fullmatch(part.key) else part.key


def ask_parts(several: SeveralParts, parent: QWidget | None = None) -> list[Part]:
    """Ask which parts to open, over the window; none where the person has thought better of it."""
    dialog = PartChoice(several, parent)
    try:
        return dialog.value() if dialog.exec_() else []
    finally:
        dialog.deleteLater()
