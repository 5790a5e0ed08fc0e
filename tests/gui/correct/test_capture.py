"""What napari's own tools, scripts and other plug-ins do to labels is found, named and given to the one history."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Labels
from qtpy.QtCore import Qt

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.capture import SWEEP_MS, box_of, frames_of
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.replay import replay
from tests.gui.bench.conftest import SHAPE, opened, settle, view_of
from tests.gui.conftest import stroke
from tests.gui.correct.conftest import WAIT_MS
from tests.gui.correct.mousing import go_to, move, pixel_of, press, release

CTRL = Qt.KeyboardModifier.ControlModifier


def names(record: Record) -> list[str]:
    return [step.name for step in record.history.steps]


def paint_with_the_mouse(qtbot: Any, viewer: Viewer, layer: Labels, class_id: int) -> None:
    """Draw a stroke of napari's brush, or of its eraser, through the middle of the slice."""
    layer.selected_label, layer.brush_size = class_id, 5
    first, last = (tuple(float(v) for v in layer.data_to_world((12, 20, x))[-2:]) for x in (8, 22))
    stroke(qtbot, viewer, first, last)


def test_a_stroke_of_naparis_brush_is_a_step_and_its_own_key_takes_it_back(
    qtbot: Any, viewer: Viewer, record: Record
) -> None:
    layer = record.layer
    viewer.dims.set_current_step(0, 12)
    layer.mode = "paint"
    paint_with_the_mouse(qtbot, viewer, layer, 3)
    qtbot.waitUntil(lambda: len(names(record)) == 1, timeout=WAIT_MS)
    assert names(record) == ["Paint class 3, z 12"]
    painted = record.labels.copy()
    assert np.array_equal(np.flatnonzero((painted == 3).any(axis=(1, 2))), [12])
    assert np.array_equal(record.corrected, painted > 0)
    layer.mode = "erase"
    paint_with_the_mouse(qtbot, viewer, layer, 3)
    qtbot.waitUntil(lambda: len(names(record)) == 2, timeout=WAIT_MS)
    assert names(record)[1] == "Erase class 3, z 12"
    native = viewer.window._qt_viewer.canvas.native
    qtbot.keyClick(native, Qt.Key.Key_Z, CTRL)
    assert np.array_equal(record.labels, painted)
    qtbot.keyClick(native, Qt.Key.Key_Z, CTRL)
    assert not record.labels.any()
    qtbot.keyClick(native, Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert np.array_equal(record.labels, painted)


@pytest.mark.parametrize("plane", [Plane.AXIAL, Plane.CORONAL])
def test_half_a_stroke_of_naparis_brush_is_no_step_however_long_the_hand_rests(
    qtbot: Any, views: Bench, record: Record, plane: Plane
) -> None:
    layer, middle = record.layer, (12, 20, 16)
    opened(views)
    view = view_of(views, plane)
    go_to(views, record, middle)
    record.do(block(record, Box(start=(0, 0, 0), stop=(2, 2, 2)), 1))
    before = record.labels.copy()
    layer.mode, layer.selected_label, layer.brush_size = "paint", 3, 3
    settle()
    press(view, pixel_of(view, record, middle))
    move(view, pixel_of(view, record, (12, 20, 20)))
    layer.refresh()  # as when a tile of a prediction arrives
    assert (record.labels == 3).any()
    qtbot.wait(3 * SWEEP_MS)
    assert len(names(record)) == 1
    move(view, pixel_of(view, record, (12, 20, 24)))
    release(view, pixel_of(view, record, (12, 20, 24)))
    qtbot.waitUntil(lambda: len(names(record)) == 2, timeout=WAIT_MS)
    layer.undo()
    assert np.array_equal(record.labels, before)


def test_fill_and_polygon_are_named_for_what_they_are(qtbot: Any, viewer: Viewer, record: Record) -> None:
    layer = record.layer
    viewer.dims.set_current_step(0, 7)
    layer.mode = "fill"
    layer.fill((7, 3, 3), 2)
    qtbot.waitUntil(lambda: len(names(record)) == 1, timeout=WAIT_MS)
    layer.mode = "polygon"
    layer.paint_polygon([[7, 5, 5], [7, 20, 5], [7, 20, 20]], 4)
    qtbot.waitUntil(lambda: len(names(record)) == 2, timeout=WAIT_MS)
    assert names(record) == ["Fill class 2, z 7", "Polygon class 4, z 7"]
    record.undo()
    assert (record.labels[7] == 2).all()


def test_what_is_written_during_a_stroke_of_ours_is_not_taken_for_it(qtbot: Any, record: Record) -> None:
    record.layer.data[0, 0, 0] = 9
    record.layer.refresh()
    box = Box(start=(5, 5, 5), stop=(8, 8, 8))
    record.draw(block(record, box, 2))
    assert names(record) == []
    record.finish("Paint by hand")
    qtbot.waitUntil(lambda: len(names(record)) == 2, timeout=WAIT_MS)
    assert names(record) == ["Paint by hand", "Change class 9, z 0"]
    record.undo()
    assert record.labels[0, 0, 0] == 0
    assert np.count_nonzero(record.labels) == 27


def test_voxels_that_are_exchanged_for_others_of_the_same_shape_are_a_step(qtbot: Any, record: Record) -> None:
    record.do(block(record, Box(start=(5, 5, 5), stop=(8, 8, 8)), 2))
    before, other = record.labels.copy(), np.zeros(SHAPE, np.uint16)
    other[2:4] = 6
    wanted = other.copy()
    record.layer.data = other
    qtbot.waitUntil(lambda: len(names(record)) == 2, timeout=WAIT_MS)
    record.undo()
    assert np.array_equal(record.labels, before)
    record.redo()
    assert np.array_equal(record.layer.data, wanted)


def test_voxels_of_another_shape_begin_a_history_of_their_own(qtbot: Any, desk: Desk, record: Record) -> None:
    record.do(block(record, Box(start=(5, 5, 5), stop=(8, 8, 8)), 2))
    layer, old = record.layer, record.labels.copy()
    layer.data = np.zeros((6, 7, 8), np.uint16)
    new = desk.record
    assert new is not None
    assert new is not record
    assert new.layer is layer
    assert names(new) == []
    new.do(block(new, Box(start=(1, 1, 1), stop=(3, 3, 3)), 4))
    layer.undo()
    assert not layer.data.any()
    layer.redo()
    ledger = new.book
    qtbot.waitUntil(lambda: ledger.ledger is not None and not ledger.waiting, timeout=WAIT_MS)
    assert all(one.writer.flush(10) for one in desk.ledgers)
    kept = [replay(Journal(one.path), known) for one in desk.ledgers for known in Journal(one.path).layers()]
    assert sorted(each.shape for each in kept) == [(6, 7, 8), SHAPE]
    for each in kept:
        assert np.array_equal(each, old if each.shape == SHAPE else layer.data)


def test_of_a_series_the_moment_that_is_shown_is_painted(qtbot: Any, viewer: Viewer, desk: Desk) -> None:
    layer = viewer.add_labels(np.zeros((3, 8, 9, 10), np.uint8))
    record = desk.record
    assert record is not None
    viewer.dims.set_current_step(0, 2)
    layer.mode = "paint"
    layer.paint((2, 4, 4, 4), 1)
    qtbot.waitUntil(lambda: len(names(record)) == 1, timeout=WAIT_MS)
    viewer.dims.set_current_step(0, 0)
    layer.data[1, 3] = 5
    layer.refresh()
    qtbot.waitUntil(lambda: len(names(record)) == 2, timeout=WAIT_MS)
    done = layer.data.copy()
    record.jump(None)
    assert not layer.data.any()
    record.jump(record.history.steps[-1].token)
    assert np.array_equal(layer.data, done)


def test_labels_that_are_let_go_have_naparis_own_undo_again(viewer: Viewer, desk: Desk, record: Record) -> None:
    layer = record.layer
    viewer.layers.remove(layer)
    assert desk.record is None
    layer.mode = "paint"
    layer.paint((5, 10, 10), 4)
    assert layer._undo_history
    layer.undo()
    assert not layer.data.any()
    assert names(record) == []


def test_the_box_of_what_was_painted() -> None:
    shape = (4, 10, 20, 30)
    fancy = ((np.array([1, 1]), np.array([3, 5]), np.array([7, 7]), np.array([9, 2])), None, 1)
    assert box_of([fancy], shape) == Box(start=(3, 7, 2), stop=(6, 8, 10))
    part = ((0, slice(2, 4), slice(None), 5), None, 1)
    assert box_of([part], shape) == Box(start=(2, 0, 5), stop=(4, 20, 6))
    assert box_of([fancy, part], shape) == Box(start=(2, 0, 2), stop=(6, 20, 10))
    nothing = ((np.array([], int),) * 3, None, 1)
    assert box_of([nothing], shape[1:]) is None
    assert box_of([], shape) is None


def block(record: Record, box: Box, class_id: int) -> Edit:
    """Make the edit that gives a box to a class."""
    before = record.labels[box.slices].copy()
    edit = Edit.between(f"Paint {class_id}", before, np.full_like(before, class_id), start=box.start)
    assert edit is not None
    return edit


def test_time_points_of_what_napari_names() -> None:
    indices = (np.array([1, 3]), np.array([0, 0]), np.array([0, 0]), np.array([0, 0]))
    assert frames_of([(indices, None, 1)], (5, 4, 4, 4)) == range(1, 4)
    assert frames_of([(indices[1:], None, 1)], (4, 4, 4)) == range(1)


def test_locks_hold_in_every_time_point_that_naparis_tools_reach(viewer: Viewer, desk: Desk) -> None:
    series = np.zeros((3, 6, 6, 6), np.uint8)
    series[:, 2:4, 2:4, 2:4] = 1
    layer = viewer.add_labels(series.copy())
    record = desk.record
    assert record is not None
    record.locked = frozenset({1})
    layer.n_edit_dimensions, layer.brush_size = 4, 5
    layer.paint((1, 3, 3, 3), 2)
    record.settle()
    assert (layer.data[[0, 2]] == 2).any()
    assert np.array_equal(layer.data == 1, series == 1)
    while record.history.at:
        record.undo()
    assert np.array_equal(layer.data, series)
