"""What napari calls: our files open as what they are, a broken one is one sentence, labels are saved on their grid."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import nibabel as nib
import numpy as np
import pytest
from napari import Viewer
from napari._qt.dialogs.qt_reader_dialog import QtReaderDialog
from napari.layers import Image, Labels, Layer
from napari.utils.notifications import notification_manager
from npe2 import PluginManifest
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QMessageBox

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui import hooks
from napari_vol3d.gui.consent import open_drops_here
from napari_vol3d.gui.layers import class_looks, classes_of, to_volume
from napari_vol3d.gui.part_choice import PartChoice
from napari_vol3d.io.registry import read_volume
from napari_vol3d.review.project.records import Case, ImageRef
from napari_vol3d.review.project.store import Project
from tests.builders import CLASSES, phantom, save_nifti
from tests.gui.conftest import PLUGIN, drop

WAIT_MS = 20_000


@pytest.fixture
def notifications() -> Iterator[list[Any]]:
    """What the person was told in this test."""
    notification_manager.records.clear()
    yield notification_manager.records
    notification_manager.records.clear()


class Answer(QObject):
    """Presses a button of a modal dialog as soon as it is there."""

    def __init__(self, dialog: type, press: Callable[[Any], None]) -> None:
        super().__init__()
        self.seen: list[str] = []
        self._dialog, self._press = dialog, press
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(20)

    def _look(self) -> None:
        found = QApplication.activeModalWidget()
        if isinstance(found, self._dialog):
            self._timer.stop()
            self.seen.append(found.text() if isinstance(found, QMessageBox) else found.windowTitle())
            self._press(found)


def press(button: QMessageBox.StandardButton) -> Callable[[QMessageBox], None]:
    return lambda box: box.button(button).click()


# ---- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a.nii", "a.nii.gz", "A.NII.GZ", "a.tif", "a.tiff", "a.ome.tif", "a.npy", "folder/a b.nii.gz"]
)
def test_our_files_are_claimed(name: str) -> None:
    assert hooks.get_reader(name) is not None
    assert hooks.get_reader([name, "b.nii"]) is not None


@pytest.mark.parametrize("path", ["a.png", "a.gz", "a.csv", "a.stl", "a.obj", "folder", ".nii.gz", ["a.nii", "b.png"]])
def test_other_files_are_left_to_others(path: Any) -> None:
    assert hooks.get_reader(path) is None


def test_a_scan_opens_as_an_image(viewer: Viewer, tmp_path: Path) -> None:
    viewer.open(save_nifti(tmp_path / "scan.nii.gz", phantom()[0], spacing=(2, 1, 0.5)), plugin=PLUGIN)
    (layer,) = viewer.layers
    assert isinstance(layer, Image)
    np.testing.assert_allclose(layer.scale, (2, 1, 0.5))
    assert viewer.dims.axis_labels == ("z", "y", "x")


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_a_label_map_opens_as_labels_whatever_its_type(viewer: Viewer, tmp_path: Path, dtype: Any) -> None:
    labels = phantom()[1]
    viewer.open(save_nifti(tmp_path / "l.nii.gz", labels.astype(dtype)), plugin=PLUGIN)
    (layer,) = viewer.layers
    assert isinstance(layer, Labels)
    assert layer.data.dtype == np.uint8
    assert {item.id for item in classes_of(layer)} == {3, 7}
    assert sorted(np.bincount(layer.data.reshape(-1))) == sorted(np.bincount(labels.reshape(-1)))


def test_real_files_open_as_what_they_are(viewer: Viewer, real_case: tuple[Path, Path]) -> None:
    viewer.open([str(path) for path in real_case], plugin=PLUGIN)
    scan, labels = viewer.layers
    assert isinstance(scan, Image)
    assert isinstance(labels, Labels)
    np.testing.assert_allclose(scan.data_to_world((1, 2, 3)), labels.data_to_world((1, 2, 3)))
    # Against nibabel: the same voxel in the file's own place.
    stored = np.asarray(nib.load(real_case[1]).dataobj)
    assert (labels.data == 1).sum() == (stored == 1).sum()


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.nii.gz", b"not gzip"), ("a.nii", b""), ("a.tif", b"II*\x00 and then nothing"), ("a.npy", b"\x93NUMPY")],
)
def test_a_broken_file_is_one_sentence_and_no_layer(
    viewer: Viewer, tmp_path: Path, notifications: list[Any], name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    viewer.open(path, plugin=PLUGIN)
    assert not viewer.layers
    (record,) = notifications
    assert str(record.severity) == "error"
    assert "Traceback" not in record.message


def test_a_series_opens_with_a_slider_for_time(viewer: Viewer, tmp_path: Path) -> None:
    scan, _ = phantom()
    image = nib.Nifti1Image(np.stack([scan.T, 2 * scan.T, 3 * scan.T], axis=-1), np.diag([-1.0, -1.0, 1.0, 1.0]))
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 2.5
    nib.save(image, tmp_path / "series.nii.gz")
    viewer.open(tmp_path / "series.nii.gz", plugin=PLUGIN)
    assert viewer.dims.axis_labels == ("time", "z", "y", "x")
    (layer,) = viewer.layers
    for moment in (0, 2):
        viewer.dims.set_point((0, 1), (moment, layer.data_to_world((0, 7, 0, 0))[1]))
        np.testing.assert_array_equal(layer._slice.image.raw, (moment + 1) * scan[7])
    assert to_volume(layer).timed


def test_a_missing_file_is_one_sentence(qapp: Any, tmp_path: Path, notifications: list[Any]) -> None:
    assert hooks.read(str(tmp_path / "none.nii.gz")) == hooks.HANDLED
    assert len(notifications) == 1


def test_a_broken_file_keeps_no_good_one_from_opening(
    viewer: Viewer, tmp_path: Path, notifications: list[Any]
) -> None:
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"no")
    good = save_nifti(tmp_path / "good.nii.gz", phantom()[0])
    open_drops_here()
    drop(viewer, broken, good)
    assert [layer.name for layer in viewer.layers] == ["good"]
    assert len(notifications) == 1


@pytest.mark.parametrize(("button", "kind"), [("Yes", Labels), ("No", Image)])
def test_where_nobody_can_tell_the_person_is_asked(viewer: Viewer, tmp_path: Path, button: str, kind: type) -> None:
    mask = (phantom()[1] > 0).astype(np.uint8) * 255
    path = save_nifti(tmp_path / "mask or scan.nii.gz", mask)
    answer = Answer(QMessageBox, press(getattr(QMessageBox.StandardButton, button)))
    viewer.open(path, plugin=PLUGIN)
    (seen,) = answer.seen
    assert "mask or scan" in seen
    (layer,) = viewer.layers
    assert type(layer) is kind


# ---- several volumes in a file -------------------------------------------------------------------------------------


@pytest.fixture
def two_volumes(tmp_path: Path) -> Path:
    """An HDF5 file of a scan and labels."""
    scan, labels = phantom()
    with h5py.File(tmp_path / "both.h5", "w") as file:
        file["raw"], file["found/labels"] = scan, labels
    return tmp_path / "both.h5"


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("names", [["found/labels"], ["found/labels", "raw"], []])
def test_of_several_volumes_those_open_that_a_person_chooses(
    qtbot: Any, viewer: Viewer, two_volumes: Path, monkeypatch: pytest.MonkeyPatch, names: list[str],
    large: bool, notifications: list[Any],
) -> None:  # fmt: skip
    def choose(dialog: PartChoice) -> None:
        for item in map(dialog.list.item, range(dialog.list.count())):
            item.setSelected(item.text().split(":")[0] in names)
        dialog.accept() if names else dialog.reject()

    if large:
        monkeypatch.setattr(hooks, "LARGE_BYTES", 0)
    answer = Answer(PartChoice, choose)
    for layer in hooks.read(str(two_volumes)):
        if len(layer) > 1:  # one is of none: it follows, or there is nothing
            viewer.add_layer(Layer.create(*layer))
    qtbot.waitUntil(lambda: bool(answer.seen) and len(viewer.layers) == len(names), timeout=WAIT_MS)
    assert sorted(layer.name for layer in viewer.layers) == [f"both {name}" for name in names]
    for layer in viewer.layers:
        meant = phantom()[1] if layer.name.endswith("labels") else phantom()[0]
        np.testing.assert_array_equal(np.asarray(layer.data), meant)
        assert type(layer) is (Labels if layer.name.endswith("labels") else Image)
    assert not [record for record in notifications if str(record.severity) == "error"]


# ---- large files ---------------------------------------------------------------------------------------------------


class Gate:
    """Holds the reading of a file until the window has done something meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reading, self.go_on, self.thread = threading.Event(), threading.Event(), ""
        monkeypatch.setattr(hooks, "LARGE_BYTES", 0)
        monkeypatch.setattr(hooks, "read_volume", self._read)

    def _read(self, path: Path, part: str | None = None) -> Volume:
        self.thread = threading.current_thread().name
        self.reading.set()
        assert self.go_on.wait(WAIT_MS / 1000)
        return read_volume(path, part)


def test_a_large_file_arrives_while_the_window_lives(
    qtbot: Any, viewer: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch)
    viewer.open(save_nifti(tmp_path / "large.nii.gz", phantom()[0]), plugin=PLUGIN)
    assert not viewer.layers
    qtbot.waitUntil(gate.reading.is_set, timeout=WAIT_MS)
    QTimer.singleShot(0, gate.go_on.set)  # only a living window lets the reading go on
    qtbot.waitUntil(lambda: len(viewer.layers) == 1, timeout=WAIT_MS)
    assert gate.thread != threading.main_thread().name
    (layer,) = viewer.layers
    assert (type(layer), layer.name) == (Image, "large")


def test_a_large_broken_file_is_one_sentence(
    qtbot: Any, viewer: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notifications: list[Any]
) -> None:
    monkeypatch.setattr(hooks, "LARGE_BYTES", 0)
    path = tmp_path / "large.nii.gz"
    path.write_bytes(b"broken")
    viewer.open(path, plugin=PLUGIN)
    qtbot.waitUntil(lambda: any(str(r.severity) == "error" for r in notifications), timeout=WAIT_MS)
    assert not viewer.layers
    assert len([r for r in notifications if str(r.severity) == "error"]) == 1


def test_closing_the_window_while_a_large_file_is_read(
    qtbot: Any, viewer: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notifications: list[Any]
) -> None:
    gate = Gate(monkeypatch)
    viewer.open(save_nifti(tmp_path / "large.nii.gz", phantom()[0]), plugin=PLUGIN)
    qtbot.waitUntil(gate.reading.is_set, timeout=WAIT_MS)
    viewer.close()
    gate.go_on.set()
    # The thread ends, and its late answer harms nobody: an exception in a slot would fail this test.
    qtbot.waitUntil(lambda: not _reading_threads(), timeout=WAIT_MS)
    QApplication.processEvents()
    assert not [record for record in notifications if str(record.severity) == "error"]


def _reading_threads() -> list[Any]:
    from superqt.utils import WorkerBase

    return [worker for worker in WorkerBase._worker_set if worker.is_running]


@pytest.fixture
def builtins(vol3d: Any) -> Iterator[None]:
    """napari's own readers and writers, which vol3d leaves out, as they are on a person's machine."""
    with vol3d.tmp_plugin(manifest=PluginManifest.from_distribution("napari")):
        yield


# ---- drops without consent -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("builtins")
def test_without_consent_napari_asks_and_the_persons_choice_is_taken(viewer: Viewer, tmp_path: Path) -> None:
    def choose(dialog: QtReaderDialog) -> None:
        names = {button.text(): button for button in dialog.reader_btn_group.buttons()}
        assert len(names) == 2  # napari's own reader claims the name too
        names["Vol3D"].click()
        dialog.btn_box.button(QDialogButtonBox.StandardButton.Ok).click()

    answer = Answer(QtReaderDialog, choose)
    drop(viewer, save_nifti(tmp_path / "scan.nii.gz", phantom()[0]))
    assert answer.seen == ["Choose reader"]
    assert [layer.name for layer in viewer.layers] == ["scan"]


@pytest.mark.usefixtures("builtins")
def test_a_drop_with_consent_asks_nothing(viewer: Viewer, tmp_path: Path) -> None:
    open_drops_here()
    answer = Answer(QtReaderDialog, lambda dialog: dialog.reject())
    drop(viewer, save_nifti(tmp_path / "scan.nii.gz", phantom()[0]))
    assert not answer.seen
    assert [layer.name for layer in viewer.layers] == ["scan"]


# ---- writing -------------------------------------------------------------------------------------------------------


@pytest.fixture
def corrected(viewer: Viewer, tmp_path: Path) -> Labels:
    """Labels that came from a file, with names, and one voxel painted since."""
    path = tmp_path / "labels.nii.gz"
    viewer.open(save_nifti(path, phantom()[1], spacing=(2, 1, 0.5)), plugin=PLUGIN)
    layer = viewer.layers[0]
    assert isinstance(layer, Labels)
    looks = class_looks(CLASSES)
    layer.features, layer.colormap = looks["features"], looks["colormap"]
    layer.data_setitem((np.array([0]), np.array([1]), np.array([2])), 3)
    return layer


@pytest.mark.parametrize("name", ["out.nii.gz", "out.nii", "out.tif", "out.tiff"])
def test_file_save_keeps_geometry_and_class_names(
    viewer: Viewer, corrected: Labels, tmp_path: Path, name: str
) -> None:
    viewer.layers.selection.active = corrected
    assert viewer.layers.save(str(tmp_path / name), selected=True, plugin=PLUGIN) == [str(tmp_path / name)]
    back = read_volume(tmp_path / name)
    np.testing.assert_array_equal(back.data, corrected.data)
    np.testing.assert_allclose(back.geometry.spacing, (2, 1, 0.5))
    assert {item.id: item.name for item in back.classes} == {item.id: item.name for item in CLASSES}
    if ".nii" in name:
        np.testing.assert_array_equal(nib.load(tmp_path / name).affine, nib.load(tmp_path / "labels.nii.gz").affine)


@pytest.mark.usefixtures("builtins")
def test_file_save_finds_our_writer_without_being_told(viewer: Viewer, corrected: Labels, tmp_path: Path) -> None:
    assert corrected.save(str(tmp_path / "out.nii.gz")) == [str(tmp_path / "out.nii.gz")]
    assert read_volume(tmp_path / "out.nii.gz").geometry.matches(to_volume(corrected).geometry)


@pytest.mark.parametrize("name", ["out.csv", "out.obj"])
def test_file_save_exports_too(viewer: Viewer, corrected: Labels, tmp_path: Path, name: str) -> None:
    assert hooks.write(str(tmp_path / name), *corrected.as_layer_data_tuple()[:2]) == [str(tmp_path / name)]
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert all(item.name in text for item in CLASSES)


def test_labels_of_other_plugins_are_saved_with_their_scale(viewer: Viewer, tmp_path: Path) -> None:
    layer = viewer.add_labels(np.ones((3, 4, 5), np.int64), scale=(3, 2, 1), units=("um",) * 3, name="other")
    layer.save(str(tmp_path / "out.tif"), plugin=PLUGIN)
    back = read_volume(tmp_path / "out.tif")
    np.testing.assert_allclose(back.geometry.spacing, (3, 2, 1))
    assert back.geometry.unit == "um"


def test_a_place_that_can_not_be_written_is_a_problem_with_a_way_on(
    viewer: Viewer, corrected: Labels, tmp_path: Path
) -> None:
    (tmp_path / "taken.nii.gz").mkdir()
    with pytest.raises(SaveProblem) as caught:
        hooks.write(str(tmp_path / "taken.nii.gz"), *corrected.as_layer_data_tuple()[:2])
    assert str(caught.value)


# ---- samples -------------------------------------------------------------------------------------------------------


def test_the_hippocampus_sample_opens(viewer: Viewer) -> None:
    viewer.open_sample(PLUGIN, "hippocampus")
    (layer,) = viewer.layers
    assert isinstance(layer, Image)
    np.testing.assert_allclose(layer.scale, (1, 1, 1))
    assert to_volume(layer).geometry.anatomical


def test_the_nuclei_sample_opens_with_its_labels(viewer: Viewer) -> None:
    viewer.open_sample(PLUGIN, "nuclei")
    image, labels = viewer.layers
    assert isinstance(image, Image)
    assert isinstance(labels, Labels)
    np.testing.assert_allclose(image.data_to_world((1, 2, 3)), labels.data_to_world((1, 2, 3)))
    assert str(image.units[0]) == "micrometer"


def test_a_missing_sample_is_told() -> None:
    with pytest.raises(FileProblem, match="nosuch"):
        hooks.sample_file("nosuch.tif")


def test_a_project_that_is_dropped_opens_its_worklist(qtbot: Any, viewer: Viewer, tmp_path: Path) -> None:
    save_nifti(tmp_path / "scan_1.nii.gz", phantom()[0])
    case = Case(name="scan_1", code="scan_1", images=(ImageRef(path="scan_1.nii.gz"),))
    path = Project.create(tmp_path / "study.vol3d", name="Study", cases=[case]).path
    drop(viewer, path)
    dock = viewer.window.dock_widgets["Vol3D (napari-vol3d)"]
    room = dock.review()
    qtbot.waitUntil(lambda: room.session is not None and bool(room.session.rows), timeout=15_000)
    assert room.panel.ui.title.text() == "Study"
    assert not viewer.layers
    dock.let_go()
