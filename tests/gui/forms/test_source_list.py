"""Sources are added by dialogs and drops, each once, and taken away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from napari_vol3d.gui.forms.source_list import SourceList

LEFT = Qt.MouseButton.LeftButton
BUTTON, NO_KEY, COPY = LEFT, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction


@pytest.fixture
def form(qtbot: Any) -> SourceList:
    form = SourceList()
    qtbot.addWidget(form)
    form.resize(400, 140)
    form.show()
    return form


def drop(widget: QWidget, *paths: str) -> bool:
    """Drop files; gives whether they were taken."""
    mime = QMimeData()
    mime.setUrls([QUrl(path) if "://" in path else QUrl.fromLocalFile(path) for path in paths])
    enter = QDragEnterEvent(QPoint(5, 5), COPY, mime, BUTTON, NO_KEY)
    enter.setAccepted(False)
    QApplication.sendEvent(widget, enter)
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), COPY, mime, BUTTON, NO_KEY))
    return bool(enter.isAccepted())


def test_dialogs_add(
    qtbot: Any, form: SourceList, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Sequence[Path]] = []
    form.valueChanged.connect(lambda: told.append(form.value()))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "scans"))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "a.csv"), ""))
    for button in (form.folder, form.table, form.folder):
        qtbot.mouseClick(button, LEFT)
    assert form.value() == (tmp_path / "scans", tmp_path / "a.csv")
    assert len(told) == 2  # the third time it was there already
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    for button in (form.folder, form.table):
        qtbot.mouseClick(button, LEFT)
    assert len(told) == 2


def test_drops_add_what_is_a_file(form: SourceList, tmp_path: Path) -> None:
    assert drop(form, str(tmp_path / "a.nii.gz"), "https://example.org/b.nii.gz", str(tmp_path / "c"))
    assert form.value() == (tmp_path / "a.nii.gz", tmp_path / "c")


def test_what_is_chosen_is_taken_away(qtbot: Any, form: SourceList, tmp_path: Path) -> None:
    form.setValue(tmp_path / name for name in "abc")
    assert not form.remove.isEnabled()
    assert "Choose" in form.remove.toolTip()
    form.list.item(1).setSelected(True)
    qtbot.mouseClick(form.remove, LEFT)
    assert form.value() == (tmp_path / "a", tmp_path / "c")
    assert not form.remove.isEnabled()


def test_an_empty_list_says_what_can_be_dropped(form: SourceList, tmp_path: Path, monkeypatch: Any) -> None:
    empty = form.list.viewport().grab().toImage()
    form.setValue([tmp_path / "a"])
    form.setValue([])
    assert form.list.viewport().grab().toImage() == empty
    monkeypatch.setattr("napari_vol3d.gui.forms.source_list.EMPTY", "")
    assert form.list.viewport().grab().toImage() != empty
