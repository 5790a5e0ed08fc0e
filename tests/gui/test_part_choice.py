"""Of several volumes a person chooses one or more, or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QItemSelectionModel, Qt, QTimer
from qtpy.QtWidgets import QApplication, QDialogButtonBox

from napari_vol3d.gui.part_choice import PartChoice, ask_parts, full_title, short_title
from napari_vol3d.io.parts import Part, SeveralParts

PARTS = tuple(Part(key=f"1.2.{k}", title=f"series {k}, {k} slices") for k in range(3))
SEVERAL = SeveralParts(Path("folder") / "study", PARTS)


@pytest.fixture
def dialog(qtbot: Any) -> PartChoice:
    dialog = PartChoice(SEVERAL)
    qtbot.addWidget(dialog)
    return dialog


def test_the_first_is_chosen_and_titles_are_shown(dialog: PartChoice) -> None:
    assert dialog.value() == [PARTS[0]]
    assert [dialog.list.item(k).text() for k in range(3)] == [part.title for part in PARTS]


def test_several_can_be_chosen_and_come_in_their_own_order(dialog: PartChoice) -> None:
    dialog.list.clearSelection()
    for row in (2, 0):
        dialog.list.setCurrentRow(row, QItemSelectionModel.SelectionFlag.Select)
    assert dialog.value() == [PARTS[0], PARTS[2]]


def test_with_nothing_chosen_there_is_nothing_to_open(dialog: PartChoice) -> None:
    dialog.list.clearSelection()
    assert dialog.value() == []
    assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Open).isEnabled()


@pytest.mark.parametrize(
    ("key", "title", "full", "short"),
    [
        ("1.2.840.5#2", "T1 post, 22 slices", "T1 post, 22 slices", "T1 post"), ("0", "image 0", "image 0", "image 0"),
        ("1.2.840+repair", "with the gaps filled in", "with the gaps filled in", "with the gaps filled in"),
        ("volumes/raw", "9 x 8 x 7, uint8", "volumes/raw: 9 x 8 x 7, uint8", "volumes/raw"),
    ],
)  # fmt: skip
def test_names_are_shown_and_numbers_are_not(key: str, title: str, full: str, short: str) -> None:
    part = Part(key=key, title=title)
    assert (full_title(part), short_title(part)) == (full, short)


def answer(qtbot: Any, key: Any) -> None:
    def press() -> None:
        found = QApplication.activeModalWidget()
        assert isinstance(found, PartChoice)
        found.list.setCurrentRow(1)
        qtbot.keyClick(found, key)

    QTimer.singleShot(100, press)


@pytest.mark.parametrize(("key", "chosen"), [(Qt.Key.Key_Return, [PARTS[1]]), (Qt.Key.Key_Escape, [])])
def test_the_question_is_answered_by_keys(qtbot: Any, key: Any, chosen: list[Part]) -> None:
    answer(qtbot, key)
    assert ask_parts(SEVERAL) == chosen
