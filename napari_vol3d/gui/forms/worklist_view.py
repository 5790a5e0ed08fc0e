"""The worklist itself: how its cells are painted and how they share the width."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QModelIndex, QRect, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from napari_vol3d.gui.forms.row_table import RowTable
from napari_vol3d.gui.forms.status_icon import COLORS, SIZE, status_icons
from napari_vol3d.gui.forms.worklist_model import NOTED, SCORE, STATUS, WorklistModel
from napari_vol3d.gui.forms.worklist_order import Column

WIDTHS: Mapping[int, str] = {
    Column.STATUS: "predicted 00", Column.SCORE: "score", Column.WHO: "who.", Column.MINUTES: "00.0",
    Column.NOTE: NOTED,
}  # fmt: skip
LEAST_NAME = 72  # pixels; for less of it there is no column of people
USUAL_NAME, MOST_NOTE = 140, 260  # pixels; what the name does not need is the note's
READABLE = 60  # pixels of a note; in less it is a mark
BAR = 2  # pixels high


class WorklistView(RowTable):
    """Rows are chosen one at a time; the name gets the width that is left, and in a wide dock the note gets some."""

    def __init__(self, model: WorklistModel) -> None:
        self._who = True
        super().__init__(model, WIDTHS, stretched=Column.NAME)
        self.setItemDelegate(WorklistDelegate(self))
        self.setIconSize(QSize(SIZE, SIZE))
        self.setAccessibleName("Worklist")
        across = self.horizontalHeader()
        across.setSectionsClickable(True)
        across.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def offer_who(self, offered: bool) -> None:
        """Have a column of people, where there is room for it."""
        self._who = offered
        self.fit()

    def fit(self) -> None:
        """Hide who worked on it for a name that would be too narrow; give the note what the name does not need."""
        others = sum(map(self.least_width, WIDTHS.keys() - {Column.WHO}))
        room = int(self.viewport().width()) - others
        who = self._who and room >= LEAST_NAME + self.text_width(Column.WHO)
        self.setColumnHidden(Column.WHO, not who)
        super().fit()
        spare = max(room - self.least_width(Column.WHO) - USUAL_NAME, 0)
        self.setColumnWidth(Column.NOTE, min(self.least_width(Column.NOTE) + spare, MOST_NOTE))


class WorklistDelegate(QStyledItemDelegate):
    """Paints a status with its shape and colour, a score over a bar, and a name cut in its middle."""

    def __init__(self, view: WorklistView) -> None:
        super().__init__(view)
        self._icons = status_icons()

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Take the picture of the status; names of one study differ at their ends."""
        super().initStyleOption(option, index)
        column = index.column()
        if column == Column.STATUS:
            option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
            option.icon = self._icons.get(index.data(STATUS), QIcon())
            option.decorationSize = QSize(SIZE, SIZE)
        elif column == Column.NAME:
            option.textElideMode = Qt.TextElideMode.ElideMiddle
        elif column == Column.NOTE:
            option.text = NOTED if option.text and option.rect.width() < READABLE else " ".join(option.text.split())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Paint a cell, and under a score how high it is."""
        super().paint(painter, option, index)
        score = index.data(SCORE) if index.column() == Column.SCORE else None
        if score is not None:
            room = option.rect.adjusted(4, 0, -4, -1)
            length = round(room.width() * min(max(score, 0.0), 1.0))
            painter.fillRect(QRect(room.left(), room.bottom() - BAR + 1, length, BAR), QColor(COLORS["in review"]))
