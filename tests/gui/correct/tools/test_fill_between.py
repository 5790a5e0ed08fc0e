"""Gaps are filled along the axis asked for, between all slices or those marked, and the form walks through them."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QEnterEvent
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.interpolate import interpolate
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.fill_between import MARKED, FillBetween
from napari_vol3d.gui.forms.which_classes import Which
from tests.gui.bench.conftest import SPACING

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def tool(qtbot: Any, desk: Desk, record: Record) -> FillBetween:
    """The tool in hand, over two classes that are drawn in few axial slices."""
    for z, shift in ((4, 0), (10, 4), (14, 6)):
        record.labels[z, 8 + shift : 18 + shift, 8:18] = 1
        record.labels[z, 20:26, 20:26] = 2
    record.layer.selected_label = 1
    tool = FillBetween()
    qtbot.addWidget(tool)
    desk.choose(tool)
    tool.show()
    return tool


def planned(desk: Desk, tool: FillBetween) -> Edit | None:
    """Run the plan in another thread, as the window does."""
    task = desk.task()
    assert task is not None
    plan, found = tool.plan(task), []
    thread = threading.Thread(target=lambda: found.append(plan()))
    thread.start()
    thread.join()
    (edit,) = found
    return edit


def fill(desk: Desk, tool: FillBetween) -> Edit:
    """Run the plan and apply what it gives."""
    edit = planned(desk, tool)
    assert edit is not None
    desk.do(edit)
    return edit


def test_gaps_of_the_chosen_class_or_of_all_are_filled(desk: Desk, record: Record, tool: FillBetween) -> None:
    wanted = interpolate(record.labels, axis=0, classes=[1], spacing=SPACING)
    assert wanted.edit is not None
    edit = fill(desk, tool)
    assert edit.name == "Fill class 1, z 5-9, 11-13"
    assert edit.box == wanted.edit.box
    assert np.array_equal(edit.after, wanted.edit.after)
    assert (record.labels[4:15] == 1).any(axis=(1, 2)).all()
    assert not (record.labels[5:10] == 2).any()
    assert planned(desk, tool) is None
    tool.which.setValue(Which.ALL)
    assert fill(desk, tool).name == "Fill all classes, z 5-9, 11-13"
    assert (record.labels[4:15, 20:26, 20:26] == 2).all()


def test_the_axis_is_that_of_the_view_until_one_is_chosen(desk: Desk, record: Record, tool: FillBetween) -> None:
    desk.viewer.dims.order = Plane.CORONAL.order
    assert tool.across.currentText() == "As seen last: Coronal (y)"
    assert planned(desk, tool) is None  # along y nothing lies between
    tool.across.setValue(0)
    assert planned(desk, tool) is not None


def test_between_marked_slices_the_class_is_drawn_anew(
    qtbot: Any, desk: Desk, record: Record, tool: FillBetween
) -> None:
    record.labels[10, 30:34, 30:32] = 1  # a blunder
    tool.by.setCurrentText(MARKED)
    task = desk.task()
    assert task is not None
    with pytest.raises(Vol3dError, match="Two slices are needed"):
        tool.plan(task)
    for z in (4, 14):
        desk.viewer.dims.set_current_step(0, z)
        assert tool.marked.mark.text() == f"Mark z {z}"
        qtbot.mouseClick(tool.marked.mark, LEFT)
    wanted = interpolate(record.labels, axis=0, classes=[1], spacing=SPACING, slices=[4, 14])
    edit = fill(desk, tool)
    assert wanted.edit is not None
    assert np.array_equal(edit.after, wanted.edit.after)
    assert edit.name == "Fill class 1, z 5-13"
    assert not (record.labels[10, 30:34, 30:32] == 1).any()
    tool.across.setValue(2)
    assert tool.marked.value() == ()  # slices of another axis


def test_the_list_walks_a_person_through_by_buttons_and_enter(
    qtbot: Any, desk: Desk, record: Record, tool: FillBetween
) -> None:
    assert tool.list.isHidden()
    fill(desk, tool)
    assert "z 5-9, 11-13" in tool.list.words.text()
    desk.viewer.dims.set_current_step(0, 10)
    assert not tool.list.right.isEnabled()
    desk.viewer.dims.set_current_step(0, 0)
    qtbot.mouseClick(tool.list.next, LEFT)
    assert desk.viewer.dims.current_step[0] == 5
    qtbot.mouseClick(tool.list.right, LEFT)
    assert tool.list.value() == {0: (6, 7, 8, 9, 11, 12, 13)}
    for _ in range(4):
        qtbot.keyClick(tool.list.next, Qt.Key.Key_Return)  # on, right, on, right
    assert tool.list.value() == {0: (8, 9, 11, 12, 13)}
    assert desk.viewer.dims.current_step[0] == 7
    qtbot.mouseClick(tool.list.all, LEFT)
    assert tool.list.isHidden()


def test_the_form_follows_nothing_once_put_down(qtbot: Any, desk: Desk, tool: FillBetween) -> None:
    edit = planned(desk, tool)
    assert edit is not None
    desk.choose(None)
    desk.do(edit)
    assert tool.list.isHidden()
    desk.choose(tool)
    assert tool.list.value() == {0: (5, 6, 7, 8, 9, 11, 12, 13)}
    desk.choose(None)
    task = desk.task()
    assert task is not None
    with pytest.raises(Vol3dError, match="not in hand"):
        tool.plan(task)


def test_the_view_is_named_when_the_mouse_comes_from_it(desk: Desk, tool: FillBetween) -> None:
    desk.bench.open()
    QApplication.processEvents()
    sagittal = desk.bench.view(Plane.SAGITTAL)
    assert sagittal is not None
    desk.view = sagittal
    assert "Axial" in tool.across.currentText()
    at = QPointF(4, 4)
    QApplication.sendEvent(tool, QEnterEvent(at, at, QPointF(tool.mapToGlobal(at.toPoint()))))
    assert "Sagittal" in tool.across.currentText()
    assert QEvent.Type.Enter == QEnterEvent(at, at, at).type()
