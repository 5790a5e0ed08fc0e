"""Before there is a scan: two buttons and a quiet third, and each says what was pressed."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton

from napari_vol3d.gui.panels.welcome import WelcomePanel


@pytest.fixture
def panel(qtbot: Any) -> WelcomePanel:
    panel = WelcomePanel()
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def test_there_are_two_buttons_and_a_quiet_third(panel: WelcomePanel) -> None:
    buttons = panel.findChildren(QAbstractButton)
    assert buttons == [panel.open, panel.sample, panel.review]
    assert [button.text() for button in buttons] == ["Open a scan", "Try the sample", "Review many scans ..."]
    assert [button.isFlat() for button in buttons] == [False, False, True]
    assert all(button.toolTip() for button in buttons)


def test_each_button_says_so_once_and_only_for_itself(qtbot: Any, panel: WelcomePanel) -> None:
    told: list[str] = []
    panel.openRequested.connect(lambda: told.append("open"))
    panel.sampleRequested.connect(lambda: told.append("sample"))
    qtbot.mouseClick(panel.open, Qt.MouseButton.LeftButton)
    assert told == ["open"]
    panel.sample.setFocus()
    qtbot.keyClick(panel.sample, Qt.Key.Key_Space)
    assert told == ["open", "sample"]
    panel.reviewRequested.connect(lambda: told.append("review"))
    qtbot.mouseClick(panel.review, Qt.MouseButton.LeftButton)
    assert told == ["open", "sample", "review"]
