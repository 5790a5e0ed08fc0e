"""Adding a model: looked at, trusted, looked into in a cage, given a card; nothing is kept before that is done."""

from __future__ import annotations

from pathlib import Path

from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_vol3d.core.errors import ModelProblem, Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.correct.banner import AMBER, Banner
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.panels.adding_ui import AddingUi
from napari_vol3d.models.source import ModelSource
from napari_vol3d.models.trust import WARNING, is_trusted, trust
from napari_vol3d.pipeline.adopt import Adoption, adopt, drop, keep, look
from napari_vol3d.pipeline.child import cage_words

WEIGHTS_ALONE = "Weights without a model: this program can't tell which network they belong to."


class AddingPanel(QWidget):
    """Leads through the pages, one job at a time.

    Signals: `added` with the `Model` that has come in; `left` when a person went back.
    """

    added = Signal(object)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ui, self.waits = AddingUi(), Banner(AMBER)
        self.job: Job | None = None
        self.source: ModelSource | None = None
        self.adoption: Adoption | None = None
        self._path = Path()
        self._untaken: list[str] = []  # names of what was dropped meanwhile
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.waits)
        column.addWidget(self.ui, 1)
        for button, slot in (
            (self.ui.trust, self._trust), (self.ui.back, self._leave), (self.ui.cancel, self._cancel),
            (self.ui.add, self._add), (self.ui.leave, self._leave),
        ):  # fmt: skip
            button.clicked.connect(slot)
        self.ui.form.valueChanged.connect(self._follow)
        self.ui.form.outputAsked.connect(self._adopt)

    @property
    def busy(self) -> bool:
        """Whether a model is being added that may still come in: another would put an end to that."""
        return self.source is not None or (self.job is not None and self.job.running)

    def decline(self, path: Path) -> None:
        """Say that a file or folder has come while another is being added, and is not taken."""
        self._untaken.append(path.name)
        self.waits.say(f"One at a time: drop {', '.join(self._untaken)} again when this one is done.")

    def begin(self, path: Path) -> None:
        """Look at a file or folder; whatever was being added is given up."""
        self._forget()
        self._path = path
        self.ui.show_waiting(f"Looking at {path.name} ...")
        job = self._start(Job(look(path), name=f"Looking at {path.name}", parent=self, quiet=True))
        job.succeeded.connect(self._on_looked)
        job.failed.connect(self._on_refused)
        job.cancelled.connect(self._on_not_looked)
        job.start()

    def let_go(self) -> None:
        """Stop what runs, and remove what was not added; also when Qt has destroyed the widgets already."""
        if isalive(self):
            self.ui.form.let_go()
        self._give_up()

    # ---- within -----------------------------------------------------------------------------------------------------

    def _start(self, job: Job) -> Job:
        if self.job is not None:
            self.job.stop()
        self.job = job
        job.progressed.connect(self._on_progress)
        return job

    def _stale(self) -> bool:
        """Whether the job that has just ended is one that was given up."""
        return self.sender() is not self.job

    def _on_progress(self, progress: Progress) -> None:
        if not self._stale() and self.ui.cancel.isEnabled():
            self.ui.show_progress(progress)

    def _on_looked(self, source: ModelSource) -> None:
        if self._stale():
            return
        if source.container == "weights":
            self.ui.show_useless(source, WEIGHTS_ALONE)
            return
        self.source = source
        if is_trusted(source.sha256):
            self._adopt()
        else:
            self.ui.show_source(source, f"{WARNING} {cage_words()}")

    def _on_refused(self, problem: Vol3dError) -> None:
        if not self._stale():
            self.ui.show_problem(str(problem), about=self._path.name)

    def _on_not_looked(self) -> None:
        if not self._stale():
            self._leave()

    def _trust(self) -> None:
        if self.source is None:
            return
        try:
            if not is_trusted(self.source.sha256):
                trust(self.source)
        except Vol3dError as problem:  # the folder can't be written
            self.ui.show_problem(str(problem), about=self._path.name, again=True)
            return
        self._adopt()

    def _adopt(self, output: str = "") -> None:
        if self.source is None:
            return
        said = self.ui.form.value() if output and self.adoption is not None else None
        if said is not None:  # what a person has written so far is not about the output
            said = said.model_copy(update={"classes": (), "activation": None, "output": output, "name": ""})
        self.ui.show_waiting(f"Starting to look into {self._path.name} ...")
        verb = adopt(self.source, output=output, said=said)
        job = self._start(Job(verb, name=f"Looking into {self._path.name}", parent=self, quiet=True))
        job.succeeded.connect(self._on_adopted)
        job.failed.connect(self._on_failed)
        job.cancelled.connect(self._on_cancelled)
        job.start()

    def _on_adopted(self, adoption: Adoption) -> None:
        if self._stale():
            drop(adoption)
            return
        before, self.adoption = self.adoption, adoption
        if before is not None:
            drop(before)
        self.ui.show_card(adoption)
        self._follow()

    def _on_failed(self, problem: Vol3dError) -> None:
        if self._stale():
            return
        if self.adoption is not None:  # another output was asked for: the card of the first is still there
            self.ui.show_card(self.adoption)
            self.ui.refused.say(str(problem))
            self._follow()
        elif isinstance(problem, ModelProblem):  # of the network itself: another look would end so, too
            self.source = None
            self.ui.show_problem(str(problem), about=self._path.name)
        else:
            self.ui.show_problem(str(problem), about=self._path.name, again=True)

    def _on_cancelled(self) -> None:
        if self._stale():
            return
        if self.adoption is not None:
            self.ui.show_card(self.adoption)
            self._follow()
        elif self.source is not None:
            self.ui.show_source(self.source, "")

    def _cancel(self) -> None:
        self.ui.show_stopping()
        if self.job is not None:
            self.job.stop()

    def _follow(self) -> None:
        self.ui.refused.say("")
        self.ui.allow_add(self.ui.form.refusal())

    def _add(self) -> None:
        self.ui.form.finish()
        if self.adoption is None or self.ui.form.refusal():
            self._follow()
            return
        try:
            model = keep(self.adoption, self.ui.form.value(), self.ui.form.guessed())
        except Vol3dError as problem:
            self.ui.refused.say(str(problem))
            return
        self.adoption = None
        self._forget()
        self.added.emit(model)

    def _leave(self) -> None:
        self._forget()
        self.left.emit()

    def _forget(self) -> None:
        self._untaken = []
        self.waits.say("")
        self._give_up()

    def _give_up(self) -> None:
        job, self.job, self.source = self.job, None, None
        if job is not None:
            job.stop()
        adoption, self.adoption = self.adoption, None
        if adoption is not None:
            drop(adoption)
