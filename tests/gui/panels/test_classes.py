"""The panel and the labels say the same, whichever of the two a person touches; nothing on the screen harms a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor

from napari_vol3d.core.labels import default_color
from napari_vol3d.gui.forms.class_model import CLASS, EYE, NAME
from napari_vol3d.gui.label_looks import looks_of
from napari_vol3d.gui.layers import classes_of, to_layer, to_volume, with_painted_classes
from napari_vol3d.gui.panels.classes import ClassesPanel
from napari_vol3d.gui.panels.classes_ui import NO_LABELS
from napari_vol3d.io.registry import read_volume, write_labels

LIVER, SPLEEN = 5, 1


@pytest.fixture
def panel(qtbot: Any, viewer: Viewer) -> Iterator[ClassesPanel]:
    panel = ClassesPanel(viewer)
    viewer.window.add_dock_widget(panel, name="Classes", area="right")
    yield panel
    panel.let_go()
    qtbot.waitUntil(lambda: not panel.watch.looking and not panel.place.looking)


@pytest.fixture
def organs(viewer: Viewer, shared_data: Path) -> Labels:
    """117 named classes of a real CT."""
    return show(viewer, shared_data / "scans" / "example_seg.nii.gz")


def show(viewer: Viewer, path: Path) -> Labels:
    data, keywords, _ = to_layer(read_volume(path), as_labels=True)
    return viewer.add_labels(data, **keywords)


def small(viewer: Viewer, *ids: int, name: str = "mine", dtype: type = np.uint16) -> Labels:
    data = np.zeros((6, 7, 8), dtype)
    for k, class_id in enumerate(ids):
        data[k, 2:5, 2:5] = class_id
    return viewer.add_labels(data, name=name)


def cell(panel: ClassesPanel, class_id: int, column: int = NAME) -> QPoint:
    form = panel.ui.list
    index = form.found.mapFromSource(form.model.place(class_id))
    form.view.scrollTo(index)
    return form.view.visualRect(index.sibling(index.row(), column)).center()


def click(qtbot: Any, panel: ClassesPanel, class_id: int, column: int = NAME) -> None:
    qtbot.mouseClick(panel.ui.list.view.viewport(), Qt.MouseButton.LeftButton, pos=cell(panel, class_id, column))


def press(qtbot: Any, button: Any) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def shown(layer: Labels) -> set[int]:
    return {item.id for item in classes_of(layer) if layer.get_color(item.id)[3] > 0}


def test_a_click_chooses_what_is_painted_with_and_the_picker_the_row(
    qtbot: Any, panel: ClassesPanel, organs: Labels
) -> None:
    assert panel.ui.which.text() == "Classes of example_seg"
    click(qtbot, panel, LIVER)
    assert organs.selected_label == LIVER
    organs.selected_label = 116
    view = panel.ui.list.view
    assert view.currentIndex().data(CLASS).id == 116
    assert view.viewport().rect().contains(view.visualRect(view.currentIndex()).center())
    organs.selected_label = 0
    assert not panel.ui.isolate.isEnabled()


def test_an_eye_hides_one_class_and_no_voxel(qtbot: Any, panel: ClassesPanel, organs: Labels) -> None:
    before, all_of_them = organs.data.copy(), shown(organs)
    click(qtbot, panel, LIVER, EYE)
    assert shown(organs) == all_of_them - {LIVER}
    assert organs.selected_label == 1  # an eye chooses nothing
    click(qtbot, panel, LIVER, EYE)
    assert shown(organs) == all_of_them
    np.testing.assert_array_equal(organs.data, before)


def test_isolating_follows_the_choice_until_all_are_shown_again(
    qtbot: Any, panel: ClassesPanel, organs: Labels
) -> None:
    all_of_them = shown(organs)
    click(qtbot, panel, LIVER)
    press(qtbot, panel.ui.isolate)
    assert shown(organs) == {LIVER}
    organs.selected_label = SPLEEN
    assert shown(organs) == {SPLEEN}
    organs.selected_label = 0  # the eraser
    assert shown(organs) == {SPLEEN}
    assert panel.ui.isolate.isChecked()
    organs.selected_label = SPLEEN
    press(qtbot, panel.ui.isolate)
    assert shown(organs) == all_of_them
    panel.ui.list.isolateAsked.emit(LIVER)
    assert shown(organs) == {LIVER}
    assert panel.ui.isolate.isChecked()
    press(qtbot, panel.ui.show_all)
    assert shown(organs) == all_of_them
    assert not panel.ui.isolate.isChecked()


def test_opacity_of_one_class_and_of_all(qtbot: Any, panel: ClassesPanel, organs: Labels) -> None:
    click(qtbot, panel, LIVER)
    panel.ui.opacity.setValue(30)
    assert organs.get_color(LIVER)[3] == pytest.approx(0.3)
    assert organs.get_color(SPLEEN)[3] == 1
    click(qtbot, panel, SPLEEN)
    assert panel.ui.opacity.value() == 100
    click(qtbot, panel, LIVER)
    assert panel.ui.opacity.value() == 30
    panel.ui.all_opacity.setValue(80)
    assert organs.opacity == pytest.approx(0.8)
    organs.opacity = 0.25
    assert panel.ui.all_opacity.value() == 25
    panel.ui.opacity.setValue(0)
    assert {item.id: item.color for item in classes_of(organs)}[LIVER] == panel.ui.list.row(LIVER).color


def test_outline_and_fill(qtbot: Any, panel: ClassesPanel, organs: Labels) -> None:
    panel.ui.drawn.setFocus()
    qtbot.keyClick(panel.ui.drawn, Qt.Key.Key_Down)
    assert organs.contour == 1
    organs.contour = 0
    assert panel.ui.drawn.currentText() == "filled"


def recolor(panel: ClassesPanel, class_id: int, color: str) -> None:
    panel.ui.list.colorAsked.emit(class_id)
    assert panel.color.dialog is not None
    panel.color.dialog.setCurrentColor(QColor(color))
    panel.color.dialog.accept()


def test_names_and_colours_arrive_in_the_file_and_hidden_voxels_too(
    qtbot: Any, panel: ClassesPanel, organs: Labels, tmp_path: Path
) -> None:
    before, voxels = {item.id: item for item in classes_of(organs)}, organs.data.copy()
    click(qtbot, panel, LIVER, EYE)
    recolor(panel, LIVER, "#abcdef")
    recolor(panel, SPLEEN, "#123456")
    panel.ui.list.renamed.emit(SPLEEN, "the spleen")
    assert panel.ui.list.row(SPLEEN).name == "the spleen"
    assert organs.get_color(LIVER)[3] == 0
    press(qtbot, panel.ui.isolate)
    written = write_labels(tmp_path / "out.seg.nrrd", with_painted_classes(to_volume(organs)))
    read = read_volume(written)
    np.testing.assert_array_equal(np.asarray(read.data), voxels)
    found = {item.id: item for item in read.classes}
    assert (found[LIVER].name, found[LIVER].color) == ("liver", "#abcdef")
    assert (found[SPLEEN].name, found[SPLEEN].color) == ("the spleen", "#123456")
    assert all(found[i] == before[i] for i in before if i not in (LIVER, SPLEEN))


def test_ids_without_names_appear_and_stay_what_they_are(qtbot: Any, panel: ClassesPanel, viewer: Viewer) -> None:
    with qtbot.waitSignal(panel.watch.changed):
        layer = small(viewer, 3, 530)
    assert [(row.id, row.name) for row in panel.ui.list.model.rows] == [(3, "class 3"), (530, "class 530")]
    seen = layer.get_color(3)
    np.testing.assert_allclose(QColor(panel.ui.list.row(3).color).getRgbF(), seen, atol=0.01)  # napari's own colour
    click(qtbot, panel, 530, EYE)
    assert layer.get_color(530)[3] == 0
    np.testing.assert_allclose(layer.get_color(3), seen, atol=0.01)
    assert classes_of(layer) == ()  # looking at them has named nothing
    recolor(panel, 530, "#abcdef")
    (only,) = classes_of(layer)
    assert (only.id, only.name, only.color) == (530, "class 530", "#abcdef")


def test_an_id_painted_beyond_the_classes_gets_its_colour(
    qtbot: Any, panel: ClassesPanel, organs: Labels
) -> None:
    with qtbot.waitSignal(panel.watch.changed):
        organs.data_setitem((np.array([3, 3]), np.array([4, 5]), np.array([4, 4])), 200)
    assert panel.ui.list.row(200) is not None
    expected = [int(default_color(200)[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    np.testing.assert_allclose(organs.get_color(200)[:3], expected, atol=0.01)


def test_sparse_ids_of_a_brain_atlas(qtbot: Any, panel: ClassesPanel, viewer: Viewer, shared_data: Path) -> None:
    layer = show(viewer, shared_data / "scans" / "aparc_labels" / "training_seg_01.nii.gz")
    qtbot.waitUntil(lambda: not panel.watch.looking)
    rows = panel.ui.list.model.rows
    assert {row.id for row in rows} == set(np.unique(layer.data).tolist()) - {0}
    assert len({row.color for row in rows}) == len(rows)
    panel.ui.list.search.setText("530")
    click(qtbot, panel, 530)
    assert layer.selected_label == 530
    press(qtbot, panel.ui.isolate)
    assert shown(layer) == {530}


def test_going_to_a_class(qtbot: Any, panel: ClassesPanel, organs: Labels) -> None:
    click(qtbot, panel, LIVER)
    with qtbot.waitSignal(panel.jump) as told:
        press(qtbot, panel.ui.jump)
    voxel = tuple(round(v) for v in organs.world_to_data(told.args[0]))
    assert organs.data[voxel] == LIVER
    absent = next(item.id for item in panel.classes() if not (organs.data == item.id).any())
    with qtbot.assertNotEmitted(panel.jump):
        panel.ui.list.jumpAsked.emit(absent)
        qtbot.waitUntil(lambda: bool(panel.ui.said.text()))
    assert panel.ui.list.row(absent).name in panel.ui.said.text()


def test_the_panel_is_about_the_active_labels_else_the_top_ones(panel: ClassesPanel, viewer: Viewer) -> None:
    assert panel.ui.which.text() == NO_LABELS
    image = viewer.add_image(np.zeros((6, 7, 8), np.float32))
    assert panel.layer is None
    one, two = small(viewer, 1, name="one"), small(viewer, 2, name="two")
    assert panel.layer is two
    viewer.layers.selection.active = one
    assert panel.ui.which.text() == "Classes of one"
    viewer.layers.selection.active = image
    assert panel.layer is two
    viewer.layers.move(viewer.layers.index(one), len(viewer.layers))
    assert panel.layer is one
    one.name = "first"
    assert panel.ui.which.text() == "Classes of first"
    viewer.layers.remove(one)
    viewer.layers.remove(two)
    assert panel.ui.which.text() == NO_LABELS
    assert panel.ui.list.model.rows == ()
    assert not panel.ui.list.isEnabled()


def test_what_was_hidden_in_one_layer_is_so_when_one_comes_back(
    qtbot: Any, panel: ClassesPanel, viewer: Viewer
) -> None:
    one, two = small(viewer, 1, 2, name="one"), small(viewer, 1, 2, name="two")
    viewer.layers.selection.active = one
    qtbot.waitUntil(lambda: not panel.watch.looking)
    click(qtbot, panel, 2, EYE)
    viewer.layers.selection.active = two
    qtbot.waitUntil(lambda: not panel.watch.looking)
    assert panel.ui.list.row(2).shown
    viewer.layers.selection.active = one
    qtbot.waitUntil(lambda: not panel.watch.looking)
    assert not panel.ui.list.row(2).shown
    assert looks_of(one).hidden == {2}
    assert looks_of(two).hidden == set()


def test_a_class_that_the_voxels_cannot_hold_is_not_painted_with(
    qtbot: Any, panel: ClassesPanel, viewer: Viewer
) -> None:
    layer = small(viewer, 1, dtype=np.uint8)
    layer.features = {"index": [0, 1, 300], "name": ["background", "a", "b"]}
    click(qtbot, panel, 300)
    assert layer.selected_label == 1
    assert "up to 255" in panel.ui.said.text()
    assert panel.ui.list.value() == 1


def test_it_fits_the_dock(panel: ClassesPanel, organs: Labels) -> None:
    assert panel.minimumSizeHint().width() <= 320
