"""Keys take tools in the window, but not from who types, draws shapes or sets points; undo reaches the labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QDoubleSpinBox, QLineEdit, QShortcut, QVBoxLayout, QWidget

from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.keys import LEFT, RIGHT
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.shortcuts import Shortcuts
from tests.gui.bench.conftest import settle

NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
DIRECT = Qt.FindChildOption.FindDirectChildrenOnly
MARKS = {";": "Semicolon", ",": "Comma", ".": "Period"}


class Heard:
    """What was asked for."""

    def __init__(self, shortcuts: Shortcuts) -> None:
        self.asked: list[str] = []
        shortcuts.toolAsked.connect(self.asked.append)
        shortcuts.undoAsked.connect(self._undo)
        shortcuts.redoAsked.connect(self._redo)

    def _undo(self) -> None:
        self.asked.append("undo")

    def _redo(self) -> None:
        self.asked.append("redo")


@pytest.fixture
def shortcuts(qtbot: Any, viewer: Viewer, record: Record) -> Iterator[Shortcuts]:
    made = Shortcuts(viewer, "right")
    yield made
    made.let_go()
    settle()


@pytest.fixture
def heard(shortcuts: Shortcuts) -> Heard:
    return Heard(shortcuts)


def press(qtbot: Any, viewer: Viewer, keys: str) -> None:
    """Press keys over the canvas."""
    *held, key = keys.split("+")
    modifier = {"Shift": SHIFT, "Ctrl": CTRL}
    pressed = NONE
    for one in held:
        pressed = pressed | modifier[one]
    native = viewer.window._qt_viewer.canvas.native
    qtbot.give_the_keyboard(native)
    native.setFocus()
    signs = {";": "Semicolon", ",": "Comma", ".": "Period"}
    qtbot.keyClick(native, getattr(Qt.Key, f"Key_{signs.get(key, key)}"), pressed)


def test_each_key_asks_for_its_tool_once(
    qtbot: Any, viewer: Viewer, labels: Labels, scan: Image, heard: Heard
) -> None:
    for layer in (labels, scan):
        viewer.layers.selection.active = layer
        for name, key in RIGHT.items():
            press(qtbot, viewer, key)
            assert heard.asked == [name], key
            heard.asked.clear()
    viewer.layers.selection.clear()
    press(qtbot, viewer, "W")
    assert heard.asked == ["BallBrush"]


def test_the_other_hand_has_other_keys(qtbot: Any, viewer: Viewer, shortcuts: Shortcuts, heard: Heard) -> None:
    shortcuts.set_hand("left")
    settle()
    press(qtbot, viewer, "W")
    assert heard.asked == []
    for name, key in LEFT.items():
        press(qtbot, viewer, key)
        assert heard.asked == [name], key
        heard.asked.clear()


def test_who_types_is_not_disturbed(qtbot: Any, viewer: Viewer, scan: Image, heard: Heard) -> None:
    page = QWidget()
    column, line, number = QVBoxLayout(page), QLineEdit(), QDoubleSpinBox()
    column.addWidget(line)
    column.addWidget(number)
    viewer.window.add_dock_widget(page, name="page")
    viewer.layers.selection.active = scan
    settle()
    line.setFocus()
    qtbot.keyClicks(line, "wsgWSG")
    assert line.text() == "wsgWSG"
    qtbot.keyClick(line, Qt.Key.Key_Z, CTRL)  # its own undo
    assert line.text() != "wsgWSG"
    number.setFocus()
    qtbot.keyClicks(number, "wa")
    assert heard.asked == []
    press(qtbot, viewer, "W")
    assert heard.asked == ["BallBrush"]


@pytest.mark.parametrize("kind", ["shapes", "points"])
def test_layers_with_keys_of_their_own_keep_them(
    qtbot: Any, viewer: Viewer, labels: Labels, shortcuts: Shortcuts, heard: Heard, kind: str
) -> None:
    getattr(viewer, f"add_{kind}")(ndim=3)
    for key in ("W", "S", "D", "R", "T", "Shift+S"):
        press(qtbot, viewer, key)
    assert heard.asked == []
    shortcuts.set_hand("left")  # while they are chosen
    press(qtbot, viewer, "I")
    assert heard.asked == []
    viewer.layers.selection.active = labels
    press(qtbot, viewer, "I")
    assert heard.asked == ["BallBrush"]


def test_undo_reaches_the_labels_while_they_or_their_scan_are_chosen(
    qtbot: Any, viewer: Viewer, record: Record, scan: Image, shortcuts: Shortcuts, heard: Heard
) -> None:
    shortcuts.undoAsked.connect(record.undo)
    shortcuts.redoAsked.connect(record.redo)
    for class_id in (1, 2):
        before = record.labels[class_id : class_id + 1].copy()
        edit = Edit.between("Paint", before, np.full_like(before, class_id), start=(class_id, 0, 0))
        assert edit is not None
        record.do(edit)
    for layer in (record.layer, scan):
        viewer.layers.selection.active = layer
        press(qtbot, viewer, "Ctrl+Z")
        assert record.history.at == 1
        press(qtbot, viewer, "Ctrl+Shift+Z")
        assert record.history.at == 2  # one key, one step
    assert heard.asked == ["undo", "redo"]  # of the labels it is napari's own key


def test_nothing_is_left_in_the_window(qtbot: Any, viewer: Viewer, shortcuts: Shortcuts, heard: Heard) -> None:
    window = viewer.window._qt_window
    shortcuts.set_hand("left")
    settle()
    keys = {QKeySequence(key).toString() for key in (*RIGHT.values(), *LEFT.values(), "Ctrl+Z")}

    def ours() -> list[str]:
        every = [one.key().toString() for one in window.findChildren(QShortcut, options=DIRECT)]
        return [key for key in every if key in keys]

    assert len(ours()) == len(LEFT) + 1
    shortcuts.let_go()
    settle()
    assert ours() == []
    press(qtbot, viewer, "I")
    assert heard.asked == []
    shortcuts.let_go()  # and nothing more comes of it
