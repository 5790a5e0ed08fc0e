"""Asking at the start whether corrections that were never saved should be shown again."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.jobs import Job

if TYPE_CHECKING:
    from napari_vol3d.review.recovery import Found, Left, Unread  # loads the database: not at the start of a window

FOUND = Qt.ItemDataRole.UserRole
MOST_ROWS = 6  # that are seen without scrolling


class RecoverBar(QWidget):
    """A question with Recover and Later, seen while there is something to recover.

    Signals
    -------
    recoverAsked, discardAsked : list of Found
        The ones that a person has ticked. `remove` those that were seen to.
    """

    recoverAsked = Signal(object)
    discardAsked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._sure = False
        self.found: tuple[Found, ...] = ()
        self.unread: tuple[Unread, ...] = ()
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.recover = QPushButton("Recover")
        self.later = QPushButton("Later")
        self.later.setToolTip("Nothing is lost: this is asked again at the next start")
        self.details = QToolButton()
        self.details.setText("Details")
        self.details.setCheckable(True)
        self.details.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.details.setToolTip("Choose which, or discard some")
        self.list = _List()
        self.discard = QPushButton()
        self._lay_out()
        self.recover.clicked.connect(self._recover)
        self.later.clicked.connect(self.hide)
        self.discard.clicked.connect(self._discard)
        self.details.toggled.connect(self._unfold)
        self.list.itemChanged.connect(self._follow)
        self.set_left((), ())

    def look(self, folder: Path | None = None) -> None:
        """Look in the person's own folder for what was not saved, beside the window; to be called at the start."""
        self.stop()
        self._job = Job(_look(folder), name="Looking for unsaved corrections", parent=self, quiet=True)
        self._job.succeeded.connect(self._show)
        self._job.start()

    def stop(self) -> None:
        """Look no further."""
        if self._job is not None:
            self._job.stop()

    def let_go(self) -> None:
        """Look no further, and show nothing."""
        self.stop()
        self.hide()

    def set_left(self, found: Iterable[Found], unread: Iterable[Unread]) -> None:
        """Ask about these; nothing is seen where there are none."""
        self.found, self.unread = tuple(found), tuple(unread)
        self.list.set_rows(self.found, self.unread)
        whole = [one for one in self.found if not one.waiting]
        self.text.setText(_question(len({one.layer.scan for one in whole}), len(self.unread)))
        for button in (self.recover, self.discard):
            button.setVisible(bool(whole))
        self._unfold(self.details.isChecked())
        self._follow()
        self.setVisible(bool(whole or self.unread))

    def remove(self, found: Iterable[Found]) -> None:
        """Ask no longer about these."""
        gone = set(found)
        self.set_left((one for one in self.found if one not in gone), self.unread)

    def ticked(self) -> list[Found]:
        """Give those that Recover and Discard are about."""
        return self.list.ticked()

    def _show(self, left: Left | None) -> None:
        if left is not None:
            self.set_left(left.found, left.unread)

    def _recover(self) -> None:
        self.hide()
        self.recoverAsked.emit(self.ticked())

    def _discard(self) -> None:
        """Ask once more, in the button itself; nothing modal stands in the way."""
        if self._sure:
            self.discardAsked.emit(self.ticked())
        else:
            self._sure = True
            self.discard.setText(f"Discard {len(self.ticked())}: sure?")

    def _follow(self, item: object = None) -> None:
        """Follow what is ticked."""
        count, self._sure = len(self.ticked()), False
        self.discard.setText(f"Discard {count}" if count else "Discard")
        for button, tip in (
            (self.recover, "Opens these labels again as they were left, with their history"),
            (self.discard, "Does not ask about these again; their journal is kept"),
        ):  # fmt: skip
            button.setEnabled(bool(count))
            button.setToolTip(tip if count else "Nothing is ticked in the details")

    def _unfold(self, shown: bool) -> None:
        self.details.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
        self.list.setVisible(shown)
        self.discard.setVisible(shown and any(not one.waiting for one in self.found))

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.recover, self.later, self.details):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 6)
        layout.addWidget(self.text)
        layout.addLayout(buttons)
        layout.addWidget(self.list)
        layout.addWidget(self.discard)


class _List(QListWidget):
    """What was found, to be ticked, and in grey what can't be recovered here."""

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setMinimumWidth(0)

    def set_rows(self, found: Sequence[Found], unread: Sequence[Unread]) -> None:
        self.clear()
        for one in found:
            item = self._add(one.words, f"{one.words}\n{one.journal}")
            if one.waiting:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            else:
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
                item.setData(FOUND, one)
                item.setCheckState(Qt.CheckState.Checked)
        for file in unread:
            self._add(file.words, f"{file.words}\n{file.path}").setFlags(Qt.ItemFlag.NoItemFlags)
        rows = min(max(self.count(), 1), MOST_ROWS)
        self.setFixedHeight(rows * max(self.sizeHintForRow(0), self.fontMetrics().height()) + 2 * self.frameWidth() + 2)

    def ticked(self) -> list[Found]:
        items = (self.item(row) for row in range(self.count()))
        return [item.data(FOUND) for item in items if item.data(FOUND) and item.checkState() == Qt.CheckState.Checked]

    def _add(self, text: str, tip: str) -> QListWidgetItem:
        item = QListWidgetItem(text)
        item.setToolTip(tip)
        self.addItem(item)
        return item


def _question(scans: int, unread: int) -> str:
    if scans:
        return f"{'1 scan has' if scans == 1 else f'{scans} scans have'} unsaved corrections: recover?"
    return f"{'1 journal' if unread == 1 else f'{unread} journals'} of corrections can't be read: see Details."


def _look(folder: Path | None) -> Generator[Progress, None, Left]:
    yield Progress(phase="Looking for unsaved corrections")
    from napari_vol3d.review.recovery import look_for_unsaved

    return (yield from look_for_unsaved(folder))
