"""A search box: Return stays in it, and searches."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from napari_vol3d.gui.forms.search_box import SearchBox


class Around(QWidget):
    """Notes the keys that come through to it."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.keys: list[int] = []
        QVBoxLayout(self).addWidget(inside)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Note a key."""
        self.keys.append(event.key())


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_return_stays(qtbot: Any, key: Qt.Key) -> None:
    """A plain line edit lets it through; both tell that it was pressed."""
    for box, come_through in ((SearchBox(), 0), (QLineEdit(), 1)):
        around, pressed = Around(box), []
        qtbot.addWidget(around)
        box.returnPressed.connect(lambda pressed=pressed: pressed.append(1))
        qtbot.keyClicks(box, "ab")
        qtbot.keyClick(box, key)
        assert box.text() == "ab"
        assert pressed == [1]
        assert len(around.keys) == come_through
