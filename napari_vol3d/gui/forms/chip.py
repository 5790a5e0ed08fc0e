"""How the colour of a class is painted in a row of a list: the same in a row that is chosen."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem


class ChipDelegate(QStyledItemDelegate):
    """Keeps Qt from tinting the chip of a row that is chosen: it would look like another class."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Take the same picture for both."""
        super().initStyleOption(option, index)
        if not option.icon.isNull():
            chip = option.icon.pixmap(option.decorationSize)
            option.icon = QIcon(chip)
            option.icon.addPixmap(chip, QIcon.Mode.Selected)
