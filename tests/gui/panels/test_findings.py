"""The result and the Save button speak of the chosen scan, and of no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_vol3d.gui.panels.segment import SegmentPanel
from napari_vol3d.gui.workbench import Workbench
from tests.gui.conftest import press_segment

SHAPE = (16, 24, 20)


@pytest.fixture
def panel(bench: Workbench) -> SegmentPanel:
    return bench.segment


def test_the_save_button_follows_scan_and_selection(panel: SegmentPanel, viewer: Viewer) -> None:
    one = viewer.add_image(np.zeros(SHAPE, np.float32), name="one")
    mine = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="mine")
    assert panel.ui.save.text() == "Save mine ..."
    two = viewer.add_image(np.zeros((30, 30, 30), np.float32), name="two")
    assert not panel.ui.save.isEnabled()
    viewer.layers.selection.active = mine  # a person may save any labels, if they choose them
    assert panel.ui.save.text() == "Save mine ..."
    panel.ui.scan.setValue(one)
    panel.ui.scan.setValue(two)
    assert not panel.ui.save.isEnabled()
    panel.ui.scan.setValue(one)
    mine.name = "better"
    assert panel.ui.save.text() == "Save better ..."
    viewer.layers.remove(mine)
    assert not panel.ui.save.isEnabled()


def test_what_was_found_stays_with_its_scan(
    qtbot: Any, panel: SegmentPanel, bench: Workbench, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def dismiss(parent: Any, title: str, proposed: str, filters: str) -> tuple[str, str]:
        asked.append(proposed)
        return "", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", dismiss)
    viewer.open_sample("napari-vol3d", "hippocampus")
    scan = viewer.layers[0]
    press_segment(qtbot, bench)
    labels = viewer.layers.selection.active
    assert f"{scan.name}: " in panel.ui.result.text()
    assert labels.name in panel.ui.save.toolTip()

    # Another person on the same grid: nothing of the first may be shown, gone to or saved for them.
    other = viewer.add_image(scan.data, name="other", scale=scan.scale, translate=scan.translate, units=scan.units)
    assert panel.ui.scan.value() is other
    assert panel.ui.result.text() == ""
    assert not panel.ui.save.isEnabled()
    viewer.dims.set_current_step(0, 1)
    panel.ui.result.linkActivated.emit("go")
    assert viewer.dims.current_step[0] == 1

    panel.ui.scan.setValue(scan)
    assert f"{scan.name}: " in panel.ui.result.text()
    panel.ui.result.linkActivated.emit("go")
    assert np.count_nonzero(labels.data[viewer.dims.current_step[0]]) == max(map(np.count_nonzero, labels.data))
    panel.ui.result.linkActivated.emit("correct")
    assert bench.correcting is not None
    assert bench.correcting.panel.isVisible()
    assert bench.correcting.desk.record is not None
    assert bench.correcting.desk.record.layer is labels
    qtbot.mouseClick(panel.ui.save, Qt.MouseButton.LeftButton)
    (proposed,) = asked
    assert not Path(proposed).exists()
    assert "sample_data" not in proposed

    # A run that finds nothing says so, and leads nowhere.
    panel.ui.options.skip_below.setText("1000000000")
    press_segment(qtbot, bench)
    assert "Nothing was found" in panel.ui.result.text()
    assert "href" not in panel.ui.result.text()
    viewer.layers.remove(viewer.layers.selection.active)
    assert panel.ui.result.text() == ""
    assert labels.name in panel.ui.save.toolTip()
