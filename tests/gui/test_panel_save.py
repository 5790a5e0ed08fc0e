"""The panel's Save, in each format that other programs open: they find the labels where they were painted."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import trimesh
from napari import Viewer
from napari.layers import Labels
from numpy.typing import NDArray
from pydicom.uid import SegmentationStorage
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.consent import open_drops_here
from napari_vol3d.gui.layers import labels_layer, to_volume
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.io.registry import read_volume
from tests.gui.conftest import drop

WAIT_MS = 30_000
CLASSES = (
    LabelClass(id=1, name="kidney left", color="#e69f00"), LabelClass(id=4, name="Milz", color="#0072b2"),
)  # fmt: skip


@pytest.fixture
def painted(qtbot: Any, bench: Workbench, viewer: Viewer, shared_data: Path, tmp_path: Path) -> Labels:
    """Two blocks on a real DICOM scan that was dropped, (z, y, x) towards superior, posterior, left."""
    open_drops_here()
    shutil.copytree(shared_data / "dicom" / "hippocrop", tmp_path / "scan")
    drop(viewer, tmp_path / "scan")
    qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=WAIT_MS)
    scan = to_volume(viewer.layers[0])
    found = np.zeros(scan.shape, np.uint8)
    found[5:15, 10:20, 8:20], found[20:24, 30:34, 25:29] = 1, 4
    layer = labels_layer(found, scan, CLASSES, name="mine", model="", like=viewer.layers[0])
    viewer.add_layer(layer)
    viewer.layers.selection.active = layer
    return layer


def save(qtbot: Any, bench: Workbench, monkeypatch: pytest.MonkeyPatch, target: Path, *, said: str = "") -> Path:
    """Press the panel's Save and choose a file."""
    ui, said = bench.segment.ui, said or f"Saved {target.name} in "
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    qtbot.mouseClick(ui.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: said in ui.status.text(), timeout=WAIT_MS)
    return target


def middle(layer: Labels, label: int) -> NDArray[np.float64]:
    """Where the middle of a label's voxels lies in the patient: right, anterior, superior in mm."""
    index = np.append(np.argwhere(np.asarray(layer.data) == label).mean(axis=0), 1)
    return np.asarray((to_volume(layer).geometry.affine @ index)[:3])


def test_the_panel_saves_in_each_format(
    qtbot: Any, bench: Workbench, painted: Labels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
) -> None:  # fmt: skip
    assert bench.segment.ui.save.text() == "Save mine ..."
    counts = {label: int((painted.data == label).sum()) for label in (1, 4)}
    with subtests.test(".seg.nrrd"):
        image = sitk.ReadImage(str(save(qtbot, bench, monkeypatch, tmp_path / "out.seg.nrrd")))
        voxels = sitk.GetArrayFromImage(image)
        for k, item in enumerate(CLASSES):
            assert image.GetMetaData(f"Segment{k}_Name") == item.name
            assert int(image.GetMetaData(f"Segment{k}_LabelValue")) == item.id
        for label, count in counts.items():
            assert (voxels == label).sum() == count
            at = np.argwhere(voxels == label).mean(axis=0)[::-1].tolist()
            lps = np.array(image.TransformContinuousIndexToPhysicalPoint(at))
            np.testing.assert_allclose(lps * (-1, -1, 1), middle(painted, label), atol=1e-3)
    with subtests.test(".ome.zarr"):
        back = read_volume(save(qtbot, bench, monkeypatch, tmp_path / "out.ome.zarr"))
        np.testing.assert_array_equal(np.asarray(back.data), painted.data)
        np.testing.assert_allclose(back.geometry.spacing, painted.scale)
        assert back.classes == CLASSES
    with subtests.test(".dcm"):
        (tmp_path / "segmentation").mkdir()
        path = save(qtbot, bench, monkeypatch, tmp_path / "segmentation" / "out.dcm")
        found = pydicom.dcmread(path)
        assert found.SOPClassUID == SegmentationStorage
        assert [one.SegmentLabel for one in found.SegmentSequence] == [item.name for item in CLASSES]
        assert found.FrameOfReferenceUID == pydicom.dcmread(tmp_path / "scan" / "1.dcm").FrameOfReferenceUID
        assert found.pixel_array.sum() == sum(counts.values())
        back = read_volume(path)
        assert back.geometry.matches(to_volume(painted).geometry)
        ids = {item.name: item.id for item in back.classes}
        for item in CLASSES:
            np.testing.assert_array_equal(np.asarray(back.data) == ids[item.name], painted.data == item.id)
    with subtests.test(".stl"):
        said = "Saved out_kidney_left.stl and a file for each other class in "
        save(qtbot, bench, monkeypatch, tmp_path / "out.stl", said=said)
        for item, file in zip(CLASSES, ("out_kidney_left.stl", "out_Milz.stl"), strict=True):
            mesh = trimesh.load(tmp_path / file)
            assert mesh.is_watertight
            # Its corners are cut: a block of 4 x 4 x 4 voxels loses most.
            assert mesh.volume == pytest.approx(float(np.prod(painted.scale)) * counts[item.id], rel=0.15)
            np.testing.assert_allclose(mesh.centroid * (-1, -1, 1), middle(painted, item.id), atol=0.1)
    with subtests.test(".csv"):
        with save(qtbot, bench, monkeypatch, tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["name"] for row in rows] == [item.name for item in CLASSES]
        assert [int(row["voxels"]) for row in rows] == list(counts.values())
