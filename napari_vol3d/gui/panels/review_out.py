"""What leaves a project: labels, data sets, figures and the report, written beside the window."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.say import say_seconds
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.panels.segment_words import LINK_COLOR, warning_words
from napari_vol3d.gui.panels.ways_out import WAYS, Way

if TYPE_CHECKING:
    from napari_vol3d.review.project.store import Project  # loads the database: not at the start of a window

NO_PROJECT = "Open a project first"
BUSY = "Something is being written; cancel it or wait"
CANCEL_TIP = "Stop; files that are written already stay"
STOPPING = "It stops after the scan that is being written"
OPEN_FILE, OPEN_FOLDER = "file", "folder"
MOST_NOTES = 3
ONE_COLUMN = 2


class ReviewOut(QWidget):
    """Buttons, one for each way out; one thing is written at a time.

    Attributes
    ----------
    job : Job or None
        The last one.
    buttons : tuple of QPushButton
        In the order of `ways_out.WAYS`.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.job: Job | None = None
        self._project: Project | None = None
        self._way, self._target = WAYS[0], Path()
        self._notes: list[str] = []
        self._stopping = False
        self.buttons = tuple(QPushButton(way.name) for way in WAYS)
        self.cancel, self.bar = QPushButton("Cancel"), QProgressBar()
        self.doing, self.said = _line(Qt.TextFormat.PlainText), _line(Qt.TextFormat.RichText)
        self._lay_out()
        for button in self.buttons:
            button.clicked.connect(self._on_clicked)
        self.cancel.clicked.connect(self.stop)
        self.said.linkActivated.connect(self._open)
        self._follow()

    def set_project(self, project: Project | None) -> None:
        """Be about another project; what is being written of the one before goes on."""
        self._project = project
        if not self._running():
            self._say("")
        self._follow()

    def start(self, way: Way, target: Path) -> None:
        """Write to a folder or file; while something else is being written, nothing is done."""
        if self._project is None or self._running():
            return
        self._way, self._target, self._stopping = way, target, False
        self._notes.clear()
        self._say("")
        self.doing.setText("Starting ...")
        self.bar.setRange(0, 0)
        self.job = Job(way.write(self._project, target), name=f"Writing {target.name}", parent=self)
        self.job.progressed.connect(self._on_progress)
        self.job.succeeded.connect(self._on_written)
        self.job.failed.connect(self._on_failed)
        self.job.cancelled.connect(self._on_cancelled)
        self.job.ended.connect(self._follow)
        self.job.start()
        self._follow()

    def stop(self) -> None:
        """Stop after the file that is being written."""
        if self.job is not None and self.job.running:
            self.job.stop()
            self._stopping = True
            self._follow()

    def let_go(self) -> None:
        """Stop, and know no project."""
        self.stop()
        self._project = None

    # ---- within -----------------------------------------------------------------------------------------------------

    def _on_clicked(self) -> None:
        way = WAYS[self.buttons.index(self.sender())]
        if self._project is not None and not self._running():
            target = way.ask(self, self._project)
            if target is not None:
                self.start(way, target)

    def _running(self) -> bool:
        return self.job is not None and self.job.running

    def _on_progress(self, progress: Progress) -> None:
        if progress.note:
            self._notes.append(progress.note)
        self.bar.setRange(0, progress.total)
        self.bar.setValue(progress.done)
        left = progress.seconds_left
        amount = f": {progress.done:,} of {progress.total:,}" if progress.total else " ..."
        self.doing.setText(f"{progress.phase}{amount}" + (f", {say_seconds(left)} left" if left else ""))

    def _on_written(self, result: Any) -> None:
        where = self._folder()
        link = _link(OPEN_FOLDER, "Open folder")
        if self._target.is_file():
            link = f"{_link(OPEN_FILE, 'Open it')}, {link}"
        self._say(f"{escape(self._way.say(result))} in {self._short(where)}. {link}", tip=str(where))

    def _on_failed(self, problem: Vol3dError) -> None:
        self._say(warning_words(str(problem)))

    def _on_cancelled(self) -> None:
        where = self._folder()
        stays = f" What was written stays in {self._short(where)}. {_link(OPEN_FOLDER, 'Open folder')}"
        self._say(f"Cancelled.{stays if where.is_relative_to(self._target) else ''}", tip=str(where))

    def _folder(self) -> Path:
        """Give the folder that is written to."""
        return self._target / self._way.inner if self._target.is_dir() else self._target.parent

    def _short(self, folder: Path) -> str:
        """Give a folder from the one on that a person chose."""
        inner = folder.relative_to(self._target.parent).as_posix() if folder != self._target.parent else folder.name
        return f"…/{escape(inner, quote=False)}"

    def _open(self, what: str) -> None:
        place = self._target if what == OPEN_FILE else self._folder()
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(place)))

    def _say(self, words: str, *, tip: str = "") -> None:
        notes = [*self._notes[:MOST_NOTES]]
        if len(self._notes) > MOST_NOTES:
            notes.append(f"{len(self._notes) - MOST_NOTES:,} more notes")
        self.said.setText("<br>".join([words, *map(warning_words, notes)] if words else []))
        self.said.setToolTip(tip)
        self.said.setVisible(bool(words))

    def _follow(self) -> None:
        """Offer what can be done now."""
        running = self._running()
        why = BUSY if running else NO_PROJECT if self._project is None else ""
        for button, way in zip(self.buttons, WAYS, strict=True):
            button.setEnabled(not why)
            button.setToolTip(why or way.tip)
        for widget in (self.bar, self.cancel, self.doing):
            widget.setVisible(running)
        self.cancel.setEnabled(not self._stopping)
        self.cancel.setToolTip(STOPPING if self._stopping else CANCEL_TIP)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, button in enumerate(self.buttons):
            last = place == len(self.buttons) - 1 and place % ONE_COLUMN == 0
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            grid.addWidget(button, place // ONE_COLUMN, place % ONE_COLUMN, 1, ONE_COLUMN if last else 1)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(grid)
        column.addLayout(row)
        column.addWidget(self.doing)
        column.addWidget(self.said)


def _line(kind: Qt.TextFormat) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(kind)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # names of folders may be long
    return label


def _link(target: str, words: str) -> str:
    return f"<a style='color:{LINK_COLOR}' href='{target}'>{words}</a>"
