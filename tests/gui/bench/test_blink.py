"""Blinking shows one layer at a time, by key or by clock, and gives back exactly what was shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Layer
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QFocusEvent
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.blink import Blink, BlinkKey
from napari_vol3d.gui.bench.view import View

Q = Qt.Key.Key_Q


@pytest.fixture
def three(viewer: Viewer) -> tuple[Layer, Layer, Layer]:
    one, two, three = (viewer.add_image(np.zeros((4, 8, 8), np.uint8), name=name) for name in "abc")
    return one, two, three


@pytest.fixture
def blink(viewer: Viewer, three: tuple[Layer, ...], request: Any) -> Blink:
    blink = Blink(viewer.layers)
    blink.choose((three[0], three[1]))
    key = BlinkKey(View(viewer, viewer.window._qt_viewer), blink)
    # What a test holds of a view is gone before napari counts what is left of its windows.
    request.addfinalizer(blink.let_go)
    request.addfinalizer(key.let_go)  # noqa: PT021
    return blink


def shown(layers: tuple[Layer, ...]) -> str:
    return "".join(layer.name for layer in layers if layer.visible)


def test_the_held_key_shows_the_one_that_lies_below(
    viewer: Viewer, blink: Blink, three: tuple[Layer, ...], qtbot: Any
) -> None:
    native = viewer.window._qt_viewer.canvas.native
    qtbot.keyPress(native, Q)
    assert shown(three) == "ac"
    qtbot.keyRelease(native, Q)
    assert shown(three) == "abc"


@pytest.mark.parametrize(("hidden", "meanwhile"), [(1, "bc"), (0, "ac")])
def test_the_held_key_shows_the_hidden_one(
    hidden: int, meanwhile: str, viewer: Viewer, blink: Blink, three: tuple[Layer, ...], qtbot: Any
) -> None:
    three[hidden].visible = False
    before, native = shown(three), viewer.window._qt_viewer.canvas.native
    qtbot.keyPress(native, Q)
    assert shown(three) == meanwhile
    qtbot.keyRelease(native, Q)
    assert shown(three) == before


def test_a_key_that_comes_up_in_another_window_has_come_up(
    viewer: Viewer, blink: Blink, three: tuple[Layer, ...], qtbot: Any
) -> None:
    native = viewer.window._qt_viewer.canvas.native
    qtbot.keyPress(native, Q)
    QApplication.sendEvent(native, QFocusEvent(QEvent.Type.FocusOut))
    assert shown(three) == "abc"


def test_the_clock_shows_them_in_turn(blink: Blink, three: tuple[Layer, ...], qtbot: Any) -> None:
    three[1].visible = False
    blink.start()
    assert shown(three) == "ac"
    qtbot.waitUntil(lambda: shown(three) == "bc")
    qtbot.waitUntil(lambda: shown(three) == "ac")
    blink.stop()
    assert shown(three) == "ac"
    assert not blink.running


def test_the_key_does_not_end_the_clock(viewer: Viewer, blink: Blink, three: tuple[Layer, ...], qtbot: Any) -> None:
    blink.start()
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Q)
    assert blink.running
    blink.stop()
    assert shown(three) == "abc"


def test_a_layer_that_is_taken_away_ends_it(viewer: Viewer, blink: Blink, three: tuple[Layer, ...]) -> None:
    blink.start()
    assert not three[1].visible
    viewer.layers.remove(three[0])
    assert not blink.running
    assert three[1].visible


def test_other_layers_end_it(blink: Blink, three: tuple[Layer, ...]) -> None:
    ends: list[bool] = []
    blink.changed.connect(lambda: ends.append(blink.running))
    blink.start()
    blink.choose((three[1], three[2]))
    assert ends == [True, False]
    assert shown(three) == "abc"
