"""The worklist in the dock: a project, its session, and what is ahead of the person."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import napari
from napari.layers import Image, Labels
from napari.utils.notifications import show_info
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.correct.again import maker_of
from napari_vol3d.gui.correct.ledger import who
from napari_vol3d.gui.correcting_room import CorrectingRoom
from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.gui.forms.new_project import NewProject
from napari_vol3d.gui.jobs import Job, report
from napari_vol3d.gui.panels.readers import ReadersPanel
from napari_vol3d.gui.panels.review import ReviewPanel
from napari_vol3d.gui.panels.review_out import ReviewOut
from napari_vol3d.gui.panels.segment import SegmentPanel
from napari_vol3d.gui.reading_room import ReadingRoom
from napari_vol3d.gui.review.ahead import Ahead, Wish
from napari_vol3d.gui.review.keys import ReviewKeys
from napari_vol3d.gui.review.place import go_to_place, place_now
from napari_vol3d.gui.review.session import Session
from napari_vol3d.models.store import Model, list_models, model_said
from napari_vol3d.review.project.records import Foreseen
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.project.tables import SUFFIX

READS = "reads"  # as whom each person reads, in what the project remembers
FILTER = f"Projects (*{SUFFIX})"


class ReviewRoom(QObject):
    """Panel, session, keys.

    Attributes
    ----------
    panel : ReviewPanel
        The tab.
    session : Session or None
    """

    opened = Signal(object)  # Project

    def __init__(
        self, viewer: napari.Viewer, reading: ReadingRoom, segment: SegmentPanel, correcting: CorrectingRoom,
        keeper: EngineKeeper,
    ) -> None:  # fmt: skip
        super().__init__()
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._bench, self._segment, self._correcting = reading.bench, segment, correcting
        self._models: dict[tuple[str, str], Model | None] = {}  # by what a project says of its own: name, hash
        self._opening: Job | None = None
        self._opens = Path()  # what it opens
        self._dialog: NewProject | None = None
        self.session: Session | None = None
        self.panel = ReviewPanel(correcting.desk)
        self.out = ReviewOut()
        self.panel.ui.add_section("Report and export", self.out)
        self.readers = ReadersPanel(correcting.desk)
        self.panel.ui.add_section("Readers", self.readers)
        self.ahead = Ahead(keeper, self._wish, self._busy, self)
        names = ("accept", "flag", "reject", "take_back", "go_next", "go_back", "next_place")
        verbs = {name: getattr(self.panel, name) for name in names}
        self._keys = ReviewKeys(self._viewer, verbs | {"next_unchecked": correcting.unchecked.go_to_next})
        self.panel.newAsked.connect(self.new_project)
        self.panel.openAsked.connect(self.ask_project)
        self.panel.closeAsked.connect(self.close_project)
        self.readers.readAs.connect(self._read_as)
        self.readers.openAsked.connect(self._open_case)
        self.readers.said.connect(self.panel.ui.say)
        segment.findings.runBegun.connect(self._give_way)
        segment.findings.found.connect(self._take_run)
        correcting.panel.runner.busyChanged.connect(self._give_way)

    def let_go(self) -> None:
        """Leave the viewer; all that was done is in the project."""
        self._segment.findings.runBegun.disconnect(self._give_way)
        self._segment.findings.found.disconnect(self._take_run)
        self._correcting.panel.runner.busyChanged.disconnect(self._give_way)
        self._give_up_opening()
        if self._dialog is not None:
            self._dialog.let_go()
        self.ahead.let_go()
        self.close_project()
        self.out.let_go()
        self.readers.let_go()
        self._keys.let_go()

    def ask_project(self) -> None:
        """Ask for a project's file, and open it."""
        chosen, _ = QFileDialog.getOpenFileName(self.panel, "Open a project", str(Path.home()), FILTER)
        if chosen:
            self.open_project(Path(chosen))

    def new_project(self, dropped: Sequence[Path] = ()) -> None:
        """Ask for the scans of a new project, and open it; nothing else waits for the dialog."""
        if self._dialog is not None:
            self._dialog.raise_()
            return
        model = self._segment.model
        window = self._viewer.window._qt_window
        name = "" if model is None else model.card.name
        self._dialog = NewProject(list_models(), list(dropped or ()), window, model=name)
        self._dialog.made.connect(self.open_project)
        self._dialog.finished.connect(self._forget_dialog)
        self._dialog.show()

    def open_project(self, path: Path) -> None:
        """Open a project beside the window: the last that was asked for; one that is being opened is not begun anew."""
        if self._opening is not None and self._opens == path:
            return
        self._give_up_opening()
        self._opens = path
        self._opening = Job(_open(path), name=f"Opening {path.name}", parent=self)
        self._opening.succeeded.connect(self._on_opened)
        self._opening.ended.connect(self._on_opening_ended)
        self._opening.start()
        self.panel.ui.show_opening(path.stem)

    def close_project(self) -> None:
        """Close what is open; where the person was is kept."""
        session, self.session = self.session, None
        if session is not None:
            self._keys.listen(False)
            self.panel.set_session(None)
            self.out.set_project(None)
            self.readers.follow(None)
            self.ahead.follow(None, ())
            session.let_go()
            session.deleteLater()

    def forget_models(self) -> None:
        """Look for the project's model anew when it is next needed: its card may say something else now."""
        self._models.clear()

    def have(self, project: Project, *, reader: str = "") -> Session:
        """Begin a session of one reader."""
        self.close_project()
        session = self.session = Session(
            project, self._correcting.desk, self.ahead, place=self._place, go_to=self._go_to, reader=reader, parent=self
        )
        self.forget_models()
        preferred = self._model_of(project)
        if preferred is not None:  # a project's own model goes before the one that is preselected elsewhere
            self._segment.reload_models(str(preferred.folder))
        elif name := project.model.get("name"):
            show_info(f"The project's model is not here, so nothing is predicted: add {name} in the tab Models.")
        self.panel.set_session(session)
        self.out.set_project(project)
        self.readers.follow(session)
        self._keys.listen(True)
        session.changed.connect(self._choose_scan)
        session.begin()
        return session

    def _give_up_opening(self) -> None:
        """Stop; what is open already by then is told, and not taken: another is wanted, or the window is closed."""
        job, self._opening = self._opening, None
        if job is not None:
            job.stop()

    def _on_opening_ended(self) -> None:
        if self.sender() is self._opening:
            self._opening = None
            self.panel.ui.show_opening("")

    def _on_opened(self, opened: tuple[Project, str]) -> None:
        if self.sender() is not self._opening:
            return
        project, reader = opened
        self.have(project, reader=reader)
        if project.journal.recovery is not None:  # the file was damaged
            self.panel.ui.say(project.journal.recovery.words)
        self.opened.emit(project)

    def _read_as(self, reader: str) -> None:
        if self.session is not None:
            project = self.session.project
            self.have(project, reader=reader).clerk.do(partial(project.say, f"{READS} {who()}", reader))

    def _open_case(self, reading: str) -> None:
        if self.session is not None:
            self.session.open(reading)

    def _forget_dialog(self) -> None:
        self._dialog = None

    def _place(self) -> dict[str, Any]:
        tool = self._correcting.desk.tool
        return place_now(self._viewer, self._bench, "" if tool is None else type(tool).__name__)

    def _go_to(self, place: Mapping[str, Any]) -> None:
        tool = go_to_place(self._viewer, self._bench, place)
        tools = self._correcting.panel.tools
        self._correcting.desk.choose(tools.get(tool))

    def _choose_scan(self) -> None:
        """Have Segment lay labels on the grid that those of the case have; its own choice may be another."""
        shown = self.session.shown if self.session is not None else None
        if shown is not None and shown.images[0] in self._viewer.layers:
            self._segment.ui.pick_scan(shown.images[0])

    def _wish(self) -> Wish | None:
        """Give the project's model, with the settings of the Segment tab."""
        session = self.session
        model = None if session is None else self._model_of(session.project)
        return None if model is None else Wish(model=model, settings=self._segment.settings)

    def _model_of(self, project: Project) -> Model | None:
        """Give the model that a project says; it is looked for, and an answer of another one told, once."""
        said = project.model.get("name", ""), project.model.get("sha256", "")
        if said[0] and said not in self._models:
            try:
                found = model_said(project.model)
            except Vol3dError as problem:
                report(problem)
                return None
            if found is not None and said[1] not in ("", found.card.weights.sha256):
                show_info(f"{found.card.title} is not the model that the project was made with: its weights differ.")
            self._models |= {} if found is None else {said: found}
        return self._models.get(said)

    def _busy(self) -> bool:
        job = self._segment.job
        return (job is not None and job.running) or self._correcting.panel.runner.busy

    def _take_run(self, scan: Image, labels: Labels) -> None:
        """Put what the Segment tab has found in the case that is open into its labels: these are what is accepted."""
        shown = self.session.shown if self.session is not None else None
        judging = self.panel.judging
        if shown is None or judging is None or shown.record is None or scan is not shown.images[0]:
            return
        found = labels.data if labels.ndim == 3 else labels.data[shown.record.frame]
        judging.take_prediction(found, labels.name, self._made_by(labels, shown.loaded.row.case.key))
        shown.extra.append(labels)  # it goes with the case, and till then the person may look at it
        labels.visible = False
        self._viewer.layers.selection.active = shown.labels

    def _made_by(self, labels: Labels, case: str) -> Foreseen | None:
        model = maker_of(labels)
        if model is None:
            return None
        card, settings = model.card, self._segment.settings.model_dump(mode="json")
        return Foreseen(
            case=case, model=f"{card.name} {card.version}", model_sha256=card.weights.sha256, settings=settings
        )

    def _give_way(self, *_: object) -> None:
        self.ahead.give_way()


def _open(path: Path) -> Generator[Progress, None, tuple[Project, str]]:
    """Open a project, and give the reader as whom this person read last: one who is blind must not see the rest."""
    yield Progress(phase=f"Opening {path.name}")
    project = Project.open(path)
    reader = str(project.said(f"{READS} {who()}", ""))
    return project, reader if reader in project.readers() else ""
