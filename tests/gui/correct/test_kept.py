"""Layers that were taken away and come again have their history."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer

from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.kept import keep, resumed
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.replay import replay
from tests.gui.correct.conftest import WAIT_MS
from tests.gui.correct.test_desk import box, paint


def test_without_a_history_there_is_nothing_to_go_on_with(viewer: Viewer, desk: Desk, record: Record) -> None:
    keep(record)
    assert resumed(viewer, record.layer, desk.ledger_of) is None


def test_a_layer_with_other_voxels_begins_anew(viewer: Viewer, desk: Desk, record: Record) -> None:
    layer = record.layer
    layer.data[0] = 3
    record.capture()
    viewer.layers.remove(layer)
    layer.data = np.zeros((3, 4, 5), np.uint8)
    assert resumed(viewer, layer, desk.ledger_of) is None


def test_labels_that_come_again_have_their_history(qtbot: Any, viewer: Viewer, desk: Desk, record: Record) -> None:
    layer = record.layer
    record.do(paint(record, box(1, 3), 1))
    record.do(paint(record, box(5, 7), 2))
    record.undo()
    qtbot.waitUntil(lambda: record.book.ledger is not None and not record.book.waiting, timeout=WAIT_MS)
    viewer.layers.remove(layer)
    layer.data[0, 0, 0] = 9  # while nobody looks
    viewer.add_layer(layer)
    again = desk.record
    assert again is not None
    assert again is not record
    assert [step.name for step in again.history.steps] == ["Paint 1", "Change class 9, z 0"]
    again.jump(None)
    assert not layer.data.any()
    assert not again.corrected.any()
    again.redo()
    again.redo()
    assert np.unique(layer.data).tolist() == [0, 1, 9]
    qtbot.waitUntil(lambda: not again.book.waiting, timeout=WAIT_MS)
    assert again.book.ledger is not None
    assert again.book.ledger.writer.flush(10)
    journal = Journal(again.book.ledger.path)
    (known,) = journal.layers()
    assert np.array_equal(replay(journal, known), layer.data)
