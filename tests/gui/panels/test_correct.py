"""The Correct tab: tools by button and key, napari's own beside them, limits, history, and what Apply does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from superqt import QCollapsible

from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import MouseTool
from napari_vol3d.gui.correct.tools.edges import MoveEdge
from napari_vol3d.gui.forms.history_model import NAME as STEP
from napari_vol3d.gui.forms.limits import BACKGROUND
from napari_vol3d.gui.layers import is_preview
from napari_vol3d.gui.panels.correct import OPTIONS_WIDTH, CorrectPanel, has_plan
from napari_vol3d.gui.panels.correct_ui import NO_LABELS
from napari_vol3d.gui.workbench import Workbench
from tests.gui.bench.conftest import SHAPE
from tests.gui.bench.conftest import scan as scan
from tests.gui.correct.tools.told import labelled

LEFT = Qt.MouseButton.LeftButton
WAIT_MS = 10_000


@pytest.fixture
def labels(viewer: Viewer, scan: Image) -> Labels:
    """A block of class 1 beside one of class 2."""
    data = np.zeros(SHAPE, np.uint16)
    data[8:16, 10:20, 10:20], data[8:16, 20:30, 10:20] = 1, 2
    return labelled(viewer, scan, data)


@pytest.fixture
def panel(qtbot: Any, bench: Workbench, labels: Labels) -> CorrectPanel:
    """The tab in front, with these labels."""
    made = bench.correct().panel
    bench.tabs.setCurrentIndex(2)
    qtbot.waitExposed(made).__enter__()
    QApplication.processEvents()
    return made


@pytest.fixture
def record(bench: Workbench, panel: CorrectPanel, labels: Labels) -> Record:
    found = bench.correct().desk.record
    assert found is not None
    assert found.layer is labels
    labels.selected_label = 1
    return found


def press(qtbot: Any, panel: CorrectPanel, name: str) -> None:
    qtbot.mouseClick(panel.ui.tools.buttons[name], LEFT)


def change(record: Record, class_id: int) -> None:
    before = record.labels[class_id : class_id + 1].copy()
    edit = Edit.between(f"Slice {class_id}", before, np.full_like(before, class_id), start=(class_id, 0, 0))
    assert edit is not None
    record.do(edit)


def names(record: Record) -> list[str]:
    return [step.name for step in record.history.steps]


# ---- tools ---------------------------------------------------------------------------------------------------------


def test_a_button_takes_a_tool_and_puts_it_down(
    qtbot: Any, bench: Workbench, panel: CorrectPanel, record: Record
) -> None:
    desk = bench.correct().desk
    assert set(panel.ui.tools.buttons) == set(panel.tools)
    for name, tool in panel.tools.items():
        press(qtbot, panel, name)
        assert desk.tool is tool
        assert [one for one in panel.tools.values() if one.isVisible()] == [tool]
        assert tool.width() <= panel.width()
        assert panel.ui.tools.value() == name
        assert panel.ui.apply.isVisible() == has_plan(tool)
        assert not panel.ui.hint.isVisible()
    press(qtbot, panel, name)
    assert desk.tool is None
    assert not any(one.isVisible() for one in panel.tools.values())
    assert panel.ui.tools.value() is None
    assert panel.ui.hint.isVisible()
    assert min(tool.minimumWidth() for tool in panel.tools.values()) == OPTIONS_WIDTH


def test_a_key_brings_the_tab_and_escape_puts_the_tool_down(
    qtbot: Any, bench: Workbench, viewer: Viewer, panel: CorrectPanel, record: Record
) -> None:
    desk = bench.correct().desk
    bench.tabs.setCurrentIndex(0)
    qtbot.give_the_keyboard(viewer.window._qt_window)
    native = viewer.window._qt_viewer.canvas.native
    native.setFocus()
    qtbot.keyClick(native, Qt.Key.Key_W)
    assert desk.tool is panel.tools["BallBrush"]
    assert bench.tabs.currentIndex() == 2
    native.setFocus()
    qtbot.keyClick(native, Qt.Key.Key_W)  # hit twice
    assert desk.tool is panel.tools["BallBrush"]
    qtbot.keyClick(native, Qt.Key.Key_Escape)
    assert desk.tool is None
    qtbot.keyClick(native, Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
    assert desk.tool is panel.tools["MoveEdge"]


def test_naparis_tools_and_ours_put_each_other_down(
    qtbot: Any, bench: Workbench, panel: CorrectPanel, record: Record
) -> None:
    desk, layer = bench.correct().desk, record.layer
    layer.mode = "paint"
    press(qtbot, panel, "BallBrush")
    assert layer.mode == "pan_zoom"
    assert desk.tool is panel.tools["BallBrush"]
    layer.mode = "fill"
    assert desk.tool is None
    assert panel.ui.tools.value() is None
    press(qtbot, panel, "MoveEdge")  # it has no use for the mouse
    assert not isinstance(panel.tools["MoveEdge"], MouseTool)
    assert layer.mode == "fill"
    layer.mode = "paint"
    assert desk.tool is panel.tools["MoveEdge"]


def test_with_a_tool_in_hand_other_labels_are_no_canvas_for_naparis_brush(
    qtbot: Any, bench: Workbench, viewer: Viewer, scan: Image, panel: CorrectPanel, record: Record
) -> None:
    desk = bench.correct().desk
    other = labelled(viewer, scan, np.zeros(SHAPE, np.uint16), name="other")
    other.mode = "paint"
    viewer.layers.selection.active = record.layer
    press(qtbot, panel, "BallBrush")
    viewer.layers.selection.active = other
    assert desk.tool is panel.tools["BallBrush"]
    assert other.mode == "pan_zoom"
    other.mode = "erase"
    assert desk.tool is None
    press(qtbot, panel, "BallBrush")
    record.layer.mode = "paint"  # of labels that are not chosen
    assert desk.tool is panel.tools["BallBrush"]
    viewer.layers.selection.active = record.layer
    assert record.layer.mode == "pan_zoom"


# ---- apply ---------------------------------------------------------------------------------------------------------


def test_apply_shows_what_was_done(qtbot: Any, panel: CorrectPanel, record: Record) -> None:
    press(qtbot, panel, "MoveEdge")
    tool = panel.tools["MoveEdge"]
    assert isinstance(tool, MoveEdge)
    tool.by.setValue(1.2)
    before = np.count_nonzero(record.labels == 1)
    with qtbot.waitSignal(panel.runner.applied, timeout=WAIT_MS):
        qtbot.mouseClick(panel.ui.apply, LEFT)
    count = np.count_nonzero(record.labels == 1) - before
    assert count > 0
    assert panel.ui.said.text() == f"Grow anterior by 1.2 mm: {count:,} voxels changed."
    assert panel.ui.said.isVisible()
    assert panel.ui.history.undo.toolTip().startswith("Undo: Grow anterior by 1.2 mm")
    qtbot.waitUntil(lambda: not panel.ui.bar.isVisible(), timeout=WAIT_MS)
    assert not panel.ui.cancel.isEnabled()
    press(qtbot, panel, "Smooth")
    assert panel.ui.said.text() == ""  # that was said of another tool


def test_return_applies(qtbot: Any, viewer: Viewer, panel: CorrectPanel, record: Record) -> None:
    qtbot.give_the_keyboard(viewer.window._qt_window)
    press(qtbot, panel, "MoveEdge")
    tool = panel.tools["MoveEdge"]
    assert isinstance(tool, MoveEdge)
    tool.by.setValue(1.2)
    panel.ui.preview.setFocus()
    with qtbot.waitSignal(panel.runner.applied, timeout=WAIT_MS):
        qtbot.keyClick(panel.ui.preview, Qt.Key.Key_Return)


def test_return_over_a_view_applies_unless_it_ends_naparis_polygon(
    qtbot: Any, bench: Workbench, panel: CorrectPanel, record: Record
) -> None:
    press(qtbot, panel, "MoveEdge")
    tool, canvas = panel.tools["MoveEdge"], bench.correct().desk.view.native
    assert isinstance(tool, MoveEdge)
    tool.by.setValue(1.2)
    record.layer.mode = "polygon"
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert not panel.runner.busy
    record.layer.mode = "pan_zoom"
    with qtbot.waitSignal(panel.runner.applied, timeout=WAIT_MS):
        qtbot.keyClick(canvas, Qt.Key.Key_Return)


def test_the_box_shows_a_preview(qtbot: Any, viewer: Viewer, panel: CorrectPanel, record: Record) -> None:
    press(qtbot, panel, "MoveEdge")
    tool = panel.tools["MoveEdge"]
    assert isinstance(tool, MoveEdge)
    tool.by.setValue(1.2)
    panel.ui.preview.click()
    qtbot.waitUntil(lambda: any(is_preview(layer) for layer in viewer.layers), timeout=WAIT_MS)
    assert viewer.layers.selection.active is record.layer
    assert panel.ui.labels.value() is record.layer
    panel.ui.preview.click()
    assert not any(is_preview(layer) for layer in viewer.layers)
    assert names(record) == []


def test_what_is_wrong_is_said_under_the_tool(qtbot: Any, panel: CorrectPanel, record: Record) -> None:
    press(qtbot, panel, "MoveEdge")
    record.layer.selected_label = 0
    qtbot.mouseClick(panel.ui.apply, LEFT)
    assert panel.ui.said.text() == "The background is chosen. Choose a class in the list above."
    record.layer.selected_label = 1
    record.locked = frozenset({1})
    qtbot.mouseClick(panel.ui.apply, LEFT)
    assert panel.ui.said.text() == "Anterior is locked. Unlock it in the list above."
    assert names(record) == []


# ---- history -------------------------------------------------------------------------------------------------------


def test_a_click_on_a_step_goes_there(qtbot: Any, panel: CorrectPanel, record: Record) -> None:
    states = [record.labels.copy()]
    for class_id in (1, 2, 3, 4):
        change(record, class_id)
        states.append(record.labels.copy())
    history = panel.ui.history
    QApplication.processEvents()

    def click(row: int) -> None:
        history.view.bring(history.model.index(row, STEP))
        place = history.view.visualRect(history.model.index(row, STEP)).center()
        qtbot.mouseClick(history.view.viewport(), LEFT, pos=place)

    for row in (1, 3, 0, 4):
        click(row)
        assert np.array_equal(record.labels, states[row])
        assert record.history.at == row
        assert history.model.at == row
    qtbot.mouseClick(history.undo, LEFT)
    assert np.array_equal(record.labels, states[3])
    qtbot.mouseClick(history.redo, LEFT)
    assert np.array_equal(record.labels, states[4])


def test_each_layer_shows_its_own(
    qtbot: Any, bench: Workbench, viewer: Viewer, scan: Image, panel: CorrectPanel, record: Record
) -> None:
    change(record, 4)
    other = labelled(viewer, scan, np.zeros(SHAPE, np.uint16), name="other")
    assert panel.ui.labels.value() is other
    assert panel.ui.history.model.rowCount() == 1  # as it was found
    panel.ui.labels.setValue(record.layer)
    assert viewer.layers.selection.active is record.layer
    assert bench.correct().desk.record is record
    assert panel.ui.history.model.rowCount() == 2
    viewer.layers.selection.active = scan
    assert panel.ui.labels.value() is record.layer


# ---- classes and limits --------------------------------------------------------------------------------------------


def test_a_new_class_is_named_and_chosen(qtbot: Any, panel: CorrectPanel, record: Record) -> None:
    qtbot.mouseClick(panel.ui.new_class, LEFT)
    assert record.layer.selected_label == 4
    assert {item.id: item.name for item in record.classes()}[4] == "class 4"
    qtbot.waitUntil(lambda: 4 in {row.id for row in panel.ui.classes.model.rows}, timeout=WAIT_MS)
    qtbot.mouseClick(panel.ui.new_class, LEFT)
    assert record.layer.selected_label == 5


def test_limits_are_those_of_all_tools(
    qtbot: Any, bench: Workbench, scan: Image, panel: CorrectPanel, record: Record
) -> None:
    desk, limits = bench.correct().desk, panel.ui.limits
    choose(limits.inside, BACKGROUND)
    assert desk.inside == {0}
    choose(limits.inside, "posterior")
    assert desk.inside == {2}
    limits.ranged.setChecked(True)
    assert desk.intensity == (scan.data.min(), scan.data.max())
    limits.range.setValue((200, 400))
    assert desk.intensity == (200, 400)
    assert "Limits: only posterior, 200 to 400" in {part.text() for part in panel.findChildren(QCollapsible)}
    choose(limits.inside, BACKGROUND)
    press(qtbot, panel, "MoveEdge")
    tool = panel.tools["MoveEdge"]
    assert isinstance(tool, MoveEdge)
    tool.by.setValue(2.6)
    before = record.labels.copy()
    with qtbot.waitSignal(panel.runner.applied, timeout=WAIT_MS):
        qtbot.mouseClick(panel.ui.apply, LEFT)
    changed = record.labels != before
    assert changed.any()
    assert (before[changed] == 0).all()
    values = scan.data[changed]
    assert values.min() >= 200
    assert values.max() <= 400


def choose(box: Any, text: str) -> None:
    """Choose an entry as a person does."""
    box.setCurrentIndex(box.findText(text))
    box.activated.emit(box.currentIndex())


def test_without_labels_there_is_nothing_to_do_and_that_is_said(
    qtbot: Any, bench: Workbench, viewer: Viewer, panel: CorrectPanel, record: Record
) -> None:
    press(qtbot, panel, "BallBrush")
    viewer.layers.remove(record.layer)
    assert not panel.ui.tools.isEnabled()
    assert panel.ui.tools.toolTip() == NO_LABELS
    assert panel.ui.history.model.rowCount() <= 1
    panel.undo()
    panel.redo()
    panel.runner.apply()
    assert not panel.runner.busy


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_return_applies_but_not_while_somebody_searches(
    qtbot: Any, viewer: Viewer, panel: CorrectPanel, record: Record, key: Qt.Key
) -> None:
    """A number is taken first; a search for a class, and a new name, end with the same key."""
    record.layer.data[5:12, 10:20, 8:18] = 1
    record.capture()
    steps = len(record.history.steps)
    panel.take("MoveEdge")
    panel.ui.classes.search.setFocus()
    qtbot.keyClick(panel.ui.classes.search, key)
    qtbot.wait(50)
    assert len(record.history.steps) == steps
    qtbot.keyClick(panel.ui.preview, key)
    qtbot.waitUntil(lambda: len(record.history.steps) == steps + 1, timeout=WAIT_MS)
