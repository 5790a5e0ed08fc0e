"""Form: slices that a person marks, one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_vol3d.correct.naming import LETTERS
from napari_vol3d.gui.forms.slice_words import slices_in_words


class MarkedSlices(QWidget):
    """Marks the slice that is shown or takes its mark away; the value is the slices of the axis that is shown."""

    valueChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slices: dict[int, set[int]] = {}
        self._axis, self._index = 0, 0
        self.mark, self.clear = QPushButton(), QPushButton("Clear")
        self.clear.setToolTip("Takes all marks away")
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout()
        row.addWidget(self.mark, 1)
        row.addWidget(self.clear)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.words)
        self.mark.clicked.connect(self._toggle)
        self.clear.clicked.connect(self._clear)
        self._show()

    def value(self) -> tuple[int, ...]:
        """Give the marked slices across the axis."""
        return tuple(sorted(self._slices.get(self._axis, ())))

    def setValue(self, slices: Iterable[int]) -> None:
        """Mark these across the axis."""
        self._slices[self._axis] = {int(index) for index in slices}
        self._show()
        self.valueChanged.emit()

    def show_slice(self, axis: int, index: int) -> None:
        """Know which slice is shown."""
        other = axis != self._axis
        self._axis, self._index = axis, index
        self._show()
        if other:
            self.valueChanged.emit()

    def forget(self) -> None:
        """Take all marks away, along all axes."""
        self._slices.clear()
        self._show()

    def _toggle(self) -> None:
        self.setValue(set(self.value()) ^ {self._index})

    def _clear(self) -> None:
        self.setValue(())

    def _show(self) -> None:
        slices = self.value()
        deed = "Unmark" if self._index in slices else "Mark"
        self.mark.setText(f"{deed} {LETTERS[self._axis]} {self._index}")
        self.mark.setToolTip("Slices that you mark stay as they are; between them the class is drawn anew")
        self.clear.setEnabled(bool(slices))
        said = slices_in_words(self._axis, slices) if slices else "none yet"
        self.words.setText(f"Marked: {said}" + (", one more is needed" if len(slices) == 1 else ""))
