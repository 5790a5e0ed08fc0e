"""The list of models: one is chosen by mouse or key, what is wrong is seen without colours, nothing is too wide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.labels import default_color
from napari_vol3d.gui.forms.model_list import MOST_ROWS, ModelList, row_height
from napari_vol3d.gui.forms.model_rows import ModelRow

LEFT = Qt.MouseButton.LeftButton
ROWS = tuple(
    ModelRow(
        key=f"m{n}", title=f"A model with a rather long title {n}", version="1.0", origin="added", state="sound",
        colors=tuple(default_color(k) for k in range(1, n + 2)),
    )
    for n in range(9)
)  # fmt: skip


@pytest.fixture
def form(qtbot: Any) -> ModelList:
    form = ModelList()
    qtbot.addWidget(form)
    form.resize(300, 300)
    form.setRows(ROWS)
    form.show()
    return form


def picture(form: ModelList) -> QImage:
    QApplication.processEvents()
    return form.grab().toImage()


def test_a_click_and_the_arrows_choose(qtbot: Any, form: ModelList) -> None:
    place = form.view.visualRect(form.rows.index(1)).center()
    with qtbot.waitSignal(form.valueChanged) as told:
        qtbot.mouseClick(form.view.viewport(), LEFT, pos=place)
    assert told.args == ["m1"]
    with qtbot.waitSignal(form.valueChanged):
        qtbot.keyClick(form.view, Qt.Key.Key_Down)
    assert form.value() == "m2"


def test_the_chosen_one_stays_chosen(qtbot: Any, form: ModelList) -> None:
    form.setValue("m3")
    with qtbot.assertNotEmitted(form.valueChanged):
        form.setRows(ROWS[2:])
        assert form.value() == "m3"
        form.setRows([replace(row, state="changed") for row in ROWS[2:]])
    assert form.value() == "m3"
    form.setRows(ROWS[:1])
    assert form.value() == ""


def test_what_is_wrong_changes_the_picture(form: ModelList) -> None:
    pictures = []
    for state in ("checking", "sound", "changed", "broken"):
        form.setRows([replace(ROWS[0], state=state)])
        pictures.append(picture(form))
    assert all(pictures[a] != pictures[b] for a in range(4) for b in range(a))


def test_classes_are_painted_in_their_colours(form: ModelList) -> None:
    QApplication.processEvents()
    image = form.view.viewport().grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(row_height(form))}
    assert default_color(1) in seen
    assert default_color(2) not in seen


def test_it_is_as_high_as_its_rows_and_no_wider_than_the_dock(form: ModelList) -> None:
    assert form.view.height() == pytest.approx(MOST_ROWS * row_height(form), abs=8)
    assert form.view.horizontalScrollBar().maximum() == 0
    assert form.minimumSizeHint().width() < 320
    form.setRows(())
    assert form.value() == ""
