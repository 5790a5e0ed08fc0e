"""The tab of models: which there are, what each is, and the ways in and out."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.forms.model_rows import ModelRow
from napari_vol3d.gui.forms.page_stack import PageStack
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.panels.adding import AddingPanel
from napari_vol3d.gui.panels.editing import EditingPanel
from napari_vol3d.gui.panels.models_ui import ModelsUi
from napari_vol3d.io.model_files import PATTERNS
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.library import broken_models, default_model, remove_folder, remove_model, set_default, state_of
from napari_vol3d.models.record import guesses_in
from napari_vol3d.models.store import Model, list_models

LIST, ADD, EDIT = range(3)  # pages
FILES = f"Models ({' '.join(PATTERNS)})"
PACKAGES = "Packages (*.zip)"
Kind = Literal["zip", "bioimageio"]


class ModelsPanel(QWidget):
    """Joins the list, the pages that add and edit, and the verbs.

    Signals: `added` with the `Model` that has come in; `changed` when there are others, or another is the default.
    """

    added = Signal(object)
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ui, self.adding, self.editing = ModelsUi(), AddingPanel(), EditingPanel()
        self.checking: Job | None = None
        self.exporting: Job | None = None
        self._models: dict[str, Model] = {}
        self._rows: dict[str, ModelRow] = {}
        self.pages = PageStack()
        for page in (self.ui, self.adding, self.editing):
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)
        for signal, slot in (
            (self.ui.list.valueChanged, self._show), (self.ui.add_file.triggered, self._ask_file),
            (self.ui.add_folder.triggered, self._ask_folder), (self.ui.export_zip.triggered, self._export_zip),
            (self.ui.export_zoo.triggered, self._export_zoo), (self.ui.remove.clicked, self._ask_remove),
            (self.ui.yes.clicked, self._remove), (self.ui.no.clicked, self._keep),
            (self.ui.preferred.toggled, self._prefer), (self.ui.stop.clicked, self._stop),
            (self.adding.added, self._on_added), (self.adding.left, self._on_left),
            (self.ui.edit.clicked, self._edit), (self.editing.saved, self._on_saved),
            (self.editing.left, self._on_left),
        ):  # fmt: skip
            signal.connect(slot)
        self.reload()

    @property
    def model(self) -> Model | None:
        """The model whose card is shown."""
        return self._models.get(self.ui.list.value())

    def add(self, path: Path) -> None:
        """Show what a file or folder holds, and ask whether it shall come in; one at a time."""
        if self.adding.busy:
            self.adding.decline(path)
            return
        if self.editing.busy:
            self.editing.decline(path)
            return
        self.pages.setCurrentIndex(ADD)
        self.adding.begin(path)

    def reload(self, *, choose: str = "") -> None:
        """List what is there now; `choose` is the folder of the model to show, else the one that was shown."""
        models, preferred = list_models(), default_model()
        self._models = {str(model.folder): model for model in models}
        known = {key: row.state for key, row in self._rows.items()}
        self._rows = {key: _row_of(model, preferred) for key, model in self._models.items()}
        self._rows |= {
            str(folder): ModelRow(key=str(folder), title=folder.name, state="broken", why=why)
            for folder, why in broken_models()
        }
        self._rows = {k: replace(row, state=known.get(k, row.state)) for k, row in self._rows.items()}
        wanted = choose or self.ui.list.value()
        self.ui.show_rows(list(self._rows.values()))
        self.ui.list.setValue(wanted if wanted in self._rows else next(iter(self._rows), ""))
        self._show()
        self._check(models)

    def let_go(self) -> None:
        """Stop what runs; also when Qt has destroyed the widgets already."""
        self.adding.let_go()
        self.editing.let_go()
        for job in (self.checking, self.exporting):
            if job is not None:
                job.stop()

    # ---- within -----------------------------------------------------------------------------------------------------

    def _show(self, *_: object) -> None:
        self.ui.ask_remove("")
        self._show_model()

    def _show_model(self) -> None:
        model = self.model
        guessed = () if model is None else guesses_in(model.card)
        self.ui.show_model(model, self._rows.get(self.ui.list.value()), guessed)

    def _check(self, models: list[Model]) -> None:
        """Hold each file against the hash in its card, beside the window: networks may be large."""
        if self.checking is not None:
            self.checking.stop()
        self.checking = Job(_states(models), name="Checking models", parent=self, quiet=True)
        self.checking.succeeded.connect(self._on_checked)
        self.checking.start()

    def _on_checked(self, states: Mapping[str, str]) -> None:
        for key, wrong in states.items():
            if key in self._rows:
                self._rows[key] = replace(self._rows[key], state="changed" if wrong else "sound", why=wrong)
        self.ui.show_rows(list(self._rows.values()))
        self._show_model()

    def _ask_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Add a model", str(Path.home()), FILES)
        if chosen:
            self.add(Path(chosen))

    def _ask_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Add a model's folder", str(Path.home()))
        if chosen:
            self.add(Path(chosen))

    def _export_zip(self) -> None:
        self._export("zip")

    def _export_zoo(self) -> None:
        self._export("bioimageio")

    def _export(self, kind: Kind) -> None:
        model = self.model
        if model is None:
            return
        more = "" if kind == "zip" else ".bioimageio"
        proposed = Path.home() / f"{model.card.name}-{model.card.version}{more}.zip"
        chosen, _ = QFileDialog.getSaveFileName(self, f"Export {model.card.title}", str(proposed), PACKAGES)
        if not chosen:
            return
        target = Path(chosen) if chosen.lower().endswith(".zip") else Path(f"{chosen}.zip")
        if target.exists() and target != Path(chosen):  # the dialog knows only the name as it was typed
            self.ui.say(f"{target.name} is there already. Type its whole name to replace it.")
            return
        from napari_vol3d.pipeline.hand_out import hand_out  # only now: it brings the formats of others

        self._stop()
        self.exporting = Job(hand_out(model, target, kind=kind), name=f"Writing {target.name}", parent=self, quiet=True)
        self.exporting.succeeded.connect(self._on_exported)
        self.exporting.failed.connect(self._on_failed)
        self.exporting.cancelled.connect(self._on_stopped)
        self.ui.say(f"Writing {target.name} ...", busy=True)
        self.exporting.start()

    def _on_exported(self, path: Path) -> None:
        self._say_of(self.sender(), f"Wrote {path.name}")

    def _on_failed(self, problem: Vol3dError) -> None:
        self._say_of(self.sender(), str(problem))

    def _on_stopped(self) -> None:
        self._say_of(self.sender(), "Cancelled; nothing was written.")

    def _say_of(self, job: QObject | None, sentence: str) -> None:
        """Say how an export has ended, but for one that gave way to another, which goes on."""
        if job is self.exporting:
            self.ui.say(sentence)

    def _stop(self) -> None:
        if self.exporting is not None:
            self.exporting.stop()

    def _ask_remove(self) -> None:
        row = self._rows.get(self.ui.list.value())
        if row is not None:
            self.ui.ask_remove(f"{row.title} {row.version}".strip())

    def _remove(self) -> None:
        model, key = self.model, self.ui.list.value()
        self.ui.ask_remove("")
        try:
            if model is None:
                remove_folder(Path(key))
            else:
                remove_model(model)
        except Vol3dError as problem:
            self.ui.say(str(problem))
            return
        self.reload()
        self.ui.say(f"Removed {Path(key).name if model is None else model.card.title}")
        self.changed.emit()

    def _keep(self) -> None:
        self.ui.ask_remove("")

    def _prefer(self, chosen: bool) -> None:
        model = self.model
        if model is None:
            return
        try:
            set_default(model.card.name if chosen else "")
        except Vol3dError as problem:
            self.ui.say(str(problem))
        self.reload()
        self.changed.emit()

    def _on_added(self, model: Model) -> None:
        self.pages.setCurrentIndex(LIST)
        self.reload(choose=str(model.folder))
        self.ui.say(f"Added {model.card.title}")
        self.added.emit(model)

    def _on_left(self) -> None:
        self.pages.setCurrentIndex(LIST)
        self.reload()  # another window may have changed a card meanwhile

    def _edit(self) -> None:
        model = self.model
        if model is not None:
            self.editing.begin(model)
            self.pages.setCurrentIndex(EDIT)

    def _on_saved(self, model: Model) -> None:
        self.pages.setCurrentIndex(LIST)
        self.reload(choose=str(model.folder))
        self.ui.say(f"Saved the card of {model.card.title} {model.card.version}")
        self.changed.emit()


def _row_of(model: Model, preferred: str) -> ModelRow:
    card = model.card
    return ModelRow(
        key=str(model.folder), title=card.title, version=card.version, origin=model.origin, dice=mean_dice(card),
        colors=tuple(item.color for item in card.output.classes), preferred=card.name == preferred,
    )  # fmt: skip


def mean_dice(card: ModelCard) -> float | None:
    """Give the mean over the classes of a card's figures; None where nothing was measured."""
    known = [value for value in card.validation.mean_dice.values() if value is not None] if card.validation else []
    return float(np.mean(known)) if known else None


def _states(models: list[Model]) -> Generator[Progress, None, dict[str, str]]:
    """Say of each folder what is wrong with its files."""
    states: dict[str, str] = {}
    for number, model in enumerate(models):
        yield Progress(phase="Checking models", done=number, total=len(models))
        states[str(model.folder)] = state_of(model)
    return states
