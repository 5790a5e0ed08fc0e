"""Each format by a real drop on a real window: the layer is what `read_volume` gives, or there is one sentence."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import SimpleITK as sitk
import zarr
from napari import Viewer
from napari._qt.dialogs.qt_reader_dialog import QtReaderDialog
from napari.layers import Image, Labels, Layer
from napari.utils.notifications import notification_manager
from npe2 import PluginManifest
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QLabel, QMessageBox
from zarr.storage import LocalStore

from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.consent import open_drops_here
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import classes_of
from napari_vol3d.gui.part_choice import PartChoice
from napari_vol3d.io.registry import read_volume, write_labels
from tests.builders import CLASSES, phantom, save_nifti
from tests.gui.conftest import drop
from tests.gui.test_hooks import Answer, press
from tests.io.dicom_phantom import series
from tests.io.rtstruct_phantom import on_slice, rectangle, structures
from tests.io.seg_phantom import NAMES, segmentation
from tests.io.zarr_phantom import write_image

WAIT_MS = 30_000
OPEN, CANCEL = QDialogButtonBox.StandardButton.Open, QDialogButtonBox.StandardButton.Cancel
UNITS = {"mm": "millimeter", "um": "micrometer", "pixel": "pixel"}
Made = Callable[[Path, Path], Path]  # a file, of the real data or made in a folder


@pytest.fixture(autouse=True)
def consent(viewer: Viewer, vol3d: Any) -> Iterator[None]:
    """A person has said yes, and napari's own reader is there too, as it is on their machine."""
    with vol3d.tmp_plugin(manifest=PluginManifest.from_distribution("napari")):
        open_drops_here()
        asked = Answer(QtReaderDialog, lambda dialog: dialog.reject())
        yield
        assert not asked.seen


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What the person was told in this test, but for what goes well."""
    notification_manager.records.clear()
    yield notification_manager.records
    notification_manager.records.clear()


def complaints(told: list[Any]) -> list[str]:
    return [record.message for record in told if str(record.severity) in ("error", "warning")]


def settle(qtbot: Any, viewer: Viewer) -> None:
    """Wait for all that is read in threads."""
    qtbot.waitUntil(lambda: not _reading(viewer), timeout=WAIT_MS)
    QApplication.processEvents()


def _reading(viewer: Viewer) -> bool:
    return any(job.running or job._worker.is_running for job in viewer.window._qt_window.findChildren(Job))


def assert_shows(layer: Layer, volume: Volume) -> None:
    """Same voxels, at the same spacing and in the same unit: axes time, channel, z, y, x."""
    data = np.asarray(volume.data)
    turned = data.transpose(*range(data.ndim - 1, 2, -1), 0, 1, 2)
    shown = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    np.testing.assert_array_equal(np.asarray(shown), turned)
    np.testing.assert_allclose(layer.scale[-3:], volume.geometry.spacing)
    assert [str(unit) for unit in layer.units[-3:]] == [UNITS[volume.geometry.unit]] * 3
    assert layer.axis_labels[-3:] == ("z", "y", "x")
    assert layer.name == volume.name


# ---- each format ---------------------------------------------------------------------------------------------------


def itk_pair(name: str) -> Made:
    def make(_: Path, folder: Path) -> Path:
        image = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 4000, (6, 7, 8), np.int16))
        image.SetSpacing((0.5, 0.75, 3.0))
        image.SetOrigin((10.0, -20.0, 30.0))
        sitk.WriteImage(image, str(folder / name))
        assert len(list(folder.glob("pair.*"))) == 2
        return folder / name

    return make


def real(name: str) -> Made:
    return lambda shared, _: shared / name


def multiscale(version: str) -> Made:
    return lambda _, folder: write_image(folder / "cells.ome.zarr", version=version)


def plain_zarr(_: Path, folder: Path) -> Path:
    data = phantom()[0]
    store = LocalStore(folder / "plain.zarr")
    zarr.create_array(store, shape=data.shape, dtype=data.dtype, chunks=(8, 8, 8))[...] = data
    return folder / "plain.zarr"


def hdf5(_: Path, folder: Path) -> Path:
    with h5py.File(folder / "one.h5", "w") as file:
        file["raw"] = phantom()[0]
    return folder / "one.h5"


def numpy_file(_: Path, folder: Path) -> Path:
    np.save(folder / "a.npy", phantom()[0])
    return folder / "a.npy"


def nameless(shared: Path, folder: Path) -> Path:
    """One of the files of a series, as scanners name them."""
    for path in (shared / "dicom" / "hippocrop").iterdir():
        shutil.copy(path, folder / f"IM{int(path.stem):04}")
    return folder / "IM0001"


FORMATS: dict[str, Made] = {
    "nii.gz": real("scans/chris_t1.nii.gz"),
    "series in time": real("scans/pcasl.nii.gz"),
    "nrrd": real("scans/brain1_image.nrrd"),
    "mha": real("scans/3DCT_lung_baseline.mha"),
    "nhdr and raw": itk_pair("pair.nhdr"),
    "mhd and raw": itk_pair("pair.mhd"),
    "tif": real("microscopy/nuclei_8cell/raw.tif"),
    "float tif": real("microscopy/test_very_small.tif"),
    "ome-zarr 0.4": multiscale("0.4"),
    "ome-zarr 0.5": multiscale("0.5"),
    "zarr": plain_zarr,
    "h5": hdf5,
    "npy": numpy_file,
    "DICOM folder": real("dicom/hippocrop"),
    "DICOM file": real("dicom/hippocrop/7.dcm"),
    "DICOM file without extension": nameless,
    "oblique DICOM": real("dicom/t1post_oblique"),
}  # fmt: skip


def test_a_dropped_scan_is_shown_as_it_was_read(
    qtbot: Any, viewer: Viewer, shared_data: Path, tmp_path: Path, told: list[Any], subtests: pytest.Subtests
) -> None:
    for name, make in FORMATS.items():
        with subtests.test(name):
            viewer.layers.clear()
            told.clear()
            folder = tmp_path / name
            folder.mkdir()
            path = make(shared_data, folder)
            drop(viewer, path)
            settle(qtbot, viewer)
            (layer,) = viewer.layers
            assert isinstance(layer, Image)
            assert_shows(layer, read_volume(path))
            assert layer.multiscale == path.name.endswith(".ome.zarr")
            assert not complaints(told)


def test_a_series_has_a_slider_for_time(viewer: Viewer, shared_data: Path) -> None:
    drop(viewer, shared_data / "scans" / "pcasl.nii.gz")
    (layer,) = viewer.layers
    assert layer.data.shape == (10, 20, 68, 52)
    assert viewer.dims.axis_labels == ("time", "z", "y", "x")
    stored = np.asarray(read_volume(shared_data / "scans" / "pcasl.nii.gz").data)
    for moment in (0, 9):
        viewer.dims.set_point((0, 1), (moment, layer.data_to_world((0, 7, 0, 0))[1]))
        np.testing.assert_array_equal(layer._slice.image.raw, stored[7, ..., moment])


def test_a_real_mgz_opens(viewer: Viewer, shared_data: Path, told: list[Any]) -> None:
    path = shared_data / "scans" / "nibabel" / "test.mgz"
    drop(viewer, path)
    (layer,) = viewer.layers
    assert_shows(layer, read_volume(path))
    assert not complaints(told)


# ---- labels --------------------------------------------------------------------------------------------------------


def dicom_seg(folder: Path) -> tuple[Path, Path, list[str]]:
    scan = series(folder / "scan")
    pixels = np.zeros((6, 9, 7), np.uint8)
    pixels[1:3, 2:5, 1:4], pixels[4, 6:8, 5] = 1, 2
    return scan, segmentation(folder / "seg.dcm", scan, pixels), list(NAMES[:2])


def contours(folder: Path) -> tuple[Path, Path, list[str]]:
    scan = series(folder / "scan")
    box = on_slice(read_volume(scan), rectangle((1, 2), (4, 6)), 1)
    drawn = {"liver": [box], "spleen": [np.add(box, (0, 0, 2.5))]}
    return scan, structures(folder / "rt.dcm", drawn), list(drawn)


def slicer(folder: Path) -> tuple[Path, Path, list[str]]:
    folder.mkdir()
    image, labels = phantom()
    scan = save_nifti(folder / "scan.nii.gz", image, spacing=(2, 1, 0.5))
    made = read_volume(save_nifti(folder / "made.nii.gz", labels, spacing=(2, 1, 0.5)))
    target = write_labels(folder / "of scan.seg.nrrd", replace(made, classes=CLASSES))
    return scan, target, [item.name for item in CLASSES]


LABELLED = {"DICOM-SEG": dicom_seg, "RTSTRUCT": contours, "seg.nrrd": slicer}


def test_labels_dropped_on_their_scan_lie_on_it_with_names_and_colours(
    qtbot: Any, viewer: Viewer, tmp_path: Path, told: list[Any], subtests: pytest.Subtests
) -> None:
    for name, make in LABELLED.items():
        with subtests.test(name):
            viewer.layers.clear()
            scan, path, names = make(tmp_path / name)
            drop(viewer, scan)
            settle(qtbot, viewer)
            drop(viewer, path)
            settle(qtbot, viewer)
            image, labels = viewer.layers
            assert isinstance(image, Image)
            assert isinstance(labels, Labels)
            volume = read_volume(path)
            assert_shows(labels, volume)
            assert labels.data.any()
            assert labels.data.shape == image.data.shape
            for index in ((0, 0, 0), (1, 2, 3)):
                np.testing.assert_allclose(labels.data_to_world(index), image.data_to_world(index), atol=1e-6)
            assert [item.name for item in classes_of(labels)] == names
            assert classes_of(labels) == volume.classes
            for item in volume.classes:
                assert hex_of(labels.get_color(item.id)) == item.color
            assert not complaints(told)


def hex_of(color: Any) -> str:
    red, green, blue = (round(float(value) * 255) for value in color[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"


# ---- several volumes -----------------------------------------------------------------------------------------------


def choose(*keys: str) -> Callable[[PartChoice], None]:
    """Choose those parts in the dialog and press Open; Cancel where there are none."""

    def use(dialog: PartChoice) -> None:
        for item in map(dialog.list.item, range(dialog.list.count())):
            item.setSelected(item.text().split(":")[0] in keys)
        dialog.buttons.button(OPEN if keys else CANCEL).click()

    return use


@pytest.mark.parametrize("keys", [("image", "label"), ("image",), ()])
def test_of_a_folder_of_slices_those_open_that_are_chosen(
    qtbot: Any, viewer: Viewer, shared_data: Path, told: list[Any], keys: tuple[str, ...]
) -> None:
    folder = shared_data / "microscopy" / "em_slices"
    answer = Answer(PartChoice, choose(*keys))
    labels = Answer(QMessageBox, press(QMessageBox.StandardButton.Yes))  # black and white may be either
    drop(viewer, folder)
    qtbot.waitUntil(lambda: bool(answer.seen), timeout=WAIT_MS)
    settle(qtbot, viewer)
    assert not complaints(told)
    assert len(labels.seen) == ("label" in keys)
    kinds = {"image": Image, "label": Labels}
    assert {layer.name: type(layer) for layer in viewer.layers} == {f"em_slices {key}": kinds[key] for key in keys}
    for layer in viewer.layers:
        key = layer.name.split()[-1]
        np.testing.assert_array_equal(np.asarray(layer.data), np.asarray(read_volume(folder, key).data))
    assert not complaints(told)


def test_of_two_datasets_in_a_file_those_open_that_are_chosen(
    qtbot: Any, viewer: Viewer, tmp_path: Path, told: list[Any]
) -> None:
    scan, labels = phantom()
    with h5py.File(tmp_path / "both.h5", "w") as file:
        file["raw"], file["labels"] = scan, labels
    answer = Answer(PartChoice, choose("raw", "labels"))
    drop(viewer, tmp_path / "both.h5")
    assert len(answer.seen) == 1
    assert {layer.name: type(layer) for layer in viewer.layers} == {"both raw": Image, "both labels": Labels}
    np.testing.assert_array_equal(viewer.layers["both raw"].data, scan)
    np.testing.assert_array_equal(viewer.layers["both labels"].data, labels)
    assert not complaints(told)


# ---- what is not as it should be -----------------------------------------------------------------------------------


def test_a_gap_is_asked_about_with_its_reason_and_filled_if_the_person_says_so(
    qtbot: Any, viewer: Viewer, shared_data: Path, told: list[Any]
) -> None:
    folder = shared_data / "dicom" / "bad" / "slice_increment"
    questions: list[str] = []

    def use(dialog: PartChoice) -> None:
        questions.append(dialog.findChild(QLabel).text())
        dialog.buttons.button(OPEN).click()

    answer = Answer(PartChoice, use)
    drop(viewer, folder)
    qtbot.waitUntil(lambda: bool(answer.seen), timeout=WAIT_MS)
    settle(qtbot, viewer)
    assert len(questions) == 1
    assert "10 mm instead of 5 mm" in questions[0]
    (layer,) = viewer.layers
    assert layer.data.shape[0] == 5  # four planes, and what was missing between two of them
    np.testing.assert_allclose(layer.scale[0], 5.0, rtol=1e-6)
    assert layer.name == "slice_increment gaps filled in"
    assert not complaints(told)


@pytest.mark.parametrize("one_file", [False, True])
def test_a_gap_that_a_person_does_not_want_filled_opens_nothing(
    qtbot: Any, viewer: Viewer, shared_data: Path, told: list[Any], one_file: bool
) -> None:
    folder = shared_data / "dicom" / "bad" / "slice_increment"
    for _ in range(2):  # a second try asks again
        answer = Answer(PartChoice, lambda dialog: dialog.buttons.button(CANCEL).click())
        drop(viewer, next(folder.iterdir()) if one_file else folder)
        qtbot.waitUntil(lambda answer=answer: bool(answer.seen), timeout=WAIT_MS)
        settle(qtbot, viewer)
    assert not viewer.layers
    assert not complaints(told)


@pytest.mark.parametrize("one_by_one", [False, True])
def test_what_is_no_volume_is_one_sentence(
    qtbot: Any, viewer: Viewer, shared_data: Path, told: list[Any], one_by_one: bool
) -> None:
    folder = shared_data / "dicom" / "bad" / "not_a_volume"
    drop(viewer, *(sorted(folder.iterdir()) if one_by_one else [folder]))
    settle(qtbot, viewer)
    assert not viewer.layers
    (complaint,) = complaints(told)
    assert complaint.startswith("Not a volume")


def test_a_truncated_file_is_one_sentence(
    qtbot: Any, viewer: Viewer, shared_data: Path, tmp_path: Path, told: list[Any]
) -> None:
    whole = (shared_data / "scans" / "chris_t1.nii.gz").read_bytes()
    (tmp_path / "short.nii.gz").write_bytes(whole[: len(whole) // 2])
    drop(viewer, tmp_path / "short.nii.gz")
    settle(qtbot, viewer)
    assert not viewer.layers
    (complaint,) = complaints(told)
    assert "Truncated" in complaint
