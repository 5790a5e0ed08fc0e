"""The main job, as a person does it: drop, segment, correct, save; and what happens when the engine dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import psutil
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.metrics import dice
from napari_vol3d.gui.consent import open_drops_here
from napari_vol3d.gui.layers import to_volume
from napari_vol3d.gui.saving import save_in_background
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.models.store import find_model
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.gui.conftest import RUN_MS, drop, press_segment, start_segment, stroke

pytestmark = pytest.mark.usefixtures("vol3d")


def test_drop_segment_correct_save(
    qtbot: Any, bench: Workbench, viewer: Viewer, scan_file: Path, real_case: tuple[Path, Path]
) -> None:
    open_drops_here()
    drop(viewer, scan_file)
    (scan,) = viewer.layers
    assert isinstance(scan, Image)
    assert scan.name == "patient one"
    assert [str(unit) for unit in scan.units] == ["millimeter"] * 3

    press_segment(qtbot, bench)
    labels = viewer.layers["patient one labels"]
    assert isinstance(labels, Labels)
    assert "Done in" in bench.segment.ui.result.text()
    predicted = labels.data.copy()

    # The overlay lies on the scan, voxel by voxel, and has names and colours.
    np.testing.assert_allclose(labels.data_to_world((1, 2, 3)), scan.data_to_world((1, 2, 3)))
    assert labels.features["name"].tolist() == ["background", "anterior", "posterior"]
    np.testing.assert_allclose(labels.get_color(1)[:3], np.array([0xE6, 0x9F, 0]) / 255, atol=0.01)
    assert labels.get_color(0) is None  # background is transparent

    # A stroke with the brush, in a corner where the model saw nothing.
    viewer.layers.selection.active = labels
    labels.mode, labels.selected_label, labels.brush_size = "paint", 2, 3
    level = viewer.dims.current_step[0]
    y, x = (labels.data_to_world((level, 4, 4))[axis] for axis in (1, 2))
    stroke(qtbot, viewer, (y, x), (y, x + 6))
    painted = labels.data != predicted
    assert painted[level].sum() >= 6
    assert not np.delete(painted, level, axis=0).any()

    # Undo and redo are napari's own.
    native = viewer.window._qt_viewer.canvas.native
    qtbot.keyClick(native, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(labels.data, predicted)
    qtbot.keyClick(
        native, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    np.testing.assert_array_equal(labels.data != predicted, painted)

    target = scan_file.with_name("corrected.nii.gz")
    job = save_in_background(bench, labels, target, bench.segment.ui.say)
    with qtbot.waitSignal(job.ended, timeout=RUN_MS):
        pass
    assert "Saved" in bench.segment.ui.status.text()

    saved, original, reference = nib.load(target), nib.load(scan_file), nib.load(real_case[1])
    assert saved.shape == original.shape
    np.testing.assert_array_equal(saved.affine, original.affine)
    assert np.issubdtype(saved.get_data_dtype(), np.unsignedinteger)
    voxels, truth = np.asarray(saved.dataobj), np.asarray(reference.dataobj)
    for class_id in (1, 2):
        score = dice(voxels == class_id, truth == class_id)
        assert score is not None
        assert score > 0.8
    # What was painted is in the file, at its place in the file's own axes.
    assert (voxels == 2).sum() == (labels.data == 2).sum()


def test_window_and_headless_run_give_identical_labels(
    qtbot: Any, bench: Workbench, viewer: Viewer, scan_file: Path
) -> None:
    viewer.open(scan_file, plugin="napari-vol3d")
    press_segment(qtbot, bench)
    shown = viewer.layers["patient one labels"].data
    verb = segment(to_volume(viewer.layers["patient one"]), find_model("hippocampus-t1"), SegmentSettings())
    while True:
        try:
            next(verb)
        except StopIteration as end:
            prediction = end.value
            break
    np.testing.assert_array_equal(shown, prediction.labels)
    assert shown.any()


def test_a_second_run_never_touches_corrected_labels(
    qtbot: Any, bench: Workbench, viewer: Viewer, scan_file: Path
) -> None:
    viewer.open(scan_file, plugin="napari-vol3d")
    press_segment(qtbot, bench)
    first = viewer.layers["patient one labels"]
    first.data_setitem((np.array([1]), np.array([1]), np.array([1])), 2)
    kept = first.data.copy()
    press_segment(qtbot, bench)
    labels = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    assert len(labels) == 2
    np.testing.assert_array_equal(first.data, kept)
    assert labels[1].visible
    assert not first.visible


def test_killing_the_engine_costs_no_more_than_time(qtbot: Any, bench: Workbench, viewer: Viewer) -> None:
    rng = np.random.default_rng(0)
    viewer.add_image(rng.normal(100, 20, (64, 96, 96)).astype(np.float32), name="big", units=("mm",) * 3)
    bench.segment.ui.options.memory.setValue(0.1)
    bench.segment.ui.options.halo.setValue(8)  # measuring it would take a while, and is tested elsewhere
    mine = viewer.add_labels(np.ones((64, 96, 96), np.uint8), name="my work", units=("mm",) * 3)
    start_segment(qtbot, bench)
    panel = bench.segment
    qtbot.waitUntil(lambda: panel.ui.bar.maximum() > 1 and panel.ui.bar.value() >= 1, timeout=RUN_MS)
    os.kill(panel._keeper.get("auto").process.pid, signal.SIGKILL)
    job = panel.job
    assert job is not None
    # It says what happened, and goes on with smaller patches in a fresh process.
    qtbot.waitUntil(lambda: "signal 9" in panel.ui.result.text(), timeout=RUN_MS)
    assert "Going on with smaller" in panel.ui.result.text()
    assert job.running
    qtbot.waitUntil(lambda: not job.running, timeout=RUN_MS)
    assert "Done in" in panel.ui.result.text()
    assert "signal 9" in panel.ui.result.text()  # still said where the result is
    assert "big labels" in viewer.layers
    assert mine in viewer.layers
    assert mine.data.all()
    assert panel.ui.run.isEnabled()


def test_cancel_inside_a_volume_keeps_finished_tiles(qtbot: Any, bench: Workbench, viewer: Viewer) -> None:
    rng = np.random.default_rng(0)
    viewer.add_image(rng.normal(100, 20, (96, 160, 160)).astype(np.float32), name="big", units=("mm",) * 3)
    bench.segment.ui.options.memory.setValue(0.1)
    bench.segment.ui.options.halo.setValue(8)  # measuring it would take a while, and is tested elsewhere
    start_segment(qtbot, bench)
    panel = bench.segment
    qtbot.waitUntil(lambda: panel.ui.bar.maximum() > 1 and panel.ui.bar.value() >= 1, timeout=RUN_MS)
    done, total = panel.ui.bar.value(), panel.ui.bar.maximum()
    qtbot.mouseClick(panel.ui.cancel, Qt.MouseButton.LeftButton)
    job = panel.job
    assert job is not None
    qtbot.waitUntil(lambda: not job.running, timeout=RUN_MS)
    assert done < total
    assert panel.ui.bar.value() < total
    assert "Cancelled" in panel.ui.status.text()
    assert panel.ui.run.isEnabled()


def test_closing_the_window_in_the_middle_of_a_run_leaves_no_process(
    qtbot: Any, bench: Workbench, viewer: Viewer
) -> None:
    rng = np.random.default_rng(0)
    viewer.add_image(rng.normal(100, 20, (96, 160, 160)).astype(np.float32), name="big", units=("mm",) * 3)
    bench.segment.ui.options.memory.setValue(0.1)
    bench.segment.ui.options.halo.setValue(8)  # measuring it would take a while, and is tested elsewhere
    start_segment(qtbot, bench)
    qtbot.waitUntil(lambda: bench.segment.ui.bar.value() >= 1, timeout=RUN_MS)
    engine = bench.segment._keeper.get("auto")
    pid, folder = engine.process.pid, engine.folder
    viewer.close()
    QApplication.processEvents()
    qtbot.waitUntil(lambda: not psutil.pid_exists(pid), timeout=RUN_MS)
    qtbot.waitUntil(lambda: not folder.exists(), timeout=RUN_MS)
