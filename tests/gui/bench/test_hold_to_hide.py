"""While H is held the canvas shows the scan alone, and afterwards what it showed before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Labels
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QFocusEvent, QKeyEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit, QListWidget

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.hold_to_hide import Curtain, HoldToHide
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from tests.gui.bench.conftest import opened, settle, view_of

H = Qt.Key.Key_H


@pytest.fixture
def labels(viewer: Viewer) -> Labels:
    """A red cube in the middle of a black scan."""
    viewer.add_image(np.zeros((20, 20, 20), np.float32), contrast_limits=(0, 1))
    data = np.zeros((20, 20, 20), np.uint8)
    data[5:15, 5:15, 5:15] = 1
    return viewer.add_labels(data, opacity=1, colormap={0: "transparent", None: "red", 1: "red"})


@pytest.fixture
def hold(viewer: Viewer, labels: Labels) -> Iterator[HoldToHide]:
    piece = HoldToHide(own(viewer), Curtain(viewer))
    yield piece
    piece.let_go()


def own(viewer: Viewer) -> View:
    """Give napari's own view; a fixture would keep it alive beyond its window."""
    return View(viewer, viewer.window._qt_viewer)


def red_in(view: View) -> bool:
    """Whether much of a view is red, as it is drawn."""
    settle()
    red, green, blue = np.moveaxis(np.asarray(view.qt_viewer.screenshot(flash=False))[..., :3].astype(int), -1, 0)
    return bool(np.mean((red > 200) & (green < 60) & (blue < 60)) > 0.01)


def repeated(view: View, kind: QEvent.Type) -> None:
    """Send what X11 sends while a key is held down."""
    event = QKeyEvent(kind, H, Qt.KeyboardModifier.NoModifier, "h", True)
    QApplication.sendEvent(view.native, event)


def test_the_canvas_shows_the_scan_alone_while_the_key_is_held(
    qtbot: Any, hold: HoldToHide, viewer: Viewer, labels: Labels
) -> None:
    view = own(viewer)
    assert red_in(view)
    qtbot.keyPress(view.native, H)
    assert not red_in(view)
    for _ in range(3):
        repeated(view, QEvent.Type.KeyRelease)
        repeated(view, QEvent.Type.KeyPress)
    assert not red_in(view)
    qtbot.keyRelease(view.native, H)
    assert red_in(view)


def test_what_was_hidden_or_is_gone_stays_so(
    qtbot: Any, hold: HoldToHide, viewer: Viewer, labels: Labels
) -> None:
    view = own(viewer)
    shown = viewer.add_labels(np.ones((5, 6, 7), np.uint8))
    hidden = viewer.add_labels(np.ones((5, 6, 7), np.uint8), visible=False)
    image = viewer.add_image(np.zeros((5, 6, 7), np.float32))
    qtbot.keyPress(view.native, H)
    assert [shown.visible, hidden.visible, image.visible] == [False, False, True]
    viewer.layers.remove(labels)
    qtbot.keyRelease(view.native, H)
    assert [shown.visible, hidden.visible, labels.visible] == [True, False, False]


def test_the_tool_in_hand_is_kept_and_other_keys_do_nothing(
    qtbot: Any, hold: HoldToHide, viewer: Viewer, labels: Labels
) -> None:
    view = own(viewer)
    labels.mode, labels.selected_label = "paint", 1
    qtbot.keyPress(view.native, H)
    qtbot.keyRelease(view.native, H)
    assert labels.mode == "paint"
    qtbot.keyPress(view.native, Qt.Key.Key_G)
    qtbot.keyPress(view.native, H, Qt.KeyboardModifier.ControlModifier)
    assert labels.visible


def test_losing_the_focus_and_leaving_bring_the_labels_back(
    qtbot: Any, hold: HoldToHide, viewer: Viewer, labels: Labels
) -> None:
    view = own(viewer)
    qtbot.keyPress(view.native, H)
    QApplication.sendEvent(view.native, QFocusEvent(QEvent.Type.FocusOut))
    assert labels.visible
    qtbot.keyRelease(view.native, H)
    qtbot.keyPress(view.native, H)
    assert not labels.visible
    hold.let_go()
    assert labels.visible
    qtbot.keyPress(view.native, H)
    assert labels.visible


def enter(view: View) -> Any:
    """Bring the mouse over a view; give its window, to which a keyboard talks first."""
    QApplication.sendEvent(view.native, QEvent(QEvent.Type.Enter))
    return view.native.window().windowHandle()


def test_over_a_view_the_key_works_wherever_the_focus_is(
    qtbot: Any, hold: HoldToHide, viewer: Viewer, labels: Labels
) -> None:
    view = own(viewer)
    names = QListWidget()
    names.addItems(["aorta", "heart"])
    names.setCurrentRow(0)
    viewer.window.add_dock_widget(names, name="names")
    viewer.window._qt_window.activateWindow()
    names.setFocus()
    qtbot.waitUntil(names.hasFocus)
    window = enter(view)
    QTest.keyPress(window, H)
    assert not labels.visible
    assert names.currentRow() == 0  # a list with the focus does not go to names with this letter
    QTest.keyRelease(window, H)
    assert labels.visible
    QApplication.sendEvent(view.native, QEvent(QEvent.Type.Leave))
    QTest.keyPress(window, H)
    assert labels.visible
    assert names.currentRow() == 1
    QTest.keyRelease(window, H)


def test_what_is_typed_is_text(qtbot: Any, hold: HoldToHide, viewer: Viewer, labels: Labels) -> None:
    view = own(viewer)
    field = QLineEdit()
    viewer.window.add_dock_widget(field, name="field")
    viewer.window._qt_window.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    QTest.keyClick(enter(view), H)
    assert field.text() == "h"
    assert labels.visible


def test_held_over_one_view_it_hides_in_all(qtbot: Any, views: Bench, viewer: Viewer, labels: Labels) -> None:
    curtain = Curtain(viewer)
    opened(views).furnish(lambda view: HoldToHide(view, curtain))
    flat = [view_of(views, plane) for plane in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL)]
    views.go_to((9, 9, 9))
    assert [red_in(view) for view in flat] == [True] * 3
    for hand in flat:
        qtbot.keyPress(hand.native, H)
        assert not any(red_in(view) for view in flat)
        qtbot.keyRelease(hand.native, H)
        assert all(red_in(view) for view in flat)
