"""Saving: what is on the screen at the click, on the scan's own grid, or a message and the old file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.hooks import sample_file
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.layers import labels_layer, to_layer, to_volume
from napari_vol3d.gui.saving import ask_and_save, default_target, save_in_background
from napari_vol3d.io.registry import read_volume
from tests.builders import phantom, save_nifti

WAIT_MS = 20_000
CLASSES = (LabelClass(id=1, name="left", color="#e69f00"), LabelClass(id=4, name="right", color="#0072b2"))


@pytest.fixture
def parent(qtbot: Any) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def scan_path(tmp_path: Path) -> Path:
    return save_nifti(tmp_path / "patient one.nii.gz", phantom()[0], spacing=(2.0, 1.0, 0.5))


@pytest.fixture
def layer(scan_path: Path) -> Labels:
    """Labels of a scan from a file: two blocks."""
    volume = read_volume(scan_path)
    data, keywords, _ = to_layer(volume, as_labels=False)
    scan = Image(data, **keywords)
    found = np.zeros(volume.shape, np.uint8)
    found[2:5, 3:8, 4:6], found[10:12] = 1, 4
    return labels_layer(found, to_volume(scan), CLASSES, name="patient one labels", model="m", like=scan)


def wait(qtbot: Any, job: Job) -> None:
    qtbot.waitUntil(lambda: not job.running, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not job._worker.is_running, timeout=WAIT_MS)
    QApplication.processEvents()


def wait_for_jobs_of(qtbot: Any, parent: QWidget) -> None:
    for job in parent.findChildren(Job):
        wait(qtbot, job)


def _ask(
    qtbot: Any, parent: QWidget, layer: Labels, said: list[str], monkeypatch: pytest.MonkeyPatch, *answers: Path | str
) -> list[tuple[Any, ...]]:
    """Ask and save, where the person gives these answers; give what the file dialog was asked."""
    coming = iter(answers)
    asked: list[tuple[Any, ...]] = []

    def choose(*arguments: Any) -> tuple[str, str]:
        asked.append(arguments)
        return str(next(coming)), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    ask_and_save(parent, layer, said.append)
    wait_for_jobs_of(qtbot, parent)
    return asked


def test_it_asks_beside_the_scan_and_saves_on_its_grid(
    qtbot: Any, parent: QWidget, layer: Labels, scan_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = scan_path.with_name("mine.nii.gz")
    ((asked_parent, _, proposed, filters),) = _ask(qtbot, parent, layer, said, monkeypatch, target)
    assert asked_parent is parent
    assert Path(proposed) == scan_path.with_name("patient one_labels.nii.gz")
    assert "*.nii.gz" in filters
    assert "*.tif" in filters
    saved, scan = nib.load(target), nib.load(scan_path)
    assert saved.shape == scan.shape
    np.testing.assert_array_equal(saved.affine, scan.affine)
    # The file runs right, anterior, superior; the layer superior, posterior, left.
    np.testing.assert_array_equal(np.asarray(saved.dataobj)[::-1, ::-1].T, layer.data)
    assert said == ["Saving mine.nii.gz ...", f"Saved mine.nii.gz in {scan_path.parent}"]


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.tif", "a.tiff", "a.b.nii.gz", "A.NII.GZ"])
def test_every_format_keeps_voxels_and_class_names(
    qtbot: Any, parent: QWidget, layer: Labels, tmp_path: Path, said: list[str], name: str
) -> None:
    target = tmp_path / name
    wait(qtbot, save_in_background(parent, layer, target, said.append))
    back = read_volume(target)
    np.testing.assert_array_equal(back.data, layer.data)
    np.testing.assert_allclose(back.geometry.spacing, (2.0, 1.0, 0.5))
    assert back.classes == CLASSES
    assert back.is_labels


def test_a_name_without_extension_becomes_a_nifti(
    qtbot: Any, parent: QWidget, layer: Labels, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _ask(qtbot, parent, layer, said, monkeypatch, tmp_path / "mine")
    assert (tmp_path / "mine.nii.gz").is_file()


def test_a_dot_in_the_name_is_no_extension(
    qtbot: Any, parent: QWidget, layer: Labels, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _ask(qtbot, parent, layer, said, monkeypatch, tmp_path / "patient 1.5T")
    assert (tmp_path / "patient 1.5T.nii.gz").is_file()


def test_a_file_is_never_replaced_because_its_extension_was_not_typed(
    qtbot: Any, parent: QWidget, layer: Labels, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = tmp_path / "mine.nii.gz"
    precious.write_bytes(b"precious")
    asked = _ask(qtbot, parent, layer, said, monkeypatch, tmp_path / "mine", "")
    assert asked[1][2] == str(precious)  # the dialog comes again, and asks about replacing it
    assert precious.read_bytes() == b"precious"
    _ask(qtbot, parent, layer, said, monkeypatch, tmp_path / "mine", precious)
    np.testing.assert_array_equal(read_volume(precious).data, layer.data)


def test_a_format_that_keeps_no_labels_is_refused(
    qtbot: Any, parent: QWidget, layer: Labels, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _ask(qtbot, parent, layer, said, monkeypatch, tmp_path / "mine.npy")
    assert "can't be saved as mine.npy" in said[-1]
    assert not (tmp_path / "mine.npy").exists()


def test_dismissing_the_dialog_saves_nothing(
    qtbot: Any, parent: QWidget, layer: Labels, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(tmp_path.iterdir())
    _ask(qtbot, parent, layer, said, monkeypatch, "")
    assert said == []
    assert sorted(tmp_path.iterdir()) == before


def test_painting_while_it_saves_is_not_in_the_file(
    qtbot: Any, parent: QWidget, layer: Labels, tmp_path: Path, said: list[str]
) -> None:
    at_the_click = layer.data.copy()
    job = save_in_background(parent, layer, tmp_path / "mine.nii.gz", said.append)
    layer.data_setitem(np.nonzero(np.ones(layer.data.shape, bool)), 4)
    wait(qtbot, job)
    np.testing.assert_array_equal(read_volume(tmp_path / "mine.nii.gz").data, at_the_click)


def test_what_can_not_be_written_is_told_and_the_old_file_stays(
    qtbot: Any, parent: QWidget, layer: Labels, tmp_path: Path, said: list[str]
) -> None:
    target = tmp_path / "taken.nii.gz"
    target.mkdir()
    (target / "inside").write_text("precious")
    notification_manager.records.clear()
    wait(qtbot, save_in_background(parent, layer, target, said.append))
    assert said[0] == "Saving taken.nii.gz ..."
    assert len(said) == 2
    assert "Saved" not in said[1]
    assert [record.message for record in notification_manager.records] == [said[1]]
    assert (target / "inside").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["patient one.nii.gz", "taken.nii.gz"]


def test_a_folder_that_is_not_there_is_told(
    qtbot: Any, parent: QWidget, layer: Labels, tmp_path: Path, said: list[str]
) -> None:
    wait(qtbot, save_in_background(parent, layer, tmp_path / "no such folder" / "a.nii.gz", said.append))
    assert "Saved" not in said[-1]


def test_saving_again_replaces_the_file(
    qtbot: Any, parent: QWidget, layer: Labels, tmp_path: Path, said: list[str]
) -> None:
    target = tmp_path / "mine.nii.gz"
    wait(qtbot, save_in_background(parent, layer, target, said.append))
    layer.data_setitem((np.array([0]), np.array([0]), np.array([0])), 4)
    wait(qtbot, save_in_background(parent, layer, target, said.append))
    assert read_volume(target).data[0, 0, 0] == 4


def test_labels_of_a_tiff_are_proposed_as_a_tiff(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, phantom()[0], imagej=False)
    data, keywords, _ = to_layer(read_volume(path), as_labels=False)
    scan = Image(data, **keywords)
    volume = to_volume(scan)
    labels = labels_layer(np.zeros(volume.shape, np.uint8), volume, CLASSES, name="l", model="m", like=scan)
    assert default_target(labels) == tmp_path / "stack_labels.tif"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_DOCUMENTS_DIR", raising=False)
    return folder


def test_labels_of_no_file_are_proposed_among_the_persons_documents(home: Path) -> None:
    layer = Labels(np.zeros((2, 3, 4), np.uint8), name="my / work")
    assert default_target(layer) == home / "my_work.nii.gz"
    (home / "Documents").mkdir()
    assert default_target(layer) == home / "Documents" / "my_work.nii.gz"


def from_file(layer: Labels, source: Path) -> Labels:
    """The same labels, of a scan that came from another file."""
    (origin,) = layer.metadata.values()
    layer.metadata = {"napari-vol3d": replace(origin, source=source)}
    return layer


def test_nothing_is_proposed_inside_the_package(layer: Labels, home: Path) -> None:
    sample = sample_file("hippocampus_average.nii.gz")
    assert default_target(from_file(layer, sample)) == home / "hippocampus_average_labels.nii.gz"
    assert default_target(from_file(layer, sample_file("nuclei_labels.tif"))) == home / "nuclei_labels.tif"
    packages = home / "lib" / "site-packages" / "other"
    packages.mkdir(parents=True)
    assert default_target(from_file(layer, packages / "a.nii")) == home / "a_labels.nii.gz"


def test_a_folder_that_is_gone_is_not_proposed(layer: Labels, home: Path) -> None:
    assert default_target(from_file(layer, home / "usb stick" / "a.nii.gz")) == home / "a_labels.nii.gz"


def test_no_file_that_is_there_is_ever_proposed(layer: Labels, scan_path: Path) -> None:
    for name in ("patient one_labels.nii.gz", "patient one_labels_2.nii.gz", "patient one_labels_3.nii.gz"):
        assert default_target(layer) == scan_path.with_name(name)
        scan_path.with_name(name).write_bytes(b"precious")


def test_labels_in_a_zarr_folder_are_proposed_beside_it(layer: Labels, tmp_path: Path) -> None:
    inside = tmp_path / "scan.zarr" / "labels" / "cells"
    inside.mkdir(parents=True)
    assert default_target(from_file(layer, inside)).parent == tmp_path


def test_labels_of_a_scan_that_keeps_no_labels_are_proposed_as_nifti(layer: Labels, tmp_path: Path) -> None:
    (origin,) = layer.metadata.values()
    layer.metadata = {"napari-vol3d": replace(origin, source=tmp_path / "scan.npy")}
    assert default_target(layer) == tmp_path / "scan_labels.nii.gz"
