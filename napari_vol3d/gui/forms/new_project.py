"""The dialog that makes a project: which scans, what they are called, which model predicts."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.core.errors import FileProblem, Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.forms.folder_choice import FolderChoice
from napari_vol3d.gui.forms.found_cases import FoundCases
from napari_vol3d.gui.forms.project_place import file_for, folder_for, name_for, refusal
from napari_vol3d.gui.forms.rows import narrow, small_form
from napari_vol3d.gui.forms.source_list import SourceList
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.panels.segment_words import chips, warning_words
from napari_vol3d.gui.review.case_finder import Asked, CaseFinder
from napari_vol3d.io.safe_write import write_safely
from napari_vol3d.models.store import Model

if TYPE_CHECKING:
    from napari_vol3d.review.project.gather import Gathered
    from napari_vol3d.review.project.records import Case

WIDTH = 480
NO_MODEL = "No model"
MAKE = "Make project"
NO_SOURCES = "Choose a folder or a table of scans first"
NO_NAME = "Give the project a name"
LOOKING = "Looking for scans ..."
MAKING = "The project is being made"
MAKE_TIP = "Write the project's file; scans and labels stay as they are"
PRIORS_TIP = "Masks that there are already, to be corrected; they are told by the names of the scans"
NO_CLASSES = "No predictions; classes are those of the labels"


class NewProject(QDialog):
    """Asks, shows what it would make, and makes it beside the window.

    It is not modal, and is deleted when it is closed. `made` tells the file, once it is there.

    Parameters
    ----------
    models : sequence of Model
    sources : iterable of Path
        What was dropped.
    model : str
        Name of the model that is proposed; the first where it is not there.
    """

    made = Signal(object)  # Path

    def __init__(
        self, models: Sequence[Model], sources: Iterable[Path] = (), parent: QWidget | None = None, *, model: str = ""
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.setWindowTitle("New project")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._cases: tuple[Case, ...] = ()
        self._asked: Asked | None = None
        self._waits = NO_SOURCES  # why there are no cases
        self._named = self._placed = False  # by the person
        self.job: Job | None = None
        self.sources, self.found = SourceList(), FoundCases()
        self.priors = FolderChoice("A folder of labels", PRIORS_TIP, none="none", optional=True)
        self.name = QLineEdit()
        self.place = FolderChoice("Where the project's file goes", "Scans are found from there, also when both move")
        self.model, self.classes, self.said = _models(models, model), _line(), _line()
        self.buttons = QDialogButtonBox()
        self.cancel = self.buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        self.make = self.buttons.addButton(MAKE, QDialogButtonBox.ButtonRole.AcceptRole)
        self.finder = CaseFinder(self)
        self._lay_out()
        self._connect()
        self._show_classes()
        self.sources.setValue(sources)
        self._follow()

    def let_go(self) -> None:
        """Look for nothing any more, and close."""
        self.finder.let_go()
        if self.job is not None:
            self.job.stop()
        self.done(QDialog.DialogCode.Rejected)

    def target(self) -> Path:
        """Give the file that it would make."""
        return file_for(self.place.value() or Path.home(), self.name.text().strip())

    def accept(self) -> None:
        """Make the project; the dialog is closed when it is there."""
        if self._refusal():
            self._follow()
            return
        model = self.model.currentData()
        verb = make_project(self.target(), self._cases, name=self.name.text().strip(), model=model)
        self.job = Job(verb, name=f"Making {self.target().name}", parent=self, quiet=True)
        self.job.succeeded.connect(self._on_made)
        self.job.failed.connect(self._on_failed)
        self.job.start()
        self._follow()

    def reject(self) -> None:
        """Close, unless it is being made."""
        if not self._making():
            self.finder.let_go()
            super().reject()

    # ---- within -----------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        for signal, slot in (
            (self.sources.valueChanged, self._propose), (self.priors.valueChanged, self._look),
            (self.place.chosen, self._on_placed), (self.place.valueChanged, self._look),
            (self.name.textEdited, self._on_named), (self.name.textChanged, self._follow),
            (self.model.currentIndexChanged, self._show_classes), (self.finder.found, self._on_found),
            (self.finder.failed, self._on_not_found), (self.buttons.accepted, self.accept),
            (self.buttons.rejected, self.reject),
        ):  # fmt: skip
            signal.connect(slot)

    def _on_named(self) -> None:
        self._named = bool(self.name.text())  # who takes the name away gets one proposed again

    def _on_placed(self) -> None:
        self._placed = True

    def _propose(self) -> None:
        """Name and place the project as the scans are, where the person has not said otherwise."""
        sources = self.sources.value()
        if not self._named:
            self.name.setText(name_for(sources))
        if not self._placed:
            self.place.setValue(folder_for(sources) if sources else None)
        self._look()

    def _look(self) -> None:
        """Look for cases, if that is another question than the last one."""
        sources, base = self.sources.value(), self.place.value()
        asked = None
        if sources and base is not None:
            asked = Asked(sources=sources, base=base, priors=self.priors.value())
        if asked != self._asked:
            self._asked, self._cases = asked, ()
            self._waits = LOOKING if asked is not None else NO_SOURCES
            self.found.setValue(None, LOOKING if asked is not None else "")
            self.finder.look(asked)
        self._follow()

    def _on_found(self, found: Gathered) -> None:
        self._cases, self._waits = found.cases, ""
        self.found.setValue(found)
        self._follow()

    def _on_not_found(self, problem: Vol3dError) -> None:
        self._waits = str(problem)
        self.found.setValue(None)
        self._follow()

    def _on_made(self, path: Path) -> None:
        self.finder.let_go()
        super().accept()
        self.made.emit(path)

    def _on_failed(self, problem: Vol3dError) -> None:
        self._follow()
        self._say(str(problem))

    def _making(self) -> bool:
        return self.job is not None and self.job.running

    def _refusal(self) -> str:
        """Say why it can't be made now; "" where it can."""
        if self._making():
            return MAKING
        if not self.name.text().strip() and self.sources.value():
            return NO_NAME
        return self._waits or refusal(self.target())

    def _follow(self, *_: object) -> None:
        """Show where the file would lie, and whether it can be made."""
        why, making = self._refusal(), self._making()
        known = self.place.value() is not None
        self.place.say(str(self.target()) if known else "beside the scans")
        self.make.setEnabled(not why)
        self.make.setToolTip(why or MAKE_TIP)
        self.cancel.setEnabled(not making)
        self.cancel.setToolTip(MAKING if making else "Close; nothing is written")
        for form in (self.sources, self.priors, self.name, self.place, self.model):
            form.setEnabled(not making)
        self._say("" if why in (LOOKING, NO_SOURCES) else why)  # these two are seen in any case

    def _say(self, words: str) -> None:
        self.said.setText(warning_words(words) if words else "")

    def _show_classes(self, *_: object) -> None:
        model = self.model.currentData()
        if model is None:
            self.classes.setText(NO_CLASSES)
            self.classes.setToolTip("And those that you paint")
            return
        self.classes.setText(chips(model.card.output.classes))
        self.classes.setToolTip(", ".join(f"{item.id} {item.name}" for item in model.card.output.classes))

    def _lay_out(self) -> None:
        self.name.setToolTip("What the worklist, its file and its report are called")
        self.make.setDefault(True)
        self.said.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        asked = QWidget()
        form = small_form(asked)
        for words, field in (
            ("Scans", self.sources), ("Labels", self.priors), ("Name", self.name), ("File", self.place),
            ("Model", self.model), ("", self.classes),
        ):  # fmt: skip
            form.addRow(words, field)
        column = QVBoxLayout(self)
        for widget in (asked, self.found, self.said):
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(self.buttons)
        self.setMinimumWidth(WIDTH)


def make_project(
    path: Path, cases: Sequence[Case], *, name: str, model: Model | None
) -> Generator[Progress, None, Path]:
    """Write a project's file: all of it, or none.

    Raises
    ------
    FileProblem
        If the file is there already.
    SaveProblem
        If it can't be written.
    """
    from napari_vol3d.review.project.store import Project

    yield Progress(phase=f"Making {path.name}")
    card = None if model is None else model.card
    about = {} if card is None else {"name": card.name, "version": card.version, "sha256": card.weights.sha256}
    classes = () if card is None else card.output.classes

    def write(beside: Path) -> None:
        Project.create(beside, name=name, cases=cases, classes=classes, model=about)

    if path.exists():
        raise FileProblem(f"{path.name} is there already.", hint="Open it, or choose another name.")
    return write_safely(path, write)


def _models(models: Sequence[Model], chosen: str) -> QComboBox:
    box = narrow(QComboBox())
    for model in models:
        box.addItem(model.card.title, model)
    box.addItem(NO_MODEL, None)
    box.setCurrentIndex(next((at for at, model in enumerate(models) if model.card.name == chosen), 0))
    box.setToolTip("It predicts the cases ahead of you; its classes are the label table of the project")
    return box


def _line() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.RichText)
    return label
