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
from napari_vol3d.gui.panels.segment import SegmentPanel
from napari_vol3d.gui.panels.welcome import WelcomePanel
from napari_vol3d.gui.reading_room import ReadingRoom
from napari_vol3d.io.registry import READ_PATTERNS

if TYPE_CHECKING:
    from napari_vol3d.gui.correcting_room import CorrectingRoom
    from napari_vol3d.gui.review_room import ReviewRoom
    from napari_vol3d.review.recovery import Found

MINIMUM_WIDTH = 340
MARGIN = 3


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
        self._correct_page, self._review_page = _scrolling(QWidget()), _scrolling(QWidget())
        for page, name in (
            (_scrolling(self.segment), "Segment"), (_scrolling(self.reading.panel), "Read"),
            (self._correct_page, "Correct"), (self._review_page, "Review"),
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
        self.segment.findings.correctAsked.connect(self._show_correct)
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
            self.recover.let_go()
            self.segment.let_go()
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

    def open_project(self, path: Path) -> None:
        """Open a project, and show its worklist."""
        self._show_review()
        self.review().open_project(path)

    @property
    def _reviewing(self) -> bool:
        """Whether a worklist is open or about to be: between two cases there is no layer for a moment."""
        return (self._pages.currentIndex() == 1 and self.tabs.currentWidget() is self._review_page) or (
            self.reviewing is not None and self.reviewing.session is not None
        )

    def _show_review(self) -> None:
        self._pages.setCurrentIndex(1)
        self.tabs.setCurrentWidget(self._review_page)

    def _choose_page(self, event: object = None) -> None:
        layers = self._viewer.layers
        working = self._reviewing or any(isinstance(layer, Image | Labels) for layer in layers)
        self._pages.setCurrentIndex(1 if working else 0)
        if any(isinstance(layer, Labels) for layer in layers):
            self.correct()  # from now on nothing that is painted is lost
            if not any(isinstance(layer, Image) for layer in layers) and not self._reviewing:
                self._show_correct()

    def _open_room(self, place: int) -> None:
        if self.tabs.widget(place) is self._correct_page:
            self.correct()
        elif self.tabs.widget(place) is self._review_page:
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
