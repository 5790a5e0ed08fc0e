"""Labels that are chosen are under correction until they go; limits and the tool in hand; a run beside strokes."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tool import Tool
from napari_vol3d.gui.overlay import Overlay
from napari_vol3d.gui.placing import placed_like
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.replay import replay
from tests.gui.bench.conftest import FLAT, SHAPE, opened, settle, view_of
from tests.gui.correct.conftest import WAIT_MS
from tests.gui.correct.tools.told import take


class Noting(Tool):
    """Knows when it is in hand."""

    title: ClassVar[str] = "Noting"

    def __init__(self, notes: list[str], name: str) -> None:
        super().__init__()
        self.notes, self.name = notes, name

    def begun(self, desk: Desk) -> None:
        super().begun(desk)
        self.notes.append(f"{self.name} begun")

    def ended(self) -> None:
        self.notes.append(f"{self.name} ended")


def paint(record: Record, box: Box, class_id: int) -> Edit:
    before = record.labels[box.slices].copy()
    edit = Edit.between(f"Paint {class_id}", before, np.full_like(before, class_id), start=box.start)
    assert edit is not None
    return edit


def box(start: int, stop: int) -> Box:
    return Box(start=(start,) * 3, stop=(stop,) * 3)


# ---- labels --------------------------------------------------------------------------------------------------------


def test_labels_that_are_chosen_stay_under_correction(
    qtbot: Any, viewer: Viewer, scan: Image, labels: Labels, desk: Desk
) -> None:
    assert desk.record is not None  # they were chosen before there was a desk
    first = desk.record
    assert first.layer is labels
    viewer.layers.selection.active = scan
    assert desk.record is first
    with qtbot.waitSignal(desk.recordChanged):
        other = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="other")
    second = desk.record
    assert second is not None
    assert second.layer is other
    assert desk.records == (first, second)
    assert desk.record_of(labels) is first
    assert desk.record_of(scan) is None
    with qtbot.waitSignal(desk.recordChanged):
        viewer.layers.remove(other)
    assert desk.record is first
    viewer.layers.remove(labels)
    assert desk.record is None
    assert desk.task() is None
    desk.do(paint(first, box(1, 3), 1))  # to nobody


def test_what_cannot_be_corrected_is_left_alone_and_so_is_what_was_chosen_before(
    qtbot: Any, viewer: Viewer, desk: Desk
) -> None:
    before = viewer.add_labels(np.zeros((3, 4, 5), np.uint32))
    read_only = np.zeros((3, 4, 5), np.uint8)
    read_only.flags.writeable = False
    negative = np.full((3, 4, 5), -1)
    for data in (np.zeros((4, 5), np.uint8), np.zeros((2, 2, 3, 4, 5), np.uint8), read_only, negative):
        assert desk.record is not None
        with qtbot.waitSignal(desk.recordChanged):
            viewer.add_labels(data)
        assert desk.record is None
        assert "can't be corrected" in desk.why_none
        viewer.layers.selection.active = before
        assert desk.why_none == ""


def test_histories_are_told_of_the_labels_that_are_chosen(
    qtbot: Any, viewer: Viewer, desk: Desk, record: Record
) -> None:
    other = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="other")
    assert desk.record_of(other) is desk.record
    with qtbot.assertNotEmitted(desk.changed):
        record.do(paint(record, box(1, 3), 1))  # of the one that is not
    with qtbot.waitSignal(desk.changed):
        viewer.layers.selection.active = record.layer
    with qtbot.waitSignal(desk.changed):
        desk.do(paint(record, box(5, 7), 1))
    assert len(record.history.steps) == 2


def test_all_labels_of_a_scan_share_a_journal(qtbot: Any, viewer: Viewer, desk: Desk, record: Record) -> None:
    other = viewer.add_labels(np.zeros(SHAPE, np.uint16), name="other")
    second = desk.record
    assert second is not None
    for one in (record, second):  # labels without a scan are known by their voxels, as these were before any stroke
        qtbot.waitUntil(lambda one=one: one.book.place is not None, timeout=WAIT_MS)
    record.do(paint(record, box(1, 3), 1))
    second.do(paint(second, box(2, 5), 4))
    for one in (record, second):
        qtbot.waitUntil(lambda one=one: one.book.ledger is not None and not one.book.waiting, timeout=WAIT_MS)
    (ledger,) = desk.ledgers
    journal = Journal(ledger.path)
    kept = {known.key: replay(journal, known) for known in journal.layers()}
    assert np.array_equal(kept[record.book.key], record.labels)
    assert np.array_equal(kept[second.book.key], other.data)


# ---- limits and tools ----------------------------------------------------------------------------------------------


def test_limits_are_told_once(qtbot: Any, desk: Desk, record: Record) -> None:
    for name, value in (("inside", frozenset({1})), ("intensity", (1.0, 2.0))):
        with qtbot.waitSignal(desk.limitsChanged):
            setattr(desk, name, value)
        with qtbot.assertNotEmitted(desk.limitsChanged):
            setattr(desk, name, value)
        assert getattr(desk, name) == value
    with qtbot.waitSignal(desk.limitsChanged):
        record.locked = frozenset({2})
    assert (desk.limits.inside, desk.limits.locked, desk.limits.intensity) == ({1}, {2}, (1.0, 2.0))


def test_the_scan_is_the_topmost_that_is_seen_on_the_grid(
    viewer: Viewer, desk: Desk, scan: Image, record: Record
) -> None:
    assert desk.image is scan
    viewer.add_image(np.zeros((5, 5, 5), np.float32))  # elsewhere
    assert desk.image is scan
    above = viewer.add_image(np.ones(SHAPE, np.float32), **placed_like(scan))
    assert desk.image is above
    assert desk.values().max() == 1
    above.visible = False
    assert desk.image is scan
    scan.visible = False
    assert desk.image is above  # better than none


def test_of_a_series_the_values_are_those_of_the_moment(viewer: Viewer, desk: Desk) -> None:
    viewer.add_image(np.arange(3, dtype=np.float32)[:, None, None, None] * np.ones((3, *SHAPE), np.float32))
    viewer.add_labels(np.zeros((3, *SHAPE), np.uint8))
    for moment in (2, 0, 1):
        viewer.dims.set_current_step(0, moment)
        assert np.unique(desk.values()).tolist() == [moment]


def test_one_tool_is_in_hand(qtbot: Any, desk: Desk, record: Record) -> None:
    notes: list[str] = []
    first, second = Noting(notes, "first"), Noting(notes, "second")
    take(qtbot, desk, first)
    with qtbot.assertNotEmitted(desk.toolChanged):
        desk.choose(first)
    take(qtbot, desk, second)
    assert desk.tool is second
    with qtbot.waitSignal(desk.toolChanged):
        desk.choose(None)
    assert notes == ["first begun", "first ended", "second begun", "second ended"]


def test_the_view_is_one_that_is_there(desk: Desk, record: Record) -> None:
    opened(desk.bench)
    desk.view = view_of(desk.bench, FLAT[2])
    task = desk.task()
    assert task is not None
    assert task.axis == 2
    desk.bench.close()
    settle()
    assert desk.view is desk.bench.views[0]
    task = desk.task()
    assert task is not None
    assert task.axis == 0


# ---- a running prediction ------------------------------------------------------------------------------------------


def predicted(rng: np.random.Generator) -> tuple[np.ndarray, list[Box]]:
    """Give what a model says of a volume, and the tiles in which it says it, some of them twice."""
    labels = rng.integers(0, 4, SHAPE).astype(np.uint16)
    tiles = [
        Box(start=(z, y, 0), stop=(min(z + 8, SHAPE[0]), min(y + 14, SHAPE[1]), SHAPE[2]))
        for z in range(0, SHAPE[0], 8) for y in range(0, SHAPE[1], 10)
    ]  # fmt: skip
    return labels, tiles


@pytest.mark.parametrize("early", [True, False], ids=["before it was corrected", "in the middle of corrections"])
def test_late_tiles_leave_corrections_alone_and_the_journal_agrees(
    qtbot: Any, viewer: Viewer, desk: Desk, record: Record, early: bool
) -> None:
    rng = np.random.default_rng(3)
    if not early:
        record.do(paint(record, box(1, 4), 9))
    overlay = Overlay(viewer, record.layer)
    desk.follow_run(overlay)
    labels, tiles = predicted(rng)
    mine = np.zeros(SHAPE, np.uint16)
    if not early:
        mine[box(1, 4).slices] = 9
    for number, tile in enumerate(tiles):
        overlay.write(tile, labels[tile.slices])
        if number % 3 == 1:  # strokes over what has come and over what is to come
            part = box(number, number + 6)
            for piece in (part, box(number + 1, number + 7)):
                record.draw(paint(record, piece, 5))
                mine[piece.slices] = 5
                overlay.write(tiles[0], labels[tiles[0].slices])  # in the middle of a stroke
            record.finish("Paint")
        if number % 4 == 2:  # napari's brush
            place = tuple(int(v) for v in rng.integers(2, 20, 3))
            record.layer.brush_size = 3
            record.layer.paint(place, 6)
            mine[record.layer.data == 6] = 6
    for tile in tiles:  # once more, as a model with two passes does
        overlay.write(tile, labels[tile.slices])
    overlay.finish()
    assert overlay.corrected
    expected = np.where(mine > 0, mine, labels)
    assert np.array_equal(record.labels, expected)
    record.capture()
    final = record.labels.copy()
    assert np.array_equal(final, expected)
    assert record.corrected[mine > 0].all()
    assert not record.corrected[mine == 0].any()
    assert any(step.by_model for step in record.history.steps)
    qtbot.waitUntil(lambda: record.book.ledger is not None and not record.book.waiting, timeout=WAIT_MS)
    ledger = record.book.ledger
    assert ledger is not None
    (known,) = Journal(ledger.path).layers()
    assert np.array_equal(replay(Journal(ledger.path), known), final)
    here = record.history.cursor
    record.jump(None)
    assert not record.corrected.any()
    record.jump(here)
    assert np.array_equal(record.labels, final)


def test_a_run_over_labels_that_nobody_corrects_is_no_history(viewer: Viewer, desk: Desk, record: Record) -> None:
    overlay = Overlay(viewer, record.layer)
    desk.follow_run(overlay)
    labels, tiles = predicted(np.random.default_rng(4))
    for tile in tiles:
        overlay.write(tile, labels[tile.slices])
    overlay.finish()
    record.capture()
    assert record.history.steps == ()
    assert not overlay.corrected
    assert np.array_equal(record.labels, labels)
    assert np.array_equal(record.shadow.read(Box.of(SHAPE)), labels)


def test_undo_while_tiles_come(viewer: Viewer, desk: Desk, record: Record) -> None:
    overlay = Overlay(viewer, record.layer)
    desk.follow_run(overlay)
    labels, tiles = predicted(np.random.default_rng(5))
    for tile in tiles[:4]:
        overlay.write(tile, labels[tile.slices])
    before = record.labels.copy()
    record.do(paint(record, box(2, 9), 8))
    for tile in tiles[4:8]:
        overlay.write(tile, labels[tile.slices])
    record.undo()  # the tiles that came after
    record.undo()
    assert np.array_equal(record.labels, before)
    record.redo()
    assert (record.labels[box(2, 9).slices] == 8).all()


def test_labels_that_a_run_shows_later_are_joined_to_it(viewer: Viewer, desk: Desk, scan: Image) -> None:
    layer = Labels(np.zeros(SHAPE, np.uint16), name="found", **placed_like(scan))
    overlay = Overlay(viewer, layer)
    desk.follow_run(overlay)
    labels, tiles = predicted(np.random.default_rng(6))
    overlay.write(tiles[0], labels[tiles[0].slices])
    viewer.add_layer(layer)  # with its first tile
    record = desk.record
    assert record is not None
    assert record.layer is layer
    record.do(paint(record, box(0, 5), 7))
    for tile in tiles:
        overlay.write(tile, labels[tile.slices])
    assert (record.labels[box(0, 5).slices] == 7).all()
    viewer.layers.remove(layer)
    overlay.write(tiles[0], labels[tiles[0].slices])  # nobody hears it
