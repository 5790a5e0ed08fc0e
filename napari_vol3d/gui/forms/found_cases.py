"""Form: which cases were found, the first of them by name, and what is not clear about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_vol3d.core.say import shortened

if TYPE_CHECKING:
    from napari_vol3d.review.project.gather import Gathered  # the window starts without it
    from napari_vol3d.review.project.records import Case

FIRST = 5  # cases that are named
LONGEST = 50  # letters of a line
NOTE_LINES = 4


class FoundCases(QWidget):
    """What is said of cases before there is a project of them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summary, self.names = QLabel(), QLabel()
        self.notes = QPlainTextEdit()
        self.fold = QCollapsible("Notes")
        self._lay_out()
        self.setValue(None)

    def setValue(self, found: Gathered | None, words: str = "") -> None:
        """Show what was found; where it is nothing, `words` say why."""
        notes = () if found is None else found.notes
        self.summary.setText(words if found is None else say_found(found))
        lines = [] if found is None else say_first(found.cases)
        # As high as it can get: what is found comes while a person does something else, and nothing may jump then.
        self.names.setText("\n".join(lines + [""] * (FIRST + 1 - len(lines))))
        self.notes.setPlainText("\n".join(notes))
        self.fold.setVisible(bool(notes))

    def _lay_out(self) -> None:
        for label in (self.summary, self.names):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # names may be long
        line = self.fontMetrics().lineSpacing()
        self.names.setIndent(line)
        self.names.setToolTip("What reports and exports call a case comes behind its name, where that is another")
        self.notes.setReadOnly(True)
        self.notes.setFixedHeight((NOTE_LINES + 1) * line)
        self.notes.setTabChangesFocus(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self.fold.layout().setContentsMargins(0, 0, 0, 0)
        self.fold.addWidget(self.notes)
        self.fold.collapse(animate=False)
        for widget in (self.summary, self.names, self.fold):
            column.addWidget(widget)


def say_found(found: Gathered) -> str:
    """Say how many there are: "38 cases, 2 with labels already; 1 note"."""
    labelled = sum(case.prior is not None for case in found.cases)
    words = _counted(len(found.cases), "case")
    words += f", {labelled:,} with labels already" if labelled else ""
    return words + (f"; {_counted(len(found.notes), 'note')}" if found.notes else "")


def say_first(cases: Sequence[Case]) -> list[str]:
    """Name the first few, a line each, and count the others."""
    more = len(cases) - FIRST
    return [*map(_line, cases[:FIRST]), *([f"and {more:,} more"] if more > 0 else [])]


def _line(case: Case) -> str:
    roles = ", ".join(image.role for image in case.images if image.role)
    code = f"{case.code} in reports" if case.code != case.name.replace(" ", "_") else ""
    return shortened(" · ".join(part for part in (case.name, roles, code) if part), LONGEST)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
