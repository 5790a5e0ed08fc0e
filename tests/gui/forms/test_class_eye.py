"""Eyes that are open and shut look different, and so do the names beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QTreeView

from napari_vol3d.gui.forms.class_eye import ClassDelegate
from napari_vol3d.gui.forms.class_model import EYE, NAME, ClassModel, ClassRow


def pixels(view: QTreeView, row: int, column: int) -> np.ndarray:
    """Give the grey levels of a cell."""
    box = view.visualRect(view.model().index(row, column))
    image = view.viewport().grab(box).toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    bits = image.constBits()
    data = np.frombuffer(bits if isinstance(bits, memoryview) else bits.asstring(image.sizeInBytes()), np.uint8)
    return data.reshape(image.height(), image.bytesPerLine())[:, : image.width()].astype(int)


def test_an_open_eye_has_more_ink_than_a_shut_one_and_hidden_names_less(qtbot: Any) -> None:
    view = QTreeView()
    qtbot.addWidget(view)
    model = ClassModel(view)
    view.setModel(model)
    view.setItemDelegate(ClassDelegate(view))
    view.setRootIsDecorated(False)
    model.set_rows([ClassRow(id=i, name="same", color="#808080", shown=i == 1) for i in (1, 2)])
    view.resize(400, 200)
    view.show()
    qtbot.waitExposed(view)
    ink = {
        column: [float(np.abs(cell - np.median(cell)).sum()) for cell in (pixels(view, r, column) for r in (0, 1))]
        for column in (EYE, NAME)
    }
    for open_, shut in ink.values():
        assert open_ > 1.2 * shut > 0
