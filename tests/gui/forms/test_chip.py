"""A chip has the colour of its class, whether its row is chosen or not."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QModelIndex
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QStyledItemDelegate, QTreeView

from napari_vol3d.gui.forms.chip import ChipDelegate
from napari_vol3d.gui.forms.class_eye import ClassDelegate
from napari_vol3d.gui.forms.class_model import NAME, ClassModel, ClassRow

COLOR = "#e69f00"


def colours(view: QTreeView, place: QModelIndex) -> set[str]:
    """Give the colours that are seen in a cell."""
    image = view.viewport().grab(view.visualRect(place)).toImage()
    return {QColor(image.pixel(x, y)).name() for x in range(image.width()) for y in range(image.height())}


@pytest.mark.parametrize("delegate", [ChipDelegate, ClassDelegate])
def test_a_chosen_row_keeps_its_colour(qtbot: Any, delegate: type[QStyledItemDelegate]) -> None:
    view = QTreeView()
    qtbot.addWidget(view)
    view.setModel(ClassModel(view))
    view.setItemDelegate(delegate(view))
    view.model().set_rows([ClassRow(id=1, name="anterior", color=COLOR)])
    view.resize(400, 200)
    view.show()
    qtbot.waitExposed(view)
    place = view.model().index(0, NAME)
    assert COLOR in colours(view, place)
    view.setCurrentIndex(place)
    assert view.selectionModel().isSelected(place)
    assert COLOR in colours(view, place)
