"""The preview lies where its edit does, in the colours to come, and is neither chosen, corrected, saved nor listed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtGui import QColor

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.correctable import can_correct
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.preview import OPACITY, Preview
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.ring import ERASING
from napari_vol3d.gui.layers import is_preview
from napari_vol3d.gui.panels.correct_ui import CorrectUi
from napari_vol3d.gui.shelf import Shelf
from tests.gui.bench.conftest import SHAPE, opened, settle, slice_of, view_of

BOX = Box(start=(3, 5, 7), stop=(6, 11, 12))


@pytest.fixture
def preview(viewer: Viewer, record: Record) -> Iterator[Preview]:
    made = Preview(viewer)
    yield made
    made.clear()


def edit_of(record: Record, class_id: int, box: Box = BOX) -> Edit:
    before = record.labels[box.slices].copy()
    edit = Edit.between("Paint", before, np.full_like(before, class_id), start=box.start)
    assert edit is not None
    return edit


def layer_of(viewer: Viewer) -> Labels:
    (layer,) = (layer for layer in viewer.layers if is_preview(layer))
    assert isinstance(layer, Labels)
    return layer


def placed(record: Record, layer: Labels) -> np.ndarray:
    """Give the preview's voxels where they lie among those of the labels."""
    whole = np.zeros(record.labels.shape, layer.data.dtype)
    start = np.round(record.layer.world_to_data(layer.data_to_world((0, 0, 0)))).astype(int)
    whole[tuple(slice(a, a + n) for a, n in zip(start, layer.data.shape, strict=True))] = layer.data
    return whole


def test_it_shows_the_labels_to_come_where_they_come(viewer: Viewer, record: Record, preview: Preview) -> None:
    record.labels[4:, :8] = 6
    edit = edit_of(record, 6)
    preview.show(record, edit)
    after = record.labels.copy()
    edit.apply(after)
    layer = layer_of(viewer)
    assert np.array_equal(placed(record, layer), np.where(after != record.labels, 6, 0))
    assert np.allclose(layer.get_color(6), record.layer.get_color(6) / np.array([1, 1, 1, 1]), atol=0.02)
    assert layer.opacity == OPACITY
    assert preview.shown
    wider = edit_of(record, 2, Box(start=(0, 0, 0), stop=(2, 3, 4)))
    preview.show(record, wider)
    assert layer_of(viewer) is layer
    assert np.array_equal(np.argwhere(placed(record, layer)).max(axis=0), (1, 2, 3))
    preview.show(record, None)
    assert not preview.shown
    assert record.layer in viewer.layers


def test_what_would_be_erased_has_the_color_of_the_eraser(viewer: Viewer, record: Record, preview: Preview) -> None:
    record.labels[BOX.slices] = 3
    preview.show(record, edit_of(record, 0))
    layer = layer_of(viewer)
    (value,) = np.unique(layer.data)
    assert np.allclose(layer.get_color(int(value)), QColor(ERASING).getRgbF(), atol=0.01)


@pytest.mark.parametrize("highest", [2**16 - 1, 2**32 - 1])
def test_ids_may_be_as_high_as_their_type_goes(viewer: Viewer, desk: Desk, preview: Preview, highest: int) -> None:
    viewer.add_labels(np.zeros(SHAPE, np.min_scalar_type(highest)))
    record = desk.record
    assert record is not None
    edit = edit_of(record, highest)
    preview.show(record, edit)
    layer = layer_of(viewer)
    (value,) = np.unique(layer.data)
    assert np.allclose(layer.get_color(int(value)), record.layer.get_color(highest), atol=0.02)
    record.do(edit)
    preview.show(record, edit_of(record, 0))
    (value,) = np.unique(layer.data)
    assert np.allclose(layer.get_color(int(value)), QColor(ERASING).getRgbF(), atol=0.01)


def test_it_is_nobodys_choice(viewer: Viewer, record: Record, scan: Image, preview: Preview) -> None:
    for chosen in ({record.layer}, {scan}, {scan, record.layer}, set()):
        viewer.layers.selection.clear()
        viewer.layers.selection.update(chosen)
        active = viewer.layers.selection.active
        for step in (edit_of(record, 2), edit_of(record, 4), None):
            preview.show(record, step)
            assert set(viewer.layers.selection) == chosen
            assert viewer.layers.selection.active is active


def test_it_is_not_labels_to_correct_or_save(
    qtbot: object, viewer: Viewer, desk: Desk, record: Record, scan: Image, preview: Preview
) -> None:
    ui = CorrectUi(viewer.layers, can_correct, [])
    preview.show(record, edit_of(record, 2))
    layer = layer_of(viewer)
    assert not layer.editable
    assert not can_correct(layer)
    assert Shelf(viewer.layers).to_save(scan, None) is not layer
    assert [ui.labels.itemText(k) for k in range(ui.labels.count())] == [record.layer.name]
    viewer.layers.selection.active = layer  # by hand
    assert desk.record is record
    assert desk.records == (record,)
    ui.labels.let_go()
    ui.deleteLater()


def test_all_views_show_it(viewer: Viewer, desk: Desk, record: Record, preview: Preview) -> None:
    opened(desk.bench)
    preview.show(record, edit_of(record, 5))
    layer = layer_of(viewer)
    desk.bench.go_to(record.layer.data_to_world((4, 8, 9)))
    settle()
    for plane in (Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL):
        assert (slice_of(layer, view_of(desk.bench, plane)) == 5).any()
    preview.clear()
    settle()


def test_of_a_series_it_lies_in_space(viewer: Viewer, desk: Desk, preview: Preview) -> None:
    layer = viewer.add_labels(np.zeros((2, *SHAPE), np.uint8), scale=(2.5, 3, 1, 1), translate=(10, 1, 2, 3))
    record = desk.record
    assert record is not None
    viewer.dims.set_current_step(0, 1)
    preview.show(record, edit_of(record, 5))
    shown = layer_of(viewer)
    assert shown.ndim == 3
    assert np.allclose(shown.data_to_world((0, 0, 0)), layer.data_to_world((0, *BOX.start))[-3:])
    viewer.layers.remove(shown)  # somebody took it away
    assert not preview.shown
    preview.show(record, edit_of(record, 5))
    assert preview.shown
