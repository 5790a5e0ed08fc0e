"""A folder is chosen, shown, and taken away again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_vol3d.gui.forms.folder_choice import FolderChoice

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def form(qtbot: Any) -> FolderChoice:
    form = FolderChoice("A folder", "Choose it", none="none", optional=True)
    qtbot.addWidget(form)
    form.resize(200, 30)
    form.show()
    return form


def test_a_folder_that_a_person_chose_is_told_twice_once_as_theirs(
    qtbot: Any, form: FolderChoice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    form.valueChanged.connect(lambda: told.append("changed"))
    form.chosen.connect(lambda: told.append("chosen"))
    form.setValue(tmp_path)
    assert told == ["changed"]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "b"))
    qtbot.mouseClick(form.ask, LEFT)
    assert form.value() == tmp_path / "b"
    assert told == ["changed", "changed", "chosen"]
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    qtbot.mouseClick(form.ask, LEFT)
    assert form.value() == tmp_path / "b"
    assert len(told) == 3


def test_it_can_be_taken_away(qtbot: Any, form: FolderChoice, tmp_path: Path) -> None:
    assert form.words.text() == "none"
    assert form.clear.isHidden()
    form.setValue(tmp_path)
    qtbot.mouseClick(form.clear, LEFT)
    assert form.value() is None
    assert form.words.text() == "none"
    assert form.clear.isHidden()


def test_one_that_must_be_there_cannot(qtbot: Any, tmp_path: Path) -> None:
    form = FolderChoice("A folder", "Choose it")
    qtbot.addWidget(form)
    form.setValue(tmp_path)
    assert form.clear.isHidden()


def test_a_long_path_needs_no_room_and_shows_its_end(form: FolderChoice, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100) / "<b>scans"
    before = form.minimumSizeHint().width()
    form.setValue(long)
    assert form.minimumSizeHint().width() <= before + form.clear.sizeHint().width() + 10
    assert form.words.text() == str(long)
    assert super(type(form.words), form.words).text() != ""
    assert form.words.toolTip() == str(long)
    form.say("elsewhere")
    assert form.words.text() == "elsewhere"
    assert form.value() == long
