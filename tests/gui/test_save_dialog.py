"""napari's own File > Save Selected Layers, as a person uses it: the dialog opens, a name is typed, Save is pressed."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import tifffile
from napari import Viewer
from napari.layers import Labels
from npe2 import PluginManifest
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLineEdit, QMessageBox, QWidget

from napari_vol3d.gui.hooks import sample_file
from napari_vol3d.gui.layers import classes_of, labels_layer, to_volume
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.io.registry import read_volume
from tests.builders import CLASSES, phantom, save_nifti
from tests.gui.conftest import PLUGIN, press_segment

ACTION = "napari.window.file.save_layers_dialog.selected"


@pytest.fixture(autouse=True)
def dialogs_of_qt(qapp: QApplication, vol3d: Any) -> Iterator[None]:
    """The dialog is Qt's own, which a test can reach, and offers napari's own formats beside ours."""
    attribute = Qt.ApplicationAttribute.AA_DontUseNativeDialogs
    before = qapp.testAttribute(attribute)
    qapp.setAttribute(attribute, True)
    with vol3d.tmp_plugin(manifest=PluginManifest.from_distribution("napari")):
        yield
    qapp.setAttribute(attribute, before)


class Person(QObject):
    """Uses the dialog, and answers the question that it may ask, as soon as they are there."""

    def __init__(self, use: Callable[[QFileDialog], None], answer: QMessageBox.StandardButton | None) -> None:
        super().__init__()
        self.proposed, self.filters, self.typed, self.asked = "", [""], "", ""
        self.told: list[str] = []
        self._use, self._answer = use, answer
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._look)
        self._clock.start(20)

    def leave(self) -> None:
        self._clock.stop()

    def _look(self) -> None:
        seen = QApplication.activeModalWidget()
        if isinstance(seen, QMessageBox):
            self.asked = seen.text()
            if self._answer is None:
                seen.reject()
            else:
                seen.button(self._answer).click()
        elif isinstance(seen, QFileDialog) and self.asked:  # the answer was No, so it comes again
            seen.reject()
        elif isinstance(seen, QFileDialog) and self.proposed:
            pass  # it is closing
        elif isinstance(seen, QFileDialog) and name_edit(seen).text():
            self.proposed, self.filters = name_edit(seen).text(), seen.nameFilters()
            self._clock.stop()  # typing lets the event loop run
            self._use(seen)
            self._clock.start()


def name_edit(dialog: QWidget) -> QLineEdit:
    return dialog.findChild(QLineEdit, "fileNameEdit")


def save_selected(
    qtbot: Any, viewer: Viewer, target: Path | None, *, answer: QMessageBox.StandardButton | None = None
) -> Person:
    """File > Save Selected Layers; choose our format, go to the folder, type the name, press Save (None: Cancel)."""

    def use(dialog: QFileDialog) -> None:
        buttons = dialog.findChild(QDialogButtonBox)
        if target is None:
            qtbot.mouseClick(buttons.button(QDialogButtonBox.StandardButton.Cancel), Qt.MouseButton.LeftButton)
            return
        dialog.selectNameFilter(next(entry for entry in dialog.nameFilters() if entry.startswith("Vol3D")))
        dialog.setDirectory(str(target.parent))
        name_edit(dialog).selectAll()
        qtbot.keyClicks(name_edit(dialog), target.name)
        person.typed = name_edit(dialog).text()
        QTimer.singleShot(0, buttons.button(QDialogButtonBox.StandardButton.Save).click)

    person = Person(use, answer)
    viewer.window._update_file_menu_state()
    action = viewer.window.file_menu.findAction(ACTION)
    assert action.isEnabled()
    with qtbot.captureExceptions() as raised:  # napari shows what the action raises
        action.trigger()
    person.leave()
    for _, problem, trace in raised:
        person.told.append(str(problem))
        traceback.clear_frames(trace)  # they hold the dialog beyond the test
    QApplication.processEvents()
    assert person.typed == ("" if target is None else target.name)
    return person


def in_the_layers_axes(path: Path) -> NDArray[Any]:
    """Voxels of a NIfTI file as the layer has them, by nibabel alone: right, anterior, superior turned about."""
    return np.asarray(nib.as_closest_canonical(nib.load(path)).dataobj)[::-1, ::-1].T


@pytest.fixture
def oblique_scan(tmp_path: Path) -> Path:
    """The sample, tilted, in the axis order and with the header of a sagittal acquisition."""
    sample = nib.load(sample_file("hippocampus_average.nii.gz"))
    tilt = nib.eulerangles.euler2mat(0.2, -0.1, 0.15)
    affine = np.eye(4)
    affine[:3, :3] = tilt @ sample.affine[:3, :3]
    affine[:3, 3] = 12.5, -30.25, 7.0
    turned = nib.Nifti1Image(np.asarray(sample.dataobj), affine).as_reoriented(
        nib.orientations.axcodes2ornt(("P", "S", "R"))
    )
    nib.save(turned, tmp_path / "scan.nii.gz")
    return tmp_path / "scan.nii.gz"


def test_labels_of_the_panel_lie_on_their_scan_in_other_programs(
    qtbot: Any, bench: Workbench, viewer: Viewer, oblique_scan: Path, subtests: pytest.Subtests
) -> None:
    viewer.open(oblique_scan, plugin=PLUGIN)
    press_segment(qtbot, bench)
    layer = viewer.layers.selection.active
    assert isinstance(layer, Labels)
    assert set(np.unique(layer.data)) == {0, 1, 2}
    scan = nib.load(oblique_scan)
    assert scan.header.get_data_shape() != layer.data.shape[::-1]  # so that a wrong order would be seen
    for name in ("a.nii.gz", "a.nii", "A b.c.NII.GZ"):
        with subtests.test(name):
            person = save_selected(qtbot, viewer, oblique_scan.with_name(name))
            assert person.proposed == "scan labels"
            assert person.told == []
            saved = nib.load(oblique_scan.with_name(name))
            assert saved.shape == scan.shape
            np.testing.assert_array_equal(saved.affine, scan.affine)
            assert saved.get_data_dtype() == np.uint8
            np.testing.assert_array_equal(in_the_layers_axes(oblique_scan.with_name(name)), layer.data)
    for name in ("b.tif", "c.tiff"):
        with subtests.test(name):
            person = save_selected(qtbot, viewer, oblique_scan.with_name(name))
            assert person.told == []
            with tifffile.TiffFile(oblique_scan.with_name(name)) as tif:
                saved_voxels, description = tif.asarray(), tif.ome_metadata or ""
            np.testing.assert_array_equal(saved_voxels, layer.data)
            sizes = [float(re.search(rf'PhysicalSize{axis}="([^"]+)"', description)[1]) for axis in "ZYX"]  # type: ignore[index]
            np.testing.assert_allclose(sizes, layer.scale)
            assert read_volume(oblique_scan.with_name(name)).classes == classes_of(layer)
    names = {path.name for path in oblique_scan.parent.iterdir()}
    assert names == {"scan.nii.gz", "a.nii.gz", "a.nii", "A b.c.NII.GZ", "b.tif", "c.tiff"}


# ---- without the engine --------------------------------------------------------------------------------------------


@pytest.fixture
def labels(viewer: Viewer, tmp_path: Path) -> Labels:
    """Two classes on a scan from a file, selected."""
    viewer.open(save_nifti(tmp_path / "scan.nii.gz", phantom()[0], spacing=(2, 1, 0.5)), plugin=PLUGIN)
    scan = viewer.layers[0]
    layer = labels_layer(phantom()[1], to_volume(scan), CLASSES, name="scan labels", model="m", like=scan)
    viewer.add_layer(layer)
    viewer.layers.selection.active = layer
    return layer


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_dismissing_the_dialog_saves_nothing(qtbot: Any, viewer: Viewer, labels: Labels, tmp_path: Path) -> None:
    before = files(tmp_path)
    person = save_selected(qtbot, viewer, None)
    assert any(re.search(r"Vol3D.*\*\.nii\.gz", entry) for entry in person.filters)
    assert person.told == []
    assert files(tmp_path) == before
    assert list(viewer.layers) == [viewer.layers["scan"], labels]


@pytest.mark.parametrize("answer", [QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No], ids=["yes", "no"])
def test_a_file_is_replaced_only_if_the_person_says_so(
    qtbot: Any, viewer: Viewer, labels: Labels, tmp_path: Path, answer: QMessageBox.StandardButton
) -> None:
    target = tmp_path / "mine.nii.gz"
    target.write_bytes(b"precious")
    person = save_selected(qtbot, viewer, target, answer=answer)
    assert "mine.nii.gz already exists" in person.asked
    assert person.told == []
    if answer == QMessageBox.StandardButton.No:
        assert target.read_bytes() == b"precious"
    else:
        np.testing.assert_array_equal(in_the_layers_axes(target), labels.data)


@pytest.mark.parametrize("name", ["mine", "patient 1.5T"])
def test_a_name_without_extension_becomes_a_nifti(
    qtbot: Any, viewer: Viewer, labels: Labels, tmp_path: Path, name: str
) -> None:
    person = save_selected(qtbot, viewer, tmp_path / name)
    assert person.told == []
    target = tmp_path / f"{name}.nii.gz"
    np.testing.assert_array_equal(in_the_layers_axes(target), labels.data)
    # A second time, the dialog does not know the name that will be written: it is not replaced unasked.
    labels.data_setitem((np.array([0]), np.array([0]), np.array([0])), 7)
    before = target.read_bytes()
    person = save_selected(qtbot, viewer, tmp_path / name)
    (message,) = person.told
    assert message.startswith(f"{name}.nii.gz is there already.")
    assert files(tmp_path) == {"scan.nii.gz": (tmp_path / "scan.nii.gz").read_bytes(), target.name: before}


def test_a_format_that_keeps_no_labels_is_refused_in_one_sentence(
    qtbot: Any, viewer: Viewer, labels: Labels, tmp_path: Path
) -> None:
    before = files(tmp_path)
    person = save_selected(qtbot, viewer, tmp_path / "mine.npy")
    (message,) = person.told
    assert "can't be saved as mine.npy" in message
    assert "\n" not in message
    assert files(tmp_path) == before


def test_a_disk_that_is_full_keeps_the_old_file(
    qtbot: Any, viewer: Viewer, labels: Labels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old file is there again after a save whose folder can't be made: the nearest a test gets without a mount."""
    target = tmp_path / "mine.nii.gz"
    person = save_selected(qtbot, viewer, target)
    before = target.read_bytes()
    labels.data_setitem((np.array([0]), np.array([0]), np.array([0])), 7)

    def full(*_: Any, **__: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_vol3d.io.safe_write.tempfile.mkdtemp", full)
    person = save_selected(qtbot, viewer, target, answer=QMessageBox.StandardButton.Yes)
    (message,) = person.told
    assert "mine.nii.gz was not saved: No space left on device." in message
    assert target.read_bytes() == before
