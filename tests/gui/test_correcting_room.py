"""The desk in the dock: strokes in any view, what a save means to the journal, a window that goes at any moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtGui import QCursor
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.brush import BallBrush
from napari_vol3d.gui.correct.tools.painting import PaintingTool
from napari_vol3d.gui.correcting_room import CorrectingRoom
from napari_vol3d.gui.hooks import sample_file
from napari_vol3d.gui.layers import to_volume
from napari_vol3d.gui.placing import placed_like
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.review import lock
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.recovery import unsaved_in
from napari_vol3d.review.replay import replay
from tests.builders import phantom, save_nifti
from tests.gui.bench.conftest import opened, settle, view_of
from tests.gui.conftest import PLUGIN, RUN_MS, start_segment
from tests.gui.correct.mousing import drag, go_to, move, pixel_of, press

LEFT = Qt.MouseButton.LeftButton
WAIT_MS = 10_000


@pytest.fixture
def scan_file(tmp_path: Path) -> Path:
    return save_nifti(tmp_path / "scan.nii.gz", phantom()[0], spacing=(1.0, 2.0, 3.0))


@pytest.fixture
def scan(bench: Workbench, viewer: Viewer, scan_file: Path) -> Image:
    (layer,) = viewer.open(scan_file, plugin=PLUGIN)
    assert isinstance(layer, Image)
    return layer


@pytest.fixture
def labels(viewer: Viewer, scan: Image) -> Labels:
    layer = viewer.add_labels(np.zeros(scan.data.shape, np.uint8), name="mine", **placed_like(scan))
    assert isinstance(layer, Labels)
    return layer


@pytest.fixture
def room(bench: Workbench, labels: Labels) -> CorrectingRoom:
    return bench.correct()


@pytest.fixture
def record(room: CorrectingRoom, labels: Labels) -> Record:
    found = room.desk.record
    assert found is not None
    assert found.layer is labels
    return found


def change(record: Record, class_id: int) -> None:
    before = record.labels[class_id : class_id + 1].copy()
    edit = Edit.between(f"Slice {class_id}", before, np.full_like(before, class_id), start=(class_id, 0, 0))
    assert edit is not None
    record.do(edit)


def written(qtbot: Any, record: Record) -> Journal:
    """Wait until all is on the disk."""
    book = record.book
    qtbot.waitUntil(lambda: book.ledger is not None and not book.waiting, timeout=WAIT_MS)
    assert book.ledger is not None
    assert book.ledger.writer.flush(10)
    return Journal(book.ledger.path)


def unsaved(journal: Journal) -> list[int]:
    return [one.edits for one in journal.unsaved()]


# ---- the room ------------------------------------------------------------------------------------------------------


def test_the_first_labels_bring_it(bench: Workbench, viewer: Viewer, scan: Image) -> None:
    assert bench.correcting is None
    layer = viewer.add_labels(np.zeros(scan.data.shape, np.uint8))
    assert bench.correcting is not None
    assert bench.correct() is bench.correcting
    assert bench.correcting.desk.record is not None
    assert bench.correcting.desk.record.layer is layer


def test_the_brush_draws_in_every_view(qtbot: Any, bench: Workbench, room: CorrectingRoom, record: Record) -> None:
    opened(bench.reading.bench)
    record.layer.selected_label = 3
    room.panel.take("BallBrush")
    brush = room.panel.tools["BallBrush"]
    assert isinstance(brush, BallBrush)
    middle = tuple(n // 2 for n in record.labels.shape)
    for number, plane in enumerate((Plane.AXIAL, Plane.CORONAL, Plane.SAGITTAL), start=1):
        go_to(room.desk.bench, record, middle)
        view = view_of(room.desk.bench, plane)
        before = np.count_nonzero(record.labels)
        ends = [tuple(m + (0 if k == plane.value else shift) for k, m in enumerate(middle)) for shift in (-4, 0, 4)]
        drag(view, [pixel_of(view, record, voxel) for voxel in ends])
        assert np.count_nonzero(record.labels) > before
        assert all(record.labels[voxel] == 3 for voxel in ends)
        assert len(record.history.steps) == number
    room.panel.undo()
    assert len(record.history.steps) == 3
    assert record.history.at == 2


def test_brush_and_eraser_are_of_one_size(room: CorrectingRoom, record: Record) -> None:
    """Who turns to the eraser means to erase as large."""
    sizes = []
    for name, size in (("BallBrush", 7.5), ("Eraser", 3.0)):
        room.panel.take(name)
        tool = room.panel.tools[name]
        assert isinstance(tool, PaintingTool)
        tool.size_form.box.setValue(size)
        sizes.append({tool.radius() for tool in room.panel.tools.values() if isinstance(tool, PaintingTool)})
    assert sizes == [{3.75}, {1.5}]


def test_which_hand_holds_the_pen_is_remembered(room: CorrectingRoom, bench: Workbench, record: Record) -> None:
    before = room.panel.ui.tools.buttons["BallBrush"].toolTip()
    assert before.endswith("[W]")
    room.keys.setValue("left")
    room.keys.valueChanged.emit("left")
    assert room.panel.ui.tools.buttons["BallBrush"].toolTip().endswith("[I]")
    assert room._settings.hand == "left"


# ---- saving --------------------------------------------------------------------------------------------------------


def test_what_the_segment_tab_saves_is_not_to_be_recovered(
    qtbot: Any, bench: Workbench, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "labels.nii.gz"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    change(record, 1)
    change(record, 2)
    journal = written(qtbot, record)
    assert unsaved(journal) == [2]
    with qtbot.waitSignal(bench.segment.findings.saved, timeout=RUN_MS):
        qtbot.mouseClick(bench.segment.ui.save, LEFT)
        change(record, 3)  # while the file is written
    written(qtbot, record)
    assert unsaved(journal) == [1]
    with qtbot.waitSignal(bench.segment.findings.saved, timeout=RUN_MS):
        qtbot.mouseClick(bench.segment.ui.save, LEFT)
    written(qtbot, record)
    assert unsaved(journal) == []
    assert np.array_equal(np.asarray(nib.load(target).dataobj).T, record.labels)
    bench.let_go()
    assert unsaved_in() == ()


def test_labels_that_are_taken_away_while_they_are_saved_are_saved(
    qtbot: Any, bench: Workbench, viewer: Viewer, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "labels.nii.gz"), ""))
    change(record, 1)
    journal = written(qtbot, record)
    with qtbot.waitSignal(bench.segment.findings.saved, timeout=RUN_MS):
        qtbot.mouseClick(bench.segment.ui.save, LEFT)
        viewer.layers.remove(record.layer)
    assert record.book.ledger is not None
    assert record.book.ledger.writer.flush(10)
    assert unsaved(journal) == []


def test_saving_to_another_place_counts_too(
    qtbot: Any, bench: Workbench, room: CorrectingRoom, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "elsewhere.nii.gz"), ""))
    change(record, 1)
    journal = written(qtbot, record)
    with qtbot.waitSignal(room.panel.keeping.saved, timeout=RUN_MS):
        room.panel.keeping.save_elsewhere()
    written(qtbot, record)
    assert unsaved(journal) == []


def test_a_save_that_nobody_wanted_in_the_end_changes_nothing(
    qtbot: Any, bench: Workbench, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    change(record, 1)
    journal = written(qtbot, record)
    qtbot.mouseClick(bench.segment.ui.save, LEFT)
    assert unsaved(journal) == [1]


# ---- the end -------------------------------------------------------------------------------------------------------


def test_a_window_that_closes_in_the_middle_of_a_stroke_loses_nothing(
    qtbot: Any, bench: Workbench, viewer: Viewer, room: CorrectingRoom, record: Record
) -> None:
    layer = record.layer
    change(record, 1)  # nobody knows yet which scan it is
    layer.data[5, 5, 5] = 9  # and nobody was told of this
    layer.selected_label = 3
    room.panel.take("BallBrush")
    go_to(room.desk.bench, record, tuple(n // 2 for n in record.labels.shape))
    view = room.desk.bench.views[0]
    middle = tuple(n // 2 for n in record.labels.shape)
    press(view, pixel_of(view, record, middle))
    move(view, pixel_of(view, record, tuple(m + (0, 3, 3)[k] for k, m in enumerate(middle))))
    QApplication.processEvents()
    ledgers = room.desk.ledgers
    bench.let_go()  # as when its window closes
    final = layer.data.copy()
    assert final[5, 5, 5] == 9
    (found,) = unsaved_in()
    journal = Journal(found.journal)
    assert not lock.in_use(journal)
    assert np.array_equal(replay(journal, found.layer), final)
    assert all(not ledger.writer.waiting for ledger in ledgers)


@pytest.mark.parametrize("plane", list(Plane))
def test_views_that_close_under_the_mouse_leave_nothing_behind(
    bench: Workbench, room: CorrectingRoom, plane: Plane
) -> None:
    """Where a view goes, another comes under the mouse, and is told so."""
    views = opened(room.desk.bench)
    native = view_of(views, plane).native
    QCursor.setPos(native.mapToGlobal(native.rect().center()))
    settle()
    bench.let_go()
    settle()
    assert not hasattr(room.desk, "view")  # with it napari's window would outlive its end


def test_a_dock_that_is_closed_and_opened_goes_on_with_the_labels(qtbot: Any, viewer: Viewer, scan_file: Path) -> None:
    dock, first = viewer.window.add_plugin_dock_widget(PLUGIN, "Vol3D")
    (scan,) = viewer.open(scan_file, plugin=PLUGIN)
    layer = viewer.add_labels(np.zeros(scan.data.shape, np.uint8), **placed_like(scan))
    record = first.correct().desk.record
    assert record is not None
    change(record, 1)
    journal = written(qtbot, record)
    viewer.window.remove_dock_widget(dock)
    assert not lock.in_use(journal)
    left = unsaved_in()
    _, again = viewer.window.add_plugin_dock_widget(PLUGIN, "Vol3D")
    assert again is not first
    anew = again.correct().desk.record
    assert anew is not None
    assert anew.layer is layer
    assert [step.name for step in anew.history.steps] == ["Slice 1"]
    with qtbot.waitSignal(again.correct().recovering.recovered):  # it is here: nothing is opened twice
        again.correct().recovering.recover(left)
    assert len([one for one in viewer.layers if isinstance(one, Labels)]) == 1
    change(anew, 2)
    written(qtbot, anew)
    qtbot.waitUntil(lambda: lock.in_use(journal), timeout=WAIT_MS)
    assert anew.book.ledger is not None
    assert anew.book.ledger.held is None
    layer.undo()
    assert np.unique(layer.data).tolist() == [0, 1]
    again.let_go()


# ---- a run beside corrections --------------------------------------------------------------------------------------


def test_strokes_during_a_run_stay_and_the_journal_has_all_of_it(
    qtbot: Any, bench: Workbench, viewer: Viewer, tmp_path: Path
) -> None:
    viewer.open(sample_file("hippocampus_average.nii.gz"), plugin=PLUGIN)
    bench.segment.ui.options.memory.setValue(0.2)
    bench.segment.update_plan()
    start_segment(qtbot, bench)
    job = bench.segment.job
    assert job is not None
    mine: list[np.ndarray] = []

    def draw(progress: Progress) -> None:
        record = bench.correct().desk.record if bench.correcting is not None else None
        if progress.finished is None or record is None:
            return
        number = len(mine) + 1
        before = record.labels.copy()
        box = tuple(slice(4 * number, 4 * number + 6) for _ in range(3))
        part = before[box].copy()
        edit = Edit.between("Mine", part, np.full_like(part, number % 2 + 1), start=(4 * number,) * 3)
        if edit is not None and number < 6:
            record.do(edit)
            mine.append(record.labels != before)

    job.progressed.connect(draw)
    qtbot.waitUntil(lambda: not job.running, timeout=RUN_MS)
    record = bench.correct().desk.record
    assert record is not None
    layer = record.layer
    assert mine
    assert layer.data.shape == to_volume(layer).shape
    record.capture()
    touched = np.logical_or.reduce(mine)
    assert np.array_equal(record.corrected, touched)
    wanted = np.zeros(layer.data.shape, layer.data.dtype)
    for number, where in enumerate(mine, start=1):
        wanted[where] = number % 2 + 1
    assert np.array_equal(layer.data[touched], wanted[touched])
    assert (layer.data[~touched] > 0).any()  # the model's
    final, journal = layer.data.copy(), written(qtbot, record)
    (known,) = journal.layers()
    assert np.array_equal(replay(journal, known), final)
    while record.history.at:
        record.undo()
    assert not record.touched.mask.any()
    while record.history.next is not None:
        record.redo()
    assert np.array_equal(layer.data, final)
    assert np.array_equal(record.corrected, touched)
