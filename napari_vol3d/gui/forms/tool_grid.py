"""Form: a grid of tools, one of them in hand or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QWidget

COLUMNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolEntry:
    """A tool as it is offered: by which name it is known, what its button says, one sentence more."""

    name: str
    title: str
    tip: str


class ToolGrid(QWidget):
    """Buttons of which at most one is pressed.

    Signals
    -------
    valueChanged : str or None
        The name of the tool that a person took; None when they put it down, by a second press.
    """

    valueChanged = Signal(object)

    def __init__(self, entries: Sequence[ToolEntry], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries = {entry.name: entry for entry in entries}
        self.buttons = {entry.name: _button(entry) for entry in entries}
        self._keys: Mapping[str, str] = {}
        self._why_off = ""
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        for place, button in enumerate(self.buttons.values()):
            grid.addWidget(button, place // COLUMNS, place % COLUMNS)
            button.clicked.connect(self._pressed)

    def value(self) -> str | None:
        """Give the name of the tool that is pressed."""
        return next((name for name, button in self.buttons.items() if button.isChecked()), None)

    def setValue(self, name: str | None) -> None:
        """Press a button and let the others go; nobody is told."""
        for each, button in self.buttons.items():
            button.setChecked(each == name)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Say the keys in the tooltips."""
        self._keys = keys
        self._say()

    def set_why_off(self, why: str) -> None:
        """Say in the tooltips why no tool can be had, or (empty) again what each does."""
        self._why_off = why
        self._say()

    def _say(self) -> None:
        for name, button in self.buttons.items():
            key = self._keys.get(name, "")
            button.setToolTip(self._why_off or f"{self._entries[name].tip}{f'  [{key}]' if key else ''}")

    def _pressed(self, checked: bool) -> None:
        name = next(name for name, button in self.buttons.items() if button is self.sender())
        self.setValue(name if checked else None)
        self.valueChanged.emit(name if checked else None)


def _button(entry: ToolEntry) -> QPushButton:
    button = QPushButton(entry.title)
    button.setToolTip(entry.tip)
    button.setCheckable(True)
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # columns of one width
    button.setMinimumWidth(60)
    return button
