"""A series of volumes, split by napari: each part still lies where the file says, and so do its labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from napari import Viewer
from napari.layers._layer_actions import _split_stack

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.metrics import dice
from napari_vol3d.gui.layers import labels_layer, to_volume
from napari_vol3d.gui.saving import save_in_background
from tests.builders import phantom

WAIT_MS = 20_000
CLASSES = (LabelClass(id=1, name="ball", color="#e69f00"),)


@pytest.mark.parametrize("signs", [(-1, 1, 1), (1, 1, 1), (1, -1, -1)], ids=["LAS", "RAS", "RPI"])
def test_labels_of_a_split_layer_lie_on_the_files_own_voxels(
    qtbot: Any, viewer: Viewer, tmp_path: Path, signs: tuple[int, int, int]
) -> None:
    ball, _ = phantom((20, 24, 18))
    stored = np.stack([ball.T, 2 * ball.T], axis=-1)
    path = tmp_path / "series.nii.gz"
    nib.save(nib.Nifti1Image(stored, np.diag([*(np.array(signs) * (0.5, 1.0, 2.0)), 1.0])), path)
    viewer.open(path, plugin="napari-vol3d")
    _split_stack(viewer.layers)  # the layer menu's Split Stack
    second = next(layer for layer in viewer.layers if layer.data.max() > 1.5 * ball.max())
    volume = to_volume(second)
    assert volume.geometry.anatomical
    assert (volume.geometry.unit, volume.geometry.spacing, volume.channels) == ("mm", (2.0, 1.0, 0.5), ())

    found = labels_layer(
        (second.data > 300).astype(np.uint8), volume, CLASSES, name="labels", model="m", like=second
    )  # fmt: skip
    viewer.add_layer(found)
    job = save_in_background(viewer.window._qt_window, found, tmp_path / "labels.nii.gz", lambda _: None)
    with qtbot.waitSignal(job.ended, timeout=WAIT_MS):
        pass
    saved = nib.load(tmp_path / "labels.nii.gz")
    np.testing.assert_array_equal(saved.affine, nib.load(path).affine)
    assert dice(np.asarray(saved.dataobj) == 1, stored[..., 1] > 300) == 1


def test_a_part_that_was_cut_off_claims_no_patient(viewer: Viewer, tmp_path: Path) -> None:
    ball, _ = phantom((20, 24, 18))
    nib.save(nib.Nifti1Image(ball.T, np.diag([-1.0, 1.0, 1.0, 1.0])), tmp_path / "scan.nii.gz")
    (layer,) = viewer.open(tmp_path / "scan.nii.gz", plugin="napari-vol3d")
    layer.data = layer.data[5:]  # nobody knows from where, once it is done
    assert not to_volume(layer).geometry.anatomical
