"""The panel lists what the labels hold, goes there, and changes them by steps of their history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from skimage.measure import label

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.object_order import Key
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.label_looks import looks_of, names_in
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.gui.panels import objects
from napari_vol3d.gui.panels.objects import ASK, CHANGED, ObjectsPanel
from napari_vol3d.gui.panels.objects_ui import NO_LABELS
from napari_vol3d.gui.placing import placed_like
from napari_vol3d.io.registry import read_volume
from tests.gui.bench.conftest import SHAPE, SPACING
from tests.gui.bench.conftest import labels as labels
from tests.gui.bench.conftest import scan as scan
from tests.gui.bench.conftest import views as views
from tests.gui.correct.conftest import WAIT_MS
from tests.gui.correct.conftest import desk as desk
from tests.gui.correct.conftest import record as record

LEFT = Qt.MouseButton.LeftButton


def painted(labels: Labels) -> Labels:
    """Three objects of class 1, of 12, 8 and 1 voxels, and a bent one of class 2."""
    labels.data[2, 5, 5:17] = labels.data[8, 5, 5:13] = labels.data[20, 30, 30] = 1
    labels.data[12, 10:30, 4] = labels.data[12, 10, 4:24] = labels.data[12, 29, 4:24] = 2
    return labels


@pytest.fixture
def panel(qtbot: Any, desk: Desk) -> Iterator[ObjectsPanel]:
    panel = ObjectsPanel(desk)
    qtbot.addWidget(panel)
    panel.resize(320, 600)
    with qtbot.waitExposed(panel):
        panel.show()
    yield panel
    panel.let_go()
    settled(qtbot, panel)


@pytest.fixture
def full(qtbot: Any, record: Record, panel: ObjectsPanel) -> ObjectsPanel:
    """The panel with its table."""
    painted(record.layer)
    record.capture()
    qtbot.waitUntil(lambda: panel.ui.list.model.rowCount() == 4, timeout=WAIT_MS)
    settled(qtbot, panel)
    return panel


def settled(qtbot: Any, panel: ObjectsPanel) -> None:
    """Wait until nothing is computed, and nothing about to be."""
    qtbot.waitUntil(
        lambda: not (panel.search.busy or panel.change.busy or panel._soon.isActive()), timeout=WAIT_MS
    )


def listed(qtbot: Any, panel: ObjectsPanel, count: int) -> None:
    settled(qtbot, panel)
    assert panel.ui.list.model.rowCount() == count


def press(qtbot: Any, panel: ObjectsPanel, row: int, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
    view = panel.ui.list.view
    qtbot.mouseClick(view.viewport(), LEFT, keys, view.visualRect(panel.ui.list.model.index(row, Key.VOLUME)).center())


def volumes(panel: ObjectsPanel) -> list[str]:
    model = panel.ui.list.model
    return [model.index(row, Key.VOLUME).data() for row in range(model.rowCount())]


def steps(record: Record) -> list[str]:
    return [step.name for step in record.history.steps[: record.history.at]]


def paint(record: Record, voxel: tuple[int, int, int], class_id: int) -> None:
    box = Box(start=voxel, stop=tuple(v + 1 for v in voxel))  # type: ignore[arg-type]
    record.do(Edit(name="Paint", box=box, before=record.labels[box.slices].copy(),
                   after=np.full((1, 1, 1), class_id, record.labels.dtype)))  # fmt: skip


def test_without_labels_it_says_so(panel: ObjectsPanel) -> None:
    assert panel.ui.said.text() == NO_LABELS
    assert not panel.ui.find.isEnabled()


def test_small_labels_are_listed_at_once_and_a_click_goes_there(
    qtbot: Any, full: ObjectsPanel, desk: Desk, record: Record, scan: Image
) -> None:
    voxel = float(np.prod(SPACING))
    assert [float(text) for text in volumes(full)] == pytest.approx([n * voxel for n in (58, 12, 8, 1)], rel=1e-3)
    assert full.ui.said.text() == ""
    assert full.minimumSizeHint().width() <= 320
    found = full.found
    assert found is not None
    assert found.image == "scan"
    assert found.table.mean[0] == pytest.approx(scan.data[2, 5, 5:17].mean())
    assert full.ui.list.model.headerData(Key.VOLUME, Qt.Orientation.Horizontal) == "mm³"
    for row in range(4):
        press(qtbot, full, row)
        z, y, x = (round(v) for v in record.to_voxel(desk.bench.point))
        at = int(full.ui.list.rows()[row])
        assert record.labels[z, y, x] == found.table.class_id[at]
        assert (z, y, x) == tuple(found.table.inner[at])


def test_deleted_objects_are_one_step_that_comes_back(qtbot: Any, full: ObjectsPanel, record: Record) -> None:
    before = record.labels.copy()
    press(qtbot, full, 1)
    press(qtbot, full, 3, Qt.KeyboardModifier.ControlModifier)
    with qtbot.assertNotEmitted(full.search.found):  # what is left is known
        qtbot.mouseClick(full.ui.list.delete, LEFT)
        listed(qtbot, full, 2)
    assert steps(record)[-1] == "Delete 2 objects of class 1"
    assert label(record.labels, connectivity=3).max() == 2
    assert not full.stale
    record.undo()
    assert np.array_equal(record.labels, before)
    qtbot.waitUntil(lambda: full.ui.list.model.rowCount() == 4, timeout=WAIT_MS)


def test_objects_are_given_to_the_class_that_is_painted_with(
    qtbot: Any, full: ObjectsPanel, desk: Desk, record: Record
) -> None:
    record.layer.selected_label = 2
    record.locked = frozenset({2})
    press(qtbot, full, 3)
    with qtbot.waitSignal(desk.said) as said:
        qtbot.mouseClick(full.ui.list.move, LEFT)
    assert said.args == ["Class 2 is locked. Unlock it in the list of classes."]
    assert len(steps(record)) == 1
    record.locked = frozenset()
    assert full.ui.list.move.text() == "Give to class 2"
    press(qtbot, full, 3)
    qtbot.mouseClick(full.ui.list.move, LEFT)
    qtbot.waitUntil(lambda: steps(record)[-1:] == ["Give object of class 1 to class 2"], timeout=WAIT_MS)
    listed(qtbot, full, 4)
    assert record.labels[20, 30, 30] == 2
    assert full.found.table.class_id.tolist() == [1, 1, 2, 2]


def test_what_others_change_is_found_anew(qtbot: Any, full: ObjectsPanel, record: Record) -> None:
    paint(record, (22, 2, 2), 3)
    assert full.stale
    qtbot.waitUntil(lambda: full.ui.list.model.rowCount() == 5, timeout=WAIT_MS)
    settled(qtbot, full)
    assert not full.stale
    full.hide()
    paint(record, (22, 6, 2), 3)
    settled(qtbot, full)
    assert full.stale  # nobody looks
    full.show()
    qtbot.waitUntil(lambda: full.ui.list.model.rowCount() == 6, timeout=WAIT_MS)


def test_large_labels_are_looked_through_when_asked_for(
    qtbot: Any, monkeypatch: pytest.MonkeyPatch, record: Record, desk: Desk
) -> None:
    monkeypatch.setattr(objects, "FEW_VOXELS", 10)
    monkeypatch.setattr(objects, "AT_ONCE", 0.0)
    painted(record.layer)
    panel = ObjectsPanel(desk)
    qtbot.addWidget(panel)
    panel.show()
    listed(qtbot, panel, 0)
    assert panel.ui.said.text() == ASK
    qtbot.mouseClick(panel.ui.find, LEFT)
    assert panel.ui.cancel.isVisible()
    listed(qtbot, panel, 4)
    paint(record, (22, 2, 2), 3)
    listed(qtbot, panel, 4)
    assert panel.ui.said.text() == CHANGED
    press(qtbot, panel, 0)
    assert (panel.ui.list.delete.isEnabled(), panel.ui.list.delete.toolTip()) == (False, CHANGED)
    qtbot.mouseClick(panel.ui.find, LEFT)
    qtbot.mouseClick(panel.ui.cancel, LEFT)
    assert not panel.search.busy
    listed(qtbot, panel, 4)
    assert panel.ui.said.text() == CHANGED
    qtbot.mouseClick(panel.ui.find, LEFT)
    listed(qtbot, panel, 5)
    panel.let_go()


def test_names_colours_and_hiding_are_the_layers(qtbot: Any, full: ObjectsPanel, record: Record) -> None:
    model, layer = full.ui.list.model, record.layer
    press(qtbot, full, 0)  # class 2
    assert model.setData(model.index(0, Key.CLASS), "cornu")
    assert names_in(layer)[2] == "cornu"
    assert model.index(0, Key.CLASS).data() == "cornu"
    qtbot.mouseClick(full.ui.list.hide_class, LEFT)
    assert looks_of(layer).hidden == {2}
    assert not model.look(0).shown
    qtbot.mouseClick(full.ui.list.color, LEFT)
    assert full.color.dialog.windowTitle() == "Colour of cornu"
    full.color.dialog.setCurrentColor(QColor("#abcdef"))
    full.color.dialog.accept()
    assert model.look(0).color == looks_of(layer).colors[2] == "#abcdef"


def test_other_labels_have_their_own_table(
    qtbot: Any, full: ObjectsPanel, desk: Desk, viewer: Viewer, scan: Image
) -> None:
    other = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="other", **placed_like(scan))
    viewer.layers.selection.active = other
    assert full.ui.list.model.rowCount() == 0
    listed(qtbot, full, 0)
    assert full.found is not None
    assert full.found.record is desk.record_of(other)
    viewer.layers.remove(other)
    listed(qtbot, full, 4)


def test_a_series_is_listed_by_time_points(qtbot: Any, panel: ObjectsPanel, viewer: Viewer) -> None:
    held = np.zeros((4, 5, 6, 2), np.uint8)
    held[1, 1, 1, 0] = held[2, 2, 2, 1] = held[2, 2, 5, 1] = 1
    volume = Volume(data=held, geometry=Geometry.from_spacing(SPACING), name="series", timed=True)
    data, keywords, _ = to_layer(volume, as_labels=True)
    series = viewer.add_labels(np.array(data), **keywords)
    viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(lambda: panel.ui.list.model.rowCount() == 2, timeout=WAIT_MS)
    settled(qtbot, panel)
    press(qtbot, panel, 1)
    assert viewer.dims.current_step[0] == 1
    qtbot.mouseClick(panel.ui.list.delete, LEFT)
    qtbot.waitUntil(lambda: panel.ui.list.model.rowCount() == 1, timeout=WAIT_MS)
    assert series.data.sum(axis=(1, 2, 3)).tolist() == [1, 1]
    viewer.dims.set_current_step(0, 0)
    assert panel.stale
    qtbot.waitUntil(lambda: panel.found.frame == 0, timeout=WAIT_MS)


def test_real_labels_are_listed_and_cleaned(
    qtbot: Any, panel: ObjectsPanel, desk: Desk, viewer: Viewer, shared_data: Path
) -> None:
    path = sorted((shared_data / "hippocampus" / "labels").glob("*.nii.gz"))[0]
    data, keywords, _ = to_layer(read_volume(path), as_labels=True)
    viewer.layers.selection.active = viewer.add_labels(data, **keywords)
    record = desk.record
    qtbot.waitUntil(lambda: panel.ui.list.model.rowCount() > 0, timeout=WAIT_MS)
    before = {i: label(record.labels == i, connectivity=3).max() for i in (1, 2)}
    assert len(panel.found.table) == sum(before.values())
    assert panel.found.geometry.anatomical
    panel.ui.list.view.selectAll()
    press(qtbot, panel, 0, Qt.KeyboardModifier.ControlModifier)  # all but the largest
    qtbot.mouseClick(panel.ui.list.delete, LEFT)
    qtbot.waitUntil(lambda: panel.ui.list.model.rowCount() == 1, timeout=WAIT_MS)
    assert label(record.labels, connectivity=3).max() == 1
