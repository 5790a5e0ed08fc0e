"""Eyes and locks that are open and shut look different, and so do the names beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QTreeView

from napari_vol3d.gui.forms.class_eye import ClassDelegate
from napari_vol3d.gui.forms.class_model import EYE, ID, LOCK, NAME, ClassModel, ClassRow


def pixels(view: QTreeView, row: int, column: int) -> np.ndarray:
    """Give the grey levels of a cell."""
    box = view.visualRect(view.model().index(row, column))
    image = view.viewport().grab(box).toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    bits = image.constBits()
    data = np.frombuffer(bits if isinstance(bits, memoryview) else bits.asstring(image.sizeInBytes()), np.uint8)
    return data.reshape(image.height(), image.bytesPerLine())[:, : image.width()].astype(int)


def ink(view: QTreeView, row: int, column: int) -> float:
    """Sum up how far a cell is from its ground."""
    cell = pixels(view, row, column)
    return float(np.abs(cell - np.median(cell)).sum())


@pytest.fixture
def view(qtbot: Any) -> QTreeView:
    view = QTreeView()
    qtbot.addWidget(view)
    view.setModel(ClassModel(view))
    view.setItemDelegate(ClassDelegate(view))
    view.setRootIsDecorated(False)
    view.resize(400, 200)
    view.show()
    qtbot.waitExposed(view)
    return view


def test_an_open_eye_has_more_ink_than_a_shut_one_and_hidden_names_less(view: QTreeView) -> None:
    view.model().set_rows([ClassRow(id=i, name="same", color="#808080", shown=i == 1) for i in (1, 2)])
    for column in (EYE, NAME):
        assert ink(view, 0, column) > 1.2 * ink(view, 1, column) > 0


def test_a_shut_lock_has_more_ink_than_an_open_one_and_is_seen_in_its_column_only(view: QTreeView) -> None:
    view.model().set_rows([ClassRow(id=7, name="same", color="#808080", locked=locked) for locked in (True, False)])
    assert ink(view, 0, LOCK) > 2 * ink(view, 1, LOCK) > 0
    for column in (EYE, NAME, ID):
        np.testing.assert_array_equal(pixels(view, 0, column), pixels(view, 1, column))


def test_painting_a_lock_leaves_the_painter_as_it_was(view: QTreeView) -> None:
    """The id beside it is painted next, with the same painter."""
    view.model().set_rows([ClassRow(id=7, name="same", color="#808080")])
    before = pixels(view, 0, ID)
    view.setColumnHidden(LOCK, True)
    hidden = pixels(view, 0, ID)
    assert before.max() == hidden.max()
    assert before.min() == hidden.min()
