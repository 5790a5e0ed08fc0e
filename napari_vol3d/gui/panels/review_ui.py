"""The widgets of the Review tab, and how each state of the work looks."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible, QElidingLabel

from napari_vol3d.gui.correct.banner import AMBER, Banner
from napari_vol3d.gui.forms.place_list import PlaceList
from napari_vol3d.gui.forms.version_list import VersionList
from napari_vol3d.gui.forms.worklist import Worklist

NARROW = (2, 2, 2, 2)
SPACE = 4
WELCOME = (
    "Work through many scans: the next one is predicted and loaded while you correct, suspicious places are shown "
    "first, and each scan you accept is kept as a version that says who, when, and with which model."
)
WELCOME_TIPS = ("Choose scans, labels and a model", "A file of a project that there is already")
NO_CASE = "Double click a scan in the list to open it."


class ReviewUi(QWidget):
    """The controls; they show and ask, and know no project."""

    def __init__(self) -> None:
        super().__init__()
        self.new, self.open = QPushButton("New project ..."), QPushButton("Open project ...")
        self.opening = _eliding()
        self.title = _eliding()
        self.more = QToolButton()
        self.worklist = Worklist()
        self.case = _eliding()
        self.ahead = _eliding()
        self.places = PlaceList()
        self.note = QLineEdit()
        self.held = Banner(AMBER)
        self.take_over = QPushButton("Take over")
        self.accept = QPushButton("Accept and next")
        self.flag, self.reject = QPushButton("Flag"), QPushButton("Reject")
        self.take_back = QPushButton("Take back")
        self.previous, self.next = QToolButton(), QToolButton()
        self.said = QLabel()
        self.versions = VersionList()
        self.pages = QStackedWidget()
        self._column = QVBoxLayout()
        self._lay_out()
        self.show_case("", can_accept=False, can_judge=False, why=NO_CASE, judged="")
        self.show_opening("")

    def add_section(self, title: str, widget: QWidget) -> QCollapsible:
        """Put a folded part under the others."""
        section = QCollapsible(title)
        section.layout().setContentsMargins(*NARROW)
        section.content().layout().setContentsMargins(*NARROW)
        section.addWidget(widget)
        section.collapse(animate=False)
        self._column.addWidget(section)
        return section

    def show_project(self, name: str) -> None:
        """Show a project's page; "" shows the two buttons of the beginning."""
        self.pages.setCurrentIndex(1 if name else 0)
        self.title.setText(name)
        self.title.setToolTip(name)

    def show_opening(self, name: str) -> None:
        """Say which project is being opened; "" for none. One that is open stays until then."""
        words = f"Opening {name} ..." if name else ""
        for button, tip in zip((self.new, self.open), WELCOME_TIPS, strict=True):
            button.setEnabled(not name)
            button.setToolTip(words or tip)
        self.opening.setText(words)
        self.opening.setVisible(bool(name))

    def show_case(self, words: str, *, can_accept: bool, can_judge: bool, why: str, judged: str) -> None:
        """Say which case is open; where it can't be judged the buttons say why; `judged` can be taken back."""
        self.case.setText(words or NO_CASE)
        for button, can, tip in (
            (self.accept, can_accept, "Keep these labels as a version, and open the next scan (Shift+Enter)"),
            (self.flag, can_judge, "Someone should look at it again (Shift+F)"),
            (self.reject, can_judge, "This scan can't be used (Shift+X)"),
        ):  # fmt: skip
            button.setEnabled(can)
            button.setToolTip(tip if can else why)
        self.note.setEnabled(can_judge)
        self.take_back.setVisible(judged in ("accepted", "flagged", "rejected"))
        self.take_back.setText(f"Not {judged}")

    def show_held(self, words: str, *, silent: bool) -> None:
        """Say that somebody else has the case; "" where nobody has."""
        self.held.say(words)
        self.take_over.setVisible(bool(words) and silent)

    def say(self, sentence: str) -> None:
        """Show a sentence, until the next."""
        self.said.setText(sentence)

    def _lay_out(self) -> None:
        self.note.setPlaceholderText("Note")
        self.note.setToolTip("For yourself and others; it is in no report")
        self.said.setWordWrap(True)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.ahead.setEnabled(False)
        self.take_over.setToolTip("Their program is silent: what it had saved is kept")
        self.take_back.setToolTip("It is to do again; a version stays and can be looked at (Ctrl+Shift+Enter)")
        for button, arrow, tip in (
            (self.previous, Qt.ArrowType.LeftArrow, "The scan before, in the list (PgUp)"),
            (self.next, Qt.ArrowType.RightArrow, "The next scan in the list (PgDown)"),
        ):  # fmt: skip
            button.setArrowType(arrow)
            button.setToolTip(tip)
        self.more.setText("...")
        self.more.setToolTip("Another project")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.opening)
        layout.addWidget(self.pages)
        self.pages.addWidget(self._welcome())
        self.pages.addWidget(self._project())

    def _welcome(self) -> QWidget:
        page = QWidget()
        words = QLabel(WELCOME)
        words.setWordWrap(True)
        column = QVBoxLayout(page)
        column.setContentsMargins(*NARROW)
        for widget in (words, self.new, self.open):
            column.addWidget(widget)
        column.addStretch()
        return page

    def _project(self) -> QWidget:
        page = QWidget()
        self._column = column = QVBoxLayout(page)
        column.setContentsMargins(*NARROW)
        column.setSpacing(SPACE)
        column.addLayout(_row(self.title, self.more))
        column.addWidget(self.worklist)
        column.addWidget(self.case)
        column.addWidget(self.held)
        column.addWidget(self.take_over)
        column.addWidget(self.places)
        column.addWidget(self.note)
        self.accept.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        column.addLayout(_row(self.accept, self.flag, self.reject))
        column.addLayout(_row(self.take_back, self.previous, self.next))
        column.addWidget(self.said)
        column.addWidget(self.ahead)
        self.add_section("Versions", self.versions)
        return page


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(SPACE)
    for widget in widgets:
        row.addWidget(widget)
    return row


def _eliding() -> QElidingLabel:
    label = QElidingLabel()
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label
