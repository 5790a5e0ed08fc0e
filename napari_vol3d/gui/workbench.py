"""The dock: one widget, with what fits the moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import napari
from napari.layers import Image, Labels
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QFileDialog, QScrollArea, QSizePolicy, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from napari_vol3d.gui.consent import ConsentBar
from napari_vol3d.gui.correct.recover_bar import RecoverBar
from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.gui.late import Coming, Late
from napari_vol3d.gui.panels.segment import SegmentPanel
from napari_vol3d.gui.panels.welcome import WelcomePanel
from napari_vol3d.gui.reading_room import ReadingRoom
from napari_vol3d.io.registry import READ_PATTERNS

if TYPE_CHECKING:
    from napari_vol3d.gui.correcting_room import CorrectingRoom
    from napari_vol3d.gui.panels.models import ModelsPanel
    from napari_vol3d.gui.review_room import ReviewRoom
    from napari_vol3d.models.store import Model
    from napari_vol3d.review.recovery import Found

MINIMUM_WIDTH = 340
MARGIN = 3
ROOMS = ("napari_vol3d.gui.correcting_room", "napari_vol3d.gui.review_room")  # with statistics, a database, formats


class Workbench(QWidget):
    """The Vol3D dock widget.

    Attributes
    ----------
    segment : SegmentPanel
        Scan, model, Run.
    reading : ReadingRoom
        The views, and the tab that goes with them.
    correcting : CorrectingRoom or None
        Tools, history and journal, once there are labels; see `correct`.
    reviewing : ReviewRoom or None
        Worklist and session, once they are asked for; see `review`.
    modelling : ModelsPanel or None
        The list of models and the ways in and out, once they are asked for; see `models`.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        self._docked = False
        super().__init__()
        self._viewer = napari_viewer
        self._keeper = EngineKeeper()
        self._gone = False
        self.setObjectName("Vol3D")
        self.welcome = WelcomePanel()
        self.segment = SegmentPanel(napari_viewer, self._keeper)
        self.reading = ReadingRoom(napari_viewer)
        self.consent = ConsentBar()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)  # no frame: the dock is narrow
        self.recover = RecoverBar()
        self.correcting: CorrectingRoom | None = None
        self.reviewing: ReviewRoom | None = None
        self.modelling: ModelsPanel | None = None
        self._late = Late(*ROOMS, parent=self)
        self._project: Path | None = None  # waits until its room is there
        self._coming = Coming()
        self._review_page, self._models_page = _scrolling(self._coming), _scrolling(QWidget())
        self._correct_page = _scrolling(Coming())
        for page, name in (
            (_scrolling(self.segment), "Segment"), (_scrolling(self.reading.panel), "Read"),
            (self._correct_page, "Correct"), (self._review_page, "Review"), (self._models_page, "Models"),
        ):  # fmt: skip
            self.tabs.addTab(page, name)
        self._pages = QStackedWidget()
        self._pages.addWidget(_scrolling(self.welcome))
        self._pages.addWidget(self.tabs)
        # Else napari puts an empty stretch under it, a wider one in each new window.
        self._pages.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.addWidget(self.consent)
        column.addWidget(self.recover)
        column.addWidget(self._pages, 1)
        self.setMinimumWidth(MINIMUM_WIDTH)
        self.welcome.openRequested.connect(self._open)
        self.welcome.sampleRequested.connect(self._sample)
        self.welcome.reviewRequested.connect(self._show_review)
        for event in (napari_viewer.layers.events.inserted, napari_viewer.layers.events.removed):
            event.connect(self._choose_page)
        self.tabs.currentChanged.connect(self._open_room)
        self._late.loaded.connect(self._open_room)
        self.segment.findings.correctAsked.connect(self._show_correct)
        self.segment.ui.models.clicked.connect(self._show_models)
        self.recover.recoverAsked.connect(self._recover)
        self.recover.discardAsked.connect(self._discard)
        self.reading.leaving.connect(self._close_rooms)
        self._choose_page()
        self.recover.look()
        # napari hides a closed dock and destroys it with the window: no process may stay behind then. A signal
        # does not reach a method of the object that is being destroyed, so a function of its own is connected.
        self.destroyed.connect(_letting_go(self))

    def event(self, event: QEvent) -> bool:
        """Let go when the dock is taken out of its window, even where somebody still holds the widget."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is None and self._docked:
                self.let_go()
            self._docked = self.parent() is not None
        return bool(super().event(event))

    def let_go(self) -> None:
        """Stop what runs, end the engine, let go of the viewer; also when Qt has destroyed the widgets already."""
        if not self._gone:
            self._gone = True
            self._late.let_go()
            self.recover.let_go()
            self.segment.let_go()
            if self.modelling is not None:
                self.modelling.let_go()
            self.reading.let_go()
            for event in (self._viewer.layers.events.inserted, self._viewer.layers.events.removed):
                event.disconnect(self._choose_page)
            self._keeper.close()

    def show_tab(self, page: QWidget) -> None:
        """Bring the tab of a panel to the front."""
        areas = (self.tabs.widget(place) for place in range(self.tabs.count()))
        self.tabs.setCurrentWidget(next(area for area in areas if area.widget() is page))

    def correct(self) -> CorrectingRoom:
        """Give the room for correcting, made when it is first needed: it loads the database of the journal."""
        if self.correcting is None:
            from napari_vol3d.gui.correcting_room import CorrectingRoom

            self.correcting = CorrectingRoom(self._viewer, self.reading, self.segment, self._keeper)
            self.correcting.toolTaken.connect(self._show_correct)
            self.correcting.recovering.recovered.connect(self._recovered)
            self._correct_page.setWidget(self.correcting.panel)
        return self.correcting

    def review(self) -> ReviewRoom:
        """Give the room for review sessions, made when it is first needed."""
        if self.reviewing is None:
            from napari_vol3d.gui.review_room import ReviewRoom

            self.reviewing = ReviewRoom(self._viewer, self.reading, self.segment, self.correct(), self._keeper)
            self._review_page.setWidget(self.reviewing.panel)
        return self.reviewing

    def models(self) -> ModelsPanel:
        """Give the tab of models, made when it is first needed."""
        if self.modelling is None:
            from napari_vol3d.gui.panels.models import ModelsPanel

            self.modelling = ModelsPanel()
            self.modelling.added.connect(self._use_model)
            self.modelling.changed.connect(self.segment.reload_models)
            self.modelling.changed.connect(self._forget_models)
            self._models_page.setWidget(self.modelling)
        return self.modelling

    def add_model(self, path: Path) -> None:
        """Show what a file or folder holds, and ask whether it shall be among the models."""
        self._show_models()
        self.models().add(path)

    def open_project(self, path: Path) -> None:
        """Open a project, and show its worklist; of those that wait for the room, the last."""
        self._project = path
        if self.reviewing is None:
            self._coming.say(path.stem)
        self._show_review()
        self._open_room()

    def _forget_models(self) -> None:
        if self.reviewing is not None:
            self.reviewing.forget_models()

    @property
    def _reviewing(self) -> bool:
        """Whether a worklist is open or about to be: between two cases there is no layer for a moment."""
        working = self._project is not None or (self.reviewing is not None and self.reviewing.session is not None)
        return working or self._at(self._review_page)

    def _at(self, page: QWidget) -> bool:
        return self._pages.currentIndex() == 1 and self.tabs.currentWidget() is page

    def _show_models(self) -> None:
        self._pages.setCurrentIndex(1)
        self.tabs.setCurrentWidget(self._models_page)

    def _use_model(self, model: Model) -> None:
        """Choose a model that has come in; where there is a scan, it is segmented next."""
        self.segment.reload_models(choose=str(model.folder))
        if any(isinstance(layer, Image) for layer in self._viewer.layers):
            self.show_tab(self.segment)

    def _show_review(self) -> None:
        self._pages.setCurrentIndex(1)
        self.tabs.setCurrentWidget(self._review_page)

    def _choose_page(self, event: object = None) -> None:
        layers = self._viewer.layers
        busy = self._reviewing or self._at(self._models_page)
        working = busy or any(isinstance(layer, Image | Labels) for layer in layers)
        self._pages.setCurrentIndex(1 if working else 0)
        if any(isinstance(layer, Image) for layer in layers):
            self._late.begin()  # its labels come next
        if any(isinstance(layer, Labels) for layer in layers):
            self.correct()  # from now on nothing that is painted is lost
            if not any(isinstance(layer, Image) for layer in layers) and not self._reviewing:
                self._show_correct()

    def _open_room(self, *_: object) -> None:
        """Make the room of the tab that is shown; one that takes its time to load is made when it is loaded."""
        page = self.tabs.currentWidget()
        if page is self._models_page:
            self.models()
        if (self._project is not None or page in (self._correct_page, self._review_page)) and self._late.begin():
            self.correct()
            self._open_review(page)

    def _open_review(self, page: QWidget | None) -> None:
        path, self._project = self._project, None
        if path is not None:
            self.review().open_project(path)
        elif page is self._review_page:
            self.review()

    def _close_rooms(self) -> None:
        if self.reviewing is not None:
            self.reviewing.let_go()
        if self.correcting is not None:
            self.correcting.let_go()

    def _show_correct(self) -> None:
        self.tabs.setCurrentWidget(self._correct_page)

    def _recover(self, found: list[Found]) -> None:
        self.correct().recovering.recover(found)
        self._show_correct()

    def _discard(self, found: list[Found]) -> None:
        self.correct().recovering.discard(found)
        self.recover.remove(found)

    def _recovered(self, found: Found) -> None:
        self.recover.remove([found])

    def _open(self) -> None:
        patterns = " ".join(READ_PATTERNS)
        chosen, _ = QFileDialog.getOpenFileName(self, "Open a scan", str(Path.home()), f"Scans ({patterns})")
        if chosen:
            self._viewer.open(chosen, plugin="napari-vol3d")

    def _sample(self) -> None:
        self._viewer.open_sample("napari-vol3d", "hippocampus")


def _scrolling(page: QWidget) -> QScrollArea:
    """Give a page room to be higher than the dock. Each has its own: a low one has no scroll bar beside a high one."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(page)
    return area


def _letting_go(bench: Workbench) -> Callable[..., None]:
    def let_go(*_: object) -> None:
        bench.let_go()

    return let_go
