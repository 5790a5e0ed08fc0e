"""The dialog makes the project that it shows, says why it can't, and loses nothing."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_vol3d.gui.forms import new_project
from napari_vol3d.gui.forms.new_project import MAKE_TIP, MAKING, NO_MODEL, NO_NAME, NO_SOURCES, WIDTH, NewProject
from napari_vol3d.models.store import Model, list_models
from napari_vol3d.review.project import gather as gathering
from napari_vol3d.review.project.gather import Gathered
from napari_vol3d.review.project.store import Project
from tests.builders import phantom, save_nifti

LEFT = Qt.MouseButton.LeftButton
WAIT_MS = 20_000
Make = Callable[..., NewProject]


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A study of seven scans; two have labels, and one label map has no scan."""
    folder = tmp_path / "study"
    folder.mkdir()
    for number in range(1, 8):
        save_nifti(folder / f"scan_{number:03d}.nii.gz", phantom()[0])
    for name in ("scan_001", "scan_002", "lost"):
        save_nifti(folder / f"{name}_seg.nii.gz", phantom()[1])
    return folder


@pytest.fixture
def make(qtbot: Any) -> Iterator[Make]:
    dialogs: list[NewProject] = []

    def made(*sources: Path, **keywords: Any) -> NewProject:
        dialogs.append(NewProject(keywords.pop("models", list_models()), sources, **keywords))
        dialogs[-1].show()
        return dialogs[-1]

    yield made
    for dialog in dialogs:
        if isalive(dialog):
            dialog.let_go()
        for job in (dialog.job, dialog.finder._job):
            if job is not None:
                qtbot.waitUntil(lambda job=job: not job.running, timeout=WAIT_MS)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def wait(qtbot: Any, dialog: NewProject) -> None:
    qtbot.waitUntil(dialog.make.isEnabled, timeout=WAIT_MS)


def test_a_folder_becomes_a_project(qtbot: Any, make: Make, scans: Path) -> None:
    dialog = make(scans)
    wait(qtbot, dialog)
    assert dialog.found.summary.text() == "7 cases, 2 with labels already; 1 note"
    assert "scan_005\nand 2 more" in dialog.found.names.text()
    assert "lost_seg.nii.gz" in dialog.found.notes.toPlainText()
    assert dialog.name.text() == "study"
    assert dialog.target() == scans / "study.vol3d"
    assert dialog.place.words.text() == str(scans / "study.vol3d")
    assert dialog.make.toolTip() == MAKE_TIP
    with qtbot.waitSignal(dialog.made, timeout=WAIT_MS) as told:
        qtbot.mouseClick(dialog.make, LEFT)
    assert told.args == [scans / "study.vol3d"]
    project = Project.open(scans / "study.vol3d")
    assert project.name == "study"
    assert [case.name for case in project.cases()] == [f"scan_{number:03d}" for number in range(1, 8)]
    card = next(model.card for model in list_models())
    assert project.model == {"name": card.name, "version": card.version, "sha256": card.weights.sha256}
    assert project.classes == card.output.classes
    assert project.place_of(project.cases()[1].prior) == scans / "scan_002_seg.nii.gz"
    assert not list(scans.glob(".saving*"))
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not isalive(dialog)


def test_nothing_can_be_made_of_nothing(make: Make) -> None:
    dialog = make()
    assert not dialog.make.isEnabled()
    assert dialog.make.toolTip() == NO_SOURCES
    dialog.accept()  # Return in a line
    assert dialog.job is None


def test_labels_of_another_folder_and_no_model(
    qtbot: Any, make: Make, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "masks").mkdir()
    for number in (4, 5, 6):
        save_nifti(tmp_path / "masks" / f"scan_{number:03d}.nii.gz", phantom()[1])
    dialog = make(scans)
    wait(qtbot, dialog)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "masks"))
    qtbot.mouseClick(dialog.priors.ask, LEFT)
    assert not dialog.make.isEnabled()  # until the labels are known
    wait(qtbot, dialog)
    assert dialog.found.summary.text().startswith("7 cases, 5 with labels already")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    qtbot.mouseClick(dialog.place.ask, LEFT)
    wait(qtbot, dialog)
    dialog.model.setCurrentText(NO_MODEL)
    with qtbot.waitSignal(dialog.made, timeout=WAIT_MS) as told:
        qtbot.mouseClick(dialog.make, LEFT)
    project = Project.open(told.args[0])
    assert project.path == tmp_path / "study.vol3d"
    assert (project.model, project.classes) == ({}, ())
    assert project.place_of(project.cases()[3].prior) == tmp_path / "masks" / "scan_004.nii.gz"
    assert project.place_of(project.cases()[0].images[0].path) == scans / "scan_001.nii.gz"


def test_a_name_of_the_persons_own_stays(qtbot: Any, make: Make, scans: Path, tmp_path: Path) -> None:
    dialog = make(scans)
    dialog.name.selectAll()
    qtbot.keyClicks(dialog.name, "mine")
    save_nifti(tmp_path / "alone.nii.gz", phantom()[0])
    dialog.sources.add([tmp_path / "alone.nii.gz"])
    assert dialog.name.text() == "mine"
    assert dialog.target() == tmp_path / "mine.vol3d"  # beside all of them
    wait(qtbot, dialog)
    assert dialog.found.summary.text().startswith("8 cases")
    dialog.name.clear()
    assert dialog.make.toolTip() == NO_NAME
    assert NO_NAME in dialog.said.text()
    qtbot.keyClicks(dialog.name, "again")
    assert dialog.make.isEnabled()


def test_what_is_wrong_is_said_where_one_looks(qtbot: Any, make: Make, scans: Path, tmp_path: Path) -> None:
    (scans / "study.vol3d").write_bytes(b"precious")
    dialog = make(scans)
    qtbot.waitUntil(lambda: "cases" in dialog.found.summary.text(), timeout=WAIT_MS)
    assert not dialog.make.isEnabled()
    assert dialog.make.toolTip().startswith("study.vol3d is there already.")
    assert "study.vol3d is there already." in dialog.said.text()
    (tmp_path / "empty").mkdir()
    dialog.sources.setValue([tmp_path / "empty"])
    qtbot.waitUntil(lambda: "No scan was found." in dialog.said.text(), timeout=WAIT_MS)
    assert dialog.make.toolTip().startswith("No scan was found.")
    assert dialog.found.names.text().strip() == ""
    assert (scans / "study.vol3d").read_bytes() == b"precious"


def test_what_fails_leaves_no_file_and_the_dialog_as_it_was(
    qtbot: Any, make: Make, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full while the cases are written; then there is room."""
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    dialog = make(scans)
    wait(qtbot, dialog)
    with monkeypatch.context() as patch:
        patch.setattr(Project, "add_cases", full)
        qtbot.mouseClick(dialog.make, LEFT)
        qtbot.waitUntil(lambda: not dialog.job.running, timeout=WAIT_MS)
    assert "No space left on device" in dialog.said.text()
    assert isalive(dialog)
    assert dialog.isVisible()
    assert not list(scans.glob("*.vol3d"))
    with qtbot.waitSignal(dialog.made, timeout=WAIT_MS):
        qtbot.mouseClick(dialog.make, LEFT)
    assert len(Project.open(scans / "study.vol3d").cases()) == 7


def test_one_that_somebody_else_made_meanwhile_is_left_alone(
    qtbot: Any, make: Make, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = make(scans)
    wait(qtbot, dialog)
    monkeypatch.setattr(new_project, "refusal", lambda _: "")  # it came after the look
    (scans / "study.vol3d").write_bytes(b"precious")
    qtbot.mouseClick(dialog.make, LEFT)
    qtbot.waitUntil(lambda: not dialog.job.running, timeout=WAIT_MS)
    assert "study.vol3d is there already." in dialog.said.text()
    assert (scans / "study.vol3d").read_bytes() == b"precious"


def test_while_it_is_made_nothing_can_be_changed(
    qtbot: Any, make: Make, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, real = threading.Event(), Project.add_cases

    def slow(self: Project, new: Any) -> None:
        assert go.wait(WAIT_MS / 1000)
        real(self, new)

    monkeypatch.setattr(Project, "add_cases", slow)
    dialog = make(scans)
    wait(qtbot, dialog)
    qtbot.mouseClick(dialog.make, LEFT)
    assert dialog.make.toolTip() == dialog.cancel.toolTip() == MAKING
    assert not any(form.isEnabled() for form in (dialog.make, dialog.cancel, dialog.sources, dialog.name))
    dialog.accept()
    dialog.reject()  # Escape
    assert dialog.isVisible()
    with qtbot.waitSignal(dialog.made, timeout=WAIT_MS):
        go.set()


def test_a_slow_disk_does_not_hold_the_window(
    qtbot: Any, make: Make, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, real, threads = threading.Event(), gathering.gather, set()

    def slow(*args: Any, **keywords: Any) -> Gathered:
        threads.add(threading.current_thread())
        assert go.wait(WAIT_MS / 1000)
        return real(*args, **keywords)

    monkeypatch.setattr(gathering, "gather", slow)
    dialog = make(scans)
    assert dialog.found.summary.text() == dialog.make.toolTip() == "Looking for scans ..."
    qtbot.keyClicks(dialog.name, " 2")
    assert dialog.name.text() == "study 2"
    go.set()
    wait(qtbot, dialog)
    assert threading.main_thread() not in threads


def test_closing_it_writes_nothing(qtbot: Any, make: Make, scans: Path) -> None:
    before = sorted(path.name for path in scans.iterdir())
    dialog = make(scans)
    told: list[Path] = []
    dialog.made.connect(told.append)
    wait(qtbot, dialog)
    qtbot.mouseClick(dialog.cancel, LEFT)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not isalive(dialog)
    assert sorted(path.name for path in scans.iterdir()) == before
    assert not told


def test_the_models_classes_are_shown_and_their_names_are_no_markup(make: Make) -> None:
    (model, *_) = list_models()
    output = model.card.output
    named = output.model_copy(update={"classes": (replace(output.classes[0], name="<b>x"),)})
    other = replace_card(model, name="other", title="Other", output=named)
    dialog = make(models=[model, other], model="other")
    assert dialog.model.currentText() == "Other"
    assert "&lt;b&gt;x" in dialog.classes.text()
    dialog.model.setCurrentText(model.card.title)
    for item in output.classes:
        assert item.name in dialog.classes.text()
        assert item.color in dialog.classes.text()


def replace_card(model: Model, **values: Any) -> Model:
    return replace(model, card=model.card.model_copy(update=values))


def test_nothing_makes_it_wide(qtbot: Any, make: Make, scans: Path) -> None:
    long = scans.parent / ("folder " * 30).strip()
    shutil.copytree(scans, long)
    for path in list(long.glob("scan_00[1-4].nii.gz")):
        path.rename(path.with_name("x" * 200 + path.name))
    dialog = make(long)
    wait(qtbot, dialog)
    assert dialog.minimumSizeHint().width() <= WIDTH
    assert dialog.width() <= WIDTH


def test_real_scans(qtbot: Any, make: Make, shared_data: Path, tmp_path: Path) -> None:
    """Folders of the shared data, which can't be written to by everybody: the project goes elsewhere."""
    dialog = make(shared_data / "hippocampus")
    dialog.place.setValue(tmp_path)
    wait(qtbot, dialog)
    scans = len(list((shared_data / "hippocampus" / "images").iterdir()))
    assert dialog.found.summary.text().startswith(f"{scans:,} cases, ")
