"""A series in time from the drop to the saved file: each moment is segmented, the one that is looked at first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.consent import open_drops_here
from napari_vol3d.gui.hooks import sample_file
from napari_vol3d.gui.layers import to_volume
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.io.registry import read_volume
from tests.gui.conftest import RUN_MS, drop, start_segment

MOMENTS = 3


@pytest.fixture
def series_file(tmp_path: Path) -> Path:
    """The sample at three moments: as it is, fading, and with the head a voxel further to the left."""
    sample = nib.load(sample_file("hippocampus_average.nii.gz"))
    voxels = np.asarray(sample.dataobj).astype(np.float32)
    image = nib.Nifti1Image(np.stack([voxels, voxels * 0.5, np.roll(voxels, -1, axis=0)], axis=-1), sample.affine)
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 2.5
    nib.save(image, tmp_path / "dynamic.nii.gz")
    return tmp_path / "dynamic.nii.gz"


def test_a_series_is_segmented_moment_by_moment_and_saved_in_four_dimensions(
    qtbot: Any, bench: Workbench, viewer: Viewer, series_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_drops_here()
    drop(viewer, series_file)
    (scan,) = viewer.layers
    assert isinstance(scan, Image)
    assert viewer.dims.axis_labels == ("time", "z", "y", "x")
    viewer.dims.set_current_step(0, 2)
    QApplication.processEvents()

    start_segment(qtbot, bench)
    job, order = bench.segment.job, []

    def note(progress: Progress) -> None:
        if progress.finished is not None:
            order.append(progress.frame)

    job.progressed.connect(note)
    qtbot.waitUntil(lambda: not job.running, timeout=RUN_MS)
    assert order[0] == 2
    assert set(order) == {0, 1, 2}
    labels = viewer.layers["dynamic labels"]
    assert isinstance(labels, Labels)
    assert labels.data.shape == (MOMENTS, *to_volume(scan).shape)
    assert labels.axis_labels == scan.axis_labels
    np.testing.assert_allclose(labels.data_to_world((1, 2, 3, 4)), scan.data_to_world((1, 2, 3, 4)))
    assert viewer.dims.current_step[0] == 2
    assert all(set(np.unique(moment)) == {0, 1, 2} for moment in labels.data)
    # The moment that was shifted has its labels where it lies; x runs to the left in the layer.
    still, shifted = (np.argwhere(labels.data[moment]).mean(axis=0) for moment in (0, 2))
    np.testing.assert_allclose(shifted - still, (0, 0, 1), atol=0.3)

    target = series_file.with_name("found.nii.gz")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    qtbot.mouseClick(bench.segment.ui.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Saved" in bench.segment.ui.status.text(), timeout=RUN_MS)
    saved, original = nib.load(target), nib.load(series_file)
    assert saved.shape == original.shape
    np.testing.assert_array_equal(saved.affine, original.affine)
    assert saved.header.get_zooms()[3] == 2.5
    assert saved.get_data_dtype() == np.uint8
    # The file's x runs to the right, y to the front, z up; the layer's the other way, but for z.
    np.testing.assert_array_equal(np.asarray(saved.dataobj)[::-1, ::-1].T, labels.data)
    again = read_volume(target)
    assert again.timed
    assert [item.name for item in again.classes] == ["anterior", "posterior"]
