"""The classes in the Correct tab are those of the Read tab, and what is asked in one is done in both; locks besides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import QPoint, Qt

from napari_vol3d.gui.correct.correctable import can_correct
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.forms.class_model import EYE, LOCK, NAME
from napari_vol3d.gui.label_looks import give_name, looks_of, names_in
from napari_vol3d.gui.panels.classes import ClassesPanel
from napari_vol3d.gui.panels.correct_classes import CorrectClasses
from napari_vol3d.gui.panels.correct_ui import CorrectUi
from napari_vol3d.gui.placing import placed_like
from tests.gui.bench.conftest import SHAPE
from tests.gui.bench.conftest import labels as labels
from tests.gui.bench.conftest import scan as scan
from tests.gui.bench.conftest import views as views
from tests.gui.correct.conftest import desk as desk
from tests.gui.correct.conftest import record as record


@pytest.fixture
def reading(qtbot: Any, viewer: Viewer) -> Iterator[ClassesPanel]:
    """The panel of the Read tab."""
    panel = ClassesPanel(viewer)
    qtbot.addWidget(panel)
    yield panel
    panel.let_go()
    qtbot.waitUntil(lambda: not panel.watch.looking and not panel.place.looking)


@pytest.fixture
def ui(qtbot: Any, viewer: Viewer, desk: Desk) -> Iterator[CorrectUi]:
    ui = CorrectUi(viewer.layers, can_correct, [])
    qtbot.addWidget(ui)
    ui.resize(320, 700)
    ui.show()
    yield ui
    ui.labels.let_go()


@pytest.fixture
def classes(record: Record, reading: ClassesPanel, ui: CorrectUi, desk: Desk) -> Iterator[CorrectClasses]:
    for class_id, name in ((2, "anterior"), (5, "posterior")):
        give_name(record.layer, class_id, name)
    made = CorrectClasses(desk, reading, ui)
    yield made
    made.let_go()


def click(qtbot: Any, ui: CorrectUi, class_id: int, column: int = NAME) -> None:
    qtbot.mouseClick(ui.classes.view.viewport(), Qt.MouseButton.LeftButton, pos=cell(ui, class_id, column))


def cell(ui: CorrectUi, class_id: int, column: int) -> QPoint:
    index = ui.classes.found.mapFromSource(ui.classes.model.place(class_id))
    ui.classes.view.scrollTo(index)
    return ui.classes.view.visualRect(index.sibling(index.row(), column)).center()


def listed(ui: CorrectUi) -> list[tuple[int, str, bool]]:
    return [(row.id, row.name, row.locked) for row in ui.classes.model.rows]


def test_both_lists_say_the_same(classes: CorrectClasses, ui: CorrectUi, record: Record, reading: ClassesPanel) -> None:
    assert listed(ui) == [(2, "anterior", False), (5, "posterior", False)]
    give_name(record.layer, 7, "lesion")
    assert [row.id for row in ui.classes.model.rows] == [row.id for row in reading.ui.list.model.rows] == [2, 5, 7]
    record.layer.selected_label = 5
    assert ui.classes.value() == reading.ui.list.value() == 5
    assert [ui.limits.inside.itemText(k) for k in range(2, 5)] == ["anterior", "posterior", "lesion"]


def test_what_is_asked_here_is_done(
    qtbot: Any, classes: CorrectClasses, ui: CorrectUi, record: Record, reading: ClassesPanel
) -> None:  # fmt: skip
    click(qtbot, ui, 5)
    assert record.layer.selected_label == 5
    assert reading.ui.list.value() == 5
    click(qtbot, ui, 2, EYE)
    assert looks_of(record.layer).hidden == {2}
    assert not reading.ui.list.row(2).shown  # type: ignore[union-attr]
    ui.classes.model.setData(ui.classes.model.place(2), "front")
    assert names_in(record.layer)[2] == "front"
    ui.classes.isolateAsked.emit(2)
    assert looks_of(record.layer).isolated == 2


def test_a_lock_is_pressed_and_holds_for_all_tools(
    qtbot: Any, classes: CorrectClasses, ui: CorrectUi, record: Record, desk: Desk, reading: ClassesPanel
) -> None:  # fmt: skip
    record.layer.selected_label = 2
    click(qtbot, ui, 5, LOCK)
    assert record.locked == {5}
    assert desk.limits.locked == {5}
    assert listed(ui) == [(2, "anterior", False), (5, "posterior", True)]
    assert ui.corrected.text() == "1 class is locked"
    assert record.layer.selected_label == 2  # a lock chooses nothing
    assert not any(row.locked for row in reading.ui.list.model.rows)
    click(qtbot, ui, 2, LOCK)
    assert record.locked == {2, 5}
    assert ui.corrected.text() == "2 classes are locked"
    for class_id in (2, 5):
        click(qtbot, ui, class_id, LOCK)
    assert record.locked == frozenset()
    assert ui.corrected.text() == ""


def test_each_labels_layer_has_its_own_locks(
    qtbot: Any, classes: CorrectClasses, ui: CorrectUi, record: Record, viewer: Viewer, scan: Image
) -> None:  # fmt: skip
    click(qtbot, ui, 5, LOCK)
    other = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="other", **placed_like(scan))
    give_name(other, 5, "liver")
    assert listed(ui) == [(5, "liver", False)]
    assert ui.corrected.text() == ""
    viewer.layers.selection.active = record.layer
    assert listed(ui) == [(2, "anterior", False), (5, "posterior", True)]
    assert ui.corrected.text() == "1 class is locked"


def test_a_new_class_is_painted_with_at_once(
    qtbot: Any, classes: CorrectClasses, ui: CorrectUi, record: Record
) -> None:  # fmt: skip
    """Its id is one that no voxel has, named or not."""
    record.layer.data[3, 4, 5] = 9
    qtbot.mouseClick(ui.new_class, Qt.MouseButton.LeftButton)
    assert record.layer.selected_label == ui.classes.value() == 10
    assert names_in(record.layer)[10] == "class 10"
    qtbot.mouseClick(ui.new_class, Qt.MouseButton.LeftButton)
    assert record.layer.selected_label == 11


def test_where_the_type_holds_no_higher_id_a_gap_is_taken_and_without_one_it_is_said(
    qtbot: Any, classes: CorrectClasses, ui: CorrectUi, viewer: Viewer, scan: Image, desk: Desk
) -> None:  # fmt: skip
    used = np.zeros(SHAPE, np.uint8)
    used.flat[:256] = np.arange(256)
    used[used == 7] = 0
    layer: Labels = viewer.add_labels(used, name="full", **placed_like(scan))
    qtbot.mouseClick(ui.new_class, Qt.MouseButton.LeftButton)
    assert layer.selected_label == 7
    before = names_in(layer)
    qtbot.mouseClick(ui.new_class, Qt.MouseButton.LeftButton)
    assert ui.said.text().startswith("These labels hold no more classes")
    assert (layer.selected_label, names_in(layer)) == (7, before)


def test_without_labels_nothing_is_listed(
    qtbot: Any, classes: CorrectClasses, ui: CorrectUi, record: Record, viewer: Viewer, desk: Desk
) -> None:  # fmt: skip
    click(qtbot, ui, 5, LOCK)
    viewer.layers.remove(record.layer)
    assert desk.record is None
    assert listed(ui) == []
    assert ui.corrected.text() == ""
    classes._lock(5)
    qtbot.mouseClick(ui.new_class, Qt.MouseButton.LeftButton)
    assert listed(ui) == []


def test_having_let_go_it_follows_no_more(
    qtbot: Any, record: Record, reading: ClassesPanel, ui: CorrectUi, desk: Desk
) -> None:  # fmt: skip
    give_name(record.layer, 2, "anterior")
    made = CorrectClasses(desk, reading, ui)
    made.let_go()
    record.locked = frozenset({2})
    give_name(record.layer, 3, "other")
    assert listed(ui) == [(2, "anterior", False)]
