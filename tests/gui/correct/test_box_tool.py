"""The form follows the labels that are chosen while the tool is in hand, and only then."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer

from napari_vol3d.gui.correct.box_tool import BoxTool, hint
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.forms.which_classes import WhichClasses


class Probe(BoxTool):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.which = WhichClasses()
        self.form.addRow("Classes", self.which)
        self.units: list[str] = []

    def fit(self, record: Record) -> None:
        self.units.append(record.unit)


def test_the_form_follows_labels_and_class_while_in_hand(
    qtbot: Any, desk: Desk, viewer: Viewer, record: Record
) -> None:
    tool = Probe()
    qtbot.addWidget(tool)
    desk.choose(tool)
    assert tool.units == ["mm"]
    with qtbot.waitSignal(tool.optionsChanged, timeout=1000):
        record.layer.selected_label = 5
    assert tool.which.itemText(0) == "Only class 5"
    other = viewer.add_labels(np.zeros((4, 5, 6), np.uint8))
    assert tool.units == ["mm", "px"]
    other.selected_label = 3
    assert tool.which.itemText(0) == "Only class 3"
    with qtbot.assertNotEmitted(tool.optionsChanged):
        record.layer.selected_label = 6  # of labels that are not chosen now
    desk.choose(None)
    with qtbot.assertNotEmitted(tool.optionsChanged):
        other.selected_label = 1
    viewer.layers.selection.active = record.layer
    assert tool.units == ["mm", "px"]


def test_a_hint_never_widens_the_form(qtbot: Any) -> None:
    tool = Probe()
    qtbot.addWidget(tool)
    width = tool.minimumSizeHint().width()
    words = hint(tool)
    words.setText("a long sentence about what this comes to " * 5)
    tool.form.addRow("Voxels", words)
    assert tool.minimumSizeHint().width() <= width
