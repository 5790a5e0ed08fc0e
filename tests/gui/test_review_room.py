"""A day of review in a real window: real scans, the bundled model, real strokes and keys; the window is closed in the
middle and opened again; what goes out is read by others.

Four scans; `VOL3D_REVIEW_SCANS=12` takes twelve, up to the forty that the model has never seen.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import psutil
import pytest
from napari import Viewer
from napari.settings import _clear_plugin_settings_cache
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.panels.ways_out import FIGURES, LABELS, REPORT, TRAINING, Way
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import find_model, find_recipe
from napari_vol3d.pipeline.dataset import find_pairs
from napari_vol3d.review.project import claims
from napari_vol3d.review.project.accepting import labels_of_version, verify, versions_of
from napari_vol3d.review.project.foreseen import labels_of_prediction, predicted_cases
from napari_vol3d.review.project.gather import gather
from napari_vol3d.review.project.records import Reading
from napari_vol3d.review.project.store import Project
from tests.gui.bench.conftest import settle
from tests.gui.conftest import PLUGIN, RUN_MS
from tests.gui.correct.mousing import drag, go_to, pixel_of

SCANS = max(4, int(os.environ.get("VOL3D_REVIEW_SCANS", "4")))
WAIT_MS = 60_000
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
MODEL, NOTE = "hippocampus-t1", "Fuzzy at the End"


class Day:
    """A window with a project open in it, and the hands of a person."""

    def __init__(self, qtbot: Any, viewer: Viewer, path: Path) -> None:
        _clear_plugin_settings_cache()  # what was not written is forgotten
        self._qtbot, self.viewer = qtbot, viewer
        viewer.window.resize(1280, 800)
        self.bench: Workbench = viewer.window.add_plugin_dock_widget(PLUGIN, "Vol3D")[1]
        self.room: ReviewRoom = self.bench.review()
        self.bench.open_project(path)
        self.until(lambda: self.room.session is not None and bool(self.room.session.rows))

    # ---- what is there ----------------------------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        assert self.room.session is not None
        return self.room.session

    @property
    def project(self) -> Project:
        return self.session.project

    @property
    def record(self) -> Record:
        assert self.session.shown is not None
        assert self.session.shown.record is not None
        return self.session.shown.record

    @property
    def labels(self) -> NDArray[Any]:
        return self.record.layer.data

    def key(self, number: int) -> str:
        return list(self.session.rows)[number]

    def reading(self, number: int) -> Reading:
        """As the project has it, once all is written."""
        self.written()
        return self.project.reading(self.key(number))

    # ---- hands ------------------------------------------------------------------------------------------------------

    def press(self, key: Qt.Key, keys: Any = Qt.KeyboardModifier.NoModifier, *, on: QWidget | None = None) -> None:
        """Press a key, by default over the canvas."""
        window = self.viewer.window._qt_window
        if not window.isActiveWindow():  # nobody else gives it the keyboard where there is no window manager
            window.activateWindow()
            self.until(window.isActiveWindow)
        self._qtbot.keyClick(on or self.viewer.window._qt_viewer.canvas.native, key, keys)

    def accept(self) -> None:
        self.until(lambda: self.session.watch.seen)  # a prediction that comes shows the scan anew
        self.press(Qt.Key.Key_Return, SHIFT)

    def stroke(self, class_id: int, size: float = 5.0) -> None:
        """Draw with the ball brush through the middle of the slice, over what is of another class there."""
        room, record = self.bench.correct(), self.record
        middle = tuple(n // 2 for n in record.labels.shape)
        record.layer.selected_label = class_id
        room.panel.take("BallBrush")
        room.panel.tools["BallBrush"].size_form.setValue(size)
        go_to(room.desk.bench, record, middle)
        steps = len(record.history.steps)
        ends = [(middle[0], middle[1] + shift, middle[2] - 3) for shift in (-6, 0, 6)]
        drag(room.desk.bench.views[0], [pixel_of(room.desk.bench.views[0], record, voxel) for voxel in ends])
        assert len(record.history.steps) == steps + 1
        assert all(record.labels[voxel] == class_id for voxel in ends)

    # ---- waiting ----------------------------------------------------------------------------------------------------

    def until(self, condition: Callable[[], bool], timeout: int = WAIT_MS) -> None:
        self._qtbot.waitUntil(condition, timeout=timeout)

    def there(self, number: int) -> None:
        """Wait until a scan is on the canvas."""
        wanted = self.key(number)
        self.until(
            lambda: self.session.shown is not None and self.session.shown.loaded.row.reading.key == wanted
        )  # fmt: skip
        self.until(lambda: self.session.watch.seen)

    def foreseen(self, number: int) -> None:
        """Wait until a scan is predicted."""
        case = self.session.rows[self.key(number)].case.key
        self.until(lambda: case in predicted_cases(self.project), RUN_MS)

    def written(self) -> None:
        self.until(lambda: not self.session.clerk.waiting and not self.session.ledger.writer.waiting)

    def write(self, way: Way, target: Path) -> Path:
        """Write what leaves the project, as the buttons do once they know where."""
        self.room.out.start(way, target)
        job = self.room.out.job
        assert job is not None
        self.until(lambda: not job.running)
        assert target.exists(), self.room.out.said.text()
        return target

    def close(self) -> None:
        """Close the window, as a person does."""
        self.viewer.window.close()  # `Viewer.close` would take the layers away before
        settle()


@pytest.fixture
def day(qtbot: Any, make_napari_viewer: Any, vol3d: Any, plugin_settings: Any) -> Iterator[Callable[[Path], Day]]:
    """Begins a day with a project."""
    days: list[Day] = []

    def begin(path: Path) -> Day:
        days.append(Day(qtbot, make_napari_viewer(show=True), path))
        return days[-1]

    yield begin
    for one in days:
        one.bench.let_go()
    days.clear()
    settle()


def make_project(shared_data: Path, folder: Path, *, count: int, model: dict[str, str]) -> Project:
    """Make a project of hippocampi that the model has never seen, found in a folder of images."""
    images = folder / "images"
    images.mkdir(parents=True)
    for name in json.loads(find_recipe(MODEL).read_text())["test"][:count]:
        shutil.copy(shared_data / "hippocampus" / "images" / f"{name}.nii.gz", images)
    cases = gather([images], base=folder).cases
    assert len(cases) == count
    classes = find_model(MODEL).card.output.classes
    return Project.create(folder / "study.vol3d", name="study", cases=cases, classes=classes, model=model)


def about(name: str) -> dict[str, str]:
    card = find_model(MODEL).card
    return {"name": name, "version": card.version, "sha256": card.weights.sha256}


@pytest.fixture
def project(shared_data: Path, tmp_path: Path) -> Project:
    return make_project(shared_data, tmp_path / "study", count=SCANS, model=about(MODEL))


def start_of(one: Day) -> NDArray[Any]:
    """Give the prediction that the scan on the canvas started from."""
    assert one.session.shown is not None
    start = one.session.shown.loaded.start
    assert start is not None
    return labels_of_prediction(one.project, start.key)


def test_a_day_of_review(day: Callable[[Path], Day], project: Project, tmp_path: Path) -> None:
    first = day(project.path)
    correct_and_accept(first)
    flag_with_a_note(first)
    go_back_and_undo(first)
    left = leave(first)
    second = day(project.path)
    come_back(second, left)
    accept_the_rest(second)
    all_goes_out(second, tmp_path)
    assert claims.holders(project.journal).keys() == {second.session.current}
    second.close()
    assert not claims.holders(project.journal)


def correct_and_accept(one: Day) -> None:
    """Correct the first: its prediction came while it was open. Accept by key: the next opens, predicted already."""
    one.press(Qt.Key.Key_PageDown)
    one.there(0)
    one.until(lambda: one.session.shown is not None and one.session.shown.loaded.start is not None, RUN_MS)
    assert np.array_equal(one.labels, start_of(one))
    assert set(np.unique(one.labels)) == {0, 1, 2}
    one.stroke(class_id=1)
    assert one.reading(0).status == "in review"
    mine = one.labels.copy()
    one.foreseen(1)
    one.accept()
    one.there(1)
    assert np.array_equal(one.labels, start_of(one))
    assert one.labels.any()
    reading = one.reading(0)
    (version,) = versions_of(one.project, reading.key)
    assert (reading.status, reading.version) == ("accepted", version.key)
    assert np.array_equal(labels_of_version(one.project, version.key), mine)
    assert np.array_equal(verify(one.project, version), mine)
    assert (version.model, version.model_sha256) == (f"{MODEL} {about(MODEL)['version']}", about(MODEL)["sha256"])
    assert version.changed["1"][0] > 0
    assert reading.seconds > 0


def flag_with_a_note(one: Day) -> None:
    """A note is kept by the key that leaves the scan; letters that are typed are no keys."""
    note = one.room.panel.ui.note
    note.setFocus()
    one._qtbot.keyClicks(note, NOTE)
    one.press(Qt.Key.Key_PageDown, on=note)
    one.there(2)
    assert note.text() == ""
    reading = one.reading(1)
    assert (reading.status, reading.note) == ("predicted", NOTE)
    one.press(Qt.Key.Key_PageUp)
    one.there(1)
    assert note.text() == NOTE
    one.press(Qt.Key.Key_F, SHIFT)
    one.there(2)
    assert one.reading(1).status == "flagged"
    assert one.reading(2).note == ""


def go_back_and_undo(one: Day) -> None:
    """Page up and down; an accept that is taken back, and given again."""
    one.press(Qt.Key.Key_PageUp)
    one.there(1)
    assert one.room.panel.ui.note.text() == NOTE
    one.press(Qt.Key.Key_PageDown)
    one.there(2)
    one.foreseen(2)
    one.until(lambda: one.session.shown is not None and one.session.shown.loaded.start is not None)
    one.accept()
    one.there(3)
    assert one.reading(2).status == "accepted"
    one.press(Qt.Key.Key_PageUp)
    one.there(2)
    one.press(Qt.Key.Key_Return, SHIFT | CTRL)
    one.until(lambda: one.session.rows[one.key(2)].reading.status == "predicted")
    assert one.reading(2).version is None
    assert len(versions_of(one.project, one.key(2))) == 1
    one.accept()
    one.there(3)
    assert len(versions_of(one.project, one.key(2))) == (one.reading(2).version is not None) + 1


def leave(one: Day) -> dict[str, Any]:
    """Close the window in the middle of the fourth scan; give where that was."""
    one.foreseen(3)
    one.until(lambda: one.session.shown is not None and one.session.shown.loaded.start is not None)
    one.stroke(class_id=2)
    one.viewer.dims.set_current_step(0, 11)
    one.viewer.scene.camera.zoom = 9.25
    one.bench.correct().panel.take("Eraser")
    settle()
    left = {"point": one.viewer.dims.point, "labels": one.labels.copy()}
    one.close()
    return left


def come_back(one: Day, left: dict[str, Any]) -> None:
    """The same scan, slice, zoom, tool, and the stroke."""
    one.there(3)
    assert one.viewer.dims.point == left["point"]
    assert one.viewer.scene.camera.zoom == 9.25
    assert type(one.bench.correct().desk.tool).__name__ == "Eraser"
    assert np.array_equal(one.labels, left["labels"])
    assert len(one.record.history.steps) == 1
    settle()
    assert one.viewer.scene.camera.zoom == 9.25
    assert [row.reading.status for row in one.session.rows.values()][:4] == [
        "accepted", "flagged", "accepted", "in review"
    ]  # fmt: skip


def accept_the_rest(one: Day) -> None:
    """One key a scan, and the last of the list leads back to what was flagged."""
    for number in range(3, SCANS):
        one.there(number)
        one.foreseen(number)
        one.until(lambda: one.session.shown is not None and one.session.shown.loaded.start is not None)
        one.accept()
    one.there(1)
    statuses = [one.reading(number).status for number in range(SCANS)]
    assert statuses == ["accepted", "flagged", *("accepted",) * (SCANS - 2)]


def all_goes_out(one: Day, folder: Path) -> None:
    """Labels on the grid of their scans, as nibabel sees them; a folder to train with; figures and a report."""
    accepted = [row for row in one.project.rows() if row.reading.status == "accepted"]
    labels = one.write(LABELS, folder / "labels")
    for row in accepted:
        (file,) = [path for path in labels.rglob("*.nii.gz") if path.name.startswith(row.case.code)]
        assert row.reading.version is not None
        wanted = labels_of_version(one.project, row.reading.version)
        same_voxels(one.project.place_of(row.case.images[0].path), file, wanted)
    pairs, alone = find_pairs(one.write(TRAINING, folder / "training"))
    assert [pair.name for pair in pairs] == sorted(row.case.code for row in accepted)
    assert alone == []
    assert list(one.write(FIGURES, folder / "figures").iterdir())
    assert "<svg" in one.write(REPORT, folder / "report.html").read_text()


def same_voxels(image: Path, file: Path, labels: NDArray[Any]) -> None:
    """Labels lie on the scan as a person saw them there: what turns the scan that way turns them."""
    scan, written, seen = nib.load(image), nib.load(file), np.asarray(read_volume(image).data)
    assert np.allclose(written.affine, scan.affine)
    turns = (tuple(slice(None, None, way) for way in ways) for ways in itertools.product((1, -1), repeat=3))
    turn = next(turn for turn in turns if np.array_equal(np.asarray(scan.dataobj).T[turn], seen))
    assert np.array_equal(np.asarray(written.dataobj).T[turn], labels)


def test_a_project_whose_model_is_missing_needs_no_engine(
    day: Callable[[Path], Day], shared_data: Path, tmp_path: Path
) -> None:
    before = set(psutil.Process().children(recursive=True))
    path = make_project(shared_data, tmp_path / "study", count=2, model=about("one that is gone")).path
    one = day(path)
    one.written()
    assert len(one.session.rows) == 2
    assert one.room._wish() is None
    one.until(lambda: not one.room.ahead._soon.isActive())  # it has looked what there is to predict
    assert set(psutil.Process().children(recursive=True)) == before
    assert "tensorflow" not in sys.modules
    one.close()
