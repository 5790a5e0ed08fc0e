"""Where exports go: never over what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_vol3d.gui.panels.ways_out import BIDS, FIGURES, LABELS, REPORT, TRAINING, WAYS, fresh_folder
from napari_vol3d.review.project.records import Case, ImageRef
from napari_vol3d.review.project.store import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    case = Case(name="a", code="a", images=(ImageRef(path="a.nii"),))
    return Project.create(tmp_path / "study" / "study.vol3d", name="study", cases=[case])


@pytest.fixture
def parent(qtbot: Any) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


def test_only_an_empty_folder_is_written_to_as_it_is(tmp_path: Path) -> None:
    chosen = tmp_path / "chosen"
    assert fresh_folder(chosen, "labels") == chosen
    chosen.mkdir()
    assert fresh_folder(chosen, "labels") == chosen
    (chosen / "scan.nii.gz").touch()
    assert fresh_folder(chosen, "labels") == chosen / "labels"
    (chosen / "labels").mkdir()
    assert fresh_folder(chosen, "labels") == chosen / "labels_2"
    assert fresh_folder(chosen / "scan.nii.gz", "labels") == chosen / "scan.nii.gz" / "labels"  # no folder at all


def test_folders_are_asked_for_beside_the_project(
    project: Project, parent: QWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    def chosen(_: QWidget, title: str, start: str) -> str:
        assert title
        started.append(start)
        return start

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", chosen)
    folder = project.path.parent  # where the scans are
    for way, place in (
        (LABELS, folder / "labels"), (TRAINING, folder / "training"), (FIGURES, folder / "figures"), (BIDS, folder),
    ):  # fmt: skip
        assert way.ask(parent, project) == place
    assert set(started) == {str(folder)}
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    assert [way.ask(parent, project) for way in WAYS] == [None] * len(WAYS)


def test_a_report_without_an_extension_replaces_nothing_unasked(
    project: Project, parent: QWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, proposed = [str(tmp_path / "mine")], []

    def chosen(_: QWidget, __: str, start: str, ___: str) -> tuple[str, str]:
        proposed.append(start)
        return (answers.pop() if answers else ""), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", chosen)
    assert REPORT.ask(parent, project) == tmp_path / "mine.html"
    assert proposed == [str(project.path.with_name("study report.html"))]
    (tmp_path / "mine.html").touch()
    answers.append(str(tmp_path / "mine"))
    assert REPORT.ask(parent, project) is None  # asked again, and dismissed
    assert proposed[-1] == str(tmp_path / "mine.html")
    answers.append(str(tmp_path / "mine.HTML"))
    assert REPORT.ask(parent, project) == tmp_path / "mine.HTML"
