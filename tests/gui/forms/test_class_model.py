"""The model tells Qt the truth about the rows, and asks where a person types."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.modeltest import ModelTester
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor

from napari_vol3d.gui.forms.class_model import EYE, ID, LOCK, NAME, SOUGHT, ClassModel, ClassRow

ROWS = (
    ClassRow(id=1, name="spleen", color="#e69f00"), ClassRow(id=117, name="costal", color="#112233", shown=False),
    ClassRow(id=2**32 - 1, name="last", color="#445566", opacity=0.5),
)  # fmt: skip


@pytest.fixture
def model(qtmodeltester: ModelTester) -> ClassModel:
    model = ClassModel()
    model.set_rows(ROWS)
    return model


def test_qt_finds_no_fault(model: ClassModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)


def test_cells_show_what_a_class_is(model: ClassModel) -> None:
    assert model.index(0, NAME).data() == "spleen"
    assert model.index(0, NAME).data(Qt.ItemDataRole.DecorationRole) == QColor("#e69f00")
    assert model.index(2, ID).data() == str(2**32 - 1)
    assert [model.index(k, EYE).data(Qt.ItemDataRole.AccessibleTextRole) for k in (0, 1)] == ["shown", "hidden"]
    assert "50% opaque" in model.index(2, NAME).data(Qt.ItemDataRole.ToolTipRole)
    assert model.index(1, NAME).data(SOUGHT) == "117 costal"


def test_a_changed_row_is_told_and_the_list_is_not_built_anew(qtbot: Any, model: ClassModel) -> None:
    changed = (ROWS[0], ClassRow(id=117, name="costal", color="#112233"), ROWS[2])
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.dataChanged) as told:
        assert model.set_rows(changed) is False
    assert (told.args[0].row(), told.args[1].row()) == (1, 1)
    with qtbot.assertNotEmitted(model.dataChanged):
        model.set_rows(changed)
    with qtbot.waitSignal(model.modelReset):
        assert model.set_rows(ROWS[:2]) is True


def test_a_name_is_asked_for_and_not_kept(qtbot: Any, model: ClassModel) -> None:
    name = model.place(2**32 - 1)
    with qtbot.waitSignal(model.renamed) as told:
        model.setData(name, "  aorta ")
    assert told.args == [2**32 - 1, "aorta"]
    assert name.data() == "last"
    with qtbot.assertNotEmitted(model.renamed):
        assert not model.setData(name, "  ")
        assert not model.setData(name, "last")


def test_only_names_can_be_typed(model: ClassModel) -> None:
    editable = [bool(model.index(0, c).flags() & Qt.ItemFlag.ItemIsEditable) for c in (EYE, NAME, LOCK, ID)]
    assert editable == [False, True, False, False]
    assert not model.place(5).isValid()


def test_a_lock_says_what_it_is_and_what_a_press_does(qtbot: Any, model: ClassModel) -> None:
    locked = (ROWS[0], ROWS[1], ClassRow(id=2**32 - 1, name="last", color="#445566", opacity=0.5, locked=True))
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.dataChanged) as told:
        model.set_rows(locked)
    assert told.args[0].column() <= LOCK <= told.args[1].column()
    for row, says, does in ((0, "not locked", "Lock spleen"), (2, "locked", "Unlock last")):
        assert model.index(row, LOCK).data(Qt.ItemDataRole.AccessibleTextRole) == says
        assert model.index(row, LOCK).data(Qt.ItemDataRole.ToolTipRole).startswith(f"{does}: ")
        assert model.index(row, LOCK).data() is None
