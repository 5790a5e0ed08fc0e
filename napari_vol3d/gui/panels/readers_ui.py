"""What the section of readers shows: reading as somebody, asking somebody, the agreement, the adjudication."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from napari_vol3d.gui.forms.reading_form import ReadingForm, say_wish
from napari_vol3d.gui.forms.region_bar import RegionBar
from napari_vol3d.gui.forms.rows import narrow

EVERYBODY = "everybody's list"
READ_AS = "Whose list is worked on; a reader has an order of their own"
ASK = "Plan the readings, and add them to the project; nothing that is there changes"
NO_PROJECT, NO_NAME = "Open a project first", "Say who is to read"
PREDICTION = "Also for those who read blind labels begin with the prediction, and suspicious places are listed"
NARROW = (2, 2, 2, 2)


class ReadersUi(QWidget):
    """The controls, without knowing a project.

    `readerChosen` carries the name of a reader, "" for everybody's list.

    Parameters
    ----------
    agreement : QWidget
        Stands between asking and adjudicating.
    """

    readerChosen = Signal(str)

    def __init__(self, agreement: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.reader = narrow(QComboBox())
        self.form = ReadingForm()
        self.ask = QPushButton("Ask for these readings")
        self.show_prediction = QCheckBox("Blind readers start from the prediction")
        self.said, self._count = _line(), _line()
        self.regions = RegionBar()
        self.asking = QCollapsible("Ask for a second reading")
        self._scans, self._open = 0, False
        self._lay_out(agreement)
        self.show_readers((), "")
        self.show_project(False)
        self.say("")
        self.reader.activated.connect(self._choose)
        self.form.valueChanged.connect(self._offer)

    def show_project(self, there: bool) -> None:
        """Offer what works with a project."""
        self._open = there
        self.reader.setEnabled(there)
        self.reader.setToolTip(READ_AS if there else NO_PROJECT)
        self.show_prediction.setEnabled(there)
        self.show_prediction.setToolTip(PREDICTION if there else NO_PROJECT)
        self._offer()

    def show_readers(self, readers: Sequence[str], chosen: str) -> None:
        """List whose list can be worked on; nobody is told."""
        self.reader.clear()
        self.reader.addItem(EVERYBODY, "")
        for name in readers:
            self.reader.addItem(name, name)
        self.reader.setCurrentIndex(max(self.reader.findData(chosen), 0))

    def show_count(self, scans: int) -> None:
        """Know how many scans there are."""
        self._scans = scans
        self._offer()

    def say(self, text: str) -> None:
        """Say what became of a wish; an empty sentence goes away."""
        self.said.setText(text)
        self.said.setVisible(bool(text))

    def _offer(self) -> None:
        wish = self.form.value()
        why_not = NO_PROJECT if not self._open else "" if wish.reader else NO_NAME
        self.ask.setEnabled(not why_not)
        self.ask.setToolTip(why_not or ASK)
        self._count.setText(say_wish(wish, self._scans))

    def _choose(self, *_: object) -> None:
        self.readerChosen.emit(self.reader.currentData())

    def _lay_out(self, agreement: QWidget) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("Read as"))
        row.addWidget(self.reader, 1)
        for part in (self.form, self._count, self.ask, self.said, self.show_prediction):
            self.asking.addWidget(part)
        self.asking.layout().setContentsMargins(*NARROW)
        self.asking.content().layout().setContentsMargins(*NARROW)
        self.asking.collapse(animate=False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.asking)
        for part in (agreement, self.regions):
            column.addWidget(_rule())
            column.addWidget(part)


def _rule() -> QFrame:
    rule = QFrame()
    rule.setFrameShape(QFrame.Shape.HLine)
    rule.setFrameShadow(QFrame.Shadow.Sunken)
    return rule


def _line() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label
