"""The record: one history for what our tools, napari's and scripts do; undo, redo and jumps give the voxels back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Labels

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.overlay import Overlay
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.replay import replay
from tests.gui.correct.conftest import WAIT_MS


def paint(record: Record, start: tuple[int, int, int], stop: tuple[int, int, int], class_id: int) -> Edit:
    """Make the edit that gives a box to a class."""
    box = Box(start=start, stop=stop)
    before = record.labels[box.slices].copy()
    edit = Edit.between(f"Paint {class_id}", before, np.full_like(before, class_id), start=start)
    assert edit is not None
    return edit


def names(record: Record) -> list[str]:
    """Give the names of all steps."""
    return [step.name for step in record.history.steps]


def test_undo_gives_the_first_state_and_redo_the_last(record: Record) -> None:
    """Whatever was done between them."""
    states = [record.labels.copy()]
    for number in range(1, 6):
        record.do(paint(record, (number, 2, 3), (number + 4, 9, 11), number))
        states.append(record.labels.copy())
    for wanted in reversed(states[:-1]):
        record.undo()
        assert np.array_equal(record.labels, wanted)
    assert not record.corrected.any()
    for wanted in states[1:]:
        record.layer.redo()
        assert np.array_equal(record.labels, wanted)
    assert np.array_equal(record.corrected, states[-1] > 0)


def test_a_jump_leads_anywhere(record: Record) -> None:
    """To any step, and to the beginning."""
    states = {None: record.labels.copy()}
    for number in range(1, 6):
        record.do(paint(record, (number, 2, 3), (number + 4, 9, 11), number))
        states[record.history.cursor] = record.labels.copy()
    tokens = list(states)
    for token in (tokens[2], tokens[5], None, tokens[4], tokens[1]):
        record.jump(token)
        assert record.history.cursor == token
        assert np.array_equal(record.labels, states[token])


def test_a_stroke_is_one_step(record: Record) -> None:
    """Of however many parts; given up it leaves nothing."""
    for x in range(4, 9):
        record.draw(paint(record, (3, 4, x), (5, 8, x + 2), 2))
    assert not record.history.steps
    record.finish("Paint organ")
    assert names(record) == ["Paint organ"]
    done = record.labels.copy()
    record.draw(paint(record, (0, 0, 0), (6, 6, 6), 3))
    record.abandon()
    assert np.array_equal(record.labels, done)
    assert names(record) == ["Paint organ"]
    record.undo()
    assert not record.labels.any()


def test_naparis_own_tools_are_steps(qtbot: Any, record: Record) -> None:
    """Brush, eraser and fill; undo by the layer's own method is that of the one history."""
    layer = record.layer
    layer.selected_label, layer.brush_size = 4, 6
    layer.mode = "paint"
    layer.paint((5, 10, 10), 4)
    record.settle()  # as happens when napari has written the voxels
    assert names(record) == ["Paint class 4, z 5"]
    painted = layer.data.copy()
    layer.mode = "erase"
    layer.paint((5, 10, 10), 0)
    qtbot.waitUntil(lambda: len(names(record)) == 2, timeout=WAIT_MS)
    assert len(names(record)) == 2
    assert names(record)[1].startswith("Erase class 4")
    layer.undo()
    assert np.array_equal(layer.data, painted)
    layer.undo()
    assert not layer.data.any()
    layer.undo()  # there is nothing more, and nothing happens
    assert not layer.data.any()
    layer.redo()
    assert np.array_equal(layer.data, painted)
    assert not layer._undo_history


def test_direct_writes_are_found(qtbot: Any, record: Record) -> None:
    """A script that writes into the array and refreshes the layer."""
    record.layer.data[3:9, 4:8, 5:20] = 7
    record.layer.refresh()
    qtbot.waitUntil(lambda: len(record.history.steps) == 1, timeout=WAIT_MS)
    assert names(record) == ["Change class 7, y 4-7"]
    record.undo()
    assert not record.labels.any()


def test_an_edit_of_old_labels_is_refused(record: Record) -> None:
    """What changed since it was computed is not overwritten."""
    late = paint(record, (2, 2, 2), (8, 8, 8), 5)
    record.do(paint(record, (2, 2, 2), (3, 3, 3), 1))
    with pytest.raises(Vol3dError, match="changed meanwhile"):
        record.do(late)
    assert names(record) == ["Paint 1"]


def test_locked_classes_stand_against_naparis_brush(record: Record) -> None:
    """The brush paints around them."""
    record.do(paint(record, (5, 8, 8), (6, 12, 12), 1))
    record.locked = frozenset({1})
    record.layer.selected_label, record.layer.brush_size, record.layer.mode = 2, 30, "paint"
    record.layer.paint((5, 10, 10), 2)
    record.settle()
    assert np.count_nonzero(record.labels == 1) == 16
    assert (record.labels == 2).any()


def test_the_journal_gives_the_labels_back(qtbot: Any, desk: Desk, record: Record) -> None:
    """Bit for bit, after strokes, undo and a jump."""
    record.layer.data[10:14] = 9  # before the history begins
    record.shadow.apply(Edit.between("base", np.zeros_like(record.layer.data), record.layer.data))  # type: ignore[arg-type]
    for number in range(1, 6):
        record.do(paint(record, (number, 2, 3), (number + 4, 9, 11), number))
    record.undo()
    record.undo()
    record.do(paint(record, (1, 1, 1), (3, 20, 20), 8))
    final = record.labels.copy()
    book = record.book
    qtbot.waitUntil(lambda: book.ledger is not None and not book.waiting, timeout=WAIT_MS)
    path = book.ledger.path
    desk.let_go()
    journal = Journal.open(path)
    (known,) = journal.layers()
    assert np.array_equal(replay(journal, known), final)
    desk.__init__(desk.viewer, desk.bench)  # type: ignore[misc] - the fixture lets go once more


def test_a_model_corrects_nothing(record: Record) -> None:
    """Its voxels are a step, and no person's."""
    record.do(paint(record, (2, 2, 2), (8, 8, 8), 5), by_model=True)
    assert not record.corrected.any()
    record.undo()
    record.redo()
    assert not record.corrected.any()
    assert (record.labels == 5).any()


def test_layers_of_a_viewer_have_histories_of_their_own(viewer: Viewer, desk: Desk, record: Record) -> None:
    """Choosing another layer changes what is undone; coming back finds what was left."""
    record.do(paint(record, (2, 2, 2), (8, 8, 8), 5))
    other = viewer.add_labels(np.zeros((24, 40, 32), np.uint16), name="other")
    assert isinstance(other, Labels)
    assert desk.record is not record
    assert desk.record is not None
    assert not desk.record.history.steps
    viewer.layers.selection.active = record.layer
    assert desk.record is record
    assert len(record.history.steps) == 1


def test_a_stroke_that_is_given_up_leaves_what_a_tile_has_brought(viewer: Viewer, desk: Desk, record: Record) -> None:
    record.do(paint(record, (1, 1, 1), (3, 3, 3), 9))
    overlay = Overlay(viewer, record.layer)
    desk.follow_run(overlay)
    record.draw(paint(record, (5, 5, 5), (7, 7, 7), 5))
    record.draw(paint(record, (15, 15, 15), (17, 17, 17), 5))  # the box of both has much between
    middle = Box(start=(9, 9, 9), stop=(12, 12, 12))
    overlay.write(middle, np.full((3, 3, 3), 2, np.uint8))
    record.abandon()
    assert (record.labels[middle.slices] == 2).all()
    assert not (record.labels == 5).any()
    record.capture()
    assert [step.by_model for step in record.history.steps] == [False, True]
