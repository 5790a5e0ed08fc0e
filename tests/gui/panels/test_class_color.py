"""A colour is asked for in a window of its own; it is told for the class that was meant, or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_vol3d.gui.panels.class_color import ClassColor


@pytest.fixture
def layer() -> Labels:
    return Labels(np.ones((2, 3, 4), np.uint8))


@pytest.fixture
def asker(qtbot: Any) -> ClassColor:
    window = QWidget()
    qtbot.addWidget(window)
    asker = ClassColor(window)
    asker.setParent(window)
    return asker


def test_the_chosen_colour_is_told(qtbot: Any, asker: ClassColor, layer: Labels) -> None:
    asker.ask(layer, 2**32 - 1, name="aorta", color="#112233")
    assert asker.dialog is not None
    assert not asker.dialog.isModal()
    assert "aorta" in asker.dialog.windowTitle()
    assert asker.dialog.currentColor() == QColor("#112233")
    asker.dialog.setCurrentColor(QColor("#abcdef"))
    with qtbot.waitSignal(asker.chosen) as told:
        asker.dialog.accept()
    assert told.args == [layer, 2**32 - 1, "#abcdef"]
    assert asker.dialog is None


def test_thinking_better_of_it_changes_nothing(qtbot: Any, asker: ClassColor, layer: Labels) -> None:
    with qtbot.assertNotEmitted(asker.chosen):
        asker.ask(layer, 1, name="a", color="#112233")
        asker.ask(layer, 2, name="b", color="#112233")  # takes the first question back
        assert asker.dialog is not None
        assert "b" in asker.dialog.windowTitle()
        asker.let_go()
    assert asker.dialog is None
