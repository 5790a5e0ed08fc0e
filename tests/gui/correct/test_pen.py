"""What a pen tells is told alike by every Qt."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QTabletEvent
from qtpy.QtWidgets import QWidget

from napari_vol3d.gui.correct.pen import PEN, is_eraser, pressure_of
from tests.gui.correct.mousing import tablet_event


class Listening(QObject):
    """Notes what pens tell."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[bool, float]] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in PEN and isinstance(event, QTabletEvent):
            self.told.append((is_eraser(event), pressure_of(event)))
        return False


@pytest.mark.parametrize("kind", PEN)
def test_both_ends_and_the_pressure(qtbot: Any, kind: Any) -> None:
    widget, listening = QWidget(), Listening()
    qtbot.addWidget(widget)
    widget.installEventFilter(listening)
    for eraser, pressure, _ in (wanted := [(False, 0.25, 0.25), (True, 1.0, 1.0), (False, 0.0, 1.0)]):
        tablet_event(widget, kind, (3.0, 4.0), eraser=eraser, pressure=pressure)
    assert [end for end, _ in listening.told] == [end for end, _, _ in wanted]
    assert [hard for _, hard in listening.told] == pytest.approx([told for _, _, told in wanted], abs=0.01)
